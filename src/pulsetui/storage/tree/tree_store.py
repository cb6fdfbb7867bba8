"""All SQL of reading the tree of sizes: nodes, what is above and below them, and where their folders are.

Invariant: a node is read with its stored totals; nothing is added up here. Rows come back as they are,
since many thousand of them are turned into nodes off the event loop (`node_of`).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pulsetui.clock import to_ms
from pulsetui.db.database import Reader, SqlValue
from pulsetui.storage.placing import NodeKey
from pulsetui.storage.views import CATEGORIES, NOTHING, Amount, StorageNode

_FIGURES = ", ".join(f"s.{name}_{what}" for name in CATEGORIES for what in ("bytes", "allocated_bytes", "files"))
_FIRST_FIGURE = 3
_END_OF_FIGURES = _FIRST_FIGURE + 3 * len(CATEGORIES)
_NODE = (
    f"SELECT s.total_bytes, s.allocated_bytes, s.file_count, {_FIGURES},"  # noqa: S608 - constants
    " s.entity_type, s.entity_id, s.parent_type, s.parent_id, coalesce(s.name, e.name, l.name) AS name, s.own,"
    " s.reclaimable_bytes, s.candidate_bytes, s.newest_at, s.verified_at, s.error, r.path AS root_path, s.path,"
    " EXISTS (SELECT 1 FROM storage_usage_snapshots c"
    " WHERE c.parent_type = s.entity_type AND c.parent_id = s.entity_id) AS has_children,"
    " h.total_bytes AS then_total, h.allocated_bytes AS then_allocated, h.file_count AS then_files"
)
_SOURCES = (
    " LEFT JOIN entities e ON s.name IS NULL AND e.id = s.entity_id AND e.level = s.entity_type"
    " LEFT JOIN libraries l ON s.entity_type = 'library' AND l.id = s.entity_id"
    " LEFT JOIN roots r ON r.id = s.root_id"
    " LEFT JOIN storage_history h ON :then IS NOT NULL AND h.entity_type = s.entity_type AND h.entity_id = s.entity_id"
    " AND h.at = (SELECT max(at) FROM storage_history WHERE entity_type = s.entity_type AND entity_id = s.entity_id"
    " AND at <= :then)"
)
_BELOW = (
    "WITH RECURSIVE below (entity_type, entity_id, depth) AS (SELECT :type, :id, 0 UNION ALL"
    " SELECT c.entity_type, c.entity_id, depth + 1 FROM below JOIN storage_usage_snapshots c"
    " ON c.parent_type = below.entity_type AND c.parent_id = below.entity_id WHERE depth < :depth LIMIT :most) "
)
_ABOVE = (
    "WITH RECURSIVE above (entity_type, entity_id, distance) AS (SELECT :type, :id, 0 UNION ALL"
    " SELECT p.parent_type, p.parent_id, distance + 1 FROM above JOIN storage_usage_snapshots p"
    " ON p.entity_type = above.entity_type AND p.entity_id = above.entity_id WHERE p.parent_type IS NOT NULL) "
)
_CHILDREN_OF = (
    " FROM json_each(:keys) k JOIN storage_usage_snapshots s"
    " ON s.parent_type = json_extract(k.value, '$[0]') AND s.parent_id = json_extract(k.value, '$[1]')"
)
_LARGEST_OF = (
    " FROM (SELECT entity_type, entity_id FROM storage_usage_snapshots WHERE parent_type = :type AND parent_id = :id"
    " ORDER BY allocated_bytes DESC LIMIT :most) largest"
)
_JOIN = " JOIN storage_usage_snapshots s ON s.entity_type = {0}.entity_type AND s.entity_id = {0}.entity_id"


@dataclass(frozen=True, slots=True)
class Then:
    """What a node is compared with, or shown as: its size at an earlier time."""

    at: datetime
    shown: bool = False
    """Whether the node is shown with its size of then, and not with its growth since."""


async def library(reader: Reader) -> NodeKey | None:
    """Return the library's key, None before there is one."""
    found = await reader.value("SELECT id FROM libraries ORDER BY id LIMIT 1")
    return None if found is None else ("library", int(found))


async def is_known_since(reader: Reader, at: datetime) -> bool:
    """Say whether history goes back to a time."""
    return await reader.one("SELECT 1 FROM storage_refreshes WHERE at <= ? LIMIT 1", (to_ms(at),)) is not None


async def node(reader: Reader, key: NodeKey, then: Then | None = None) -> sqlite3.Row | None:
    """Return the row of one node, None if there is none."""
    return await reader.one(
        f"{_NODE} FROM storage_usage_snapshots s{_SOURCES} WHERE s.entity_type = :type AND s.entity_id = :id",
        _parameters(key, then),
    )


async def count_below(reader: Reader, key: NodeKey, *, depth: int, most: int) -> int:
    """Return how many nodes are at most `depth` levels below a node, itself included; counts to `most` at the most."""
    counted = _BELOW + "SELECT count(*) FROM below"  # noqa: S608 - constants
    found = await reader.value(counted, _parameters(key, None, depth=depth, most=most))
    return int(found or 0)


async def below(reader: Reader, key: NodeKey, then: Then | None, *, depth: int) -> list[sqlite3.Row]:
    """Return the rows of a node and of all that is at most `depth` levels below it, parents before their children."""
    return await reader.all(
        f"{_BELOW}{_NODE} FROM below{_JOIN.format('below')}{_SOURCES} ORDER BY below.depth",
        _parameters(key, then, depth=depth, most=-1),
    )


async def largest_below(reader: Reader, key: NodeKey, then: Then | None, *, limit: int) -> list[sqlite3.Row]:
    """Return the rows of a node's children, the largest first, at most `limit`."""
    return await reader.all(
        _NODE + _LARGEST_OF + _JOIN.format("largest") + _SOURCES,
        _parameters(key, then, most=limit),
    )


async def count_children(reader: Reader, keys: Sequence[NodeKey], *, most: int) -> int:
    """Return how many children some nodes have together; counts to `most` at the most."""
    found = await reader.value(
        f"SELECT count(*) FROM (SELECT 1{_CHILDREN_OF} LIMIT :most)",  # noqa: S608 - constants
        {"keys": json.dumps(keys), "most": most},
    )
    return int(found or 0)


async def children(reader: Reader, keys: Sequence[NodeKey], then: Then | None) -> list[sqlite3.Row]:
    """Return the rows of all children of some nodes."""
    return await reader.all(
        f"{_NODE}{_CHILDREN_OF}{_SOURCES}",
        {"keys": json.dumps(keys), **_parameters(("", 0), then)},
    )


async def above(reader: Reader, key: NodeKey, then: Then | None = None) -> list[sqlite3.Row]:
    """Return the rows of what a node is in, from the library down to its parent."""
    return await reader.all(
        f"{_ABOVE}{_NODE} FROM above{_JOIN.format('above')}{_SOURCES} WHERE distance > 0 ORDER BY distance DESC",
        _parameters(key, then),
    )


async def found_by_name(reader: Reader, text: str, *, limit: int) -> list[NodeKey]:
    """Return the nodes whose name contains `text`, in any case, the largest first."""
    ordered = (
        "SELECT s.entity_type, s.entity_id, coalesce(s.name, e.name, l.name) AS name FROM storage_usage_snapshots s"
        " LEFT JOIN entities e ON s.name IS NULL AND e.id = s.entity_id AND e.level = s.entity_type"
        " LEFT JOIN libraries l ON s.entity_type = 'library' AND l.id = s.entity_id"
        " {} ORDER BY s.allocated_bytes DESC, s.entity_type, s.entity_id"
    )
    if text.isascii():
        literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = await reader.all(
            ordered.format("WHERE coalesce(s.name, e.name, l.name) LIKE ? ESCAPE '\\'") + " LIMIT ?",
            (f"%{literal}%", limit),
        )
    else:  # SQLite folds the case of ASCII letters only
        wanted = text.casefold()
        rows = [row for row in await reader.all(ordered.format("")) if wanted in (row["name"] or "").casefold()][:limit]
    return [(row["entity_type"], row["entity_id"]) for row in rows]


def keys_of(row: sqlite3.Row) -> tuple[NodeKey, NodeKey | None]:
    """Return the key of a row's node, and that of its parent."""
    parent = None if row["parent_type"] is None else (row["parent_type"], row["parent_id"])
    return (row["entity_type"], row["entity_id"]), parent


def size_of(row: sqlite3.Row, then: Then | None) -> Amount:
    """Return the size that a row's node is shown with."""
    if then is not None and then.shown:
        return Amount(row["then_total"] or 0, row["then_allocated"] or 0, row["then_files"] or 0)
    return Amount(row[0], row[1], row[2])


def own_amounts(row: sqlite3.Row) -> tuple[Amount, ...]:
    """Return what of a row's node lies in none of its children, by category; empty if nothing does."""
    stored = row["own"]
    if stored == "[]":
        return ()
    amounts = [NOTHING] * len(CATEGORIES)
    for index, total_bytes, allocated_bytes, file_count in json.loads(stored):
        amounts[index] = Amount(total_bytes, allocated_bytes, file_count)
    return tuple(amounts)


def node_of(row: sqlite3.Row, below: tuple[StorageNode, ...], then: Then | None, *, has_more: bool) -> StorageNode:
    """Return a row's node with the nodes `below` it."""
    past = then is not None and then.shown
    growth = None if then is None or past else row[1] - (row["then_allocated"] or 0)
    kind, number = row["entity_type"], row["entity_id"]
    return StorageNode(
        key=f"{kind}:{number}",
        name=row["name"] or "",
        entity_type=kind,
        entity_id=number,
        size=size_of(row, then),
        path=_path(row["root_path"], row["path"]),
        categories=() if past else _amounts(row[_FIRST_FIGURE:_END_OF_FIGURES]),
        reclaimable_bytes=0 if past else row["reclaimable_bytes"],
        candidate_bytes=0 if past else row["candidate_bytes"],
        newest_at=moment(row["newest_at"]),
        growth_bytes=growth,
        children=below,
        has_more=has_more,
        error=row["error"],
    )


def moment(milliseconds: int | None) -> datetime | None:
    """Return a time, None for none and for one that no calendar has: a file may claim any."""
    try:
        return None if milliseconds is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _amounts(numbers: Sequence[int]) -> tuple[Amount, ...]:
    return tuple(
        Amount(numbers[at], numbers[at + 1], numbers[at + 2]) if any(numbers[at : at + 3]) else NOTHING
        for at in range(0, len(numbers), 3)
    )


def _path(root: bytes | None, path: bytes | None) -> bytes | None:
    if root is None or path is None:
        return None
    return os.path.join(root, path) if path else root  # noqa: PTH118 - bytes


def _parameters(key: NodeKey, then: Then | None, **more: SqlValue) -> dict[str, SqlValue]:
    return {"type": key[0], "id": key[1], "then": None if then is None else to_ms(then.at), **more}
