"""What screens read from and order through, answered by the owner in this process.

It has the form of `pulsetui.tui.source.Source`, which this room, below the screens, can't name. Invariants: a read
costs no more than what changed since the last one, nothing here blocks the event loop, and every failure is a
`PulseError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pulsetui.budget.store import GateRow
from pulsetui.budget.usage import Kind
from pulsetui.core.disks import disks_shown
from pulsetui.core.orders import Orders
from pulsetui.core.runtime import Core
from pulsetui.core.shown import event_view, one_of, readable, transcript_preview
from pulsetui.core.status import gate_view, owner_view
from pulsetui.core.storage_source import StorageReads
from pulsetui.core.volumes_source import VolumesReads
from pulsetui.db.database import Reader
from pulsetui.events import store as events_store
from pulsetui.events.base import CATEGORIES, SEVERITIES
from pulsetui.events.bus import Recorded
from pulsetui.events.store import StoredEvent
from pulsetui.pipeline import store as jobs_store
from pulsetui.pipeline import table_store, view_store
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.view_store import Throughput
from pulsetui.pipeline.views import (
    DiskView,
    DoneView,
    EventView,
    GateView,
    JobDetails,
    JobsPage,
    JobView,
    PulseView,
    QueuedView,
)
from pulsetui.waiting import finished, in_thread

FEED_LENGTH = 50
QUEUED_SHOWN = 20
HISTORY_LENGTH = 50
OLDEST_S = 5.0
"""The queue is read again after so long even if no event told of it: back-offs end, and rates move, by time alone."""
_WAITING = (Stage.QUEUED, Stage.DOWNLOADING, Stage.DOWNLOADED, Stage.TRANSCRIBING)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the Pulse screen shows from the database."""

    queued: tuple[QueuedView, ...]
    done: tuple[DoneView, ...]
    stages: tuple[tuple[str, int], ...]
    throughput: Throughput
    events: tuple[EventView, ...]


class CoreSource(StorageReads, VolumesReads, Orders):
    """Reads the owner's figures and store, and hands orders to its runner."""

    def __init__(self, core: Core) -> None:
        """Take the running core."""
        StorageReads.__init__(self, core)
        VolumesReads.__init__(self, core)
        Orders.__init__(self, core)
        self._core = core
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[PulseView] | None = None
        self._stored: _Stored | None = None
        self._jobs_changed = self._feed_changed = self._disks_changed = True
        self._jobs_read_at_s = self._disks_read_at_s = float("-inf")
        self._disks: tuple[DiskView, ...] = ()
        self._budget_figures: tuple[GateView, Mapping[Kind, int]] | None = None
        self._preview: tuple[str, str] = ("", "")
        core.bus.on(self._note)
        core.budget.on_change.append(self._note_budget)
        core.refresher.on_change.append(self._changed.set)
        core.volumes.on_change.append(self._changed.set)

    def _note(self, recorded: Recorded) -> None:
        """Take note of what an event made old."""
        event = recorded.event
        self._jobs_changed |= event.category in ("job", "storage")
        self._disks_changed |= event.category in ("disk", "storage")
        self._feed_changed |= event.severity != "debug"
        self._changed.set()

    def _note_budget(self) -> None:
        """Take note that figures of the budget on display moved; it is judged every few seconds, moved or not."""
        figures = self._gate_view(), self._core.budget.usage.by_kind()
        if figures != self._budget_figures:
            self._budget_figures = figures
            self._changed.set()

    async def pulse(self) -> PulseView:
        """Return all that the Pulse screen and the header show. Those who ask at the same time share one reading.

        Raises:
            PulseError: it can't be read.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_pulse(), name="pulse")
            self._reading.add_done_callback(self._end_reading)
        return await finished(self._reading)

    def _gate_view(self) -> GateView:
        core, budget = self._core, self._core.budget
        gate = GateRow(budget.gate, budget.operator_paused, budget.peak_committed_bytes)
        return gate_view(gate, budget.usage, budget.ledger, core.limits)

    def _end_reading(self, _: asyncio.Task[PulseView]) -> None:
        self._reading = None

    async def _read_pulse(self) -> PulseView:
        core, budget = self._core, self._core.budget
        now = core.clock.now()
        stored = await self._read_stored()
        disks = await self._read_disks()
        return PulseView(
            at=now,
            data_dir=str(core.data_dir),
            owner=replace(owner_view(core.ownership.owner), heartbeat_at=now),
            attached=False,
            gate=self._gate_view(),
            usage=tuple((kind.value, size) for kind, size in budget.usage.by_kind().items()),
            tasks=tuple(task.view() for task in core.live),
            queued=stored.queued,
            done=stored.done,
            stages=stored.stages,
            disks=disks,
            events=stored.events,
            eta_s=_eta_s(stored),
        )

    async def _read_stored(self) -> _Stored:
        """Read what changed in the database; what changes meanwhile is read the next time."""
        now_s = self._core.clock.monotonic()
        last = self._stored
        jobs = last is None or self._jobs_changed or now_s - self._jobs_read_at_s >= OLDEST_S
        feed = last is None or self._feed_changed
        if last is not None and not jobs and not feed:
            return last
        self._jobs_changed &= not jobs
        self._feed_changed &= not feed
        try:
            with readable("the queue"):
                self._stored = await self._core.database.read(lambda reader: self._read_from(reader, last, jobs, feed))
        except BaseException:
            self._jobs_changed |= jobs
            self._feed_changed |= feed
            raise
        if jobs:
            self._jobs_read_at_s = now_s
        return self._stored

    async def _read_from(self, reader: Reader, last: _Stored | None, jobs: bool, feed: bool) -> _Stored:
        core = self._core
        if last is None:
            last = _Stored((), (), (), Throughput(0, 0, 0.0, 0.0, 1.0), ())
        if jobs:
            counts = await jobs_store.stage_counts(reader)
            last = replace(
                last,
                queued=await view_store.queued(reader, limit=QUEUED_SHOWN),
                done=await view_store.ended(reader, limit=core.settings.dashboard.recent_jobs),
                stages=tuple(counts.items()),
                throughput=await view_store.throughput(reader, now=core.clock.now()),
            )
        if feed:
            events = await events_store.list_events(reader, severity="info", limit=FEED_LENGTH)
            last = replace(last, events=tuple(event_view(event) for event in events))
        return last

    async def _read_disks(self) -> tuple[DiskView, ...]:
        """Ask the disks when their time has come, and when something was freed or the gate moved."""
        core = self._core
        now_s = core.clock.monotonic()
        due = now_s - self._disks_read_at_s >= core.settings.dashboard.disk_poll_interval.total_seconds()
        if self._disks_changed or due:
            self._disks_changed = False
            with readable("the disks"):
                self._disks = await disks_shown(core.ground, core.storage_dir, core.data_dir, core.settings.dashboard)
            self._disks_read_at_s = now_s
        return self._disks

    async def jobs(self, *, stage: str | None, text: str | None, offset: int, limit: int, sort: str) -> JobsPage:
        """Return one page of the jobs that match.

        Raises:
            PulseError: it can't be read.
        """
        now = self._core.clock.now()
        with readable("the jobs"):
            return await self._core.database.read(
                lambda reader: table_store.page(
                    reader, now=now, stage=stage, text=text, offset=offset, limit=limit, sort=sort
                )
            )

    async def job(self, job_id: int) -> JobDetails:
        """Return one job with its history, receipt and the start of its transcript.

        Raises:
            NotFoundError: there is no such job.
            PulseError: it can't be read.
        """
        now = self._core.clock.now()

        async def read(reader: Reader) -> tuple[Job, JobView, list[StoredEvent]]:
            job = await jobs_store.get(reader, job_id)
            history = await events_store.list_events(reader, job_id=job_id, limit=HISTORY_LENGTH)
            return job, await table_store.one(reader, job, now=now), history

        with readable(f"job {job_id}"):
            job, view, history = await self._core.database.read(read)
            return JobDetails(
                job=view,
                history=tuple(event_view(event) for event in history),
                receipt=view_store.receipt_rows(job),
                transcript=await self._previewed(job),
            )

    async def _previewed(self, job: Job) -> str:
        """Return the start of a transcript; it never changes, so the last one is kept."""
        if job.transcript is None:
            return ""
        if self._preview[0] != job.transcript.sha256:
            self._preview = job.transcript.sha256, await in_thread(transcript_preview, job)
        return self._preview[1]

    async def events(
        self, *, before: int | None, category: str | None, severity: str | None, text: str | None, limit: int
    ) -> Sequence[EventView]:
        """Return events with an id below `before`, newest first; `severity` means at least this one.

        Raises:
            PulseError: they can't be read.
        """
        with readable("the activity"):
            stored = await self._core.database.read(
                lambda reader: events_store.list_events(
                    reader,
                    before=before,
                    category=one_of(category, CATEGORIES, "category"),
                    severity=one_of(severity, SEVERITIES, "severity"),
                    text=text,
                    limit=limit,
                )
            )
            return [event_view(event) for event in stored]

    async def changes(self) -> AsyncIterator[None]:
        """Yield whenever something changed."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            yield


def _eta_s(stored: _Stored) -> float | None:
    """Return the seconds until the queue is empty at the last hour's rate, or None without a rate."""
    counts = dict(stored.stages)
    left = sum(counts.get(stage, 0) for stage in _WAITING)
    if not left:
        return None
    done = stored.throughput.transcriptions
    return left * stored.throughput.window_s / done if done else None
