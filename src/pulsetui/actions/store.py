"""Orders by uuid, and the audit of every one: all their SQL.

The invariant: an order that is there runs or has run, and keeps its outcome or error once it ended; its audit row is
written with it and is never deleted. Both end in the same transaction.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pulsetui.actions.base import Action, Caller
from pulsetui.clock import from_ms, to_ms
from pulsetui.db.database import Reader, Transaction

_COMMANDS_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Command:
    """An order as it was received; `finished_at` is None while it runs, or if its owner died in the middle."""

    uuid: str
    verb: str
    arguments: dict[str, Any]
    uid: int
    finished_at: datetime | None
    outcome: dict[str, Any] | None
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order ended, in JSON values: one of the two."""

    outcome: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One order and how it ended; `duration_s` is None while it runs, or if its owner died in the middle."""

    id: int
    at: datetime
    user: str
    uid: int
    through: str
    verb: str
    uuid: str
    arguments: dict[str, Any]
    outcome: dict[str, Any] | None
    error: dict[str, Any] | None
    duration_s: float | None


async def get_command(reader: Reader, uuid: str) -> Command | None:
    """Return the order with this uuid, if it was ever received."""
    row = await reader.one(
        "SELECT uuid, verb, arguments, uid, finished_at, outcome, error FROM commands WHERE uuid = ?", (uuid,)
    )
    return None if row is None else _command(row)


async def add_command(
    tx: Transaction, action: Action, *, uuid: str, caller: Caller, expires_at: datetime, now: datetime
) -> int:
    """Record that an order begins, or begins again after its owner died, and return the id of its audit row."""
    await tx.execute(
        "INSERT INTO commands (uuid, verb, arguments, uid, through, received_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (uuid) DO UPDATE SET received_at = excluded.received_at, expires_at = excluded.expires_at",
        (
            *(uuid, action.verb, json.dumps(action.arguments()), caller.uid, caller.through),
            *(to_ms(now), to_ms(expires_at)),
        ),
    )
    return await record_audit(tx, action, uuid=uuid, caller=caller, now=now)


async def record_audit(
    tx: Transaction, action: Action, *, uuid: str, caller: Caller, now: datetime, error: dict[str, Any] | None = None
) -> int:
    """Record an order in the audit, ended if there is an `error`, else as begun; return the row's id."""
    return await tx.insert(
        "INSERT INTO audit (at, user_name, uid, through, verb, uuid, arguments, error, duration_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(to_ms(now), caller.user, caller.uid, caller.through, action.verb, uuid, json.dumps(action.arguments())),
            *(_json(error), None if error is None else 0),
        ),
    )


async def mark_finished(
    tx: Transaction,
    audit_id: int,
    *,
    uuid: str,
    ending: Ending,
    duration_s: float,
    now: datetime,
) -> None:
    """Keep how an order ended."""
    values = (_json(ending.outcome), _json(ending.error))
    await tx.execute(
        "UPDATE commands SET outcome = ?, error = ?, finished_at = ? WHERE uuid = ?", (*values, to_ms(now), uuid)
    )
    await tx.execute(
        "UPDATE audit SET outcome = ?, error = ?, duration_ms = ? WHERE id = ?",
        (*values, round(duration_s * 1000), audit_id),
    )


async def list_audit(
    reader: Reader, *, before: int | None = None, limit: int = 100, verb: str | None = None
) -> list[AuditEntry]:
    """Return the newest audit rows, newest first; `before` pages by id, `verb` is that of one order, -1 is no limit."""
    rows = await reader.all(
        "SELECT * FROM audit WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR verb = ?2) ORDER BY id DESC LIMIT ?3",
        (before, verb, limit),
    )
    return [_entry(row) for row in rows]


async def trim_commands(tx: Transaction, now: datetime, *, limit: int = 500) -> int:
    """Delete up to `limit` orders that ended a week ago (their audit stays) and return how many."""
    return await tx.execute(
        "DELETE FROM commands WHERE uuid IN (SELECT uuid FROM commands WHERE finished_at < ? LIMIT ?)",
        (to_ms(now - _COMMANDS_KEPT), limit),
    )


def _json(plain: dict[str, Any] | None) -> str | None:
    return None if plain is None else json.dumps(plain)


def _command(row: sqlite3.Row) -> Command:
    return Command(
        uuid=row["uuid"],
        verb=row["verb"],
        arguments=json.loads(row["arguments"]),
        uid=row["uid"],
        finished_at=None if row["finished_at"] is None else from_ms(row["finished_at"]),
        outcome=None if row["outcome"] is None else json.loads(row["outcome"]),
        error=None if row["error"] is None else json.loads(row["error"]),
    )


def _entry(row: sqlite3.Row) -> AuditEntry:
    return AuditEntry(
        id=row["id"],
        at=from_ms(row["at"]),
        user=row["user_name"],
        uid=row["uid"],
        through=row["through"],
        verb=row["verb"],
        uuid=row["uuid"],
        arguments=json.loads(row["arguments"]),
        outcome=None if row["outcome"] is None else json.loads(row["outcome"]),
        error=None if row["error"] is None else json.loads(row["error"]),
        duration_s=None if row["duration_ms"] is None else row["duration_ms"] / 1000,
    )
