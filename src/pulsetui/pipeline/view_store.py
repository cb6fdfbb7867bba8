"""The SQL of the read models: the job table, what ended lately, and the figures over time. Reads only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pulsetui.clock import to_ms
from pulsetui.db.database import Reader, SqlValue
from pulsetui.errors import UsageError
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.store import SELECT_JOB, job_from_row
from pulsetui.pipeline.views import DoneView, JobsPage, JobView, QueuedView

POSITIONS_KNOWN = 1000
"""Queue positions are told for the first so many jobs; beyond, counting would cost more than the figure is worth."""
# The two expressions repeat the index `jobs_shown` to the letter, without which SQLite would sort the whole table.
_IN_QUEUE = (
    "(CASE stage WHEN 'downloading' THEN 0 WHEN 'transcribing' THEN 0 WHEN 'downloaded' THEN 1 WHEN 'queued' THEN 2 "
    "ELSE 3 END), (CASE stage WHEN 'downloaded' THEN rank WHEN 'queued' THEN rank ELSE -stage_since END)"
)
SORTS = {
    "queue": _IN_QUEUE,
    "newest": "jobs.id DESC",
    "title": "jobs.title COLLATE NOCASE ASC, jobs.id ASC",
    "size": "jobs.video_size_bytes DESC, jobs.id DESC",
    "attempts": "jobs.attempts DESC, jobs.id DESC",
}
"""Orders of the job table by name."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was transcribed in the window, and what that freed. Sizes in bytes, times in seconds."""

    transcriptions: int
    freed_bytes: int
    audio_s: float
    work_s: float
    window_s: float


async def page(
    reader: Reader,
    *,
    now: datetime,
    stage: str | None = None,
    project: str | None = None,
    text: str | None = None,
    offset: int = 0,
    limit: int = 50,
    sort: str = "queue",
) -> JobsPage:
    """Return one page of the jobs that match.

    Raises:
        UsageError: there is no such stage or sort.
    """
    if stage is not None and stage not in set(Stage):
        raise UsageError(f"there is no stage {stage!r}", hint=f"stages are {', '.join(Stage)}")
    if sort not in SORTS:
        raise UsageError(f"there is no order {sort!r}", hint=f"orders are {', '.join(SORTS)}")
    where, values = _where(stage, project, text)
    rows = await reader.all(f"{SELECT_JOB}{where} ORDER BY {SORTS[sort]} LIMIT ? OFFSET ?", (*values, limit, offset))
    positions = await queue_positions(reader)
    jobs = tuple(job_view(job_from_row(row), now=now, position=positions.get(row["id"])) for row in rows)
    return JobsPage(jobs, await _total(reader, stage, where, values), offset)


async def one(reader: Reader, job: Job, *, now: datetime) -> JobView:
    """Return a job as the screens show it."""
    positions = await queue_positions(reader)
    return job_view(job, now=now, position=positions.get(job.id))


async def queue_positions(reader: Reader) -> dict[int, int]:
    """Return the positions, from 1, of the first waiting jobs by id."""
    rows = await reader.all(
        "SELECT id FROM jobs WHERE stage = ? AND ready = 1 AND stage IN ('queued', 'downloaded') ORDER BY rank LIMIT ?",
        (Stage.QUEUED, POSITIONS_KNOWN),
    )
    return {row["id"]: position for position, row in enumerate(rows, start=1)}


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
            waits = "" if stage is Stage.QUEUED else "downloaded, waits for a transcriber"
            views.append(QueuedView(job.id, job.name, len(views) + 1, stage, waits))
    return tuple(views)


async def ended(reader: Reader, *, limit: int) -> tuple[DoneView, ...]:
    """Return the jobs that ended latest, the latest first."""
    rows = await reader.all(
        f"{SELECT_JOB}WHERE jobs.stage IN ('transcribed', 'held', 'dead', 'cancelled') "
        "ORDER BY jobs.stage_since DESC LIMIT ?",
        (limit,),
    )
    return tuple(_done_view(job_from_row(row)) for row in rows)


async def throughput(reader: Reader, *, now: datetime, window: timedelta = timedelta(hours=1)) -> Throughput:
    """Return what was transcribed since `window` ago."""
    row = await reader.one(
        "SELECT count(*) AS n, "
        "coalesce(sum(duration_s), 0) AS audio_s, coalesce(sum(transcribe_seconds), 0) AS work_s, "
        "coalesce(sum(video_size_bytes * video_deleted + audio_size_bytes * audio_deleted), 0) AS freed "
        "FROM jobs WHERE stage = 'transcribed' AND stage_since >= ? "
        # what the partial index `jobs_ended` asks for
        "AND stage IN ('transcribed', 'held', 'dead', 'cancelled')",
        (to_ms(now - window),),
    )
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


def job_view(job: Job, *, now: datetime, position: int | None) -> JobView:
    """Return a job as the screens and `jobs --json` show it."""
    running = job.stage.running
    return JobView(
        id=job.id,
        uuid=job.uuid,
        kind=job.kind,
        title=job.title,
        source_url=job.source_url,
        entity=job.entity,
        stage=job.stage,
        priority=job.priority,
        attempts=job.attempts,
        progress=job.progress,
        queue_position=position,
        elapsed_s=(now - job.stage_since).total_seconds() if running else None,
        worker=job.worker,
        submitted_by=job.submitted_by,
        submitted_at=job.submitted_at,
        video_path=str(job.video.path) if job.video else None,
        video_size_bytes=job.video.size_bytes if job.video else None,
        video_deleted=job.video.deleted if job.video else False,
        audio_size_bytes=job.audio.size_bytes if job.audio else None,
        audio_deleted=job.audio.deleted if job.audio else False,
        transcript_path=str(job.transcript.path) if job.transcript else None,
        transcript_size_bytes=job.transcript.size_bytes if job.transcript else None,
        error_class=job.last_failure.failure if job.last_failure else None,
        error=job.last_failure.text if job.last_failure else None,
        next_attempt_at=job.next_attempt_at,
    )


def _done_view(job: Job) -> DoneView:
    freed = sum(media.size_bytes for media in (job.video, job.audio) if media is not None and media.deleted)
    error = job.last_failure.text if job.last_failure and job.stage is not Stage.TRANSCRIBED else ""
    return DoneView(job.id, job.name, job.stage, job.stage_since, freed, error)


def _where(stage: str | None, project: str | None, text: str | None) -> tuple[str, tuple[SqlValue, ...]]:
    clauses: list[str] = []
    values: list[SqlValue] = []
    if stage is not None:
        clauses.append("jobs.stage = ?")
        values.append(stage)
    if project is not None:
        clauses.append("(entities.path = ? OR substr(entities.path, 1, ?) = ?)")
        values += [project, len(project) + 1, f"{project}/"]
    if text:
        fields = ("jobs.title", "jobs.source_url", "coalesce(entities.path, '')", "coalesce(jobs.error, '')")
        clauses.append("(" + " OR ".join(f"instr(lower({field}), lower(?))" for field in fields) + ")")
        values += [text] * len(fields)
    return (f"WHERE {' AND '.join(clauses)}" if clauses else ""), tuple(values)


async def _total(reader: Reader, stage: str | None, where: str, values: tuple[SqlValue, ...]) -> int:
    """Return how many jobs match; without a filter, or by stage alone, from the kept counts."""
    if len(values) == (stage is not None):
        row = await reader.value(
            "SELECT coalesce(sum(jobs), 0) FROM stage_counts WHERE ? IS NULL OR stage = ?", (stage, stage)
        )
    else:
        row = await reader.value(
            f"SELECT count(*) FROM jobs LEFT JOIN entities ON entities.id = jobs.entity_id {where}",  # noqa: S608
            values,
        )
    return int(row or 0)


def row_of(view: JobView) -> dict[str, Any]:
    """Return a job's row of `jobs --json`, times still as datetimes."""
    return {name: getattr(view, name) for name in JobView.__slots__}
