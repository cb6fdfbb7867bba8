"""Refreshes on real folders: what they find, when they run, and what is left when they fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import PulseError, RefusedError
from pulsetui.storage.events import RootUnreadable, StorageRefreshed
from pulsetui.storage.refresh import store
from pulsetui.storage.refresh.service import MUCH_BYTES, StorageService
from tests.storage.house import BLOCK, House, StillClock, broken_sums, housed
from tests.until import until


def du(folder: Path) -> int:
    """Return what `du -B1` says, in our own words."""
    total = os.lstat(folder).st_blocks * 512
    for above, folders, files in os.walk(folder):
        total += sum(os.lstat(Path(above, name)).st_blocks * 512 for name in (*folders, *files))
    return total


async def test_a_refresh_finds_entities_and_sizes_and_the_next_one_what_changed(house: House) -> None:
    house.write("Harbor/Cast/One/a/first.mp4", 5000)
    house.write("unassigned/stray.mp4", 100)
    transcript = house.data_dir / "transcripts" / "Harbor" / "x.json"
    transcript.parent.mkdir(parents=True)
    transcript.write_bytes(b"{}")
    done = await house.refresher.refresh()
    harbor = await house.node("Harbor")
    assert dict(done.levels) == {"project": 1, "character": 1, "scene": 1, "segment": 1}
    assert done.complete
    assert (harbor.size.total_bytes, harbor.categories[0].total_bytes, harbor.categories[6].total_bytes) == (
        5002,
        5000,
        2,
    )
    assert harbor.size.allocated_bytes == du(house.videos / "Harbor") + du(transcript.parent)
    assert harbor.path == os.fsencode(house.videos / "Harbor")
    house.write("Harbor/Crew/late.mp4", 77)
    house.clock.advance(60)
    again = await house.refresher.refresh()
    assert not again.complete
    assert (await house.node("Harbor")).size.total_bytes == 5079
    assert broken_sums(await house.tree()) == []
    assert house.said() == ["storage.refreshed"] * 2


async def test_a_root_that_goes_away_keeps_its_sizes_and_is_told_once(house: House, tmp_path: Path) -> None:
    house.write("Harbor/first.mp4", 5000)
    await house.refresher.refresh()
    house.videos.rename(tmp_path / "away")
    house.clock.advance(60)
    gone = await house.refresher.refresh()
    await house.refresher.refresh(full=True)
    library = await house.tree()
    assert (await house.node("Harbor")).size.total_bytes == 5000
    assert gone.errors == 1
    assert str(house.videos) in library.error
    assert house.said().count("storage.root_unreadable") == 1
    assert next(event for event in house.told if isinstance(event, RootUnreadable)).root == "videos"
    root = next(root for root in await house.database.read(store.roots) if root.name == "videos")
    assert root.error_since == house.clock.now()
    assert root.read_at == house.clock.now() - timedelta(seconds=60)
    (tmp_path / "away").rename(house.videos)
    await house.refresher.refresh()
    assert house.said().count("storage.root_readable") == 1
    assert (await house.tree()).error == ""


async def test_a_root_that_goes_away_in_mid_scan_is_no_smaller(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        house.write(f"Harbor/{number}/file.mp4", 5000)
    await house.refresher.refresh()
    monkeypatch.setenv("PULSETUI_FAULTS", "storage.scan_list@*=delay:0.02")  # for the walkers
    refreshing = asyncio.create_task(house.refresher.refresh(full=True))
    await until(lambda: (progress := house.refresher.progress) is not None and progress.folders > 3)
    house.videos.rename(tmp_path / "away")
    assert (await refreshing).errors == 1
    assert (await house.node("Harbor")).size.total_bytes == 40 * 5000
    assert "storage.root_unreadable" in house.said()


async def test_an_empty_folder_on_another_disk_is_a_disk_that_is_not_mounted(house: House) -> None:
    house.write("Harbor/first.mp4", 5000)
    await house.refresher.refresh()
    shutil.rmtree(house.videos / "Harbor")
    await house.database.write(lambda tx: tx.execute("UPDATE roots SET volume = 'another' WHERE name = 'videos'"))
    assert (await house.refresher.refresh()).errors == 1
    assert (await house.node("Harbor")).size.total_bytes == 5000
    house.write("Lagoon/first.mp4", 70)  # a disk that is empty no more is the one to be used from now on
    assert (await house.refresher.refresh()).errors == 0
    assert (await house.node("Harbor")).size.total_bytes == 0


async def test_a_refresh_that_fails_leaves_the_sizes_with_their_age_and_says_why(house: House) -> None:
    house.write("Harbor/first.mp4", 5000)
    await house.refresher.refresh()
    before = await house.hierarchy.view()
    house.clock.advance(3600)
    house.write("Harbor/second.mp4", 5000)
    faults.arm("db.commit=EIO")
    with pytest.raises(PulseError):
        await house.refresher.refresh()
    faults.disarm()
    after = await house.hierarchy.view()
    assert (after.tree, after.snapshot_at) == (before.tree, before.snapshot_at)
    assert after.failure == house.refresher.failure != ""
    failed = house.told[-1]
    assert failed.kind == "storage.refresh_failed"
    assert "1h" in failed.text()
    assert house.refresher.progress is None
    await house.refresher.refresh()
    assert (await house.node("Harbor")).size.total_bytes == 10_000
    assert (await house.hierarchy.view()).failure == house.refresher.failure == ""


async def test_orders_that_wait_share_the_refresh_after_the_running_one(house: House) -> None:
    house.write("Harbor/first.mp4", 5000)
    running = asyncio.create_task(house.refresher.refresh())
    await until(lambda: house.refresher.progress is not None)
    house.clock.advance(1)
    house.write("Harbor/second.mp4", 5000)
    waiting = [asyncio.create_task(house.refresher.refresh()) for _ in range(3)]
    first, *others = await asyncio.gather(running, *waiting)
    assert len({other.at for other in others}) == 1
    assert others[0].at > first.at
    assert others[0].total_bytes - (await house.node("system")).size.total_bytes == 10_000
    assert await house.database.read(lambda reader: reader.value("SELECT count(*) FROM storage_refreshes")) == 2


async def test_a_refresh_that_is_stopped_writes_nothing_and_who_waits_is_told(house: House) -> None:
    house.write("Harbor/first.mp4", 5000)
    waiting = asyncio.create_task(house.refresher.refresh())
    await until(lambda: house.refresher.progress is not None)
    await house.refresher.stop()
    with pytest.raises(RefusedError):
        await waiting
    assert await house.database.read(store.newest_refresh) is None
    assert house.refresher.progress is None


async def test_a_caller_that_is_cancelled_does_not_end_the_refresh(house: House) -> None:
    house.write("Harbor/first.mp4", 5000)
    first, second = (asyncio.create_task(house.refresher.refresh()) for _ in range(2))
    await until(lambda: house.refresher.progress is not None)
    first.cancel()
    assert (await second).file_count > 0
    assert first.cancelled()


async def test_a_file_that_grows_in_place_is_seen_when_its_folder_is_marked(tmp_path: Path) -> None:
    async with housed(tmp_path / "data", rolling_share=0.0) as house:
        file = house.write("Harbor/first.mp4", 100)
        old = 1_500_000_000
        os.utime(file, (old, old))
        os.utime(file.parent, (old, old))
        await house.refresher.refresh()
        house.clock.advance(600)
        await house.refresher.refresh()  # the folder's ctime is past the moment in which it was made by now
        with file.open("ab") as grown:
            grown.write(b"y" * 900)
        os.utime(file, (old, old))
        await house.refresher.refresh()
        house.refresher.marks.add(bytes(file.parent))
        await house.refresher.refresh()
        assert (await house.node("Harbor")).size.total_bytes == 1000


async def test_other_rules_list_every_folder_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with housed(data, rolling_share=0.0) as house:
        (tmp_path / "renders").mkdir()
        house.write("Harbor/first.odd", 100)
        assert (await house.refresher.refresh()).complete
    async with housed(data, rolling_share=0.0, file_types={"odd": "image"}) as house:
        assert (await house.refresher.refresh()).complete


async def test_a_root_of_the_user_s_counts_and_goes_when_it_is_not_wanted_any_more(tmp_path: Path) -> None:
    renders = tmp_path / "renders" / "Harbor" / "art"
    renders.mkdir(parents=True)
    (renders / "a.png").write_bytes(b"x" * 9000)
    root = {"name": "renders", "path": str(tmp_path / "renders"), "layout": "{project}/art"}
    async with housed(tmp_path / "data", roots=[root]) as house:
        await house.refresher.refresh()
        harbor = await house.node("Harbor")
        assert harbor.categories[1] == harbor.size.__class__(9000, 3 * BLOCK, 1)
    async with housed(tmp_path / "data") as house:
        await house.refresher.refresh()
        assert (await house.node("Harbor")).size.total_bytes == 0
        assert "renders" not in [stored.name for stored in await house.database.read(store.roots)]


# When it is due


def causes(house: House) -> list[str]:
    return [event.cause for event in house.told if isinstance(event, StorageRefreshed)]


@contextlib.asynccontextmanager
async def serving(house: House) -> AsyncIterator[StorageService]:
    service = StorageService(house.refresher, database=house.database, clock=house.clock, settings=house.settings)
    running = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_a_refresh_is_due_at_the_start_and_then_each_interval_also_when_one_failed(tmp_path: Path) -> None:
    async with housed(tmp_path / "data", watches=False) as house, serving(house):
        await until(lambda: len(causes(house)) >= 2)
        faults.arm("db.commit@*=EIO")
        tried = house.clock.slept.count(900.0)
        await until(lambda: house.clock.slept.count(900.0) >= tried + 2)
        faults.disarm()
        told = len(causes(house))
        await until(lambda: len(causes(house)) > told)
        assert set(causes(house)) == {"schedule"}
        assert set(house.clock.slept) == {900.0}


async def test_without_an_interval_nothing_is_due(tmp_path: Path) -> None:
    async with housed(tmp_path / "data", refresh_interval="0") as house, serving(house) as service:
        service.mark_dirty(house.videos)
        await house.refresher.refresh()
        assert causes(house) == ["order"]
        assert (service.watches.watching, house.clock.slept) == (0, [])


async def test_changes_gather_and_much_that_was_moved_does_not_wait_for_the_schedule(tmp_path: Path) -> None:
    clock = StillClock()
    async with housed(tmp_path / "data", clock, watches=False) as house, serving(house) as service:
        await until(lambda: causes(house) == ["schedule"])
        file = house.write("Harbor/first.mp4", 70)
        service.mark_dirty(file.parent)
        service.mark_dirty(house.videos / "Lagoon")
        await until(lambda: len(clock.waiting) == 1)
        clock.advance(9)
        assert causes(house) == ["schedule"], "not so soon after the last one"
        clock.advance(2)
        await until(lambda: causes(house) == ["schedule", "watch"])
        assert (await house.node("Harbor")).size.total_bytes == 70
        service.note_moved(MUCH_BYTES - 1)
        service.note_moved(1)
        await until(lambda: [left for left, _ in clock.waiting] == [clock.moment + timedelta(seconds=60)])
        clock.advance(60)
        await until(lambda: causes(house) == ["schedule", "watch", "moved"])


async def test_the_past_is_thinned_after_a_refresh(tmp_path: Path) -> None:
    clock = StillClock()
    async with housed(tmp_path / "data", clock, watches=False) as house:
        for size in range(12):
            await house.take({"Harbor": {0: size}})
            clock.advance(600)
        clock.advance(3 * 3600)
        async with serving(house):
            await until(lambda: len(clock.waiting) == 1)
        times = await house.database.read(store.refresh_times)
        assert [(at.hour, at.minute) for at in times] == [(12, 55), (13, 55), (14, 35), (17, 45)]
        assert (await house.database.read(store.state)).thinned_at == clock.now()
        assert len(await house.hierarchy.history((await house.node("Harbor")).key)) == 4
