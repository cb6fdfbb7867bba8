"""The speed test's process on real file systems: what it writes, how it reads, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pulsetui import faults
from pulsetui.errors import WorkerFailedError, WorkerLostError
from pulsetui.files.folders import Folder
from pulsetui.files.page_cache import cached_share
from pulsetui.files.scratch import scratch_file
from pulsetui.processes.runner import CANCELLED, TaskSpec, run
from pulsetui.volumes.measuring import BLOCK_BYTES, FOLDER, ROUNDS
from tests.living import children, is_alive
from tests.until import until
from tests.volumes import mounts

MB = 1 << 20
OWNER = """
import asyncio, json, sys
from pulsetui.processes.runner import TaskSpec, run

def say(event):
    print(event["step"], flush=True)

asyncio.run(run(TaskSpec("pulsetui.volumes.measuring:measure", json.loads(sys.argv[1])), say))
"""


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    faults.disarm()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ext4 file system of its own, on a loop device."""
    if mounts.obstacle():
        pytest.skip(f"no loop mounts here: {mounts.obstacle()}")
    folder = tmp_path_factory.mktemp("measured")
    with mounts.mounted(mounts.ext4_image(folder / "image", 32), folder / "disk") as point:
        set_direct(point, on=True)
        yield point


def order(mount: Path, *, size_bytes: int = 2 * MB, **more: Any) -> dict[str, Any]:
    wanted = {"device": mount.stat().st_dev, "marker": "", "in_memory": False, "folders": [str(mount)]}
    return {"mount": str(mount), "size_bytes": size_bytes, **wanted, **more}


async def measured(
    arguments: dict[str, Any],
    on_event: Callable[[dict[str, Any]], None] = lambda _: None,
    cancel: asyncio.Event | None = None,
) -> dict[str, Any]:
    return await run(TaskSpec("pulsetui.volumes.measuring:measure", arguments), on_event, cancel)


def set_direct(point: Path, *, on: bool) -> bool:
    """Have an image read past the page cache, or through it; return False where that can't be."""
    number = os.minor(device_of(point))
    command = ["losetup", f"--direct-io={'on' if on else 'off'}", f"/dev/loop{number}"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def device_of(mount: Path) -> int:
    return mount.stat().st_dev


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def free_bytes(point: Path) -> int:
    found = os.statvfs(point)
    return found.f_bfree * found.f_frsize


async def test_each_round_is_timed_and_told_and_nothing_is_left(disk: Path) -> None:
    before = (names(disk), free_bytes(disk))
    events: list[dict[str, Any]] = []
    found = await measured(order(disk), events.append)
    assert (len(found["write_s"]), len(found["read_s"])) == (ROUNDS, ROUNDS)
    assert min(*found["write_s"], *found["read_s"]) > 0
    steps = list(dict.fromkeys((event["step"], event["round"]) for event in events))
    assert steps == [(step, number) for number in (1, 2, 3) for step in ("writing", "reading")]
    progress = [event["progress"] for event in events]
    assert progress == sorted(progress)
    assert 0 <= progress[0] <= progress[-1] <= 1
    assert (names(disk), free_bytes(disk)) == before


async def test_nothing_can_be_seen_of_it_while_it_runs(disk: Path) -> None:
    before = names(disk)
    seen: set[str] = set()
    await measured(order(disk), lambda _: seen.update(names(disk)))
    assert seen == set(before)


async def test_an_image_that_is_cached_itself_is_called_so(disk: Path) -> None:
    if not set_direct(disk, on=True):
        pytest.skip("the folder of the image can't be read past the page cache")
    assert (await measured(order(disk)))["method"] == "direct"
    try:
        assert set_direct(disk, on=False)
        assert (await measured(order(disk)))["method"] == "cache-affected"
    finally:
        set_direct(disk, on=True)


@mounts.may_mount
async def test_what_lies_in_memory_is_never_called_past_the_cache(tmp_path: Path) -> None:
    with mounts.tmpfs(tmp_path / "memory") as point:
        assert (await measured(order(point, in_memory=True)))["method"] == "cache-affected"
        assert names(point) == []


@mounts.may_mount
async def test_a_read_only_volume_is_refused(tmp_path: Path) -> None:
    image = mounts.ext4_image(tmp_path / "image")
    with mounts.mounted(image, tmp_path / "disk", "ro") as point:
        with pytest.raises(WorkerFailedError, match="read-only") as error:
            await measured(order(point))
        assert error.value.kind == "refused"


async def test_a_full_disk_is_no_room_and_keeps_nothing_of_the_test(disk: Path) -> None:
    before = free_bytes(disk)
    with pytest.raises(WorkerFailedError, match="no space left") as error:
        await measured(order(disk, size_bytes=64 * MB))
    assert error.value.kind == "space"
    assert (free_bytes(disk), (disk / FOLDER).exists()) == (before, False)


async def test_another_file_system_in_its_place_gets_not_one_byte(disk: Path, tmp_path: Path) -> None:
    for wrong in ({"device": device_of(disk) + 1}, {"marker": "b7c3"}):
        with pytest.raises(WorkerFailedError, match="something else is mounted") as error:
            await measured(order(disk, **wrong))
        assert error.value.kind == "volume-away"
    with pytest.raises(WorkerFailedError, match="can't be opened") as error:
        await measured({**order(disk), "mount": str(tmp_path / "gone")})
    assert error.value.kind == "volume-away"


async def test_the_first_folder_that_may_be_written_is_taken_and_only_on_the_volume(disk: Path, tmp_path: Path) -> None:
    (disk / "media").mkdir(exist_ok=True)
    (disk / "led away").symlink_to(tmp_path)
    try:
        folders = [str(tmp_path), str(disk / "led away"), str(disk / "none"), str(disk / "media")]
        with Folder.open(disk / "media") as place, scratch_file(place, FOLDER):
            assert names(disk / "media") == []
        await measured(order(disk, folders=folders))
        with pytest.raises(WorkerFailedError, match="may not write"):
            await measured(order(disk, folders=folders[:-1]))
        assert (names(disk / "media"), names(tmp_path)) == ([], [])
    finally:
        (disk / "led away").unlink()


async def test_a_cancelled_test_leaves_nothing(disk: Path) -> None:
    before, cancel = free_bytes(disk), asyncio.Event()
    with pytest.raises(WorkerFailedError) as error:
        await measured(order(disk, size_bytes=16 * MB), lambda _: cancel.set(), cancel)
    assert error.value.kind == CANCELLED
    assert (free_bytes(disk), (disk / FOLDER).exists(), children()) == (before, False, [])


async def test_a_killed_test_leaves_nothing(disk: Path) -> None:
    before = free_bytes(disk)
    killed: list[int] = []

    def kill(event: dict[str, Any]) -> None:
        if event["step"] == "reading" and not killed:
            killed.extend(children())
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(WorkerLostError):
        await measured(order(disk, size_bytes=8 * MB), kill)
    assert len(killed) == 1
    assert (disk / FOLDER).exists() is False
    await until(lambda: free_bytes(disk) == before)


async def test_a_killed_owner_takes_the_test_with_it_and_leaves_nothing(disk: Path) -> None:
    before = free_bytes(disk)
    command = [sys.executable, "-c", OWNER, json.dumps(order(disk, size_bytes=8 * MB))]
    # Each block waits, so that the test is certainly in the middle when its owner dies.
    slow = {**os.environ, faults.ENVIRONMENT: "files.written@*=delay:0.05"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=slow) as owner:  # noqa: ASYNC220 - a second owner
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"writing\n"
        [worker] = psutil.Process(owner.pid).children()
        owner.kill()
    await until(lambda: not is_alive(worker.pid))
    assert (disk / FOLDER).exists() is False
    await until(lambda: free_bytes(disk) == before)


@pytest.mark.parametrize("point", ["files.scratch", "files.data_sync", "files.folder_remove", "volumes.speed_read"])
async def test_killed_anywhere_it_leaves_at_most_an_empty_folder_that_the_next_one_removes(
    disk: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = free_bytes(disk)
    with monkeypatch.context() as patch:
        patch.setenv(faults.ENVIRONMENT, f"{point}=kill")
        with pytest.raises(WorkerLostError):
            await measured(order(disk))
    assert not (disk / FOLDER).exists() or list((disk / FOLDER).iterdir()) == []
    await measured(order(disk))
    assert ((disk / FOLDER).exists(), free_bytes(disk)) == (False, before)


@pytest.mark.parametrize("point", ["files.data_sync", "volumes.speed_read", "files.write"])
async def test_an_error_of_the_disk_is_told_and_leaves_nothing(
    disk: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(faults.ENVIRONMENT, f"{point}@2=EIO")
    with pytest.raises(WorkerFailedError, match="Input/output error"):
        await measured(order(disk))
    assert not (disk / FOLDER).exists()


def test_where_there_are_no_unnamed_files_the_name_goes_at_once(tmp_path: Path) -> None:
    faults.arm("files.scratch=EOPNOTSUPP")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "scratch-of-a-killed-one").touch()
    with Folder.open(tmp_path) as place, scratch_file(place, FOLDER) as descriptor:
        os.write(descriptor, b"x")
        assert (list(tmp_path.iterdir()), os.fstat(descriptor).st_nlink) == ([], 0)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_ours_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "somebody's.txt").write_text("x")
    with Folder.open(tmp_path) as place, scratch_file(place, FOLDER):
        pass
    assert (tmp_path / FOLDER / "somebody's.txt").read_text() == "x"


def test_the_cache_is_seen_for_what_it_is(disk: Path) -> None:
    with Folder.open(disk) as place, scratch_file(place, FOLDER) as descriptor:
        os.write(descriptor, os.urandom(BLOCK_BYTES))
        os.fsync(descriptor)
        assert cached_share(descriptor, BLOCK_BYTES) == 1.0
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        assert cached_share(descriptor, BLOCK_BYTES) == 0.0
    read_only, writing = os.pipe()
    assert cached_share(read_only, BLOCK_BYTES) == 1.0  # can't be told
    os.close(read_only)
    os.close(writing)
