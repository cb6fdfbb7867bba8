"""What runs just now: progress and rates of running jobs, in memory only. Progress is never an event.

The heartbeat stores it at most once a second, for attached screens and after the end of this process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pulsetui.clock import Clock
from pulsetui.pipeline.jobs import Job
from pulsetui.pipeline.views import TaskKind, TaskView

RATE_WINDOW_S = 8.0
"""Rates are those of the last seconds: long enough to be calm, short enough to show a stall."""

AWAY = "away"
"""Why workers are told to stop whose media is on a disk that went away."""


@dataclass(slots=True)
class LiveTask:
    """One running job. `done` and `total` are bytes or audio seconds."""

    job: Job
    kind: TaskKind
    clock: Clock
    phase: str
    done: float = 0.0
    total: float | None = None
    task: asyncio.Task[None] | None = None
    stopped_for: str = ""
    """Why its worker was told to stop (`cancelled`, `suspended`, `shutdown`, `stalled`, `AWAY`), or empty."""
    started_s: float = 0.0
    moved_at_s: float = 0.0
    _marks: deque[tuple[float, float]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        """Begin the clock."""
        self.started_s = self.moved_at_s = self.clock.monotonic()

    @property
    def token(self) -> str:
        """The token of the lease that the worker holds."""
        return self.job.lease.token if self.job.lease else ""

    def update(self, *, done: float, total: float | None, phase: str) -> None:
        """Take the latest progress; a new phase starts a new rate."""
        now = self.clock.monotonic()
        if phase != self.phase or done != self.done:
            self.moved_at_s = now
        if phase != self.phase:
            self._marks.clear()
            self.phase = phase
        self.done, self.total = done, total
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > RATE_WINDOW_S:
            self._marks.popleft()

    def rate_per_s(self) -> float | None:
        """Return the units a second over the last seconds, or None before there are two readings."""
        if len(self._marks) < 2:
            return None
        (first_at, first), (_, last) = self._marks[0], self._marks[-1]
        elapsed = self.clock.monotonic() - first_at
        return max(0.0, (last - first) / elapsed) if elapsed > 0 else None

    def stop(self, reason: str) -> None:
        """End the worker; it keeps what a later attempt can use."""
        if self.task is not None and not self.stopped_for:
            self.stopped_for = reason
            self.task.cancel()

    def view(self) -> TaskView:
        """Return the figures for the screen."""
        rate = self.rate_per_s()
        left = None if self.total is None else max(0.0, self.total - self.done)
        return TaskView(
            job_id=self.job.id,
            kind=self.kind,
            name=self.job.name,
            phase=self.phase,
            done=self.done,
            total=self.total,
            rate_per_s=rate,
            elapsed_s=self.clock.monotonic() - self.started_s,
            eta_s=left / rate if left is not None and rate else None,
            worker=self.job.worker or "",
            submitted_by=self.job.submitted_by,
        )


class Live:
    """The running jobs of this process, by id."""

    def __init__(self) -> None:
        """Start empty."""
        self._tasks: dict[int, LiveTask] = {}
        self.on_change: list[Callable[[], None]] = []

    def __iter__(self) -> Iterator[LiveTask]:
        """Iterate over the running jobs, in the order in which they began."""
        return iter(list(self._tasks.values()))

    def __len__(self) -> int:
        """Return how many jobs run."""
        return len(self._tasks)

    def get(self, job_id: int) -> LiveTask | None:
        """Return the running job, or None."""
        return self._tasks.get(job_id)

    def begin(self, task: LiveTask) -> None:
        """Show a job as running."""
        self._tasks[task.job.id] = task

    def end(self, task: LiveTask) -> None:
        """Stop showing a job, unless another worker has it by now."""
        if self._tasks.get(task.job.id) is task:
            del self._tasks[task.job.id]

    def of_kind(self, kind: TaskKind) -> list[LiveTask]:
        """Return the running jobs of one kind."""
        return [task for task in self._tasks.values() if task.kind == kind]
