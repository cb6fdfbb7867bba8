"""Which of the ready jobs goes next. Pure; the store hands in the head of the queue in claim order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pulsetui.budget.ledger import Parts, parts_of_duration, parts_of_length
from pulsetui.clock import to_ms
from pulsetui.pipeline.jobs import Job

AGEING_MS = 3_600_000
"""An hour of waiting weighs as much as one step of priority. Since ageing is linear, the order between two jobs never
changes, so that a fixed number can be indexed: submitted_at − priority × this."""
HALF_FULL = 0.5
HOLD_THE_LINE_AFTER = timedelta(minutes=10)
"""How long a job may be passed over because it doesn't fit, before nothing behind it starts until it does."""
AGED = timedelta(hours=1)
"""A downloaded job that waited this long goes before those that free more."""
UNKNOWN_SIZE = 1 << 62


def rank_of(submitted_at: datetime, priority: int) -> int:
    """Return a job's place in the claim order: the smaller, the sooner."""
    return to_ms(submitted_at) - priority * AGEING_MS


def download_order(jobs: Sequence[Job], *, fullness: float) -> list[Job]:
    """Return the order in which queued jobs are offered to a download worker.

    `fullness` is where committed lies from resume (0) to pause (1). Past half-way, small episodes come first among
    those of one priority; jobs of unknown size come last among them.
    """
    if fullness <= HALF_FULL:
        return list(jobs)
    # Stable: a priority keeps the place of its first job, so ageing across priorities still counts.
    places: dict[int, int] = {}
    for place, job in enumerate(jobs):
        places.setdefault(job.priority, place)
    return sorted(jobs, key=lambda job: (places[job.priority], job.declared_bytes or UNKNOWN_SIZE))


def transcription_order(jobs: Sequence[Job], now: datetime) -> list[Job]:
    """Return the order in which downloaded jobs are offered to a transcription worker.

    Within a priority, the job comes first whose deletion frees most per expected minute of work; the time that it
    takes grows with the media's duration, whatever the engine's real-time factor. Jobs that waited for an hour go
    before, oldest first.
    """

    def key(job: Job) -> tuple[int, int, float]:
        waited = now - job.stage_since
        if waited >= AGED:
            return -job.priority, 0, -waited.total_seconds()
        size = job.video.allocated_bytes if job.video else 0
        return -job.priority, 1, -size / max(job.duration_s or 1.0, 1.0)

    return sorted(jobs, key=key)


def holds_the_line(unfit_since: datetime | None, now: datetime) -> bool:
    """Say whether a job that doesn't fit has waited so long that those behind it must wait too."""
    return unfit_since is not None and now - unfit_since >= HOLD_THE_LINE_AFTER


def to_give_up(jobs: Sequence[Job]) -> Job | None:
    """Return whose partial file goes first when partial files alone fill the disk.

    Those of ended jobs before those of waiting ones, and the least urgent first.
    """
    return max(jobs, key=lambda job: (job.stage.ended, rank_of(job.submitted_at, job.priority), job.id), default=None)


def percentile_99(sizes: Sequence[int]) -> int | None:
    """Return the 99th percentile by nearest rank, or None without any size."""
    if not sizes:
        return None
    ordered = sorted(sizes)
    return ordered[min(len(ordered) - 1, -(-99 * len(ordered) // 100) - 1)]


def parts_to_transcribe(job: Job) -> Parts:
    """Return what transcribing a downloaded job will write: by its duration, or by its size where that isn't known."""
    if job.duration_s is not None:
        return Parts(0, *parts_of_duration(job.duration_s))
    size = job.video.size_bytes if job.video else 0
    return replace(parts_of_length(size, audio_only=job.audio_only), video=0)
