"""The owner's runtime: everything between taking the lock and letting it go.

Invariant: services run only while this process holds the lock, and nothing is written after it is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulsetui.actions import store as actions_store
from pulsetui.actions.runner import ActionRunner
from pulsetui.budget import store as budget_store
from pulsetui.budget.limits import Limits
from pulsetui.budget.service import Budget
from pulsetui.clock import Clock
from pulsetui.core.lag import LagProbe
from pulsetui.core.supervisor import Supervisor
from pulsetui.db.database import Database, Transaction
from pulsetui.db.owner import Ownership
from pulsetui.events import store as events_store
from pulsetui.events.bus import Bus, Recorded
from pulsetui.events.store import EventLog
from pulsetui.pipeline.deletion import Sweeper
from pulsetui.pipeline.downloader.transfer import Downloader
from pulsetui.pipeline.events import DownloadFinished, JobCancelled, JobTranscribed, MediaFreed
from pulsetui.pipeline.leases import LeaseKeeper
from pulsetui.pipeline.live import AWAY, Live
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.pipeline.recovery import recover
from pulsetui.pipeline.workers import WorkerPool
from pulsetui.settings.load import LoadedSettings
from pulsetui.settings.models import Settings
from pulsetui.storage.refresh.refresher import Refresher
from pulsetui.storage.refresh.service import StorageService
from pulsetui.storage.tree.hierarchy import Hierarchy
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.volumes.monitor import VolumeMonitor
from pulsetui.volumes.speedtest import SpeedTests
from pulsetui.waiting import finished

HEARTBEAT_S = 10.0
TRIM_EVERY_S = 3600.0
TRIM_PAUSE_S = 0.2
CHECK_AFTER_S = 1800.0
"""After an unclean end the start itself checks; otherwise it can wait until the first rush is over."""
CHECK_EVERY_S = 86_400.0
DRAIN_DOWNLOADS_S = 0.0
"""Downloads suspend at once when pulsetui stops: their partial file is what the next start goes on from."""
_HOUR_S = 3600.0
FULL_DISK = "gate after a full disk"
_log = logging.getLogger("pulsetui.core")


@dataclass(slots=True)
class Counters:
    """What has happened since the start, in memory."""

    downloads_at_s: deque[float] = field(default_factory=deque)
    """When downloads finished, on the monotonic clock; the last hour is kept."""

    def note_download(self, now_s: float) -> None:
        """Count a download."""
        self.downloads_at_s.append(now_s)
        self.prune(now_s)

    def prune(self, now_s: float) -> None:
        """Forget what is older than an hour."""
        while self.downloads_at_s and now_s - self.downloads_at_s[0] > _HOUR_S:
            self.downloads_at_s.popleft()


@dataclass(slots=True)
class Core:
    """The running owner: its parts, for front ends to read from."""

    settings: Settings
    loaded: LoadedSettings
    clock: Clock
    ownership: Ownership
    database: Database
    events: EventLog
    limits: Limits
    budget: Budget
    live: Live
    outcomes: Outcomes
    sweeper: Sweeper
    downloader: Downloader
    downloads: WorkerPool
    transcriptions: WorkerPool
    leases: LeaseKeeper
    refresher: Refresher
    storage: StorageService
    hierarchy: Hierarchy
    volumes: VolumeMonitor
    ground: GroundWatch
    speed_tests: SpeedTests
    supervisor: Supervisor
    runner: ActionRunner
    lag: LagProbe
    counters: Counters
    data_dir: Path
    storage_dir: Path
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when recovery is done and work may start."""
    background: set[asyncio.Task[None]] = field(default_factory=set)
    """What was begun from a callback, kept so that it isn't collected half-way."""

    @property
    def bus(self) -> Bus:
        """Where committed events are published."""
        return self.events.bus

    async def run(self) -> None:
        """Recover, then run the services until cancelled; then drain and store what is left to store."""
        await self._recover()
        running = asyncio.create_task(self.supervisor.run(), name="supervisor")
        self.ready.set()
        try:
            await asyncio.shield(running)
        finally:
            await self._drain(running)

    async def _recover(self) -> None:
        await self.budget.start()
        videos = self.storage_dir / "videos"
        report = await recover(self.outcomes, videos_root=videos, data_dir=self.data_dir, ground=self.ground)
        await self.budget.reconcile()
        await self.budget.restore_reservations()
        if report.needs_attention:
            _log.warning("recovery: %d things need attention: see `pulsetui status`", len(report.needs_attention))

    async def _drain(self, running: asyncio.Task[None]) -> None:
        """Stop claiming; downloads suspend, transcriptions get their grace; then the services end."""
        grace_s = self.settings.transcription.shutdown_grace.total_seconds()
        await finished(asyncio.ensure_future(self.speed_tests.close()))
        waiting = asyncio.gather(self.downloads.drain(DRAIN_DOWNLOADS_S), self.transcriptions.drain(grace_s))
        while not waiting.done():
            with contextlib.suppress(asyncio.CancelledError):  # a second order to stop ends the grace
                await asyncio.wait({waiting})
                break
            await finished(asyncio.gather(self.downloads.stop(0.0), self.transcriptions.stop(0.0)))
        running.cancel()
        # To its end, whatever comes: after this the database is closed and the lock is let go.
        with contextlib.suppress(asyncio.CancelledError):
            await finished(running)
        if not running.cancelled() and (error := running.exception()) is not None:
            raise error

    def wire(self) -> None:
        """Connect what changes with what must look again."""
        self.bus.on(self._on_event)
        self.budget.on_change.append(self._on_room)
        self.volumes.on_change.append(self._on_volumes)
        self.ground.on_change.append(self._on_ground)
        self.database.on_full = self._on_full

    def _on_event(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, JobCancelled) and event.job_id is not None:
            task = self.live.get(event.job_id)
            if task is not None:
                task.stop("cancelled")
        if isinstance(event, DownloadFinished):
            self.counters.note_download(self.clock.monotonic())
            self._moved(event.job_id, event.size_bytes)
        if isinstance(event, JobTranscribed):
            self._moved(event.job_id, 0)
        if isinstance(event, MediaFreed):
            self._moved(event.job_id, event.freed_bytes)
        if event.category == "job":
            self.downloads.wake()
            self.transcriptions.wake()

    def _moved(self, job_id: int | None, size_bytes: int) -> None:
        """Have the sizes follow what a job wrote or deleted. Where, is known of jobs that run; else it is found."""
        self.storage.note_moved(size_bytes)
        task = None if job_id is None else self.live.get(job_id)
        if task is not None:
            for root in (self.storage_dir / "videos", self.data_dir / "audio", self.data_dir / "transcripts"):
                self.storage.mark_dirty(root.joinpath(*task.job.entity_folders))

    def _on_room(self) -> None:
        if self.budget.must_suspend():
            for task in self.live.of_kind("download"):
                task.stop("suspended")
        self.downloads.wake()
        self.transcriptions.wake()

    def _on_volumes(self) -> None:
        """Have the pipeline's grounds judged by what the monitor knows, and looked at."""
        self.ground.grounds.follow(self.volumes.standings)
        self.ground.wake()

    def _on_ground(self) -> None:
        """Stop what writes to a disk that went away, and go on when it is back; the gate says so in either case."""
        videos = self.storage_dir / "videos"
        if self.ground.grounds.away(videos):
            for task in self.live.of_kind("download"):
                task.stop(AWAY)
        self.storage.mark_dirty(videos)
        self._in_background(self.budget.check(), "gate after a change of ground")
        self.sweeper.wake()

    def _on_full(self) -> None:
        """Close the gate when the database met a full disk; the ballast is put back once there is room."""
        if any(task.get_name() == FULL_DISK for task in self.background):
            return  # the news is on its way, and storing it may have met the same full disk
        self._in_background(self.budget.disk_is_full("the database"), FULL_DISK)

    def _in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self.background.add(task)
        task.add_done_callback(self._ended_in_background)

    def _ended_in_background(self, task: asyncio.Task[None]) -> None:
        self.background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s: %s", task.get_name(), error)

    def add_services(self) -> None:
        """Name the services in the order in which they start."""
        for name, run in (
            ("budget", self.budget.run),
            ("volumes", self.volumes.run),
            ("ground", self.ground.run),
            ("leases", self.leases.run),
            ("sweeper", self.sweeper.run),
            ("downloads", self.downloads.run),
            ("transcriptions", self.transcriptions.run),
            ("storage", self.storage.run),
            ("heartbeat", self._heartbeats),
            ("upkeep", self._upkeep),
            ("loop-lag", self.lag.run),
        ):
            self.supervisor.add(name, run)

    async def _heartbeats(self) -> None:
        while True:
            await self.clock.sleep(HEARTBEAT_S)
            await self.ownership.heartbeat()

    async def _upkeep(self) -> None:
        """Trim the log and put the ballast back, in small steps; once a day, check the database as a whole."""
        next_check_s = self.clock.monotonic() + CHECK_AFTER_S
        while True:
            if self.clock.monotonic() >= next_check_s:
                await self.database.quick_check()
                next_check_s = self.clock.monotonic() + CHECK_EVERY_S
            while await self.database.write(self._trim):
                await self.clock.sleep(TRIM_PAUSE_S)
            if self.budget.gate.is_open:
                await self.database.restore_ballast()
            await self.clock.sleep(TRIM_EVERY_S)

    async def _trim(self, tx: Transaction) -> int:
        now = self.clock.now()
        return await events_store.trim(tx, now) + await actions_store.trim_commands(tx, now)

    async def store_peak(self) -> None:
        """Keep the most that was ever committed."""
        peak = self.budget.peak_committed_bytes
        await self.database.write(lambda tx: budget_store.record_gate(tx, self.budget.gate, peak_committed_bytes=peak))
