"""The SQL of the job table: one page of it, or one job, as the screens and `jobs` show them. Reads only.

A page costs about the same wherever it lies and however it is sorted: its ids come from an index, and only its own rows
are read. A text is looked for in every row.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pulsetui.clock import from_ms
from pulsetui.db.database import Reader, SqlValue
from pulsetui.errors import NotFoundError, UsageError
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.views import JobsPage, JobView

POSITIONS_KNOWN = 1000
"""Queue positions are told for the first so many jobs; beyond, counting would cost more than the figure is worth."""
_GROUPS = {Stage.DOWNLOADING: 0, Stage.TRANSCRIBING: 0, Stage.DOWNLOADED: 1, Stage.QUEUED: 2}
_ENDED_GROUP = 3
# The two expressions repeat the index `jobs_shown` to the letter, without which SQLite would sort the whole table.
_GROUP = (
    "(CASE stage WHEN 'downloading' THEN 0 WHEN 'transcribing' THEN 0 WHEN 'downloaded' THEN 1 WHEN 'queued' THEN 2 "
    "ELSE 3 END)"
)
_TURN = "(CASE stage WHEN 'downloaded' THEN rank WHEN 'queued' THEN rank ELSE -stage_since END)"
SORTS = {
    "queue": f"{_GROUP}, {_TURN}",
    "newest": "jobs.id DESC",
    "title": "jobs.title COLLATE NOCASE ASC, jobs.id ASC",
    "size": "jobs.video_size_bytes DESC, jobs.id DESC",
    "attempts": "jobs.attempts DESC, jobs.id DESC",
}
"""Orders of the job table by name."""
_SELECT_VIEW = (
    "SELECT jobs.id, jobs.uuid, kind, title, source_url, entities.path AS entity, stage, stage_since, priority, "
    "attempts, progress_done, progress_total, worker, submitted_by, submitted_at, video_path, video_size_bytes, "
    "video_deleted, audio_size_bytes, audio_deleted, transcript_path, transcript_size_bytes, error_class, error, "
    "next_attempt_at FROM jobs LEFT JOIN entities ON entities.id = jobs.entity_id "
)

_SELECT_POSITIONS = (
    "SELECT id, position FROM (SELECT id, row_number() OVER (ORDER BY rank) AS position FROM jobs "
    "WHERE stage = ? AND ready = 1 AND stage IN ('queued', 'downloaded') ORDER BY rank LIMIT ?) "
)


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
    source = _from(project)
    if sort == "queue" and stage is not None:
        # By itself SQLite takes `jobs_by_stage` and then sorts the stage.
        source = source.replace("FROM jobs ", "FROM jobs INDEXED BY jobs_shown ")
        where, values = f"{where} AND {_GROUP} = ?", (*values, _GROUPS.get(Stage(stage), _ENDED_GROUP))
    # First the ids, which the indexes hold, then the rows: sorting whole rows takes seconds on a long table.
    found = await reader.all(
        f"SELECT jobs.id AS id {source}{where} ORDER BY {SORTS[sort]} LIMIT ? OFFSET ?", (*values, limit, offset)
    )
    if len(found) < limit and (found or not offset):
        total = offset + len(found)  # all were looked at already
    else:
        total = await _total(reader, stage, project, text, where, values)
    return JobsPage(await _views(reader, [row["id"] for row in found], now=now), total, offset)


async def one(reader: Reader, job: Job, *, now: datetime) -> JobView:
    """Return a job as the screens show it.

    Raises:
        NotFoundError: it is gone.
    """
    views = await _views(reader, [job.id], now=now)
    if not views:
        raise NotFoundError(f"there is no job {job.id}")
    return views[0]


async def _views(reader: Reader, ids: Sequence[int], *, now: datetime) -> tuple[JobView, ...]:
    """Return the jobs in the order of their ids."""
    marks = ", ".join("?" * len(ids))
    rows = {row["id"]: row for row in await reader.all(f"{_SELECT_VIEW}WHERE jobs.id IN ({marks})", tuple(ids))}
    waiting = [number for number, row in rows.items() if row["stage"] == Stage.QUEUED]
    positions = await _positions(reader, waiting)
    return tuple(_job_view(rows[number], now, positions.get(number)) for number in ids if number in rows)


async def _positions(reader: Reader, ids: Sequence[int]) -> dict[int, int]:
    """Return the positions, from 1, of those of the jobs that are among the first to be downloaded."""
    if not ids:
        return {}
    marks = ", ".join("?" * len(ids))
    rows = await reader.all(f"{_SELECT_POSITIONS}WHERE id IN ({marks})", (Stage.QUEUED, POSITIONS_KNOWN, *ids))
    return {row["id"]: row["position"] for row in rows}


def row_of(view: JobView) -> dict[str, Any]:
    """Return a job's row of `jobs --json`, times still as datetimes."""
    return {name: getattr(view, name) for name in JobView.__slots__}


def _job_view(row: sqlite3.Row, now: datetime, position: int | None) -> JobView:
    """Return a row as the screens and `jobs --json` show it."""
    stage = Stage(row["stage"])
    done, total = row["progress_done"], row["progress_total"]
    progress = min(1.0, done / total) if total and done is not None else None
    return JobView(
        id=row["id"],
        uuid=row["uuid"],
        kind=row["kind"],
        title=row["title"],
        source_url=row["source_url"],
        entity=row["entity"],
        stage=stage,
        priority=row["priority"],
        attempts=row["attempts"],
        progress=1.0 if stage is Stage.TRANSCRIBED else progress,
        queue_position=position,
        elapsed_s=(now - from_ms(row["stage_since"])).total_seconds() if stage.running else None,
        worker=row["worker"],
        submitted_by=row["submitted_by"],
        submitted_at=from_ms(row["submitted_at"]),
        video_path=None if row["video_path"] is None else os.fsdecode(row["video_path"]),
        video_size_bytes=row["video_size_bytes"],
        video_deleted=bool(row["video_deleted"]),
        audio_size_bytes=row["audio_size_bytes"],
        audio_deleted=bool(row["audio_deleted"]),
        transcript_path=None if row["transcript_path"] is None else os.fsdecode(row["transcript_path"]),
        transcript_size_bytes=row["transcript_size_bytes"],
        error_class=row["error_class"],
        error=row["error"],
        next_attempt_at=None if row["next_attempt_at"] is None else from_ms(row["next_attempt_at"]),
    )


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
        clause, texts = _contains(text)
        clauses.append(clause)
        values += texts
    return (f"WHERE {' AND '.join(clauses)}" if clauses else ""), tuple(values)


def _contains(text: str) -> tuple[str, list[SqlValue]]:
    """Return what finds a text, in either case of ASCII letters, in title, entity, source and error.

    A name as the screens write it (`Harbor / Part 12`) is found, too: its last ` / ` may divide entity and title.
    """
    like = "LIKE ? ESCAPE '\\'"
    entities = f"jobs.entity_id IN (SELECT id FROM entities WHERE replace(path, '/', ' / ') {like})"  # noqa: S608 - constants
    wanted = f"%{_literal(text)}%"
    clauses = [f"jobs.title {like}", f"jobs.source_url {like}", f"jobs.error {like}", entities]
    values: list[SqlValue] = [wanted] * len(clauses)
    entity, divided, title = text.rpartition(" / ")
    if divided:
        clauses.append(f"({entities} AND jobs.title {like})")
        values += [f"%{_literal(entity)}", f"{_literal(title)}%"]
    return f"({' OR '.join(clauses)})", values


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _from(project: str | None) -> str:
    return "FROM jobs LEFT JOIN entities ON entities.id = jobs.entity_id " if project is not None else "FROM jobs "


async def _total(
    reader: Reader, stage: str | None, project: str | None, text: str | None, where: str, values: tuple[SqlValue, ...]
) -> int:
    """Return how many jobs match; without a filter, or by stage alone, from the kept counts."""
    if project is None and not text:
        row = await reader.value(
            "SELECT coalesce(sum(jobs), 0) FROM stage_counts WHERE ? IS NULL OR stage = ?", (stage, stage)
        )
    else:
        row = await reader.value(f"SELECT count(*) {_from(project)}{where}", values)
    return int(row or 0)
