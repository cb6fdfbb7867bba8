"""Leases of running jobs, their progress, and the stopping of workers that lost theirs or that stall."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pulsetui.pipeline import states
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.leases import HEARTBEAT_S, LEASE, LeaseKeeper
from pulsetui.pipeline.live import RATE_WINDOW_S, LiveTask
from pulsetui.pipeline.views import TaskKind
from tests.db.tools import FakeClock
from tests.pipeline.house import House
from tests.pipeline.test_states import DOWNLOADING
from tests.until import until

STALL_S = 300.0


@pytest.fixture
def keeper(house: House) -> LeaseKeeper:
    return LeaseKeeper(house.outcomes, house.live, transcription_stall_s=STALL_S)


async def forever() -> None:
    await asyncio.Event().wait()


def live(house: House, job: Job, kind: TaskKind = "download") -> LiveTask:
    task = LiveTask(job, kind, house.clock, "downloading")
    task.task = asyncio.create_task(forever())
    house.live.begin(task)
    return task


async def test_a_running_job_s_lease_is_renewed_with_its_progress(house: House, keeper: LeaseKeeper) -> None:
    job = await house.downloading()
    live(house, job).update(done=30, total=120, phase="downloading")
    house.clock.advance(25)
    await keeper.renew()
    after = await house.get(job)
    assert after.lease is not None
    assert after.lease.until == house.clock.now() + LEASE
    assert after.progress == 0.25
    assert await house.value("SELECT heartbeat_at FROM jobs") is not None


async def test_a_worker_whose_lease_is_lost_is_stopped(house: House, keeper: LeaseKeeper) -> None:
    lost, kept = await house.downloading(), await house.downloading()
    lost_task, kept_task = live(house, lost), live(house, kept)
    await house.step(lost, states.OwnerEnded())
    await keeper.renew()
    assert (lost_task.stopped_for, kept_task.stopped_for) == ("lease lost", "")
    assert lost_task.task is not None
    await asyncio.wait({lost_task.task})
    assert lost_task.task.cancelled()


async def test_a_lease_that_nobody_renews_ends_and_the_job_is_not_to_blame(house: House, keeper: LeaseKeeper) -> None:
    download, transcription = await house.downloading(), await house.transcribing()
    house.clock.advance(LEASE.total_seconds() - 1)
    await keeper.renew()
    assert (await house.get(download)).stage.running, "it ends after its time, not at it"
    house.clock.advance(2)
    await keeper.renew()
    back, waiting = await house.get(download), await house.get(transcription)
    assert (back.stage, back.attempts, back.lease) == (Stage.QUEUED, 0, None)
    assert (waiting.stage, waiting.attempts) == (Stage.DOWNLOADED, 0)


async def test_a_late_heartbeat_does_not_end_a_job_that_runs_here(house: House, keeper: LeaseKeeper) -> None:
    job = await house.downloading()
    live(house, job)
    house.clock.advance(3600)
    await keeper.renew()
    assert (await house.get(job)).stage is Stage.DOWNLOADING


async def test_a_transcription_without_progress_is_stopped_and_a_download_is_not(
    house: House, keeper: LeaseKeeper
) -> None:
    stalled = live(house, await house.transcribing(), "transcription")
    moving = live(house, await house.transcribing(), "transcription")
    download = live(house, await house.downloading())
    house.clock.advance(STALL_S - 1)
    moving.update(done=1.0, total=10.0, phase="transcribing")
    house.clock.advance(2)
    keeper._stop_stalled()
    assert [task.stopped_for for task in (stalled, moving, download)] == ["stalled", "", ""]


async def test_a_new_phase_counts_as_progress(house: House, keeper: LeaseKeeper) -> None:
    task = live(house, await house.transcribing(), "transcription")
    task.update(done=0.0, total=10.0, phase="extracting")
    house.clock.advance(STALL_S + 1)
    task.update(done=0.0, total=10.0, phase="transcribing")
    keeper._stop_stalled()
    assert task.stopped_for == ""


async def test_progress_is_stored_each_second_and_only_when_it_changed(house: House, keeper: LeaseKeeper) -> None:
    job = await house.downloading()
    task = live(house, job)
    running = asyncio.create_task(keeper.run())
    try:
        task.update(done=40, total=100, phase="downloading")
        await until(lambda: len(house.clock.slept) >= 3)
        assert (await house.get(job)).progress == 0.4
        changes = await house.value("SELECT total_changes()")
        rounds = len(house.clock.slept)
        await until(lambda: len(house.clock.slept) >= rounds + 3)
        assert await house.value("SELECT total_changes()") == changes
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert set(house.clock.slept) == {1.0}


async def test_the_heartbeat_comes_three_times_in_a_lease() -> None:
    assert timedelta(seconds=HEARTBEAT_S) * 3 <= LEASE


# Figures of running work


def figures() -> tuple[FakeClock, LiveTask]:
    clock = FakeClock()
    return clock, LiveTask(DOWNLOADING, "download", clock, "connecting")


def test_a_rate_needs_two_readings_and_is_that_of_the_last_seconds() -> None:
    clock, task = figures()
    assert task.rate_per_s() is None
    task.update(done=0, total=1000, phase="downloading")
    assert task.rate_per_s() is None
    for _ in range(20):
        clock.advance(1)
        task.update(done=task.done + 10, total=1000, phase="downloading")
    assert task.rate_per_s() == 10
    for _ in range(int(RATE_WINDOW_S) + 2):
        clock.advance(1)
        task.update(done=task.done + 50, total=1000, phase="downloading")
    assert task.rate_per_s() == 50


def test_a_stall_shows_in_the_rate() -> None:
    clock, task = figures()
    task.update(done=0, total=1000, phase="downloading")
    clock.advance(1)
    task.update(done=100, total=1000, phase="downloading")
    clock.advance(9)
    assert task.rate_per_s() == 10


def test_a_new_phase_starts_a_new_rate() -> None:
    clock, task = figures()
    task.update(done=0, total=100, phase="extracting")
    clock.advance(1)
    task.update(done=90, total=100, phase="extracting")
    clock.advance(1)
    task.update(done=0, total=100, phase="transcribing")
    assert task.rate_per_s() is None


def test_the_view_has_the_time_that_is_left() -> None:
    clock, task = figures()
    task.update(done=0, total=100, phase="downloading")
    clock.advance(5)
    task.update(done=50, total=100, phase="downloading")
    view = task.view()
    assert (view.rate_per_s, view.eta_s, view.elapsed_s) == (10, 5, 5)
    assert (view.worker, view.phase, view.name) == ("dl-1", "downloading", "An episode")
    task.update(done=60, total=None, phase="downloading")
    assert task.view().eta_s is None


def test_a_task_is_stopped_once_for_the_first_reason() -> None:
    async def main() -> str:
        _, task = figures()
        task.stop("cancelled")
        assert task.stopped_for == "", "there is no worker yet"
        task.task = asyncio.create_task(forever())
        task.stop("cancelled")
        task.stop("shutdown")
        await asyncio.wait({task.task})
        return task.stopped_for

    assert asyncio.run(main()) == "cancelled"
