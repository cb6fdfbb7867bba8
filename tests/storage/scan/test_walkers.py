"""Walkers die, are cancelled, meet what vanishes and what they can't read; a scan is whole or an error."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import NotFoundError, PulseError, WorkerLostError
from pulsetui.storage.scan.scanner import ScanProgress, ScanResult
from tests.living import children, is_alive
from tests.storage.scan.trees import assert_as_du_and_find, fill, many_folders, scanned, total_bytes, unverified
from tests.until import until

SLOWLY = "storage.scan_folder@*=delay:0.01"
"""Each folder takes its walker so long that there is time to disturb it."""


async def begun(work: asyncio.Task[ScanResult], seen: list[ScanProgress], folders: int = 1) -> list[int]:
    """Wait until a scan has listed some folders, and return its walkers."""
    await until(lambda: (bool(seen) and seen[-1].folders >= folders) or work.done())
    return children()


async def test_what_a_killed_walker_had_not_reported_is_listed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_folders(tmp_path)
    monkeypatch.setenv(faults.ENVIRONMENT, SLOWLY)
    seen: list[ScanProgress] = []
    work = asyncio.create_task(scanned(tmp_path, on_progress=seen.append))
    victims = await begun(work, seen)

    os.kill(victims[0], signal.SIGKILL)

    assert_as_du_and_find(tmp_path, (await work).records)
    assert len(victims) == 2


async def test_the_only_walker_is_replaced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many_folders(tmp_path)
    monkeypatch.setenv(faults.ENVIRONMENT, SLOWLY)
    seen: list[ScanProgress] = []
    work = asyncio.create_task(scanned(tmp_path, on_progress=seen.append, workers=1))
    (victim,) = await begun(work, seen)
    monkeypatch.delenv(faults.ENVIRONMENT)

    os.kill(victim, signal.SIGKILL)

    assert_as_du_and_find(tmp_path, (await work).records)


@pytest.mark.parametrize(
    "point", ["storage.scan_folder@3", "storage.scan_list@3", "processes.answer@1", "storage.scan_root@1"]
)
async def test_walkers_that_all_die_are_an_error_and_never_a_short_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    many_folders(tmp_path, 20)
    monkeypatch.setenv(faults.ENVIRONMENT, f"{point}=kill")

    with pytest.raises(WorkerLostError, match=r"SIGKILL|two walkers died"):
        await scanned(tmp_path)
    assert children() == []


async def test_without_any_process_a_scan_fails(tmp_path: Path) -> None:
    faults.arm("processes.spawn@*=EAGAIN")

    with pytest.raises(WorkerLostError, match="could not start a process"):
        await scanned(tmp_path)


async def test_with_one_process_fewer_a_scan_is_whole(tmp_path: Path) -> None:
    many_folders(tmp_path, 20)
    faults.arm("processes.spawn=EAGAIN")

    assert_as_du_and_find(tmp_path, (await scanned(tmp_path)).records)


async def test_a_huge_folder_is_whole_when_one_of_its_walkers_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulsetui.storage.scan.scanner._HUGE", 100)
    fill(tmp_path / "huge", (f"{number}.png" for number in range(2_500)), size=1)
    monkeypatch.setenv(faults.ENVIRONMENT, "storage.scan_list@2=delay:0.3")
    work = asyncio.create_task(scanned(tmp_path))
    await until(lambda: len(children()) == 2)
    victim = children()[1]
    await asyncio.sleep(0)

    os.kill(victim, signal.SIGKILL)

    assert_as_du_and_find(tmp_path, (await work).records)


@pytest.mark.parametrize("workers", [1, 2, 3])
async def test_a_huge_folder_is_shared_and_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("pulsetui.storage.scan.scanner._HUGE", 100)
    fill(tmp_path / "huge", (f"{number}.{'mp4' if number % 3 else 'png'}" for number in range(2_300)), size=10)
    (tmp_path / "huge" / "linked").hardlink_to(tmp_path / "huge" / "0.png")
    for number in range(150):
        (tmp_path / "huge" / f"folder {number}").mkdir()
    fill(tmp_path / "huge" / "folder 7" / "deep", ["a.mp4"])

    shared = await scanned(tmp_path, workers=workers)
    monkeypatch.undo()
    whole = await scanned(tmp_path, workers=1)

    assert_as_du_and_find(tmp_path, shared.records)
    assert unverified(shared.records) == unverified(whole.records)
    assert len(shared.records) == 153


async def test_thirty_thousand_files_in_one_folder_are_counted_by_all_walkers(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    for number in range(30_000):
        os.close(os.open(f"{number}.mp4", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    (tmp_path / "one.png").write_bytes(b"x" * 10_000)

    result = await scanned(tmp_path)

    assert [count[:3] for count in result.records[b""].counts] == [(0, 30_000, 0), (1, 1, 10_000)]


async def test_cancelling_ends_every_walker_before_it_gets_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_folders(tmp_path)
    monkeypatch.setenv(faults.ENVIRONMENT, "storage.scan_folder@*=delay:0.05")
    seen: list[ScanProgress] = []
    work = asyncio.create_task(scanned(tmp_path, on_progress=seen.append))
    pids = await begun(work, seen)
    assert len(pids) == 2

    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work
    assert not any(is_alive(pid) for pid in pids)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("turns", [1, 3, 6])
async def test_cancelling_at_the_start_leaves_nothing_behind(tmp_path: Path, turns: int) -> None:
    await scanned(tmp_path)  # what is opened once is open now
    before = open_descriptors()
    work = asyncio.create_task(scanned(tmp_path))
    for _ in range(turns):
        await asyncio.sleep(0)

    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work
    assert children() == []
    assert open_descriptors() == before


async def test_progress_grows_to_what_the_scan_comes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many_folders(tmp_path)
    monkeypatch.setenv(faults.ENVIRONMENT, SLOWLY)
    seen: list[ScanProgress] = []

    result = await scanned(tmp_path, on_progress=seen.append)

    folders = [progress.folders for progress in seen]
    assert folders == sorted(folders)
    assert len(set(folders)) > 2
    last = seen[-1]
    assert (last.folders, last.files, last.total_bytes) == (67, 240, total_bytes(result.records))
    assert last.files_per_s == pytest.approx(last.files / last.elapsed_s)


@pytest.mark.parametrize("how", ["renamed", "removed", "replaced"])
async def test_a_root_that_goes_away_in_the_middle_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    root = tmp_path / "root"
    many_folders(root)
    monkeypatch.setenv(faults.ENVIRONMENT, SLOWLY)
    seen: list[ScanProgress] = []
    work = asyncio.create_task(scanned(root, on_progress=seen.append))
    await begun(work, seen)

    if how == "removed":
        shutil.rmtree(root)
    else:
        root.rename(tmp_path / "elsewhere")
    if how == "replaced":
        root.mkdir()

    with pytest.raises(NotFoundError, match="went away"):
        await work


async def test_a_root_that_was_replaced_before_its_walkers_came_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    many_folders(root, 3)
    monkeypatch.setenv(faults.ENVIRONMENT, "storage.scan_root@*=delay:0.2")
    work = asyncio.create_task(scanned(root))
    await until(lambda: bool(children()))

    root.rename(tmp_path / "elsewhere")
    many_folders(root, 3)

    with pytest.raises(NotFoundError, match="went away"):
        await work


async def test_folders_that_vanish_in_the_middle_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many_folders(tmp_path)
    monkeypatch.setenv(faults.ENVIRONMENT, SLOWLY)
    seen: list[ScanProgress] = []
    work = asyncio.create_task(scanned(tmp_path, on_progress=seen.append, workers=1))
    await begun(work, seen)

    for name in range(6):
        shutil.rmtree(tmp_path / f"{name}")

    result = await work
    assert result.errors == ()
    assert len(result.records) < 67


async def test_a_folder_that_cannot_be_read_is_listed_and_the_rest_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_folders(tmp_path, 12)
    monkeypatch.setenv(faults.ENVIRONMENT, "storage.scan_folder@4=EACCES")

    result = await scanned(tmp_path, workers=1)

    ((path, error),) = result.errors
    assert error == "Permission denied"
    assert result.records[path].allocated_bytes == (tmp_path / os.fsdecode(path)).stat().st_blocks * 512
    assert [other for other in result.records if other.startswith(path + b"/")] == []
    assert len(result.records) >= 12


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_folder_without_rights_is_an_error_of_its_own(tmp_path: Path) -> None:
    fill(tmp_path / "closed", ["a.mp4"])
    fill(tmp_path / "names only", ["b.mp4"])
    (tmp_path / "closed").chmod(0o000)
    (tmp_path / "names only").chmod(0o400)

    result = await scanned(tmp_path)

    (tmp_path / "closed").chmod(0o700)
    (tmp_path / "names only").chmod(0o700)
    assert sorted(result.errors) == [(b"closed", "Permission denied"), (b"names only", "Permission denied")]


async def test_a_root_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, ["a.mp4"])
    monkeypatch.setenv(faults.ENVIRONMENT, "storage.scan_list@*=EIO")

    with pytest.raises(PulseError, match="can't be read: Input/output error"):
        await scanned(tmp_path)


def deep_chain(root: Path, depth: int, name: bytes) -> None:
    """Make folders in each other, each with a file and an empty folder beside the next."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(b"beside", dir_fd=here)
        os.mkdir(name, dir_fd=here)
        file = os.open(b"file.mp4", os.O_CREAT | os.O_WRONLY, dir_fd=here)
        os.write(file, b"x" * 10)
        os.close(file)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


@pytest.mark.parametrize(("depth", "name"), [(45, b"n" * 200), (260, b"d"), (300, b"depth-of-many-bytes")])
async def test_a_tree_deeper_than_a_path_may_be_long_is_counted_and_checked(
    tmp_path: Path, depth: int, name: bytes
) -> None:
    deep_chain(tmp_path, depth, name)
    result = await scanned(tmp_path)
    assert_as_du_and_find(tmp_path, result.records)
    assert len(result.records) == 2 * depth + 1

    faults.arm("processes.spawn=EAGAIN")
    assert (await scanned(tmp_path, result.records)).reused == 2 * depth + 1
    faults.disarm()
    again = await scanned(tmp_path, result.records, look_again={b"/".join([name] * depth)}, now_ms=2_000)
    assert len(again.changed) == 1
    shutil.rmtree(tmp_path / os.fsdecode(name) / os.fsdecode(name))  # pytest's own way of removing it takes its path
