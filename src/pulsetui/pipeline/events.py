"""The events of the queue, the downloader and the transcriber, with the sentence that each is shown as."""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.events.base import Event
from pulsetui.units import format_duration, format_size


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueued(Event, kind="job.queued", category="job", severity="info"):
    """An episode was added."""

    name: str
    source: str

    def text(self) -> str:
        """Name the episode and where it comes from."""
        return f"{self.name} queued from {self.source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadStarted(Event, kind="job.downloading", category="job", severity="debug"):
    """A worker took the episode."""

    name: str
    worker: str
    attempt: int

    def text(self) -> str:
        """Name the episode, the worker and the attempt."""
        return f"{self.name} downloading on {self.worker}, attempt {self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadFinished(Event, kind="job.downloaded", category="job", severity="info"):
    """The media is durable on disk."""

    name: str
    size_bytes: int
    seconds: float

    def text(self) -> str:
        """Give size and time."""
        return f"{self.name} downloaded, {format_size(self.size_bytes)} in {format_duration(self.seconds)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionStarted(Event, kind="job.transcribing", category="job", severity="debug"):
    """A worker took the episode."""

    name: str
    worker: str
    size_bytes: int
    duration_s: float

    def text(self) -> str:
        """Give the media's size and length."""
        length = f"{format_size(self.size_bytes)}, {format_duration(self.duration_s)} of audio"
        return f"{self.name} transcribing on {self.worker}, {length}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTranscribed(Event, kind="job.transcribed", category="job", severity="info"):
    """The transcript is accepted, durable and committed."""

    name: str
    coverage: float | None
    seconds: float
    real_time_factor: float | None

    def text(self) -> str:
        """Give the time and how much of the speech is covered."""
        covered = "no speech" if self.coverage is None else f"{self.coverage:.0%} of speech covered"
        return f"{self.name} transcribed in {format_duration(self.seconds)}, {covered}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHeld(Event, kind="job.held", category="job", severity="warning"):
    """A human has to decide."""

    name: str
    reason: str

    def text(self) -> str:
        """Give the reason."""
        return f"{self.name} held: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(Event, kind="job.attempt_failed", category="job", severity="warning"):
    """An attempt failed and the job will be tried again."""

    name: str
    failure: str
    error: str
    attempt: int
    retry_in_s: float

    def text(self) -> str:
        """Give the error and when the next attempt comes."""
        when = f"next try in {format_duration(self.retry_in_s)}" if self.retry_in_s >= 1 else "next try at once"
        return f"{self.name}: {self.error} (attempt {self.attempt}, {self.failure}), {when}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDied(Event, kind="job.dead", category="job", severity="error"):
    """The job failed for good, or ran out of attempts."""

    name: str
    failure: str
    error: str
    attempts: int

    def text(self) -> str:
        """Give the last error."""
        after = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{self.name} given up{after}: {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWaits(Event, kind="job.waits", category="job", severity="debug"):
    """The job went back a stage without blame: no room, shutdown, or its owner ended."""

    name: str
    stage: str
    reason: str

    def text(self) -> str:
        """Give the stage and the reason."""
        return f"{self.name} back to {self.stage}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRetried(Event, kind="job.retried", category="job", severity="info"):
    """An operator revived the job."""

    name: str
    stage: str
    user: str

    def text(self) -> str:
        """Say who, and where it goes on."""
        return f"{self.name} retried by {self.user}, {self.stage}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled(Event, kind="job.cancelled", category="job", severity="info"):
    """An operator gave the job up."""

    name: str
    user: str

    def text(self) -> str:
        """Say who."""
        return f"{self.name} cancelled by {self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFreed(Event, kind="storage.freed", category="storage", severity="info", keep=True):
    """Media was deleted after its transcript was proved and durable."""

    name: str
    what: str
    freed_bytes: int
    usage_bytes: int

    def text(self) -> str:
        """Give what was freed and the use after it."""
        in_use = format_size(self.usage_bytes)
        return f"{self.name}: {format_size(self.freed_bytes)} freed ({self.what}), {in_use} in use"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionKept(Event, kind="storage.kept", category="storage", severity="error"):
    """A file that was marked for deletion isn't the file that was recorded any more, so it stays."""

    name: str
    what: str
    reason: str

    def text(self) -> str:
        """Give the reason."""
        return f"{self.name}: {self.what} kept: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialGivenUp(Event, kind="storage.partial_given_up", category="storage", severity="warning"):
    """A partial file was deleted, since partial files alone filled the disk: its download starts anew."""

    name: str
    freed_bytes: int

    def text(self) -> str:
        """Give what was freed."""
        return f"{self.name}: its unfinished download is given up, {format_size(self.freed_bytes)} freed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryDone(Event, kind="system.recovered", category="system", severity="info"):
    """What the start found and mended."""

    leases_ended: int
    media_lost: int
    orphans: int
    needs_attention: int

    def text(self) -> str:
        """Give the counts."""
        return (
            f"recovery: {self.leases_ended} leases ended, {self.media_lost} jobs back a stage, "
            f"{self.orphans} files of no job left in place, {self.needs_attention} need attention"
        )
