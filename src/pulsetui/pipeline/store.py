"""All SQL of the queue. Rows become frozen `Job`s; every write of a running job names its lease.

Invariant: `apply` changes a row only while it is in the stage and under the lease that the caller saw; otherwise the
lease is lost and nothing is written. Claims cost the same however long the queue is: they read the head of one
partial index.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pulsetui.clock import from_ms, to_ms
from pulsetui.db.database import Reader, SqlValue, Transaction
from pulsetui.errors import FailureClass, LeaseLostError, NotFoundError
from pulsetui.pipeline.choice import rank_of
from pulsetui.pipeline.jobs import Failure, Job, Lease, MediaFile, Stage, TranscriptFile

WAKE_BATCH = 500
"""How many jobs whose waiting time is over one claim makes ready at most; the rest follow with the next claims."""
UNASSIGNED = "unassigned"

SELECT_JOB = (
    "SELECT jobs.*, entities.path AS entity_path, entities.folders AS entity_folders "
    "FROM jobs LEFT JOIN entities ON entities.id = jobs.entity_id "
)


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is known of a job when it is queued."""

    uuid: str
    title: str
    source_url: str
    source_host: str
    entity_id: int | None
    priority: int
    submitted_by: str
    submitted_through: str


async def add(tx: Transaction, new: NewJob, *, now: datetime) -> int:
    """Queue a job and return its id."""
    at = to_ms(now)
    return await tx.insert(
        "INSERT INTO jobs (uuid, kind, title, source_url, source_host, entity_id, priority, rank, stage, stage_since, "
        "submitted_by, submitted_through, submitted_at) VALUES (?, 'episode', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.uuid,
            new.title,
            new.source_url,
            new.source_host,
            new.entity_id,
            new.priority,
            rank_of(now, new.priority),
            Stage.QUEUED,
            at,
            new.submitted_by,
            new.submitted_through,
            at,
        ),
    )


async def find_open_by_source(reader: Reader, source_url: str) -> int | None:
    """Return the id of a job for `source_url` that wasn't cancelled and didn't die, or None."""
    found = await reader.value(
        "SELECT id FROM jobs WHERE source_url = ? AND stage NOT IN ('cancelled', 'dead') LIMIT 1", (source_url,)
    )
    return None if found is None else int(found)


async def get(reader: Reader, job_id: int) -> Job:
    """Return the job.

    Raises:
        NotFoundError: there is none with this id.
    """
    row = await reader.one(SELECT_JOB + "WHERE jobs.id = ?", (job_id,))
    if row is None:
        raise NotFoundError(f"there is no job {job_id}", hint="`pulsetui jobs` lists them")
    return job_from_row(row)


async def head(tx: Transaction, stage: Stage, *, now: datetime, limit: int) -> list[Job]:
    """Wake jobs whose waiting time is over; return the most urgent ready ones of `stage`, the most urgent first."""
    await tx.execute(
        "UPDATE jobs SET ready = 1 WHERE id IN "
        "(SELECT id FROM jobs WHERE ready = 0 AND next_attempt_at <= ? ORDER BY next_attempt_at LIMIT ?)",
        (to_ms(now), WAKE_BATCH),
    )
    # The literal repeats the index's own condition, without which SQLite can't prove that the partial index covers the
    # query.
    rows = await tx.all(
        SELECT_JOB + "WHERE jobs.stage = ? AND jobs.ready = 1 AND jobs.stage IN ('queued', 'downloaded') "
        "ORDER BY jobs.rank LIMIT ?",
        (stage, limit),
    )
    return [job_from_row(row) for row in rows]


async def first_ready(reader: Reader, stage: Stage) -> Job | None:
    """Return the most urgent ready job of `stage`, or None."""
    row = await reader.one(
        SELECT_JOB + "WHERE jobs.stage = ? AND jobs.ready = 1 AND jobs.stage IN ('queued', 'downloaded') "
        "ORDER BY jobs.rank LIMIT 1",
        (stage,),
    )
    return None if row is None else job_from_row(row)


async def next_wake(reader: Reader) -> datetime | None:
    """Return when the next waiting job may be tried again, or None."""
    at = await reader.value("SELECT min(next_attempt_at) FROM jobs WHERE ready = 0")
    return None if at is None else from_ms(int(at))


async def apply(tx: Transaction, before: Job, after: Job) -> None:
    """Write what the state machine made of `before`.

    Raises:
        LeaseLostError: the row isn't in the stage, or under the lease, of `before` any more; nothing was written.
    """
    columns = _columns(after)
    names = ", ".join(f"{name} = ?" for name in columns)
    changed = await tx.execute(
        f"UPDATE jobs SET {names} WHERE id = ? AND stage = ? AND lease_token IS ?",  # noqa: S608 - our own names
        (*columns.values(), before.id, before.stage, before.lease.token if before.lease else None),
    )
    if changed == 0:
        raise LeaseLostError(f"job {before.id} is not {before.stage.value} under this lease any more")


async def heartbeat(
    tx: Transaction, now: datetime, lease_until: datetime, progress: Mapping[str, tuple[int, float, float | None]]
) -> set[str]:
    """Renew leases by token, with (job id, progress done, progress total); return the tokens that are lost."""
    lost = set()
    for token, (job_id, done, total) in progress.items():
        changed = await tx.execute(
            "UPDATE jobs SET lease_until = ?, heartbeat_at = ?, progress_done = ?, progress_total = ? "
            "WHERE id = ? AND lease_token = ?",
            (to_ms(lease_until), to_ms(now), done, total, job_id, token),
        )
        if changed == 0:
            lost.add(token)
    return lost


async def holds(reader: Reader, job_id: int, token: str) -> bool:
    """Say whether the lease is still the job's."""
    return await reader.one("SELECT 1 FROM jobs WHERE id = ? AND lease_token = ?", (job_id, token)) is not None


async def record_progress(tx: Transaction, progress: Mapping[str, tuple[int, float, float | None]]) -> None:
    """Write the live progress of running jobs, for attached screens; the token fences each."""
    await tx.many(
        "UPDATE jobs SET progress_done = ?, progress_total = ? WHERE id = ? AND lease_token = ?",
        [(done, total, job_id, token) for token, (job_id, done, total) in progress.items()],
    )


async def mark_unfit(tx: Transaction, job_id: int, since: datetime | None) -> None:
    """Record since when the job has been passed over because its size didn't fit; None once it fits."""
    await tx.execute("UPDATE jobs SET unfit_since = ? WHERE id = ?", (None if since is None else to_ms(since), job_id))


async def unfit_since(reader: Reader, job_id: int) -> datetime | None:
    """Return since when the job has been passed over for its size, or None."""
    at = await reader.value("SELECT unfit_since FROM jobs WHERE id = ?", (job_id,))
    return None if at is None else from_ms(int(at))


async def with_lease(reader: Reader) -> list[Job]:
    """Return all jobs that somebody holds a lease on, or that are in a running stage without one."""
    rows = await reader.all(SELECT_JOB + "WHERE jobs.stage IN ('downloading', 'transcribing')")
    return [job_from_row(row) for row in rows]


async def expired(reader: Reader, now: datetime) -> list[Job]:
    """Return the running jobs whose lease ran out."""
    rows = await reader.all(
        SELECT_JOB + "WHERE jobs.stage IN ('downloading', 'transcribing') AND jobs.lease_until < ?", (to_ms(now),)
    )
    return [job_from_row(row) for row in rows]


async def to_delete(reader: Reader, limit: int, *, after_id: int = 0) -> list[Job]:
    """Return a page of the jobs with media that is marked for deletion, by id."""
    rows = await reader.all(
        SELECT_JOB + "WHERE jobs.id > ? AND (jobs.video_delete_pending = 1 OR jobs.audio_delete_pending = 1) "
        "ORDER BY jobs.id LIMIT ?",
        (after_id, limit),
    )
    return [job_from_row(row) for row in rows]


async def with_media(reader: Reader, *, after_id: int, limit: int) -> list[Job]:
    """Return a page of the jobs that should have media or a transcript on disk, by id."""
    rows = await reader.all(
        SELECT_JOB + "WHERE jobs.id > ? AND (jobs.video_path IS NOT NULL OR jobs.transcript_path IS NOT NULL) "
        "ORDER BY jobs.id LIMIT ?",
        (after_id, limit),
    )
    return [job_from_row(row) for row in rows]


async def count_media(reader: Reader) -> int:
    """Return how many videos should be on disk."""
    return int(await reader.value("SELECT count(*) FROM jobs WHERE video_path IS NOT NULL AND video_deleted = 0") or 0)


async def some_media(reader: Reader, limit: int) -> list[Path]:
    """Return where some of the videos that should be on disk are, the newest jobs' first."""
    rows = await reader.all(
        "SELECT video_path FROM jobs WHERE video_path IS NOT NULL AND video_deleted = 0 ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    return [Path(os.fsdecode(row["video_path"])) for row in rows]


async def by_uuids(reader: Reader, uuids: Sequence[str]) -> dict[str, Job]:
    """Return the jobs among `uuids` (at most some hundred at a time), which may be parts of any file names."""
    known = [each for each in uuids if each.isascii()]  # SQLite takes no name that isn't UTF-8
    marks = ", ".join("?" * len(known))
    rows = await reader.all(SELECT_JOB + f"WHERE jobs.uuid IN ({marks})", tuple(known))
    return {row["uuid"]: job_from_row(row) for row in rows}


async def stage_counts(reader: Reader) -> dict[str, int]:
    """Return the number of jobs by stage, for every stage."""
    counts = {stage.value: 0 for stage in Stage}
    for row in await reader.all("SELECT stage, jobs FROM stage_counts"):
        counts[row["stage"]] = row["jobs"]
    return counts


async def sizes_of_source(reader: Reader, source_host: str, limit: int) -> list[int]:
    """Return the sizes in bytes of the latest media from `source_host`."""
    rows = await reader.all(
        "SELECT video_size_bytes AS size FROM jobs WHERE source_host = ? AND video_size_bytes IS NOT NULL "
        "ORDER BY id DESC LIMIT ?",
        (source_host, limit),
    )
    return [row["size"] for row in rows]


async def restore_recovery(reader: Reader) -> str | None:
    """Return the latest recovery report as JSON, or None before the first."""
    found = await reader.value("SELECT report FROM recovery WHERE id = 1")
    return None if found is None else str(found)


async def record_recovery(tx: Transaction, report: str, *, now: datetime) -> None:
    """Keep the report of what recovery did at this start."""
    await tx.execute("INSERT OR REPLACE INTO recovery (id, at, report) VALUES (1, ?, ?)", (to_ms(now), report))


def _columns(job: Job) -> dict[str, SqlValue]:
    """Return the columns that the state machine may change."""
    columns: dict[str, SqlValue] = {
        "stage": job.stage,
        "stage_since": to_ms(job.stage_since),
        "ready": job.next_attempt_at is None,
        "next_attempt_at": to_ms(job.next_attempt_at) if job.next_attempt_at else None,
        "attempts": job.attempts,
        "lease_token": job.lease.token if job.lease else None,
        "lease_owner": job.lease.owner if job.lease else None,
        "lease_until": to_ms(job.lease.until) if job.lease else None,
        "worker": job.worker,
        "progress_done": job.progress_done,
        "progress_total": job.progress_total,
        "declared_bytes": job.declared_bytes,
        "etag": job.etag,
        "last_modified": job.last_modified,
        "sha256": job.sha256,
        "transcript_path": os.fsencode(job.transcript.path) if job.transcript else None,
        "transcript_size_bytes": job.transcript.size_bytes if job.transcript else None,
        "transcript_sha256": job.transcript.sha256 if job.transcript else None,
        "receipt": job.receipt,
        "duration_s": job.duration_s,
        "transcribe_seconds": job.transcribe_seconds,
        "error_class": job.last_failure.failure if job.last_failure else None,
        "error": job.last_failure.text if job.last_failure else None,
    }
    columns.update(_media_columns("video", job.video))
    columns.update(_media_columns("audio", job.audio))
    return columns


def _media_columns(prefix: str, media: MediaFile | None) -> dict[str, SqlValue]:
    return {
        f"{prefix}_path": os.fsencode(media.path) if media else None,
        f"{prefix}_size_bytes": media.size_bytes if media else None,
        f"{prefix}_allocated_bytes": media.allocated_bytes if media else None,
        f"{prefix}_device": media.device if media else None,
        f"{prefix}_inode": media.inode if media else None,
        f"{prefix}_mtime_ns": media.mtime_ns if media else None,
        f"{prefix}_delete_pending": media.delete_pending if media else 0,
        f"{prefix}_deleted": media.deleted if media else 0,
    }


def _media(row: sqlite3.Row, prefix: str) -> MediaFile | None:
    if row[f"{prefix}_path"] is None:
        return None
    return MediaFile(
        path=Path(os.fsdecode(row[f"{prefix}_path"])),
        size_bytes=row[f"{prefix}_size_bytes"],
        allocated_bytes=row[f"{prefix}_allocated_bytes"],
        device=row[f"{prefix}_device"],
        inode=row[f"{prefix}_inode"],
        mtime_ns=row[f"{prefix}_mtime_ns"],
        delete_pending=bool(row[f"{prefix}_delete_pending"]),
        deleted=bool(row[f"{prefix}_deleted"]),
    )


def _lease(row: sqlite3.Row) -> Lease | None:
    if row["lease_token"] is None:
        return None
    return Lease(row["lease_token"], row["lease_owner"], row["worker"] or "", from_ms(row["lease_until"]))


def _transcript(row: sqlite3.Row) -> TranscriptFile | None:
    if row["transcript_path"] is None:
        return None
    path = Path(os.fsdecode(row["transcript_path"]))
    return TranscriptFile(path, row["transcript_size_bytes"], row["transcript_sha256"])


def job_from_row(row: sqlite3.Row) -> Job:
    """Return the job of a row of `SELECT_JOB`."""
    folders = row["entity_folders"]
    return Job(
        id=row["id"],
        uuid=row["uuid"],
        kind=row["kind"],
        title=row["title"],
        source_url=row["source_url"],
        entity_id=row["entity_id"],
        entity=row["entity_path"],
        entity_folders=tuple(os.fsdecode(folders).split("/")) if folders is not None else (UNASSIGNED,),
        priority=row["priority"],
        stage=Stage(row["stage"]),
        stage_since=from_ms(row["stage_since"]),
        submitted_by=row["submitted_by"],
        submitted_at=from_ms(row["submitted_at"]),
        attempts=row["attempts"],
        next_attempt_at=from_ms(row["next_attempt_at"]) if row["next_attempt_at"] is not None else None,
        lease=_lease(row),
        worker=row["worker"],
        progress_done=row["progress_done"],
        progress_total=row["progress_total"],
        declared_bytes=row["declared_bytes"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        sha256=row["sha256"],
        video=_media(row, "video"),
        audio=_media(row, "audio"),
        transcript=_transcript(row),
        receipt=row["receipt"],
        duration_s=row["duration_s"],
        transcribe_seconds=row["transcribe_seconds"],
        last_failure=Failure(FailureClass(row["error_class"]), row["error"]) if row["error_class"] else None,
    )
