"""All SQL of the sizes: the newest of each node, and what they were before.

Invariant: the rows are always those of one refresh as a whole, each with the total of all that is below it, so that a
reader never adds anything up. Rows are plain tuples, made and compared off the event loop: there may be 100,000.
"""

from __future__ import annotations

import json
import marshal
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from pulsetui.clock import from_ms, to_ms
from pulsetui.db.database import Reader, SqlValue, Transaction
from pulsetui.storage.aggregate import Usage
from pulsetui.storage.placing import NodeKey
from pulsetui.storage.refresh.store import LARGEST, storable
from pulsetui.storage.views import CATEGORIES, NOTHING, Amount, HistoryPoint

NodeRow: TypeAlias = tuple[SqlValue, ...]
SizeRow: TypeAlias = tuple[str, int, int, int, int, int]
"""Type and id of a node, ms since 1970, and apparent bytes, allocated bytes and files from then on."""
_FIGURES = tuple(f"{name}_{what}" for name in CATEGORIES for what in ("bytes", "allocated_bytes", "files"))
_COLUMNS = (
    *("entity_type", "entity_id", "parent_type", "parent_id", "name", "root_id", "path"),
    *("total_bytes", "allocated_bytes", "file_count", *_FIGURES),
    *("own", "reclaimable_bytes", "newest_at", "verified_at", "error"),
)
_SIZE = slice(7, 10)
_PUT = (
    f"INSERT INTO storage_usage_snapshots ({', '.join(_COLUMNS)}, taken_at)"  # noqa: S608 - constants
    f" VALUES ({', '.join('?' * (len(_COLUMNS) + 1))}) ON CONFLICT (entity_type, entity_id) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in (*_COLUMNS[2:], "taken_at"))
)


class Place(NamedTuple):
    """The first folder of a node: root's id and path below the root."""

    root_id: int
    path: bytes


def encoded(key: NodeKey, usage: Usage, *, name: str | None, place: Place | None) -> NodeRow:
    """Return the row of a node, for `put`; entities and libraries have their `name` elsewhere, so None here."""
    figures = [number for amount in usage.total for number in _numbers(amount)]
    size = (sum(figures[0::3]), sum(figures[1::3]), sum(figures[2::3]))
    if max(size) > LARGEST:  # sparse files can claim more than 64 bits can say
        figures = [min(number, LARGEST) for number in figures]
        size = (min(size[0], LARGEST), min(size[1], LARGEST), size[2])
    own = [(index, *_numbers(amount)) for index, amount in enumerate(usage.own) if amount is not NOTHING]
    return (
        *key,
        *(usage.parent or (None, None)),
        name,
        *(place or (None, None)),
        *size,
        *figures,
        json.dumps(own) if own else "[]",
        min(usage.trash.allocated_bytes, LARGEST),
        usage.newest_ns // 1_000_000 or None,
        usage.verified_ms or None,
        storable(usage.error) if usage.error else "",
    )


def packed(row: Iterable[SqlValue]) -> bytes:
    """Return a row in little memory; equal rows give equal bytes."""
    return marshal.dumps(tuple(row), 0)  # later formats write an object again as a reference to its first place


def size_in(packed_row: bytes) -> tuple[int, int, int]:
    """Return apparent bytes, allocated bytes and files of a packed row."""
    total_bytes, allocated_bytes, file_count = marshal.loads(packed_row)[_SIZE]
    return total_bytes, allocated_bytes, file_count


async def stored(reader: Reader) -> list[sqlite3.Row]:
    """Return all rows as they were put, for `packed`."""
    return await reader.all(f"SELECT {', '.join(_COLUMNS)} FROM storage_usage_snapshots")  # noqa: S608 - constants


async def put(tx: Transaction, rows: Iterable[NodeRow]) -> None:
    """Store rows of nodes, new or changed, each with the time of the refresh (ms since 1970) behind it."""
    await tx.many(_PUT, rows)


async def remove(tx: Transaction, keys: Sequence[NodeKey]) -> None:
    """Forget nodes that are no more."""
    if keys:
        await tx.many("DELETE FROM storage_usage_snapshots WHERE entity_type = ? AND entity_id = ?", keys)


async def put_history(tx: Transaction, rows: Iterable[SizeRow]) -> None:
    """Note the sizes that changed; each holds until the node's next one."""
    await tx.many(
        "INSERT OR REPLACE INTO storage_history (entity_type, entity_id, at, total_bytes, allocated_bytes, file_count)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )


async def history(reader: Reader, key: NodeKey) -> list[HistoryPoint]:
    """Return how large a node was, oldest first: a point where that changed."""
    rows = await reader.all(
        "SELECT at, total_bytes, allocated_bytes, file_count FROM storage_history"
        " WHERE entity_type = ? AND entity_id = ? ORDER BY at",
        key,
    )
    return [HistoryPoint(from_ms(row[0]), Amount(row[1], row[2], row[3])) for row in rows]


async def history_begins(reader: Reader) -> datetime | None:
    """Return the time of the oldest row of history, None without one."""
    first = await reader.value("SELECT min(at) FROM storage_refreshes")
    return from_ms(int(first)) if isinstance(first, int) else None


async def thin(tx: Transaction, begin: datetime, end: datetime) -> int:
    """Keep the last row of each node, and the last refresh, of those in [begin, end); return how many rows went.

    What a node had at `end` stays as it was, since a row holds until the next one.
    """
    span = (to_ms(begin), to_ms(end))
    gone = await tx.execute(
        "DELETE FROM storage_history WHERE at >= ?1 AND at < ?2 AND EXISTS (SELECT 1 FROM storage_history later"
        " WHERE later.entity_type = storage_history.entity_type AND later.entity_id = storage_history.entity_id"
        " AND later.at > storage_history.at AND later.at < ?2)",
        span,
    )
    await tx.execute(
        "DELETE FROM storage_refreshes WHERE at >= ?1 AND at < ?2"
        " AND at < (SELECT max(at) FROM storage_refreshes WHERE at < ?2)",
        span,
    )
    return gone


async def record_thinned(tx: Transaction, now: datetime) -> None:
    """Note up to when history was thinned."""
    await tx.execute("UPDATE storage_state SET thinned_at = ? WHERE id = 1", (to_ms(now),))


def _numbers(amount: Amount) -> tuple[int, int, int]:
    return amount.total_bytes, amount.allocated_bytes, amount.file_count
