"""The arithmetic of reservations: what running work may still write, so that committed bytes never pass the hard limit.

Committed = usage + Σ over work in hand of (reserved − already written), part by part, never below 0. The ledger is
plain state in memory; the table `reservations` holds the same parts, written in the transaction that changes them. It
does no I/O.

Invariant: `grant` is the only way up, and refuses what would lift committed above the ceiling.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pulsetui.budget.limits import Limits

BLOCK_BYTES = 4096
FILE_OVERHEAD_BYTES = 16 * BLOCK_BYTES
"""Blocks that a file may take beyond its length: rounding, extent tree, its folder."""
AUDIO_BYTES_PER_S = 32_000
"""16 kHz, mono, 16 bits a sample."""
TRANSCRIPT_BASE_BYTES = 64 << 10
TRANSCRIPT_BYTES_PER_S = 200
"""Fast speech is some 25 characters a second; JSON with times and confidences a word or phrase at a time stays below
8×."""
VIDEO_AUDIO_SHARE = 0.10
"""16 kHz PCM of a 500 MB, 24 min episode is 9.2 % of it."""
AUDIO_ONLY_EXPANSION = 8
"""PCM over the size of compressed audio: 32 kB/s against 32 kbit/s, the least that speech is published with."""
EXTENSION_STEP_BYTES = 16 << 20
LEAST_RESERVATION_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Parts:
    """Bytes by what they are for."""

    video: int = 0
    audio: int = 0
    transcript: int = 0

    def total(self) -> int:
        """Return the sum of the parts, in bytes."""
        return self.video + self.audio + self.transcript


NOTHING = Parts()


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a job may write, and what it has written of that, both in allocated bytes."""

    reserved: Parts
    written: Parts = NOTHING

    def outstanding_video_bytes(self) -> int:
        """Return the bytes of media still to come."""
        return max(0, self.reserved.video - self.written.video)

    def outstanding_bytes(self) -> int:
        """Return the bytes still to come."""
        return (
            self.outstanding_video_bytes()
            + max(0, self.reserved.audio - self.written.audio)
            + max(0, self.reserved.transcript - self.written.transcript)
        )


@dataclass(frozen=True, slots=True)
class Free:
    """What is free on the disk of the videos and on that of audio and transcripts, in bytes."""

    storage_bytes: int
    data_bytes: int
    one_disk: bool
    """Whether the two are the same."""

    @property
    def least_bytes(self) -> int:
        """The smaller of the two figures."""
        return min(self.storage_bytes, self.data_bytes)

    def left_bytes(self, video_bytes: int, other_bytes: int) -> int:
        """Return what the fuller disk has left when so much more has come to each."""
        if self.one_disk:
            return self.least_bytes - video_bytes - other_bytes
        return min(self.storage_bytes - video_bytes, self.data_bytes - other_bytes)


@dataclass(slots=True)
class Ledger:
    """The reservations of all work in hand, by job id."""

    reservations: dict[int, Reservation] = field(default_factory=dict)
    """To be read only: the methods keep the sum."""
    _outstanding: int = 0
    _outstanding_video: int = 0

    def __iter__(self) -> Iterator[int]:
        """Iterate over the ids of jobs with a reservation."""
        return iter(self.reservations)

    def outstanding_bytes(self) -> int:
        """Return the bytes still to come from all work in hand; costs the same for any number of jobs."""
        return self._outstanding

    def left_on_disks(self, free: Free) -> int:
        """Return what the fuller disk has left when all that is in flight has come; negative if it won't hold it."""
        return free.left_bytes(self._outstanding_video, self._outstanding - self._outstanding_video)

    def grant(
        self, job_id: int, reserved: Parts, written: Parts, *, usage_bytes: int, free: Free, limits: Limits
    ) -> bool:
        """Set the job's reservation if there is room for it; say whether there was.

        There is if committed stays at or below the ceiling, and if each disk keeps its floor when all that is in flight
        has come. A reservation that gets no larger is always granted.
        """
        wanted = Reservation(reserved, written)
        before = self.reservations.get(job_id)
        growth = wanted.outstanding_bytes() - (before.outstanding_bytes() if before else 0)
        if growth > 0 and usage_bytes + self._outstanding + growth > limits.ceiling_bytes:
            return False
        self._put(job_id, wanted)
        if growth > 0 and self.left_on_disks(free) < limits.floor_bytes:
            self.put_back(job_id, before)
            return False
        return True

    def written(self, job_id: int, **parts: int) -> None:
        """Record how many allocated bytes of the named parts are on disk now.

        Unknown jobs are ignored: their lease is lost.
        """
        reservation = self.reservations.get(job_id)
        if reservation is not None:
            self._put(job_id, replace(reservation, written=replace(reservation.written, **parts)))

    def restore(self, job_id: int, reserved: Parts) -> None:
        """Put a reservation back that was granted before a restart."""
        self._put(job_id, Reservation(reserved))

    def put_back(self, job_id: int, before: Reservation | None) -> None:
        """Return to the reservation from before a change that did not take place."""
        if before is None:
            self.release(job_id)
        else:
            self._put(job_id, before)

    def release(self, job_id: int) -> None:
        """Forget the job's reservation; what it wrote stays in usage."""
        before = self.reservations.pop(job_id, None)
        if before is not None:
            self._outstanding -= before.outstanding_bytes()
            self._outstanding_video -= before.outstanding_video_bytes()

    def _put(self, job_id: int, reservation: Reservation) -> None:
        """Set a reservation and keep the sum, which is asked for with every batch that is written."""
        before = self.reservations.get(job_id)
        if before is not None:
            self._outstanding -= before.outstanding_bytes()
            self._outstanding_video -= before.outstanding_video_bytes()
        self._outstanding += reservation.outstanding_bytes()
        self._outstanding_video += reservation.outstanding_video_bytes()
        self.reservations[job_id] = reservation


def padded(length_bytes: int) -> int:
    """Return the allocated bytes that a file of `length_bytes` may take."""
    return -(-length_bytes // BLOCK_BYTES) * BLOCK_BYTES + FILE_OVERHEAD_BYTES


def parts_of_duration(duration_s: float) -> tuple[int, int]:
    """Return the bytes of audio and of transcript to reserve for media of `duration_s`."""
    audio = padded(int(duration_s * AUDIO_BYTES_PER_S) + AUDIO_BYTES_PER_S)
    return audio, TRANSCRIPT_BASE_BYTES + int(duration_s * TRANSCRIPT_BYTES_PER_S)


def parts_of_length(video_bytes: int, *, audio_only: bool) -> Parts:
    """Return what an episode of `video_bytes` will need before its duration is known."""
    expansion = AUDIO_ONLY_EXPANSION if audio_only else VIDEO_AUDIO_SHARE
    duration_s = video_bytes * expansion / AUDIO_BYTES_PER_S
    audio, transcript = parts_of_duration(duration_s)
    return Parts(padded(video_bytes), audio, transcript)


def first_reservation(
    *,
    expected_bytes: int | None,
    audio_only: bool,
    max_size_bytes: int,
    committed_bytes: int,
    disk_room_bytes: int,
    limits: Limits,
) -> Parts | None:
    """Return what a download reserves before it starts, or None when it has to wait.

    `expected_bytes` is the declared length if an earlier attempt saw it, else the 99th percentile of its source, else
    None: then it is what is left below pause, less what is kept aside for the log's growth, since a guess must not
    close the gate; and at most `max_size_bytes`, or what the disk can still take.
    """
    if expected_bytes is not None:
        parts = parts_of_length(min(expected_bytes, max_size_bytes), audio_only=audio_only)
        return parts if committed_bytes + parts.total() <= limits.ceiling_bytes else None
    left = min(limits.pause_bytes - committed_bytes - limits.aside_bytes, disk_room_bytes)
    if left < LEAST_RESERVATION_BYTES:
        return None
    room = min(max_size_bytes, left)
    scale = 1 + (AUDIO_ONLY_EXPANSION if audio_only else VIDEO_AUDIO_SHARE)
    audio_share = int(room * (scale - 1) / scale)
    transcript = min(TRANSCRIPT_BASE_BYTES, room - audio_share)
    return Parts(room - audio_share - transcript, audio_share, transcript)


def can_ever_fit(parts: Parts, limits: Limits, *, standing_bytes: int = 0) -> bool:
    """Say whether `parts` would fit under the ceiling with only `standing_bytes` on disk, which stay whatever ends."""
    return standing_bytes + parts.total() <= limits.ceiling_bytes


def largest_that_fits(limits: Limits, *, audio_only: bool, standing_bytes: int) -> int:
    """Return the longest video for which `can_ever_fit` holds, less a few blocks; negative if there is none."""
    expansion = AUDIO_ONLY_EXPANSION if audio_only else VIDEO_AUDIO_SHARE
    scale = 1 + expansion * (1 + TRANSCRIPT_BYTES_PER_S / AUDIO_BYTES_PER_S)
    fixed = parts_of_length(0, audio_only=audio_only).total() + 3 * BLOCK_BYTES
    return int((limits.ceiling_bytes - standing_bytes - fixed) / scale)


def expected_after_refusal(refused_bytes: int, limits: Limits, *, audio_only: bool, standing_bytes: int) -> int | None:
    """Return what to expect of a body that was refused room to grow to `refused_bytes`; None if it can never fit.

    Twice as much, so that a body that says nothing of its length is refused a few times at most, and in the end has
    the disk to itself.
    """
    largest = largest_that_fits(limits, audio_only=audio_only, standing_bytes=standing_bytes)
    return min(2 * refused_bytes, largest) if refused_bytes <= largest else None
