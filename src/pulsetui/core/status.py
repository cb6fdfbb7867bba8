"""The state of the pipeline as one frozen value, from the running owner or from disk, and as `status --json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from pulsetui.budget import store as budget_store
from pulsetui.budget.ledger import Ledger
from pulsetui.budget.limits import Limits
from pulsetui.budget.store import GateRow, PauseFigures
from pulsetui.budget.usage import Usage
from pulsetui.clock import Clock, SystemClock, rfc3339
from pulsetui.core.disks import disk_views, disks_shown, limits_on
from pulsetui.core.runtime import Core
from pulsetui.db.database import DATABASE_NAME, Database, Reader
from pulsetui.db.owner import Owner, is_alive, read_owner
from pulsetui.pipeline import store as jobs_store
from pulsetui.pipeline import view_store
from pulsetui.pipeline.jobs import Stage
from pulsetui.pipeline.view_store import Throughput
from pulsetui.pipeline.views import DiskView, GateView, OwnerView, TaskView
from pulsetui.settings.load import LoadedSettings
from pulsetui.storage.refresh import store as storage_store
from pulsetui.storage.views import RefreshView
from pulsetui.units import format_size
from pulsetui.volumes import store as volumes_store
from pulsetui.volumes.records import Record
from pulsetui.volumes.views import SpeedTestView
from pulsetui.waiting import in_thread

_WAITING = (Stage.QUEUED, Stage.DOWNLOADING, Stage.DOWNLOADED, Stage.TRANSCRIBING)


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service of the owner."""

    name: str
    running: bool
    restarts: int


@dataclass(frozen=True, slots=True)
class SizesView:
    """How fresh the sizes are."""

    refreshed_at: datetime | None
    """The time that they are of, or None before the first refresh."""
    failure: str
    """Why the newest refresh failed, or empty."""
    refreshing: RefreshView | None = None
    """How far the running refresh is, or None."""
    watching: int | None = None
    """How many folders the kernel reports changes of, or None without an owner."""
    why_not_watched: str = ""
    """Why some folders, or all, aren't watched; empty if all that are to be are."""


@dataclass(frozen=True, slots=True)
class VolumesSummary:
    """How the tracked volumes do, in all libraries."""

    tracked: int
    online: int
    """Of them; without an owner, as of its last look."""
    refreshed_at: datetime | None = None
    """When they were last looked at, or None without an owner."""
    monitoring: bool = False
    """Whether they are looked at by schedule."""
    failure: str = ""
    """Why the newest look failed, or empty."""
    testing: SpeedTestView | None = None
    """The speed test that runs, or None."""


@dataclass(frozen=True, slots=True)
class StoredFigures:
    """What the database knows."""

    owner: Owner | None
    gate: GateRow
    pauses: PauseFigures
    stages: dict[str, int]
    throughput: Throughput
    recovery: str | None
    sizes: SizesView
    volumes: VolumesSummary


@dataclass(frozen=True, slots=True)
class Status:
    """All that `status` tells. Bytes, seconds, shares 0..1."""

    at: datetime
    data_dir: str
    owner: OwnerView | None
    gate: GateView
    usage: tuple[tuple[str, int], ...]
    can_download: bool
    peak_committed_bytes: int
    disks: tuple[DiskView, ...]
    stages: dict[str, int]
    tasks: tuple[TaskView, ...]
    workers: dict[str, int]
    services: tuple[ServiceView, ...]
    pauses: PauseFigures
    throughput: Throughput
    downloads_per_hour: float | None
    loop_lag_p99_ms: float | None
    loop_lag_worst_ms: float | None
    recovery: dict[str, Any] | None
    sizes: SizesView
    volumes: VolumesSummary

    @property
    def eta_s(self) -> float | None:
        """Seconds until the queue is empty at the last hour's rate, or None without a rate."""
        left = sum(self.stages[stage] for stage in _WAITING)
        if left == 0:
            return 0.0
        done = self.throughput.transcriptions
        return left * self.throughput.window_s / done if done else None


async def stored_figures(reader: Reader, now: datetime) -> StoredFigures:
    """Read the database's part."""
    return StoredFigures(
        owner=await read_owner(reader),
        gate=await budget_store.gate(reader, now=now),
        pauses=await budget_store.pause_figures(reader, now=now),
        stages=await jobs_store.stage_counts(reader),
        throughput=await view_store.throughput(reader, now=now),
        recovery=await jobs_store.restore_recovery(reader),
        sizes=await _stored_sizes(reader),
        volumes=_summary(await volumes_store.list_volumes(reader)),
    )


def _summary(records: Sequence[Record]) -> VolumesSummary:
    return VolumesSummary(len(records), sum(record.is_online for record in records))


async def _stored_sizes(reader: Reader) -> SizesView:
    newest = await storage_store.newest_refresh(reader)
    return SizesView(newest.at if newest else None, (await storage_store.state(reader)).failure)


async def live_status(core: Core) -> Status:
    """Return the state of the running owner."""
    now = core.clock.now()
    stored = await core.database.read(lambda reader: stored_figures(reader, now))
    budget = core.budget
    gate = gate_view(
        GateRow(budget.gate, budget.operator_paused, budget.peak_committed_bytes),
        budget.usage,
        budget.ledger,
        core.limits,
    )
    core.counters.prune(core.clock.monotonic())
    disk = core.settings.disk_management
    return Status(
        at=now,
        data_dir=str(core.data_dir),
        owner=owner_view(core.ownership.owner if stored.owner is None else stored.owner),
        gate=gate,
        usage=tuple((kind.value, size) for kind, size in budget.usage.by_kind().items()),
        can_download=core.ready.is_set() and budget.may_start(),
        peak_committed_bytes=budget.peak_committed_bytes,
        disks=await disks_shown(core.ground, core.storage_dir, core.data_dir, core.settings.dashboard),
        stages=stored.stages,
        tasks=tuple(task.view() for task in core.live),
        workers={"downloads": disk.max_concurrent_downloads, "transcriptions": disk.max_concurrent_transcriptions},
        services=tuple(ServiceView(each.name, each.running, each.restarts) for each in core.supervisor.services),
        pauses=stored.pauses,
        throughput=stored.throughput,
        downloads_per_hour=float(len(core.counters.downloads_at_s)),
        loop_lag_p99_ms=core.lag.p99_ms(),
        loop_lag_worst_ms=core.lag.worst_ms,
        recovery=json.loads(stored.recovery) if stored.recovery else None,
        sizes=replace(
            stored.sizes,
            refreshing=core.refresher.progress,
            watching=core.storage.watches.watching,
            why_not_watched=core.storage.watches.why_not,
        ),
        volumes=replace(
            _summary(core.volumes.records),
            refreshed_at=core.volumes.refreshed_at,
            monitoring=core.volumes.is_running,
            failure=core.volumes.failure,
            testing=core.speed_tests.view,
        ),
    )


async def resting_status(loaded: LoadedSettings, *, clock: Clock | None = None) -> Status:
    """Return the state of a data directory that nobody owns, read from disk.

    Raises:
        DatabaseError: the database can't be read.
    """
    clock = clock or SystemClock()
    now = clock.now()
    data_dir = loaded.settings.paths.data_dir.resolve()
    storage_dir = loaded.settings.paths.storage.resolve()
    limits = await in_thread(limits_on, loaded, data_dir, storage_dir)
    database = await Database.open(data_dir / DATABASE_NAME, owner=False)
    try:
        stored = await database.read(lambda reader: stored_figures(reader, now))
        # As recovery will: what ran when its owner died reserves anew, and what it wrote is on disk.
        reserved = await database.read(lambda reader: budget_store.reservations(reader, stage=Stage.DOWNLOADED))
    finally:
        await database.close()
    usage = Usage(data_dir, storage_dir)
    usage.adopt(await in_thread(usage.walk, frozenset()), exact=True)
    ledger = Ledger()
    for job_id, parts in reserved.items():
        ledger.restore(job_id, parts)
    disk = loaded.settings.disk_management
    return Status(
        at=now,
        data_dir=str(data_dir),
        owner=owner_view(stored.owner) if stored.owner is not None and is_alive(stored.owner) else None,
        gate=gate_view(stored.gate, usage, ledger, limits),
        usage=tuple((kind.value, size) for kind, size in usage.by_kind().items()),
        can_download=False,
        peak_committed_bytes=stored.gate.peak_committed_bytes,
        disks=await in_thread(disk_views, (storage_dir, data_dir), loaded.settings.dashboard),
        stages=stored.stages,
        tasks=(),
        workers={"downloads": disk.max_concurrent_downloads, "transcriptions": disk.max_concurrent_transcriptions},
        services=(),
        pauses=stored.pauses,
        throughput=stored.throughput,
        downloads_per_hour=None,
        loop_lag_p99_ms=None,
        loop_lag_worst_ms=None,
        recovery=json.loads(stored.recovery) if stored.recovery else None,
        sizes=stored.sizes,
        volumes=stored.volumes,
    )


def gate_view(row: GateRow, usage: Usage, ledger: Ledger, limits: Limits) -> GateView:
    """Return the gate with the figures that it is judged by."""
    used, outstanding = usage.total_bytes(), ledger.outstanding_bytes()
    return GateView(
        is_open=row.gate.is_open,
        reason=_reason(row, usage, used + outstanding, limits),
        since=row.gate.since,
        operator_paused=row.operator_paused,
        usage_bytes=used,
        reserved_bytes=outstanding,
        committed_bytes=used + outstanding,
        resume_bytes=limits.resume_bytes,
        pause_bytes=limits.pause_bytes,
        hard_limit_bytes=limits.hard_bytes,
    )


def _reason(row: GateRow, usage: Usage, committed_bytes: int, limits: Limits) -> str:
    """Say why the gate is as it is now; what the row says of an open one is why it opened, maybe weeks ago."""
    if usage.away:
        return usage.away
    if usage.trouble:
        return f"usage unknown: {usage.trouble}"
    if row.gate.is_open:
        return f"committed {format_size(committed_bytes)}, pause at {format_size(limits.pause_bytes)}"
    return row.gate.reason


def owner_view(owner: Owner) -> OwnerView:
    """Return the owner as the screens show it."""
    return OwnerView(
        pid=owner.pid,
        user=owner.user,
        host=owner.host,
        front_end=owner.front_end,
        version=owner.version,
        started_at=owner.started_at,
        heartbeat_at=owner.heartbeat_at,
    )


def status_json(status: Status) -> dict[str, Any]:
    """Return the status as the JSON that scripts rely on: bytes, seconds, RFC 3339."""
    gate, done = status.gate, status.throughput
    return {
        "at": rfc3339(status.at),
        "data_dir": status.data_dir,
        "owner": _plain(status.owner),
        "gate": {**_gate_json(gate), "peak_committed_bytes": status.peak_committed_bytes},
        "usage": dict(status.usage),
        "percent": round(100 * gate.usage_bytes / gate.hard_limit_bytes, 2),
        "available_bytes": max(0, gate.hard_limit_bytes - gate.committed_bytes),
        "can_download": status.can_download,
        "disks": [_plain(disk) for disk in status.disks],
        "stages": status.stages,
        "workers": {**status.workers, "running": [_plain(task) for task in status.tasks]},
        "services": [_plain(service) for service in status.services],
        "pauses": {
            "count": status.pauses.count,
            "resumed": status.pauses.resumed,
            "total_s": status.pauses.total_s,
            "longest_s": status.pauses.longest_s,
        },
        "freed_per_transcription_bytes": done.freed_bytes // done.transcriptions if done.transcriptions else None,
        "rates": {
            "downloads_per_hour": status.downloads_per_hour,
            "transcriptions_per_hour": done.transcriptions * 3600 / done.window_s,
            "bytes_in_per_s": sum(t.rate_per_s or 0.0 for t in status.tasks if t.kind == "download"),
            "bytes_freed_per_hour": done.freed_bytes * 3600 / done.window_s,
            "real_time_factor": done.work_s / done.audio_s if done.audio_s else None,
        },
        "eta_s": status.eta_s,
        "loop_lag_p99_ms": status.loop_lag_p99_ms,
        "loop_lag_worst_ms": status.loop_lag_worst_ms,
        "recovery": status.recovery,
        "storage": _plain(status.sizes),
        "volumes": _plain(status.volumes),
    }


def _gate_json(gate: GateView) -> dict[str, Any]:
    """Return the gate, as one who pauses it by hand sees it."""
    names = ["usage_bytes", "reserved_bytes", "committed_bytes", "resume_bytes", "pause_bytes", "hard_limit_bytes"]
    return {
        "open": gate.is_open and not gate.operator_paused,
        "reason": "paused by the operator" if gate.operator_paused and gate.is_open else gate.reason,
        "since": rfc3339(gate.since),
        "operator_paused": gate.operator_paused,
        **{name: getattr(gate, name) for name in names},
    }


def _plain(value: Any) -> dict[str, Any] | None:
    """Return a frozen view as JSON values."""
    if value is None:
        return None
    return {name: rfc3339(item) if isinstance(item, datetime) else item for name, item in asdict(value).items()}
