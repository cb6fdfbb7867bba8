"""What a job is: stages, the row as a frozen value, and the files that it has on disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pulsetui.errors import FailureClass

AUDIO_EXTENSIONS = frozenset({"mp3", "m4a", "aac", "ogg", "opus", "flac", "wav"})


class Stage(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    TRANSCRIBING = "transcribing"
    TRANSCRIBED = "transcribed"
    HELD = "held"
    """Needs a human: its transcript was not accepted, or it can never fit the budget."""
    DEAD = "dead"
    """Out of attempts, or failed for good."""
    CANCELLED = "cancelled"

    @property
    def running(self) -> bool:
        """Whether a worker holds a lease on a job in this stage."""
        return self in (Stage.DOWNLOADING, Stage.TRANSCRIBING)

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more without an operator."""
        return self in (Stage.TRANSCRIBED, Stage.HELD, Stage.DEAD, Stage.CANCELLED)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to change one job. Every later write names its token."""

    token: str
    owner: str
    """The uuid of the owner's instance: leases of another one end at start."""
    worker: str
    until: datetime


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file as it was when the job recorded it; its size stays after deletion, for statistics."""

    path: Path
    size_bytes: int
    allocated_bytes: int
    device: int
    inode: int
    mtime_ns: int
    delete_pending: bool = False
    deleted: bool = False

    @property
    def present(self) -> bool:
        """Whether the file should be on disk."""
        return not self.deleted


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """The transcript on disk, and what was accepted of it."""

    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Failure:
    """How the last attempt failed."""

    failure: FailureClass
    text: str


@dataclass(frozen=True, slots=True)
class Job:
    """One episode's way from its source to its transcript."""

    id: int
    uuid: str
    kind: str
    title: str
    source_url: str
    entity_id: int | None
    entity: str | None
    """The entity's names, joined by `/`."""
    entity_folders: tuple[str, ...]
    """The entity's folders below a root; `("unassigned",)` without one."""
    priority: int
    stage: Stage
    stage_since: datetime
    submitted_by: str
    submitted_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    lease: Lease | None = None
    worker: str | None = None
    progress_done: float | None = None
    progress_total: float | None = None
    declared_bytes: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    video: MediaFile | None = None
    audio: MediaFile | None = None
    transcript: TranscriptFile | None = None
    receipt: str | None = None
    duration_s: float | None = None
    transcribe_seconds: float | None = None
    last_failure: Failure | None = None

    @property
    def audio_only(self) -> bool:
        """Whether the source is a sound file by its extension, or the media on disk is."""
        name = str(self.video.path) if self.video else urlsplit(self.source_url).path
        return PurePosixPath(name).suffix.lstrip(".").lower() in AUDIO_EXTENSIONS

    @property
    def name(self) -> str:
        """The entity and the title, for display. Hostile until escaped."""
        return shown_name(self.entity, self.title)

    @property
    def progress(self) -> float | None:
        """How far the stage is, 0..1, or None when it can't be known."""
        if self.stage is Stage.TRANSCRIBED:
            return 1.0
        if not self.progress_total or self.progress_done is None:
            return None
        return min(1.0, self.progress_done / self.progress_total)


def shown_name(entity: str | None, title: str) -> str:
    """Return an entity's path and a title as one name: `Harbor / Cast / Part 12`. Hostile until escaped."""
    return f"{entity.replace('/', ' / ')} / {title}" if entity else title


def source_host(url: str) -> str:
    """Return what sizes are expected by: the host of a URL, or `file` for local ones."""
    return urlsplit(url).hostname or "file"
