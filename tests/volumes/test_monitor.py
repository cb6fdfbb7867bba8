"""When the monitor looks, what it keeps, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import PulseError, SpaceError, WorkerLostError
from pulsetui.volumes import store
from pulsetui.volumes.events import VolumeFilling
from pulsetui.volumes.kept import STORED_EVERY
from pulsetui.volumes.views import SpeedView, VolumesView
from tests.storage.house import StillClock
from tests.until import until
from tests.volumes.mounts import may_mount, tmpfs
from tests.volumes.sights import GB, MARKER, Sights, digits, sight
from tests.volumes.watch import Watch, watching

VOLUME = sight(marker=MARKER)


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    faults.disarm()


def quiet(folder: Path) -> Path:
    """Return a mount table that never changes: on the machine's own, others mount meanwhile."""
    table = folder / "mountinfo"
    table.touch()
    return table


async def looks(watch: Watch, seen: Sights, count: int) -> None:
    await until(lambda: seen.looks >= count and not watch.monitor._running)


async def test_it_looks_at_once_and_then_in_each_interval(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen, run=True, mountinfo=quiet(tmp_path)) as watch:
        await looks(watch, seen, 1)
        await until(lambda: bool(watch.clock.waiting))
        watch.clock.advance(29)
        assert watch.monitor.view().monitor.refreshed_at != watch.clock.now()
        assert seen.looks == 1
        watch.clock.advance(2)
        await looks(watch, seen, 2)
        assert watch.monitor.refreshed_at == watch.clock.now()


async def test_stopped_it_looks_on_order_only_and_started_again_at_once(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen, run=True, mountinfo=quiet(tmp_path)) as watch:
        await looks(watch, seen, 1)
        done = await watch.order("volumes.monitor", run=False)
        assert done.model_dump() == {"is_running": False, "changed": True}
        assert (await watch.order("volumes.monitor", run=False)).model_dump()["changed"] is False
        assert not watch.monitor.view().monitor.is_running
        await until(lambda: not watch.clock.waiting)
        watch.clock.advance(3600)
        done = await watch.order("volumes.refresh")
        assert done.model_dump(exclude={"seconds"}) == {"mounted": 1, "tracked": 0, "online": 0}
        assert seen.looks == 2
        await watch.order("volumes.monitor", run=True)
        await looks(watch, seen, 3)
        assert (await watch.audit())[0].arguments == {"run": True}


@may_mount
async def test_it_looks_at_once_when_something_is_mounted_or_unmounted(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen, run=True) as watch:
        await looks(watch, seen, 1)
        watch.clock.advance(5)
        with tmpfs(tmp_path / "point"):
            await until(lambda: bool(watch.monitor._mounts_moved))
            await _settle(watch, seen, 2)
        watch.clock.advance(5)
        await until(lambda: bool(watch.monitor._mounts_moved))
        await _settle(watch, seen, 3)


async def _settle(watch: Watch, seen: Sights, count: int) -> None:
    """Let the moment pass in which changes of the mount table gather."""
    async with asyncio.timeout(30):
        while seen.looks < count:
            watch.clock.advance(0.05)
            await asyncio.sleep(0.005)


async def test_where_the_mount_table_reports_nothing_the_interval_is_left(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen, run=True, mountinfo=quiet(tmp_path)) as watch:
        await looks(watch, seen, 1)
        await until(lambda: bool(watch.clock.waiting))
        watch.clock.advance(31)
        await looks(watch, seen, 2)


async def test_those_who_ask_while_a_look_runs_share_the_next_one(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen) as watch:
        await asyncio.gather(*(watch.monitor.refresh() for _ in range(5)))
        assert seen.looks == 1
        first = asyncio.create_task(watch.monitor.refresh())
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it runs by now
        others = [asyncio.create_task(watch.monitor.refresh()) for _ in range(3)]
        await asyncio.gather(first, *others)
        assert seen.looks == 3


async def test_a_caller_that_is_cancelled_does_not_end_the_look(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen) as watch:
        asked = asyncio.create_task(watch.monitor.refresh())
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait({asked})
        await looks(watch, seen, 1)
        assert watch.monitor.refreshed_at is not None


async def test_a_look_that_fails_is_said_and_what_is_known_stays(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen, run=True, mountinfo=quiet(tmp_path)) as watch:
        await looks(watch, seen, 1)
        await until(lambda: bool(watch.clock.waiting))
        seen.failure = WorkerLostError("no process can be started")
        watch.clock.advance(31)
        await looks(watch, seen, 2)
        view = watch.monitor.view()
        assert view.monitor.failure == "no process can be started"
        assert [one.fingerprint for one in view.volumes] == [digits("archive")]
        with pytest.raises(PulseError):
            await watch.monitor.refresh()
        seen.failure = None
        await watch.monitor.refresh()
        assert watch.monitor.view().monitor.failure == ""


async def test_the_view_is_the_same_object_until_the_next_look(tmp_path: Path) -> None:
    async with watching(tmp_path, Sights(VOLUME)) as watch:
        changes: list[VolumesView] = []
        watch.monitor.on_change.append(lambda: changes.append(watch.monitor.view()))
        await watch.monitor.refresh()
        assert watch.monitor.view() is watch.monitor.view() is changes[-1]
        await watch.monitor.refresh()
        assert len(changes) == 2
        assert changes[0] is not changes[1]


async def test_a_look_that_finds_all_as_it_was_writes_nothing_but_last_seen_in_minutes(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen) as watch:
        await watch.order("volumes.track", fingerprint="/mnt/archive")
        await watch.monitor.refresh()
        before, tracked_at = await watch.database.data_version(), (await watch.rows())[0].last_seen_at
        for step in range(int(STORED_EVERY / timedelta(seconds=30)) - 1):
            watch.clock.advance(30)
            # What a system's own disk writes all the time is less than is kept of it.
            seen.found = (replace(VOLUME, probe=replace(VOLUME.probe, available_bytes=60 * GB - step * 1000)),)
            await watch.monitor.refresh()
        assert await watch.database.data_version() == before
        assert watch.shown().last_seen_at == watch.clock.now()
        assert (await watch.rows())[0].last_seen_at == tracked_at
        watch.clock.advance(30)
        await watch.monitor.refresh()
        assert await watch.database.data_version() != before
        assert (await watch.rows())[0].last_seen_at == watch.clock.now()
        assert (await watch.rows())[0].available_bytes == seen.found[0].probe.available_bytes
        assert watch.kinds() == ["volume.tracked"]


async def test_an_orderly_end_stores_when_it_was_last_seen(tmp_path: Path) -> None:
    clock = StillClock()
    async with watching(tmp_path, Sights(VOLUME), clock=clock) as watch:
        await watch.order("volumes.track", fingerprint="/mnt/archive")
        clock.advance(60)
        await watch.monitor.refresh()
    async with watching(tmp_path, Sights(), clock=clock) as watch:
        assert (await watch.rows())[0].last_seen_at == clock.now()


async def test_what_is_free_and_how_full_it_was_is_kept_across_a_restart(tmp_path: Path) -> None:
    clock, seen = StillClock(), Sights(VOLUME)
    async with watching(tmp_path, seen, clock=clock) as watch:
        await watch.order("volumes.track", fingerprint="/mnt/archive", name="Archive")
        for hour in range(1, 4):
            clock.advance(3600)
            seen.found = (replace(VOLUME, probe=replace(VOLUME.probe, available_bytes=(60 - hour * 2) * GB)),)
            await watch.monitor.refresh()
        shown = watch.shown()
        assert [point.used_bytes // GB for point in shown.history] == [40, 42, 44, 46]
        assert shown.growth_bytes_per_day == pytest.approx(48 * GB)
        assert shown.full_in_s == pytest.approx(27 * 3600)
        assert watch.kinds() == [
            "volume.tracked",
            "volume.updated",
            "volume.filling",
            "volume.updated",
            "volume.updated",
        ]
    async with watching(tmp_path, seen, clock=clock) as watch:
        await watch.monitor.refresh()
        again = watch.shown()
        assert (again.history, again.growth_bytes_per_day) == (shown.history, shown.growth_bytes_per_day)
        assert (again.name, again.state, again.roots) == ("Archive", "online", ("videos",))
        assert watch.kinds() == []


async def test_a_volume_that_fills_up_warns_with_the_time(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen) as watch:
        await watch.order("volumes.track", fingerprint="/mnt/archive")
        for hour in range(1, 4):
            watch.clock.advance(3600)
            seen.found = (replace(VOLUME, probe=replace(VOLUME.probe, available_bytes=(60 - hour * 5) * GB)),)
            await watch.monitor.refresh()
        (warning,) = [event for event in watch.told if isinstance(event, VolumeFilling)]
        assert warning.full_in_s == pytest.approx(11 * 3600)
        # What is shown and what was warned of come from the same figures.
        assert watch.shown().full_in_s == pytest.approx(9 * 3600)


async def test_the_past_is_thinned_with_age(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen) as watch:
        await watch.order("volumes.track", fingerprint="/mnt/archive")
        for step in range(1, 40):
            watch.clock.advance(600)
            seen.found = (replace(VOLUME, probe=replace(VOLUME.probe, available_bytes=60 * GB - step * GB)),)
            await watch.monitor.refresh()
        (points,) = (await watch.database.read(store.list_points)).values()
        old = [point.at for point in points if watch.clock.now() - point.at > timedelta(hours=4)]
        whole = [point for point in points if watch.clock.now() - point.at < timedelta(hours=2)]
        assert [at.minute for at in old] == [55, 55, 55]
        assert len(whole) == 12
        assert points == watch.monitor._kept.past[watch.monitor.records[0].id]


async def test_a_speed_test_is_kept_shown_and_told(tmp_path: Path) -> None:
    async with watching(tmp_path, Sights(VOLUME)) as watch:
        await watch.order("volumes.track", fingerprint="/mnt/archive")
        speed = SpeedView(2e9, 1e9, watch.clock.now(), "direct", 256_000_000, "2 downloads")
        await watch.monitor.record_speed(digits("archive"), speed)
        assert watch.shown().speed == speed
        assert (await watch.rows())[0].speed == speed
        assert watch.told[-1].text() == "volume /mnt/archive: reads 2.00 GB/s, writes 1.00 GB/s (2 downloads)"
        await watch.order("volumes.untrack", fingerprint="/mnt/archive")
        with pytest.raises(PulseError, match="isn't tracked"):
            await watch.monitor.record_speed(digits("archive"), speed)


async def test_on_a_full_disk_a_volume_is_away_all_the_same_and_told_of_later(tmp_path: Path) -> None:
    seen = Sights(VOLUME)
    async with watching(tmp_path, seen) as watch:
        await watch.order("volumes.track", fingerprint="/mnt/archive")
        watch.kinds()
        seen.found = ()
        faults.arm("db.commit=ENOSPC")
        with pytest.raises(SpaceError):
            await watch.monitor.refresh()
        assert [one.state for one in watch.monitor.standings] == ["offline"]
        assert watch.kinds() == []
        faults.disarm()
        await watch.monitor.refresh()
        assert watch.kinds() == ["volume.removed"]
        assert not (await watch.rows())[0].is_online
