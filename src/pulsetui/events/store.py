"""The event log: recorded in the transaction that made an event true, paged by id, trimmed by class.

The invariant: an event is in the log exactly if its transaction was committed, and is published only then; ids grow.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pulsetui.clock import from_ms, to_ms
from pulsetui.db.database import Reader, SqlValue, Transaction
from pulsetui.events.base import SEVERITIES, Category, Event, Severity
from pulsetui.events.bus import Bus, Recorded

_RETENTION: dict[Severity, timedelta] = {"debug": timedelta(days=7), "info": timedelta(days=30)}
"""Warnings and worse stay, and so does what is marked `keep`."""
_COLUMNS = "id, at, kind, category, severity, entity, job_id, text, data"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the log has it, also of a kind that this program no longer knows."""

    id: int
    at: datetime
    kind: str
    category: Category
    severity: Severity
    entity: str | None
    job_id: int | None
    text: str
    data: dict[str, Any]


class EventLog:
    """Records events and publishes them on its bus after the commit."""

    def __init__(self, bus: Bus) -> None:
        """Take the bus."""
        self.bus = bus

    async def record(self, tx: Transaction, event: Event, *, now: datetime) -> int:
        """Write an event in the transaction that makes it true; published after the commit. Returns its id."""
        event_id = await tx.insert(
            "INSERT INTO events (at, kind, category, severity, keep, entity, job_id, text, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                to_ms(now),
                event.kind,
                event.category,
                event.severity,
                int(event.keep),
                None if event.entity is None else _storable(event.entity),
                event.job_id,
                _storable(event.text()),
                json.dumps(event.data()),
            ),
        )
        recorded = Recorded(event_id, now, event)
        tx.after_commit(lambda: self.bus.publish(recorded))
        return event_id


async def list_events(
    reader: Reader,
    *,
    before: int | None = None,
    category: Category | None = None,
    severity: Severity | None = None,
    entity: str | None = None,
    text: str | None = None,
    job_id: int | None = None,
    limit: int = 100,
) -> list[StoredEvent]:
    """Return the newest events, newest first, of those that pass all filters.

    `before` pages: give the smallest id of the last page. `severity` is the least one wanted; `entity` includes what
    lies below it, so a project's name gives the project; `text` is found anywhere in the text, in either
    case of ASCII letters.
    """
    where: list[str] = ["1"]
    values: list[SqlValue] = []
    for condition, value in (
        ("id < ?", before),
        ("category = ?", category),
        ("job_id = ?", job_id),
        ("text LIKE ? ESCAPE '\\'", None if text is None else f"%{_literal(text)}%"),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    if severity is not None:
        wanted = SEVERITIES[SEVERITIES.index(severity) :]
        where.append(f"severity IN ({', '.join('?' * len(wanted))})")
        values += wanted
    if entity is not None:
        where.append("(entity = ? OR substr(entity, 1, length(?) + 1) = ? || '/')")
        values += [_storable(entity)] * 3
    rows = await reader.all(
        f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",  # noqa: S608 - constants
        (*values, limit),
    )
    return [_from_row(row) for row in rows]


async def since(reader: Reader, event_id: int, *, limit: int = 1000) -> list[StoredEvent]:
    """Return the events after `event_id`, oldest first: what a follower missed."""
    rows = await reader.all(
        f"SELECT {_COLUMNS} FROM events WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - constants
        (event_id, limit),
    )
    return [_from_row(row) for row in rows]


async def between(reader: Reader, begin: datetime, end: datetime, *, limit: int) -> list[StoredEvent]:
    """Return what happened after `begin` and up to `end`, newest first, without what is for debugging only."""
    rows = await reader.all(
        f"SELECT {_COLUMNS} FROM events WHERE at > ? AND at <= ? AND severity <> 'debug'"  # noqa: S608 - constants
        " ORDER BY at DESC, id DESC LIMIT ?",
        (to_ms(begin), to_ms(end), limit),
    )
    return [_from_row(row) for row in rows]


async def last_id(reader: Reader) -> int:
    """Return the id of the newest event; 0 if there is none."""
    return int(await reader.value("SELECT max(id) FROM events") or 0)


async def trim(tx: Transaction, now: datetime, *, limit: int = 500) -> int:
    """Delete up to `limit` events of each class that are past their time; return how many.

    Debug events stay 7 days and informative ones 30; warnings and worse, and those marked `keep`, stay for good.
    """
    deleted = 0
    for severity, age in _RETENTION.items():
        deleted += await tx.execute(
            "DELETE FROM events WHERE id IN"
            " (SELECT id FROM events WHERE keep = 0 AND severity = ? AND at < ? ORDER BY at LIMIT ?)",
            (severity, to_ms(now - age), limit),
        )
    return deleted


def _storable(text: str) -> str:
    """Return text that SQLite takes: bytes of file names that aren't UTF-8 (lone surrogates) as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _literal(text: str) -> str:
    return _storable(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _from_row(row: sqlite3.Row) -> StoredEvent:
    return StoredEvent(
        id=row["id"],
        at=from_ms(row["at"]),
        kind=row["kind"],
        category=row["category"],
        severity=row["severity"],
        entity=row["entity"],
        job_id=row["job_id"],
        text=row["text"],
        data=json.loads(row["data"]),
    )
