"""Keeps the leases of running jobs alive, stores their progress, and stops workers that lost theirs or that stall.

Each second the progress that changed; every ten seconds the heartbeat. A lease that nobody renewed for 30 s is ended.
"""

from __future__ import annotations

from datetime import timedelta

from pulsetui.pipeline import states, store
from pulsetui.pipeline.live import Live, LiveTask
from pulsetui.pipeline.outcomes import Outcomes

HEARTBEAT_S = 10.0
PROGRESS_S = 1.0
LEASE = timedelta(seconds=30)
"""How long a lease holds without a heartbeat."""


class LeaseKeeper:
    """Renews, fences, and watches."""

    def __init__(self, outcomes: Outcomes, live: Live, *, transcription_stall_s: float) -> None:
        """Take the parts; downloads watch their own speed, so only transcriptions are timed here."""
        self._outcomes = outcomes
        self._live = live
        self._stall_s = transcription_stall_s
        self._stored: dict[str, tuple[int, float, float | None]] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        clock = self._outcomes.clock
        next_heartbeat = clock.monotonic()
        while True:
            if clock.monotonic() >= next_heartbeat:
                await self.renew()
                next_heartbeat = clock.monotonic() + HEARTBEAT_S
            else:
                await self._store_progress()
            self._stop_stalled()
            await clock.sleep(PROGRESS_S)

    async def renew(self) -> None:
        """Renew this process's leases, stop the workers of lost ones, and end leases that nobody renews."""
        now = self._outcomes.clock.now()
        tasks = {task.token: task for task in self._live if task.token}
        if tasks:
            progress = {token: _progress(task) for token, task in tasks.items()}
            lost = await self._outcomes.database.write(lambda tx: store.heartbeat(tx, now, now + LEASE, progress))
            for token in lost:
                tasks[token].stop("lease lost")
            self._stored = progress
        for job in await self._outcomes.database.read(lambda reader: store.expired(reader, now)):
            if self._live.get(job.id) is None:
                await self._outcomes.write(job, states.OwnerEnded())

    async def _store_progress(self) -> None:
        progress = {task.token: _progress(task) for task in self._live if task.token}
        changed = {token: figures for token, figures in progress.items() if self._stored.get(token) != figures}
        if changed:
            await self._outcomes.database.write(lambda tx: store.record_progress(tx, changed))
        self._stored = progress

    def _stop_stalled(self) -> None:
        now = self._outcomes.clock.monotonic()
        for task in self._live.of_kind("transcription"):
            if now - task.moved_at_s > self._stall_s:
                task.stop("stalled")


def _progress(task: LiveTask) -> tuple[int, float, float | None]:
    return task.job.id, task.done, task.total
