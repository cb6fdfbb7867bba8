"""The SQL of the read models beside the job table: what comes next, what ended lately, figures over time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pulsetui.clock import to_ms
from pulsetui.db.database import Reader
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.store import SELECT_JOB, job_from_row
from pulsetui.pipeline.views import DoneView, QueuedView

# By itself SQLite takes `jobs_by_stage` and then sorts every job that ever ended.
_FROM_ENDED = "FROM jobs INDEXED BY jobs_ended WHERE stage IN ('transcribed', 'held', 'dead', 'cancelled') "
_LATELY_ENDED = (
    SELECT_JOB + "WHERE jobs.id IN (SELECT id " + _FROM_ENDED + "ORDER BY stage_since DESC LIMIT ?) "
    "ORDER BY jobs.stage_since DESC"
)
_TRANSCRIBED_SINCE = (
    "SELECT count(*) AS n, coalesce(sum(duration_s), 0) AS audio_s, coalesce(sum(transcribe_seconds), 0) AS work_s, "
    "coalesce(sum(video_size_bytes * video_deleted + audio_size_bytes * audio_deleted), 0) AS freed "
    + _FROM_ENDED
    + "AND stage = 'transcribed' AND stage_since >= ?"
)


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was transcribed in the window, and what that freed. Sizes in bytes, times in seconds."""

    transcriptions: int
    freed_bytes: int
    audio_s: float
    work_s: float
    window_s: float


async def queued(reader: Reader, *, limit: int) -> tuple[QueuedView, ...]:
    """Return the jobs that wait to be transcribed, then those that wait to be downloaded, in claim order."""
    views: list[QueuedView] = []
    for stage in (Stage.DOWNLOADED, Stage.QUEUED):
        rows = await reader.all(
            f"{SELECT_JOB}WHERE jobs.stage = ? AND jobs.ready = 1 AND jobs.stage IN ('queued', 'downloaded') "
            "ORDER BY jobs.rank LIMIT ?",
            (stage, limit - len(views)),
        )
        for row in rows:
            job = job_from_row(row)
            views.append(QueuedView(job.id, job.name, len(views) + 1, stage))
    return tuple(views)


async def ended(reader: Reader, *, limit: int) -> tuple[DoneView, ...]:
    """Return the jobs that ended latest, the latest first."""
    rows = await reader.all(_LATELY_ENDED, (limit,))
    return tuple(_done_view(job_from_row(row)) for row in rows)


async def throughput(reader: Reader, *, now: datetime, window: timedelta = timedelta(hours=1)) -> Throughput:
    """Return what was transcribed since `window` ago."""
    row = await reader.one(_TRANSCRIBED_SINCE, (to_ms(now - window),))
    if row is None or not row["n"]:
        return Throughput(0, 0, 0.0, 0.0, window.total_seconds())
    first = await reader.value("SELECT submitted_at FROM jobs ORDER BY id LIMIT 1")
    began_ms = max(to_ms(now - window), int(first or 0))
    return Throughput(row["n"], row["freed"], row["audio_s"], row["work_s"], max(1.0, (to_ms(now) - began_ms) / 1000))


def receipt_rows(job: Job) -> tuple[tuple[str, str], ...]:
    """Return the verdict of the acceptance check as label and figure; empty before there is one."""
    if job.receipt is None:
        return ()
    verdict: dict[str, Any] = json.loads(job.receipt)
    rows = [("accepted", "yes" if verdict["accepted"] else "no")]
    if not verdict["has_speech"]:
        return (*rows, ("speech", "none found"))
    rows.append(("speech", f"{verdict['speech_s']:.1f} s, {verdict['coverage']:.0%} covered by text"))
    rows.append(("longest gap", f"{verdict['largest_gap_s']:.1f} s of speech without text"))
    rows.append(("end", f"text ends {verdict['end_distance_s']:.1f} s before the last speech"))
    rows.append(("repetition", f"compresses {verdict['compression_ratio']:.2f} times"))
    return (*rows, *(("reason", reason) for reason in verdict["reasons"]))


def _done_view(job: Job) -> DoneView:
    freed = sum(media.size_bytes for media in (job.video, job.audio) if media is not None and media.deleted)
    error = job.last_failure.text if job.last_failure and job.stage is not Stage.TRANSCRIBED else ""
    return DoneView(job.id, job.name, job.stage, job.stage_since, freed, error)
