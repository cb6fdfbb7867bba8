"""What mounts answer, and what becomes of those that don't; with processes that are really asked."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pulsetui.faults import ENVIRONMENT
from pulsetui.volumes.looking import GONE, NOT_A_FOLDER, found_at
from pulsetui.volumes.mountinfo import parse_mountinfo, visible
from pulsetui.volumes.probing import FIRST_PAUSE_S, HANGING, LONGEST_PAUSE_S, Prober
from pulsetui.volumes.records import Mount
from tests.db.tools import FakeClock
from tests.living import children, is_alive
from tests.until import until
from tests.volumes.hanging import BLOCK_BYTES, BLOCKS, FILES, hanging
from tests.volumes.mounts import bind, ext4_image, may_mount, mounted, tmpfs, unmount
from tests.volumes.mounts import mount as run_mount

TIMEOUT_S = 0.4


def mount_at(point: Path) -> Mount:
    """Return the mount on a folder."""
    table = visible(parse_mountinfo(Path("/proc/self/mountinfo").read_bytes()))
    return next(mount for mount in table if mount.point == os.fsencode(point))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def prober(clock: FakeClock) -> AsyncIterator[Prober]:
    prober = Prober(timeout_s=TIMEOUT_S, clock=clock)
    yield prober
    await prober.close()


@may_mount
async def test_a_mount_tells_its_room_its_uuid_and_its_marker(prober: Prober, tmp_path: Path) -> None:
    with mounted(ext4_image(tmp_path / "image"), tmp_path / "point") as point:
        (point / ".pulsetui-volume").write_text('{"volume": "00000000-0000-0000-0000-00000000000a"}')
        mount = mount_at(point)

        probe = (await prober.probe([mount]))[mount]

        room = os.statvfs(point)
        assert probe.error == ""
        assert not probe.is_hanging
        assert probe.device == point.stat().st_dev
        assert probe.total_bytes == room.f_blocks * room.f_frsize
        assert probe.available_bytes == room.f_bavail * room.f_frsize
        assert (probe.total_inodes, probe.free_inodes) == (room.f_files, room.f_ffree)
        assert probe.marker == "00000000-0000-0000-0000-00000000000a"


@may_mount
async def test_one_process_stays_for_all_looks_and_none_after_the_end(prober: Prober, tmp_path: Path) -> None:
    before = set(children())
    with tmpfs(tmp_path / "one") as one, tmpfs(tmp_path / "two") as two:
        mounts = [mount_at(one), mount_at(two)]
        await prober.probe(mounts)
        (started,) = set(children()) - before
        for _ in range(3):
            assert len(await prober.probe(mounts)) == 2
        assert set(children()) - before == {started}
    await prober.close()
    assert not is_alive(started)


@may_mount
async def test_a_mount_that_hangs_is_said_to_and_delays_no_other(prober: Prober, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "one") as one, hanging(tmp_path / "hang") as _, tmpfs(tmp_path / "two") as two:
        silent = mount_at(tmp_path / "hang")
        mounts = [mount_at(one), silent, mount_at(two)]
        found = await prober.probe(mounts)
        assert [found[mount].is_hanging for mount in mounts] == [False, True, False]

        asked_before = prober._silent[silent]
        found = await prober.probe(mounts)
        assert prober._silent[silent] is asked_before  # it wasn't waited for again
        assert [found[mount].is_hanging for mount in mounts] == [False, True, False]


@may_mount
async def test_a_process_that_even_a_kill_cannot_end_is_left_behind_and_ends_when_it_can(
    prober: Prober, tmp_path: Path
) -> None:
    with hanging(tmp_path / "hang") as server:
        before = set(children())
        mount = mount_at(tmp_path / "hang")
        assert await prober.probe([mount]) == {mount: HANGING}
        (stuck,) = set(children()) - before
        await asyncio.wait_for(prober.close(), 10)
        assert is_alive(stuck)  # or the mount didn't hang as a dead disk does
        server.kill()
        await until(lambda: not is_alive(stuck))


@may_mount
async def test_a_mount_that_answers_again_is_heard_at_the_next_look(
    prober: Prober, clock: FakeClock, tmp_path: Path
) -> None:
    with hanging(tmp_path / "hang") as server:
        mount = mount_at(tmp_path / "hang")
        await prober.probe([mount])
        server.answer()
        await until(lambda: prober._silent[mount].looker.is_over)
        clock.advance(FIRST_PAUSE_S)

        probe = (await prober.probe([mount]))[mount]
        if probe.is_hanging:  # a process takes a while to start; its answer is there at the next look, or the one after
            await until(lambda: prober._silent.get(mount) is None)
            probe = (await prober.probe([mount]))[mount]
        assert probe.total_bytes == BLOCKS * BLOCK_BYTES
        assert probe.total_inodes == FILES


@may_mount
async def test_no_second_process_is_sent_where_one_still_hangs(
    prober: Prober, clock: FakeClock, tmp_path: Path
) -> None:
    with hanging(tmp_path / "hang") as server:
        before = set(children())
        mount = mount_at(tmp_path / "hang")
        await prober.probe([mount])
        stuck = set(children()) - before
        for _ in range(3):
            clock.advance(LONGEST_PAUSE_S * 2)
            assert await prober.probe([mount]) == {mount: HANGING}
            assert set(children()) - before == stuck
        server.kill()


@may_mount
async def test_a_mount_that_stays_silent_is_asked_at_growing_pauses(clock: FakeClock, tmp_path: Path) -> None:
    prober = Prober(timeout_s=0.05, clock=clock)
    pauses = []
    with hanging(tmp_path / "hang", takes=False):
        before = set(children())
        mount = mount_at(tmp_path / "hang")
        assert await prober.probe([mount]) == {mount: HANGING}
        for _ in range(6):
            silent = prober._silent[mount]
            pauses.append(silent.pause_s)
            await until(lambda silent=silent: silent.looker.is_over)  # type: ignore[misc]
            clock.advance(silent.pause_s - 1)
            assert await prober.probe([mount]) == {mount: HANGING}
            assert prober._silent[mount] is silent  # too early
            assert set(children()) <= before
            clock.advance(1)
            assert await prober.probe([mount]) == {mount: HANGING}
            await until(lambda silent=silent: prober._silent[mount] is not silent)  # type: ignore[misc]
    await prober.close()
    assert pauses == [10, 20, 40, 80, 120, 120]


@may_mount
async def test_what_was_unmounted_since_it_was_listed_is_not_taken_for_what_lies_below(
    prober: Prober, tmp_path: Path
) -> None:
    with tmpfs(tmp_path / "point") as point:
        mount = mount_at(point)
        await prober.probe([mount])
        unmount(point)

        assert (await prober.probe([mount]))[mount].error == GONE
    point.rmdir()
    assert (await prober.probe([mount]))[mount].error == GONE


@may_mount
async def test_what_was_mounted_over_it_since_it_was_listed_is_not_taken_for_it(prober: Prober, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "point") as point:
        mount = mount_at(point)
        with tmpfs(point):
            assert (await prober.probe([mount]))[mount].error == GONE


@may_mount
async def test_a_mount_point_of_any_name_is_found(prober: Prober, tmp_path: Path) -> None:
    names = ["with spaces", "tab\tand\nnewline", "back\\slash", "caf\udce9", "\\040", "'quo\"ted"]
    for name in names:
        with tmpfs(tmp_path / name, 1 << 20) as point:
            mount = mount_at(point)
            assert (await prober.probe([mount]))[mount].total_bytes == 1 << 20


@may_mount
async def test_a_file_that_is_mounted_is_no_folder(prober: Prober, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "point").touch()
    run_mount("--bind", str(tmp_path / "file"), str(tmp_path / "point"))
    try:
        mount = mount_at(tmp_path / "point")
        assert (await prober.probe([mount]))[mount].error == NOT_A_FOLDER
    finally:
        unmount(tmp_path / "point")


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "huge", "no json", "empty"])
@may_mount
async def test_a_marker_that_cannot_be_read_is_said_and_holds_nothing_up(
    prober: Prober, tmp_path: Path, kind: str
) -> None:
    with tmpfs(tmp_path / "point") as point:
        marker = point / ".pulsetui-volume"
        if kind == "link":
            marker.symlink_to("/etc/passwd")
        elif kind == "fifo":
            os.mkfifo(marker)
        elif kind == "folder":
            marker.mkdir()
        else:
            marker.write_text({"huge": "{" * 100_000, "no json": "hello", "empty": ""}[kind])
        mount = mount_at(point)

        probe = (await prober.probe([mount]))[mount]

        assert probe.error == ""
        assert probe.marker == ""
        assert probe.marker_error.startswith(".pulsetui-volume is not ")
        assert probe.total_bytes > 0


@may_mount
async def test_a_process_that_dies_is_replaced_and_one_mount_that_kills_it_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    with tmpfs(tmp_path / "one") as one, tmpfs(tmp_path / "two") as two:
        mounts = [mount_at(one), mount_at(two)]
        for point in ("volumes.probe", "volumes.probe_uuid", "files.fs_uuid"):
            monkeypatch.setenv(ENVIRONMENT, f"{point}@2=kill")
            prober = Prober(timeout_s=5, clock=clock)
            found = await prober.probe(mounts)
            assert [found[mount].error for mount in mounts] == ["", ""]
            await prober.close()
        monkeypatch.setenv(ENVIRONMENT, "volumes.probe=kill")
        prober = Prober(timeout_s=5, clock=clock)
        found = await prober.probe(mounts)
        await prober.close()
        assert all("was killed by SIGKILL" in found[mount].error for mount in mounts)


@pytest.mark.parametrize("fault", ["EIO", "ESTALE", "ENOTCONN"])
async def test_a_mount_that_answers_with_an_error_is_not_a_hanging_one(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv(ENVIRONMENT, f"volumes.probe={fault}")
    prober = Prober(timeout_s=5)
    mount = mount_at(Path("/"))
    try:
        assert (await prober.probe([mount]))[mount].error.startswith(os.strerror(getattr(errno, fault)))
        assert (await prober.probe([mount]))[mount].error == ""
    finally:
        await prober.close()


async def test_a_look_that_is_cancelled_leaves_no_process_behind() -> None:
    before = set(children())
    prober = Prober(timeout_s=5)
    looking = asyncio.create_task(prober.probe([mount_at(Path("/"))]))
    await until(lambda: bool(set(children()) - before))
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    await prober.close()

    assert set(children()) <= before


@may_mount
async def test_a_cancelled_look_at_a_mount_that_hangs_ends_at_once(tmp_path: Path) -> None:
    prober = Prober(timeout_s=60)
    with hanging(tmp_path / "hang") as server:
        looking = asyncio.create_task(prober.probe([mount_at(tmp_path / "hang")]))
        await asyncio.to_thread(server.wait_for_request)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        await asyncio.wait_for(prober.close(), 10)
        server.kill()


@may_mount
def test_a_folder_that_may_not_be_listed_still_tells_its_room(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk") as disk, bind(disk, tmp_path / "point") as point:
        point.chmod(0o000)
        mount = mount_at(point)

        assert found_at(os.fspath(point), mount.id)["total_bytes"] > 0
