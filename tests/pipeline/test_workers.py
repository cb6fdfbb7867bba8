"""The pool: slots, wake-ups, patience, stopping; with work that does nothing but wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from pulsetui.clock import SystemClock
from pulsetui.pipeline.jobs import Job
from pulsetui.pipeline.live import Live, LiveTask
from pulsetui.pipeline.workers import WorkerPool
from tests.pipeline.test_states import DOWNLOADING
from tests.until import until


@dataclass
class Shop:
    """A pool over a list of jobs."""

    slots: int = 2
    waiting: deque[Job] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    looked: int = 0
    next_at: datetime | None = None
    ended: list[tuple[int, str]] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    claims: asyncio.Event = field(default_factory=asyncio.Event)
    """Claims wait for it once it was cleared."""
    takes_s: float = 0.0
    """How long a worker takes to stop."""

    def __post_init__(self) -> None:
        self.claims.set()
        self.live = Live()
        self.pool = WorkerPool(
            kind="download",
            prefix="dl",
            slots=self.slots,
            clock=SystemClock(),
            live=self.live,
            claim=self.claim,
            work=self.work,
            next_wake=self.next_wake,
        )

    def add(self, *numbers: int) -> None:
        self.waiting += [replace(DOWNLOADING, id=number) for number in numbers]

    async def claim(self, worker: str) -> Job | None:
        self.asked.append(worker)
        await self.claims.wait()
        return self.waiting.popleft() if self.waiting else None

    async def work(self, live: LiveTask) -> None:
        try:
            await self.go_on.wait()
            self.ended.append((live.job.id, "done"))
        except asyncio.CancelledError:
            if self.takes_s:
                await asyncio.sleep(self.takes_s)
            self.ended.append((live.job.id, live.stopped_for))
            raise

    async def next_wake(self) -> datetime | None:
        self.looked += 1
        return self.next_at

    def running(self) -> list[int]:
        return sorted(task.job.id for task in self.live)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    running = asyncio.create_task(made.pool.run())
    yield made
    running.cancel()
    await asyncio.wait({running})


async def test_slots_are_filled_and_not_overfilled(shop: Shop) -> None:
    shop.add(1, 2, 3)
    shop.pool.wake()
    await until(lambda: shop.running() == [1, 2])
    assert {task.task.get_name() for task in shop.live if task.task} == {"dl-1 job 1", "dl-2 job 2"}
    shop.go_on.set()
    await until(lambda: len(shop.ended) == 3)
    assert shop.asked[:2] == ["dl-1", "dl-2"] or shop.asked[:3] == ["dl-1", "dl-1", "dl-2"]


async def test_a_worker_that_ends_makes_place_at_once(shop: Shop) -> None:
    shop.add(1, 2, 3)
    shop.pool.wake()
    await until(lambda: shop.running() == [1, 2])
    first = shop.live.get(1)
    assert first is not None
    first.stop("cancelled")
    await until(lambda: shop.running() == [2, 3])
    assert shop.ended == [(1, "cancelled")]


async def test_a_wake_up_makes_it_ask_again(shop: Shop) -> None:
    await until(lambda: len(shop.asked) == 1)
    shop.pool.wake()
    await until(lambda: len(shop.asked) == 2)


async def test_it_asks_again_when_a_waiting_job_s_time_has_come(shop: Shop) -> None:
    await until(lambda: len(shop.asked) == 1)
    shop.next_at = SystemClock().now() + timedelta(milliseconds=50)
    shop.pool.wake()
    await until(lambda: len(shop.asked) >= 3)
    assert SystemClock().now() >= shop.next_at


@pytest.mark.parametrize("full", [False, True])
async def test_a_job_that_could_start_but_may_not_does_not_make_it_spin(shop: Shop, *, full: bool) -> None:
    """A closed gate, or no free worker, while the time of a waiting job is past: asking faster changes nothing."""
    if full:
        shop.add(1, 2)
    shop.next_at = SystemClock().now() - timedelta(minutes=1)
    shop.pool.wake()
    await until(lambda: len(shop.running()) == 2 * full)
    before = shop.looked
    await asyncio.sleep(0.3)
    assert shop.looked - before <= 2


async def test_a_drain_claims_no_more_and_gives_running_jobs_their_grace(shop: Shop) -> None:
    shop.add(1, 2, 3)
    shop.pool.wake()
    await until(lambda: shop.running() == [1, 2])
    draining = asyncio.create_task(shop.pool.drain(20))
    await asyncio.sleep(0)
    shop.go_on.set()
    await draining
    assert shop.ended == [(1, "done"), (2, "done")]
    shop.pool.wake()
    await asyncio.sleep(0.02)
    assert shop.running() == []


async def test_a_drain_without_grace_ends_what_runs_and_waits_for_it(shop: Shop) -> None:
    shop.add(1, 2)
    shop.pool.wake()
    await until(lambda: shop.running() == [1, 2])
    shop.takes_s = 0.05
    await shop.pool.drain(0)
    assert sorted(shop.ended) == [(1, "shutdown"), (2, "shutdown")]


async def test_a_claim_under_way_when_the_drain_begins_is_worked_off_too(shop: Shop) -> None:
    await until(lambda: len(shop.asked) == 1)
    shop.claims.clear()
    shop.pool.wake()
    await until(lambda: len(shop.asked) == 2)
    draining = asyncio.create_task(shop.pool.drain(0))
    await asyncio.sleep(0)
    shop.add(7)
    shop.claims.set()
    await draining
    await until(lambda: shop.ended == [(7, "shutdown")])


async def test_cancelling_it_ends_its_workers_first(shop: Shop) -> None:
    shop.add(1)
    running = asyncio.create_task(shop.pool.run())
    await until(lambda: shop.running() == [1])
    running.cancel()
    await asyncio.wait({running})
    assert shop.ended == [(1, "shutdown")]
    assert shop.running() == []


async def test_a_job_whose_outcome_can_not_be_stored_fails_alone(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    async def breaks(live: LiveTask) -> None:
        if live.job.id == 1:
            raise RuntimeError("the database is gone")
        await Shop.work(shop, live)

    shop.pool._work = breaks
    shop.add(1, 2)
    shop.pool.wake()
    await until(lambda: shop.running() == [2])
    assert "job 1: its outcome could not be stored" in caplog.text


async def test_a_job_that_comes_back_waits_for_its_last_worker_to_end(shop: Shop) -> None:
    """Cancelled and retried at once: the two would write the same files, and the first would end the second's lease."""
    shop.takes_s = 0.1
    shop.add(1)
    shop.pool.wake()
    await until(lambda: shop.running() == [1])
    first = shop.live.get(1)
    assert first is not None
    first.stop("cancelled")
    shop.add(1)
    shop.pool.wake()
    await until(lambda: shop.live.get(1) not in (None, first))
    second = shop.live.get(1)
    assert second is not None
    assert first.task is not None
    assert not first.task.done()
    shop.go_on.set()
    assert shop.ended == []
    await until(lambda: len(shop.ended) == 2)
    assert shop.ended == [(1, "cancelled"), (1, "done")]


async def test_the_end_of_the_first_worker_does_not_hide_the_second(shop: Shop) -> None:
    shop.takes_s = 0.05
    shop.add(1)
    shop.pool.wake()
    await until(lambda: shop.running() == [1])
    first = shop.live.get(1)
    assert first is not None
    first.stop("cancelled")
    shop.add(1)
    shop.pool.wake()
    await until(lambda: shop.ended == [(1, "cancelled")])
    await asyncio.sleep(0.02)
    assert shop.running() == [1], "its lease would run out"
