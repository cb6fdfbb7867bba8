"""The frozen read models that screens and `status` show: plain values, computed elsewhere, never a handle to the store.

Sizes are bytes, durations seconds, progress 0..1, times aware UTC. None means "not known", never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

TaskKind = Literal["download", "transcription"]
Level = Literal["ok", "warning", "critical", "unknown"]


@dataclass(frozen=True, slots=True)
class OwnerView:
    """Who runs the pipeline on the data directory."""

    pid: int
    user: str
    host: str
    front_end: str
    version: str
    started_at: datetime
    heartbeat_at: datetime


@dataclass(frozen=True, slots=True)
class GateView:
    """The budget's gate and the figures that it is judged by, in bytes."""

    is_open: bool
    reason: str
    since: datetime
    operator_paused: bool
    usage_bytes: int
    reserved_bytes: int
    committed_bytes: int
    resume_bytes: int
    pause_bytes: int
    hard_limit_bytes: int

    @property
    def in_flight_bytes(self) -> int:
        """Bytes still to come from running work."""
        return self.committed_bytes - self.usage_bytes


@dataclass(frozen=True, slots=True)
class TaskView:
    """One running task. `done` and `total` are bytes for downloads and audio seconds for transcriptions."""

    job_id: int
    kind: TaskKind
    name: str
    """Entity path and title, for display: ``Harbor / Part 12``. Hostile until escaped."""
    phase: str
    """What it does just now: ``connecting``, ``downloading``, ``extracting``, ``transcribing`` …"""
    done: float
    total: float | None
    rate_per_s: float | None
    """Bytes a second for downloads; audio seconds per second (1 / real-time factor) for transcriptions."""
    elapsed_s: float
    eta_s: float | None
    worker: str
    submitted_by: str


@dataclass(frozen=True, slots=True)
class QueuedView:
    """A job that waits, with its position (1 is next)."""

    job_id: int
    name: str
    position: int
    stage: str


@dataclass(frozen=True, slots=True)
class DoneView:
    """A job that ended lately, well or badly."""

    job_id: int
    name: str
    stage: str
    ended_at: datetime
    freed_bytes: int
    error: str


@dataclass(frozen=True, slots=True)
class DiskView:
    """One path's file system, from `statvfs`."""

    path: str
    total_bytes: int
    used_bytes: int
    free_bytes: int
    percent: float
    level: Level
    full_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of the activity feed."""

    id: int
    at: datetime
    category: str
    severity: str
    kind: str
    text: str
    entity: str | None
    job_id: int | None
    name: str = ""
    """Name of the job that it is about, with which `text` begins; empty if it is about none."""


@dataclass(frozen=True, slots=True)
class PulseView:
    """All that the Pulse screen shows, as of `at`."""

    at: datetime
    data_dir: str
    owner: OwnerView | None
    attached: bool
    gate: GateView
    usage: tuple[tuple[str, int], ...]
    """Bytes by kind, in a fixed order: videos, audio, transcripts, … database, other."""
    tasks: tuple[TaskView, ...]
    queued: tuple[QueuedView, ...]
    done: tuple[DoneView, ...]
    stages: tuple[tuple[str, int], ...]
    disks: tuple[DiskView, ...]
    events: tuple[EventView, ...]
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    """One job as a row of the table, and of `jobs --json`."""

    id: int
    uuid: str
    kind: str
    title: str
    source_url: str
    entity: str | None
    stage: str
    priority: int
    attempts: int
    progress: float | None
    queue_position: int | None
    elapsed_s: float | None
    worker: str | None
    submitted_by: str
    submitted_at: datetime
    video_path: str | None
    video_size_bytes: int | None
    video_deleted: bool
    audio_size_bytes: int | None
    audio_deleted: bool
    transcript_path: str | None
    transcript_size_bytes: int | None
    error_class: str | None
    error: str | None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobDetails:
    """What the details panel shows of one job: the row, its history, its receipt and the start of its transcript."""

    job: JobView
    history: tuple[EventView, ...]
    receipt: tuple[tuple[str, str], ...]
    """The acceptance verdict as label and figure, empty before there is one."""
    transcript: str
    """Plain text of the transcript, or empty. Hostile until escaped."""


@dataclass(frozen=True, slots=True)
class JobsPage:
    """One page of the job table. `total` counts all jobs that match the filter."""

    jobs: tuple[JobView, ...]
    total: int
    offset: int
