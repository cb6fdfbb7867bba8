"""What is found of real file systems: images on loop devices, clones, binds, memory, mounts that hang."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pulsetui.settings.volumes import IGNORED_TYPES
from pulsetui.volumes.detector import Detector, host
from pulsetui.volumes.marker import write_marker
from pulsetui.volumes.mountinfo import parse_mountinfo
from pulsetui.volumes.records import Detected
from tests.db.tools import FakeClock
from tests.volumes.hanging import hanging
from tests.volumes.mounts import bind, clone, ext4_image, may_mount, mount, mounted, tmpfs, unmount

pytestmark = may_mount
ONE = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
async def detector(tmp_path: Path) -> AsyncIterator[Detector]:
    detector = Detector(ignored=IGNORED_TYPES, probe_timeout_s=0.5, by_uuid=tmp_path / "by-uuid", clock=FakeClock())
    yield detector
    await detector.close()


def clear_uuid(image: Path) -> None:
    subprocess.run(["tune2fs", "-U", "clear", image], check=True, capture_output=True)


def is_taken(number: str) -> bool:
    return any(found.device == number for found in parse_mountinfo(Path("/proc/self/mountinfo").read_bytes()))


async def below(detector: Detector, folder: Path) -> list[Detected]:
    """Return what is mounted below a folder."""
    return [one for one in await detector.detect() if one.mount_points[0].is_relative_to(folder)]


async def at(detector: Detector, point: Path) -> Detected:
    return next(one for one in await detector.detect() if point in one.mount_points)


async def test_a_disk_is_the_same_volume_under_another_device_number_and_mount_point(
    detector: Detector, tmp_path: Path
) -> None:
    image = ext4_image(tmp_path / "image", 1)
    with mounted(image, tmp_path / "first") as point:
        before = await at(detector, point)
    with ExitStack() as stack:
        for number in range(64):  # until another one has its loop device
            if is_taken(before.device_number):
                break
            stack.enter_context(mounted(ext4_image(tmp_path / f"{number}.image", 1), tmp_path / str(number)))
        point = stack.enter_context(mounted(image, tmp_path / "second"))
        after = await at(detector, point)

    assert before.device_number != after.device_number  # the loop device is another one
    assert before.fingerprint == after.fingerprint
    assert before.identity == after.identity == f"UUID {before.probe.fs_uuid}"
    assert before.kind == "disk"
    assert before.warnings == ()
    assert after.mount_points == (tmp_path / "second",)


async def test_marking_a_volume_does_not_change_its_fingerprint(detector: Detector, tmp_path: Path) -> None:
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "point") as point:
        before = await at(detector, point)
        write_marker(point, ONE)
        after = await at(detector, point)

    assert (before.probe.marker, after.probe.marker) == ("", ONE)
    assert before.fingerprint == after.fingerprint


async def test_a_clone_beside_its_original_is_a_second_volume_with_the_same_identity_and_marker(
    detector: Detector, tmp_path: Path
) -> None:
    image = ext4_image(tmp_path / "image", 1)
    with mounted(image, tmp_path / "one") as point:
        write_marker(point, ONE)
    with mounted(image, tmp_path / "one"), mounted(clone(image), tmp_path / "two"):
        one, two = await below(detector, tmp_path)

    assert one.fingerprint == two.fingerprint
    assert one.device_number != two.device_number
    assert one.probe.marker == two.probe.marker == ONE


async def test_another_disk_in_the_same_place_is_another_volume(detector: Detector, tmp_path: Path) -> None:
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "point") as point:
        before = await at(detector, point)
    with mounted(ext4_image(tmp_path / "other", 1), tmp_path / "point") as point:
        after = await at(detector, point)

    assert (before.mount_points, before.fs_type) == (after.mount_points, after.fs_type)
    assert before.fingerprint != after.fingerprint


async def test_a_disk_that_is_mounted_over_another_hides_it(detector: Detector, tmp_path: Path) -> None:
    below_it, above = ext4_image(tmp_path / "image", 1), ext4_image(tmp_path / "other", 1)
    with mounted(below_it, tmp_path / "point") as point:
        hidden = await at(detector, point)
        with mounted(above, point):
            (found,) = await below(detector, tmp_path)
        assert found.fingerprint != hidden.fingerprint
        assert (await at(detector, point)).fingerprint == hidden.fingerprint


async def test_bind_mounts_are_the_same_volume_and_show_its_marker(detector: Detector, tmp_path: Path) -> None:
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "disk") as disk:
        (disk / "media").mkdir()
        write_marker(disk / "media", ONE)  # it was tracked when only this part was mounted
        with bind(disk / "media", tmp_path / "a"), bind(disk, tmp_path / "whole"):
            (found,) = await below(detector, tmp_path)

    assert set(found.mount_points) == {tmp_path / "disk", tmp_path / "a", tmp_path / "whole"}
    assert found.probe.marker == ONE
    assert found.mount_points[0] == tmp_path / "a"  # where the marker is


async def test_of_equal_mount_points_the_one_that_shows_all_and_can_be_written_to_is_the_main_one(
    detector: Detector, tmp_path: Path
) -> None:
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "the disk") as disk:
        (disk / "media").mkdir()
        with bind(disk / "media", tmp_path / "a"), bind(disk, tmp_path / "b") as read_only:
            mount("-o", "remount,bind,ro", str(read_only))
            (found,) = await below(detector, tmp_path)

    assert found.mount_points == (tmp_path / "the disk", tmp_path / "b", tmp_path / "a")
    assert found.root == b"/"
    assert not found.is_read_only


async def test_a_volume_that_is_remounted_read_only_says_so_and_stays_itself(
    detector: Detector, tmp_path: Path
) -> None:
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "point") as point:
        before = await at(detector, point)
        mount("-o", "remount,ro", str(point))
        after = await at(detector, point)

    assert (before.is_read_only, after.is_read_only) == (False, True)
    assert before.fingerprint == after.fingerprint


async def test_memory_is_known_by_boot_and_mount_point_with_a_warning(detector: Detector, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "point", 1 << 20) as point:
        first = await at(detector, point)
    with tmpfs(tmp_path / "point") as point:
        second = await at(detector, point)

    assert first.kind == "memory"
    assert "reboot" in first.warnings[0]
    assert first.fingerprint == second.fingerprint
    assert first.probe.total_bytes == 1 << 20


async def test_an_overlay_is_known_by_this_machine_and_its_mount_point(detector: Detector, tmp_path: Path) -> None:
    for name in ("lower", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    with tmpfs(tmp_path / "upper") as upper:
        (upper / "upper").mkdir()
        (upper / "work").mkdir()
        layers = f"lowerdir={tmp_path}/lower,upperdir={upper}/upper,workdir={upper}/work"
        mount("-t", "overlay", "overlay", "-o", layers, str(tmp_path / "merged"))
        try:
            found = await at(detector, tmp_path / "merged")
        finally:
            unmount(tmp_path / "merged")

    assert found.kind == "overlay"
    assert found.warnings
    assert found.identity == f"this machine, mounted at {tmp_path / 'merged'}"


async def test_a_disk_without_a_uuid_is_known_by_its_place_with_a_warning(detector: Detector, tmp_path: Path) -> None:
    image = ext4_image(tmp_path / "image", 1)
    clear_uuid(image)
    with mounted(image, tmp_path / "point") as point:
        found = await at(detector, point)

    assert found.kind == "disk"
    assert "no UUID" in found.identity
    assert "no UUID" in found.warnings[0]


async def test_where_the_file_system_cannot_say_its_uuid_udev_is_asked(detector: Detector, tmp_path: Path) -> None:
    image = ext4_image(tmp_path / "image", 1)
    clear_uuid(image)
    with mounted(image, tmp_path / "point") as point:
        (tmp_path / "by-uuid").mkdir()
        (tmp_path / "by-uuid" / "3F2A-99C0").symlink_to((await at(detector, point)).device)
        found = await at(detector, point)

    assert found.identity == "UUID 3f2a-99c0"
    assert found.warnings == ()


async def test_a_mount_that_hangs_is_listed_and_the_others_are_as_ever(detector: Detector, tmp_path: Path) -> None:
    image = ext4_image(tmp_path / "image", 1)
    with hanging(tmp_path / "hang") as server, mounted(image, tmp_path / "disk") as disk:
        found = {one.mount_points[0]: one for one in await below(detector, tmp_path)}
        assert found[tmp_path / "hang"].probe.is_hanging
        assert "not answered yet" in found[tmp_path / "hang"].warnings[0]
        assert found[disk].probe.total_bytes > 0
        again = {one.mount_points[0]: one for one in await below(detector, tmp_path)}
        assert again[tmp_path / "hang"].fingerprint == found[tmp_path / "hang"].fingerprint
        server.kill()
    assert await below(detector, tmp_path) == []


async def test_a_disk_that_stops_answering_keeps_its_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector(ignored=IGNORED_TYPES, probe_timeout_s=5)
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "point") as point:
        before = await at(detector, point)
        await detector._prober.close()  # its process; the next one gets the fault
        monkeypatch.setenv("PULSETUI_FAULTS", "volumes.probe@*=EIO")
        after = await at(detector, point)
        await detector.close()
        monkeypatch.delenv("PULSETUI_FAULTS")

    assert after.probe.error.startswith("Input/output error")
    assert after.fingerprint == before.fingerprint


async def test_names_that_are_no_utf_8_or_hold_newlines_are_found_as_they_are(
    detector: Detector, tmp_path: Path
) -> None:
    names = ["new\nline", "caf\udce9", "with space", "\\040", "\x1b[31mred"]
    for name in names:
        with mounted(ext4_image(tmp_path / "image", 1), tmp_path / name) as point:
            found = await at(detector, point)
            assert found.mount_points == (tmp_path / name,)
            assert found.probe.total_bytes > 0


async def test_files_that_are_mounted_one_by_one_are_no_volume(detector: Detector, tmp_path: Path) -> None:
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "disk") as disk:
        (disk / "hosts").touch()
        (tmp_path / "hosts").touch()
        mount("--bind", str(disk / "hosts"), str(tmp_path / "hosts"))
        try:
            (both,) = await below(detector, tmp_path)
            assert both.mount_points == (disk,)
            unmount(disk)
            assert await below(detector, tmp_path) == []
        finally:
            unmount(tmp_path / "hosts")


async def test_a_volume_that_goes_away_during_the_look_is_left_out_and_nothing_below_it_is_taken_for_it(
    tmp_path: Path,
) -> None:
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "point") as point:
        shutil.copyfile("/proc/self/mountinfo", tmp_path / "listed before")
        stale = Detector(ignored=IGNORED_TYPES, probe_timeout_s=5, mountinfo=tmp_path / "listed before")
        assert len(await below(stale, tmp_path)) == 1
        unmount(point)
        assert await below(stale, tmp_path) == []
        await stale.close()


async def test_what_is_swapped_during_the_look_is_looked_at_again(detector: Detector, tmp_path: Path) -> None:
    with mounted(ext4_image(tmp_path / "image", 1), tmp_path / "point") as point, hanging(tmp_path / "hang") as server:
        looking = asyncio.create_task(at(detector, point))
        await asyncio.to_thread(server.wait_for_request)  # the disk has answered: it was listed before
        unmount(point)
        with tmpfs(point):
            found = await looking
        server.kill()

    assert (found.kind, found.fs_type) == ("memory", "tmpfs")


async def test_mounts_that_are_listed_and_not_there_are_not_made_up() -> None:
    recorded = Path(__file__).parent / "recorded" / "nfs.txt"
    detector = Detector(ignored=IGNORED_TYPES, probe_timeout_s=5, mountinfo=recorded)
    assert await detector.detect() == ()  # its mounts are another machine's
    await detector.close()


def test_this_machine_has_a_name() -> None:
    assert host().machine_id
    assert host().boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert host() == host()
    assert os.linesep not in host().machine_id
