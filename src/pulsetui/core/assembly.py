"""Puts the owner's parts together around a data directory, and lets them go in the opposite order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulsetui.actions.runner import ActionRunner
from pulsetui.actions.socket import OrderServer
from pulsetui.budget.limits import Limits
from pulsetui.budget.service import Budget
from pulsetui.budget.usage import Usage
from pulsetui.catalog import actions as _catalog_orders  # noqa: F401 - importing it registers the orders
from pulsetui.catalog.store import check_levels
from pulsetui.clock import Clock, SystemClock
from pulsetui.core.disks import limits_on, refuse_memory
from pulsetui.core.homes import homes_of_roots
from pulsetui.core.lag import LagProbe
from pulsetui.core.runtime import Core, Counters
from pulsetui.core.speed_tests import surroundings_of
from pulsetui.core.status import live_status, status_json
from pulsetui.core.supervisor import Supervisor
from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.db.owner import Ownership
from pulsetui.errors import SettingsError
from pulsetui.events.bus import Bus
from pulsetui.events.store import EventLog
from pulsetui.files.modes import Modes, let_in
from pulsetui.pipeline import actions as _orders  # noqa: F401 - importing it registers the orders that the owner runs
from pulsetui.pipeline import store as jobs_store
from pulsetui.pipeline.backoff import Backoff
from pulsetui.pipeline.deletion import Sweeper
from pulsetui.pipeline.downloader.service import Downloads, DownloadSettings
from pulsetui.pipeline.downloader.transfer import Downloader
from pulsetui.pipeline.engines.registry import engine_names
from pulsetui.pipeline.folders import VIDEOS, make_data_folders, take_storage
from pulsetui.pipeline.leases import LeaseKeeper
from pulsetui.pipeline.live import Live
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.pipeline.states import Policy
from pulsetui.pipeline.transcriber.acceptance import Rules
from pulsetui.pipeline.transcriber.service import Transcriptions, TranscriptionSettings
from pulsetui.pipeline.views import TaskKind
from pulsetui.pipeline.workers import WorkerPool
from pulsetui.settings.load import LoadedSettings
from pulsetui.settings.models import Settings
from pulsetui.storage import actions as _storage_orders  # noqa: F401 - likewise
from pulsetui.storage.refresh.refresher import Refresher
from pulsetui.storage.refresh.service import StorageService
from pulsetui.storage.roots import roots_of
from pulsetui.storage.tree.hierarchy import Hierarchy
from pulsetui.volumes import actions as _volume_orders  # noqa: F401 - likewise
from pulsetui.volumes import speed_actions as _speed_orders  # noqa: F401 - likewise
from pulsetui.volumes.detector import Detector
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.volumes.grounds import Grounds
from pulsetui.volumes.monitor import VolumeMonitor
from pulsetui.volumes.speedtest import SpeedTests
from pulsetui.volumes.tracking import untrack_library
from pulsetui.waiting import in_thread

ORDERS_ONLY = "cli"
"""The front end that runs an order and nothing else: it leaves the storage alone, be it there or not."""
DEMO = "demo"
"""The front end whose media may be lost."""
THREADS = 32
"""How many blocking calls may run at a time (docs/decisions/0022): asyncio's own six on two cores would be eaten up by
the downloads and transcriptions of one mount that hangs. They are started as needed."""
ORDER_WAIT_S = 10.0
"""How long an owner that starts waits for a command that holds the lock for one order."""


@contextlib.asynccontextmanager
async def open_core(
    loaded: LoadedSettings, *, front_end: str, clock: Clock | None = None, wait_s: float = ORDER_WAIT_S
) -> AsyncIterator[Core]:
    """Take the data directory, open the database and put the parts together; let go at the end.

    Raises:
        OwnedError: another process owns the data directory.
        RefusedError: the storage isn't the one that the database knows, or is in memory.
        SettingsError: the limits contradict each other or the disks.
        DatabaseError: the database can't be used.
    """
    clock = clock or SystemClock()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="pulsetui"))
    settings = loaded.settings
    data_dir, storage_dir = await in_thread(_places, settings.paths.data_dir, settings.paths.storage)
    limits = await in_thread(limits_on, loaded, data_dir, storage_dir)
    roots_of(settings.storage, data_dir, storage_dir)  # refuses roots in one another
    if front_end not in (ORDERS_ONLY, DEMO):
        await in_thread(refuse_memory, settings, storage_dir)
    _check_engine(settings.transcription.engine)
    ownership = await Ownership.acquire(
        data_dir, front_end=front_end, group=settings.access.group, wait_s=wait_s, clock=clock
    )
    try:
        let_in(ownership.modes)
        await in_thread(make_data_folders, data_dir, ownership.modes)
        database = await Database.open(data_dir / DATABASE_NAME, owner=True, clock=clock, mode=ownership.modes.file)
        try:
            await database.read(lambda reader: check_levels(reader, settings.storage.levels))
            await ownership.begin(database)
            grounds = Grounds()
            if front_end != ORDERS_ONLY:
                grounds = await take_storage(database, clock, data_dir, storage_dir, ownership.modes)
            core = _assemble(
                _Base(loaded, clock, ownership, database, limits, data_dir, storage_dir, GroundWatch(grounds))
            )
            await core.budget.load()
            try:
                yield core
            finally:
                await core.refresher.stop()  # an order may wait for it
                await core.speed_tests.close()  # likewise
                await core.runner.drain()
                await core.downloader.close()
                await core.volumes.close()
                await core.store_peak()
        finally:
            try:
                await ownership.end()
            finally:
                await database.close()
    finally:
        ownership.forget()


@dataclass(frozen=True, slots=True)
class _Base:
    """What all parts stand on."""

    loaded: LoadedSettings
    clock: Clock
    ownership: Ownership
    database: Database
    limits: Limits
    data_dir: Path
    storage_dir: Path
    ground: GroundWatch
    events: EventLog = field(default_factory=lambda: EventLog(Bus()))

    @property
    def settings(self) -> Settings:
        """The settings themselves."""
        return self.loaded.settings


def _assemble(base: _Base) -> Core:
    settings, clock, database = base.settings, base.clock, base.database
    disk = settings.disk_management
    budget, live = _budget(base), Live()
    outcomes = Outcomes(database, budget, base.events, clock, policy_of(settings))
    sweeper = Sweeper(outcomes, interval_s=disk.cleanup.cleanup_interval.total_seconds(), ground=base.ground)
    downloader = Downloader(settings.downloads, clock=clock, enter=base.ground.grounds.enter)
    downloads, transcriptions = _jobs(base, outcomes, sweeper, downloader)
    roots = tuple((root.name, root.path) for root in roots_of(settings.storage, base.data_dir, base.storage_dir))
    volumes = _monitor(base, roots)
    refresher = _refresher(base, budget, volumes)
    speed_tests = SpeedTests(
        monitor=volumes,
        clock=clock,
        surroundings=surroundings_of(budget, live, refresher, roots),
        size_bytes=settings.volumes.speed_test_size,
    )
    services = {
        "outcomes": outcomes,
        "budget": budget,
        "schemes": downloader.schemes,
        "storage": refresher,
        "volumes": volumes,
        "speed_tests": speed_tests,
        "library_parts": (untrack_library,),
    }
    stall_s = settings.transcription.progress_timeout.total_seconds()
    core = Core(
        settings=settings,
        loaded=base.loaded,
        clock=clock,
        ownership=base.ownership,
        database=database,
        events=base.events,
        limits=base.limits,
        budget=budget,
        live=live,
        outcomes=outcomes,
        sweeper=sweeper,
        downloader=downloader,
        downloads=_pool("download", "dl", disk.max_concurrent_downloads, outcomes, live, downloads),
        transcriptions=_pool("transcription", "tr", disk.max_concurrent_transcriptions, outcomes, live, transcriptions),
        leases=LeaseKeeper(outcomes, live, transcription_stall_s=stall_s),
        refresher=refresher,
        storage=StorageService(refresher, database=database, clock=clock, settings=settings.storage),
        hierarchy=Hierarchy(database, settings.storage, clock, data_dir=base.data_dir, storage_dir=base.storage_dir),
        volumes=volumes,
        ground=base.ground,
        speed_tests=speed_tests,
        supervisor=Supervisor(database=database, events=base.events, clock=clock),
        runner=ActionRunner(database=database, events=base.events, clock=clock, settings=settings, services=services),
        lag=LagProbe(clock),
        counters=Counters(),
        data_dir=base.data_dir,
        storage_dir=base.storage_dir,
    )
    core.wire()
    core.add_services()
    _serve(core)
    return core


def _serve(core: Core) -> None:
    """Let other processes order and ask."""

    async def answer() -> dict[str, Any]:
        return status_json(await live_status(core))

    orders = OrderServer(core.data_dir, core.runner, live=answer, mode=core.ownership.modes.file)
    core.supervisor.add(orders.name, orders.run)


def _budget(base: _Base) -> Budget:
    disk = base.settings.disk_management
    return Budget(
        database=base.database,
        events=base.events,
        clock=base.clock,
        limits=base.limits,
        usage=Usage(base.data_dir, base.storage_dir),
        check_interval_s=disk.check_interval.total_seconds(),
        cache_s=disk.cache_duration.total_seconds(),
        ground=base.ground,
    )


def _jobs(
    base: _Base, outcomes: Outcomes, sweeper: Sweeper, downloader: Downloader
) -> tuple[Downloads, Transcriptions]:
    """Return what claims jobs and works on them."""
    owner, modes = base.ownership.owner.instance, base.ownership.modes
    to_download = DownloadSettings(base.storage_dir / VIDEOS, base.settings.downloads.max_size, owner, modes)
    to_transcribe = _transcription_settings(base.settings, base.data_dir, owner, modes)
    return (
        Downloads(outcomes, downloader, to_download, ground=base.ground),
        Transcriptions(outcomes, sweeper, to_transcribe, ground=base.ground),
    )


def _refresher(base: _Base, budget: Budget, volumes: VolumeMonitor) -> Refresher:
    return Refresher(
        database=base.database,
        events=base.events,
        clock=base.clock,
        settings=base.settings.storage,
        data_dir=base.data_dir,
        storage_dir=base.storage_dir,
        # Without the database, which is one of them for ever.
        in_motion=lambda: [path for path in budget.usage.paths_in_motion() if path.parent != base.data_dir],
        homes=lambda: homes_of_roots(volumes),
    )


def _monitor(base: _Base, roots: Sequence[tuple[str, Path]]) -> VolumeMonitor:
    wanted = base.settings.volumes
    timeout_s = wanted.probe_timeout.total_seconds()
    return VolumeMonitor(
        database=base.database,
        events=base.events,
        clock=base.clock,
        settings=wanted,
        detector=Detector(ignored=wanted.ignored_types, probe_timeout_s=timeout_s, clock=base.clock),
        roots=lambda: roots,
    )


def _pool(
    kind: TaskKind, prefix: str, slots: int, outcomes: Outcomes, live: Live, jobs: Downloads | Transcriptions
) -> WorkerPool:
    return WorkerPool(
        kind=kind,
        prefix=prefix,
        slots=slots,
        clock=outcomes.clock,
        live=live,
        claim=jobs.claim,
        work=jobs.work,
        next_wake=lambda: outcomes.database.read(jobs_store.next_wake),
    )


def _transcription_settings(settings: Settings, data_dir: Path, owner: str, modes: Modes) -> TranscriptionSettings:
    wanted = settings.transcription
    return TranscriptionSettings(
        audio_root=data_dir / "audio",
        transcripts_root=data_dir / "transcripts",
        engine=wanted.engine,
        rules=Rules(
            min_coverage=wanted.min_coverage,
            max_gap_s=wanted.max_gap.total_seconds(),
            max_end_distance_s=wanted.max_end_distance.total_seconds(),
            max_compression_ratio=wanted.max_compression_ratio,
        ),
        progress_timeout_s=wanted.progress_timeout.total_seconds(),
        owner=owner,
        modes=modes,
    )


def policy_of(settings: Settings) -> Policy:
    """Return what the state machine needs of the settings."""
    downloads, cleanup = settings.downloads, settings.disk_management.cleanup
    return Policy(
        download_attempts=downloads.max_attempts,
        transcription_attempts=settings.transcription.max_attempts,
        backoff=Backoff(
            base_s=downloads.retry_base.total_seconds(),
            cap_s=downloads.retry_cap.total_seconds(),
            retry_after_cap_s=downloads.retry_after_cap.total_seconds(),
        ),
        delete_video=cleanup.delete_video_after_transcription,
        delete_audio=cleanup.delete_audio_after_transcription,
    )


def _check_engine(name: str) -> None:
    """Refuse to start with an engine that isn't there, rather than fail each job by it.

    Raises:
        SettingsError: it isn't installed.
    """
    known = engine_names()
    if name not in known:
        raise SettingsError(
            f"transcription.engine is {name!r}, and no such engine is installed",
            hint=f"installed: {', '.join(known) or 'none; install pulsetui again'}",
        )


def _places(data_dir: Path, storage_dir: Path) -> tuple[Path, Path]:
    return data_dir.resolve(), storage_dir.resolve()
