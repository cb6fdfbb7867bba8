"""The job's state machine: (job, event, now) → (job, what to do).

Pure; the store writes what comes out, in one transaction.

Invariants: a job is in one stage; media is marked for deletion only together with an accepted transcript; a job ends
its lease in the same step in which it leaves a running stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pulsetui.errors import FailureClass, RefusedError
from pulsetui.files.identity import FileIdentity
from pulsetui.pipeline.backoff import Backoff
from pulsetui.pipeline.jobs import Failure, Job, Lease, MediaFile, Stage, TranscriptFile

LONGEST_AUDIO_S = 36 * 3600.0
"""A WAV file holds 37 hours of 16 kHz, mono, 16 bit."""
LEAST_GUESS_S = 600.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What the rules need to know of the settings."""

    download_attempts: int
    transcription_attempts: int
    backoff: Backoff
    delete_video: bool
    delete_audio: bool

    def attempts(self, stage: Stage) -> int:
        """Return how many attempts a job has in a running `stage`."""
        return self.download_attempts if stage is Stage.DOWNLOADING else self.transcription_attempts


@dataclass(frozen=True, slots=True)
class Claimed:
    """A worker takes the job. Each claim counts as an attempt, so that a job that kills its worker runs out."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Sized:
    """The source told the length and validators of what it will send."""

    declared_bytes: int | None
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The media is durable under its final name."""

    video: MediaFile
    sha256: str
    duration_s: float | None
    """As the container says; None if it doesn't."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transcript is accepted and durable on disk."""

    transcript: TranscriptFile
    audio: MediaFile | None
    receipt: str
    duration_s: float
    """What was decoded: the container may have said less, or nothing."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """The transcript was not accepted: the media stays, a human decides."""

    receipt: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The attempt failed. `draw` is a uniform random number from 0 to 1 for the jitter; `hint` says what to do."""

    failure: FailureClass
    text: str
    draw: float
    retry_after_s: float | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class AudioLonger:
    """The audio is longer than what was reserved for it: more has to be reserved for the next attempt."""

    text: str
    reserved_s: float
    """How much audio there was room for, in seconds."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """The job can never fit the budget: its needs pass the ceiling with nothing else on disk."""

    text: str


@dataclass(frozen=True, slots=True)
class OwnerEnded:
    """The process that held the lease is gone; the job is not to blame."""


@dataclass(frozen=True, slots=True)
class VideoLost:
    """The media that the row names is not on disk: back a stage."""


@dataclass(frozen=True, slots=True)
class MediaDeleted:
    """Files that were marked for deletion are gone from disk, durably."""

    what: tuple[str, ...]
    """`video`, `audio`, or both."""


@dataclass(frozen=True, slots=True)
class MediaKept:
    """A file that was marked for deletion isn't what was recorded, or lacks its proof: it stays."""

    what: str
    """`video` or `audio`."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The files are the recorded ones under another device number, as after a remount."""

    video: MediaFile | None
    audio: MediaFile | None


@dataclass(frozen=True, slots=True)
class Retried:
    """The operator wants the job to be tried again."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The operator gave the job up."""


Event = (
    Claimed
    | Sized
    | Downloaded
    | Accepted
    | Rejected
    | AttemptFailed
    | AudioLonger
    | Unfit
    | OwnerEnded
    | VideoLost
    | MediaDeleted
    | MediaKept
    | Moved
    | Retried
    | Cancelled
)


@dataclass(frozen=True, slots=True)
class Release:
    """Give the job's reservation back."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete what is marked, now or with the next batch."""


Instruction = Release | Delete


def step(job: Job, event: Event, now: datetime, policy: Policy) -> tuple[Job, list[Instruction]]:
    """Return the job after `event` and what is to be done besides writing it.

    Raises:
        RefusedError: the job's stage does not know this event.
    """
    match event:
        case Claimed(lease):
            return _claimed(job, lease, now), []
        case Sized(declared, etag, modified):
            _expect(job, event, Stage.DOWNLOADING)
            return replace(job, declared_bytes=declared, etag=etag, last_modified=modified), []
        case Downloaded():
            return _downloaded(job, event, now), []
        case Accepted():
            return _accepted(job, event, now, policy)
        case Rejected():
            return _rejected(job, event, now)
        case AttemptFailed():
            return _failed(job, event, now, policy)
        case AudioLonger():
            return _longer(job, event, now)
        case Retried() | Cancelled() | Unfit() | OwnerEnded():
            return _decided(job, event, now)
        case _:
            return _seen_on_disk(job, event, now)


def _decided(job: Job, event: Retried | Cancelled | Unfit | OwnerEnded, now: datetime) -> tuple[Job, list[Instruction]]:
    """Take the step that an operator, the budget or the end of an owner asks for."""
    match event:
        case Retried():
            return _retried(job, now), []
        case Cancelled():
            _expect(job, event, *(stage for stage in Stage if stage not in (Stage.TRANSCRIBED, Stage.CANCELLED)))
            return _moved(job, Stage.CANCELLED, now), [Release()]
        case Unfit(text):
            _expect(job, event, Stage.QUEUED, Stage.DOWNLOADING, Stage.DOWNLOADED)
            after = _moved(job, Stage.HELD, now)
            return replace(after, last_failure=Failure(FailureClass.SPACE, text)), [Release()]
        case OwnerEnded():
            _expect(job, event, Stage.DOWNLOADING, Stage.TRANSCRIBING)
            after = _moved(replace(job, attempts=max(0, job.attempts - 1)), _before(job.stage), now)
            return after, _room_given_back(after)


def _seen_on_disk(
    job: Job, event: VideoLost | MediaDeleted | MediaKept | Moved, now: datetime
) -> tuple[Job, list[Instruction]]:
    """Bring the row to what is on disk."""
    match event:
        case VideoLost():
            _expect(job, event, Stage.DOWNLOADED)
            return _moved(replace(job, video=None, sha256=None, attempts=0), Stage.QUEUED, now), [Release()]
        case MediaDeleted(what):
            for each in what:
                job = _with_media(job, each, deleted=True)
            return job, []
        case MediaKept(what):
            return _with_media(job, what, deleted=False), []
        case Moved(video, audio):
            return replace(job, video=video, audio=audio), []


def renumbered(media: MediaFile | None, found: Mapping[Path, FileIdentity | OSError | None]) -> MediaFile | None:
    """Return the file with its new device number, if only that differs: a remount renumbers devices, but not inodes."""
    identity = found.get(media.path) if media is not None and media.present else None
    if media is None or not isinstance(identity, FileIdentity):
        return media
    unchanged = (identity.inode, identity.size_bytes, identity.mtime_ns) == (
        media.inode,
        media.size_bytes,
        media.mtime_ns,
    )
    return replace(media, device=identity.device) if unchanged else media


def _expect(job: Job, event: Event, *stages: Stage) -> None:
    if job.stage not in stages:
        raise RefusedError(
            f"job {job.id} is {job.stage.value}: {type(event).__name__.lower()} applies to {', '.join(stages)}",
            hint=f"`pulsetui jobs show {job.id}` tells its history",
        )


def _moved(job: Job, stage: Stage, now: datetime) -> Job:
    """Return the job in `stage`, without lease, progress or waiting time."""
    return replace(
        job,
        stage=stage,
        stage_since=now,
        lease=None,
        worker=None,
        next_attempt_at=None,
        progress_done=None,
        progress_total=None,
    )


def _before(stage: Stage) -> Stage:
    return Stage.QUEUED if stage is Stage.DOWNLOADING else Stage.DOWNLOADED


def _claimed(job: Job, lease: Lease, now: datetime) -> Job:
    _expect(job, Claimed(lease), Stage.QUEUED, Stage.DOWNLOADED)
    running = Stage.DOWNLOADING if job.stage is Stage.QUEUED else Stage.TRANSCRIBING
    after = _moved(job, running, now)
    return replace(after, lease=lease, worker=lease.worker, attempts=job.attempts + 1)


def _downloaded(job: Job, event: Downloaded, now: datetime) -> Job:
    _expect(job, event, Stage.DOWNLOADING)
    after = _moved(replace(job, attempts=0, last_failure=None), Stage.DOWNLOADED, now)
    return replace(after, video=event.video, sha256=event.sha256, duration_s=event.duration_s)


def _rejected(job: Job, event: Rejected, now: datetime) -> tuple[Job, list[Instruction]]:
    _expect(job, event, Stage.TRANSCRIBING)
    after = _moved(replace(job, receipt=event.receipt, transcribe_seconds=event.seconds), Stage.HELD, now)
    return replace(after, last_failure=Failure(FailureClass.PERMANENT, event.reason)), [Release()]


def _accepted(job: Job, event: Accepted, now: datetime, policy: Policy) -> tuple[Job, list[Instruction]]:
    _expect(job, event, Stage.TRANSCRIBING)
    after = _moved(job, Stage.TRANSCRIBED, now)
    after = replace(
        after,
        transcript=event.transcript,
        receipt=event.receipt,
        duration_s=event.duration_s,
        transcribe_seconds=event.seconds,
        last_failure=None,
        video=_marked(job.video) if policy.delete_video else job.video,
        audio=_marked(event.audio) if policy.delete_audio else event.audio,
    )
    return after, [Release(), Delete()]


def _marked(media: MediaFile | None) -> MediaFile | None:
    return replace(media, delete_pending=True) if media is not None and not media.deleted else media


def _failed(job: Job, event: AttemptFailed, now: datetime, policy: Policy) -> tuple[Job, list[Instruction]]:
    _expect(job, event, Stage.DOWNLOADING, Stage.TRANSCRIBING)
    failure = Failure(event.failure, f"{event.text}; {event.hint}" if event.hint else event.text)
    free = event.failure in (FailureClass.SPACE, FailureClass.AWAY, FailureClass.SHUTDOWN)
    attempts = max(0, job.attempts - 1) if free else job.attempts
    out = event.failure is FailureClass.PERMANENT or (not free and attempts >= policy.attempts(job.stage))
    if out:
        return replace(_moved(job, Stage.DEAD, now), last_failure=failure, attempts=attempts), [Release()]
    wait_s = 0.0
    if event.failure in (FailureClass.SPACE, FailureClass.AWAY):
        wait_s = policy.backoff.base_s * event.draw
    elif not free:
        wait_s = policy.backoff.delay_s(attempts, draw=event.draw, retry_after_s=event.retry_after_s)
    after = _moved(job, _before(job.stage), now)
    after = replace(after, last_failure=failure, attempts=attempts)
    if wait_s > 0:
        after = replace(after, next_attempt_at=now + timedelta(seconds=wait_s))
    return after, _room_given_back(after)


def _longer(job: Job, event: AudioLonger, now: datetime) -> tuple[Job, list[Instruction]]:
    """Go back for room for twice as much audio, at no cost; past a day and a half of it, a human has to look."""
    _expect(job, event, Stage.TRANSCRIBING)
    if event.reserved_s >= LONGEST_AUDIO_S:
        after = _moved(job, Stage.HELD, now)
        return replace(after, last_failure=Failure(FailureClass.PERMANENT, event.text)), [Release()]
    after = _moved(replace(job, attempts=max(0, job.attempts - 1)), Stage.DOWNLOADED, now)
    return replace(after, duration_s=max(2 * event.reserved_s, LEAST_GUESS_S)), []


def _room_given_back(after: Job) -> list[Instruction]:
    """A download gives its room back and reserves anew; a transcription keeps it, since it is what frees space."""
    return [Release()] if after.stage is Stage.QUEUED else []


def _with_media(job: Job, what: str, *, deleted: bool) -> Job:
    """Return the job with the deletion of its video or audio settled, one way or the other."""
    media = job.video if what == "video" else job.audio
    if media is None:
        return job
    media = replace(media, delete_pending=False, deleted=deleted)
    return replace(job, video=media) if what == "video" else replace(job, audio=media)


def _retried(job: Job, now: datetime) -> Job:
    if job.stage in (Stage.QUEUED, Stage.DOWNLOADED):
        return replace(job, next_attempt_at=None, attempts=0)
    _expect(job, Retried(), Stage.HELD, Stage.DEAD, Stage.CANCELLED)
    has_media = job.video is not None and job.video.present
    after = _moved(job, Stage.DOWNLOADED if has_media else Stage.QUEUED, now)
    return replace(after, attempts=0, last_failure=None)
