"""A pool of workers: fills its slots with claimed jobs, one task each, until it is drained.

It knows neither downloads nor transcriptions: it is given `claim` and `work`. A wake-up is a hint; the queue is asked
each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from pulsetui.clock import Clock
from pulsetui.pipeline.jobs import Job
from pulsetui.pipeline.live import Live, LiveTask
from pulsetui.pipeline.views import TaskKind
from pulsetui.waiting import finished

IDLE_POLL_S = 5.0
"""The longest that a pool sleeps without asking the queue, should a wake-up ever be missed."""
_log = logging.getLogger("pulsetui.pipeline")


class WorkerPool:
    """Up to `slots` jobs of one kind at a time."""

    def __init__(
        self,
        *,
        kind: TaskKind,
        prefix: str,
        slots: int,
        clock: Clock,
        live: Live,
        claim: Callable[[str], Awaitable[Job | None]],
        work: Callable[[LiveTask], Awaitable[None]],
        next_wake: Callable[[], Awaitable[datetime | None]],
    ) -> None:
        """Take what to claim and what to do; workers are called `prefix-1` and so on."""
        self.slots = slots
        self._kind = kind
        self._prefix = prefix
        self._clock = clock
        self._live = live
        self._claim = claim
        self._work = work
        self._next_wake = next_wake
        self._woken = asyncio.Event()
        self._draining = False
        self._starting = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Ask the queue again soon."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; then end the workers that still run, and wait for them.

        If a claim fails, this ends with its error and the workers go on: whoever runs it again finds them.
        """
        try:
            while True:
                self._woken.clear()
                asked_at = self._clock.now()
                await self._fill()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(await self._patience_s(asked_at)):
                        await self._woken.wait()
        except asyncio.CancelledError:
            await self.stop(grace_s=0)
            raise

    async def drain(self, grace_s: float) -> None:
        """Claim no more, let running jobs go on for `grace_s`, then end them."""
        self._draining = True
        async with self._starting:  # a claim that is under way becomes a running job first
            pass
        await self.stop(grace_s)

    async def stop(self, grace_s: float) -> None:
        """Wait `grace_s` for the running jobs, then end those that are left and wait for them."""
        if self._tasks and grace_s > 0:
            await asyncio.wait(self._tasks.values(), timeout=grace_s)
        for task in self._live.of_kind(self._kind):
            task.stop("shutdown")
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def _fill(self) -> None:
        while not self._draining and (worker := self._free_worker()) is not None:
            # In a task of its own: if it is cancelled between claim and start, nobody would give the job back.
            if not await finished(asyncio.create_task(self._start_next(worker))):
                return

    async def _start_next(self, worker: str) -> bool:
        """Claim a job and start it; return False if there was none."""
        async with self._starting:
            if self._draining:
                return False
            job = await self._claim(worker)
            if job is None:
                return False
            before = self._live.get(job.id)
            live = LiveTask(job, self._kind, self._clock, "starting")
            self._live.begin(live)
            live.task = asyncio.create_task(self._run_one(live, before), name=f"{worker} job {job.id}")
            self._tasks[worker] = live.task
            # Not in the task itself: one that is cancelled before its first step runs no `finally`.
            live.task.add_done_callback(lambda _: self._ended(worker, live))
            return True

    async def _run_one(self, live: LiveTask, before: LiveTask | None) -> None:
        try:
            if before is not None and before.task is not None:
                # It was cancelled and retried, and its last worker still stops: both would write the same files.
                await asyncio.wait({before.task})
            await self._work(live)
        except asyncio.CancelledError:
            if not live.stopped_for:
                raise
        except Exception:  # noqa: BLE001 - the per-job boundary: one job's failure is its own
            _log.exception("job %d: its outcome could not be stored", live.job.id)

    def _ended(self, worker: str, live: LiveTask) -> None:
        self._live.end(live)
        self._tasks.pop(worker, None)
        self.wake()

    def _free_worker(self) -> str | None:
        names = (f"{self._prefix}-{number}" for number in range(1, self.slots + 1))
        return next((name for name in names if name not in self._tasks), None)

    async def _patience_s(self, asked_at: datetime) -> float:
        """Return how long to sleep: until the next waiting job's time, unless the claim has just passed it over."""
        at = await self._next_wake()
        if at is None or at <= asked_at:
            return IDLE_POLL_S
        return min(IDLE_POLL_S, max(0.02, (at - self._clock.now()).total_seconds()))
