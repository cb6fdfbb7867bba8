"""All SQL of what refreshes leave beside sizes and folders: the roots, the refreshes themselves, the file types.

Invariant: all of it changes in the transaction of a refresh, with the sizes (`snapshot_store`) and the folders
(`folder_store`); only a root's id is given before, and a failure is noted after.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pulsetui.clock import from_ms, to_ms
from pulsetui.db.database import Reader, Transaction

Cause = Literal["schedule", "order", "moved", "watch"]
LARGEST = (1 << 63) - 1
"""The largest integer that SQLite holds."""


@dataclass(frozen=True, slots=True)
class StoredRoot:
    """What is remembered of a root."""

    id: int
    name: str
    path: Path
    volume: str | None
    """Id of the file system that it was on, None until it was there."""
    volume_path: Path | None
    """Where it was below that file system's mount point."""
    error: str
    """Why the newest refresh could not read it; its figures are those of `read_at`."""
    error_since: datetime | None
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """What refreshes leave to the next ones."""

    walked_at: datetime | None
    """When all folders were last listed in one go."""
    rules: str
    """Digest of the rules by which files were counted then."""
    thinned_at: datetime | None
    failed_at: datetime | None
    """When the newest refresh failed; None if it didn't."""
    failure: str


@dataclass(frozen=True, slots=True)
class RefreshRow:
    """A refresh that was committed. Bytes are those of the library, trash aside."""

    at: datetime
    """The time that its sizes are of: when it began."""
    cause: Cause
    complete: bool
    """Whether each folder was listed."""
    levels: tuple[tuple[str, int], ...]
    """How many entities there are on each level, from the top down."""
    folders: int
    reused_folders: int
    file_count: int
    total_bytes: int
    allocated_bytes: int
    errors: int
    """Folders and roots that could not be read."""
    seconds: float


async def file_types(reader: Reader) -> dict[str, str]:
    """Return the category of each extension."""
    rows = await reader.all("SELECT extension, category FROM file_type_categories")
    return {row["extension"]: row["category"] for row in rows}


async def roots(reader: Reader) -> tuple[StoredRoot, ...]:
    """Return the roots that are known, by id."""
    return tuple(_root(row) for row in await reader.all("SELECT * FROM roots ORDER BY id"))


async def add_roots(tx: Transaction, wanted: Iterable[tuple[str, Path]]) -> None:
    """Give each root that has none yet an id. What is stored of the others changes with a refresh only."""
    await tx.many(
        "INSERT INTO roots (name, path) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
        [(name, os.fsencode(path)) for name, path in wanted],
    )


async def record_roots(tx: Transaction, found: Iterable[StoredRoot]) -> None:
    """Store what a refresh found of the roots; others are no longer wanted, and go with their folders."""
    kept = list(found)
    await tx.many(
        "UPDATE roots SET path = ?, volume = ?, volume_path = ?, error = ?, error_since = ?, read_at = ? WHERE id = ?",
        [
            (
                os.fsencode(root.path),
                root.volume,
                None if root.volume_path is None else os.fsencode(root.volume_path),
                storable(root.error),
                _ms(root.error_since),
                _ms(root.read_at),
                root.id,
            )
            for root in kept
        ],
    )
    ids = json.dumps([root.id for root in kept])
    await tx.execute("DELETE FROM roots WHERE id NOT IN (SELECT value FROM json_each(?))", (ids,))


async def state(reader: Reader) -> State:
    """Return what the refreshes so far have left."""
    row = await reader.one("SELECT * FROM storage_state WHERE id = 1")
    if row is None:
        return State(None, "", None, None, "")
    return State(
        walked_at=_moment(row["walked_at"]),
        rules=row["rules"],
        thinned_at=_moment(row["thinned_at"]),
        failed_at=_moment(row["failed_at"]),
        failure=row["failure"],
    )


async def record_refresh(tx: Transaction, refresh: RefreshRow, *, rules: str) -> None:
    """Store that a refresh succeeded; `rules` is the digest of those by which it counted."""
    at = to_ms(refresh.at)
    await tx.execute(
        "INSERT OR REPLACE INTO storage_refreshes (at, cause, complete, levels, folders, reused_folders, file_count,"
        " total_bytes, allocated_bytes, errors, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            at,
            refresh.cause,
            int(refresh.complete),
            json.dumps(refresh.levels),
            refresh.folders,
            refresh.reused_folders,
            refresh.file_count,
            min(refresh.total_bytes, LARGEST),
            min(refresh.allocated_bytes, LARGEST),
            refresh.errors,
            refresh.seconds,
        ),
    )
    await tx.execute(
        "UPDATE storage_state SET failed_at = NULL, failure = '', rules = ?,"
        " walked_at = CASE ? WHEN 1 THEN ? ELSE walked_at END WHERE id = 1",
        (rules, int(refresh.complete), at),
    )


async def mark_failed(tx: Transaction, failure: str, *, now: datetime) -> None:
    """Store that the newest refresh failed; its predecessor's sizes stay."""
    await tx.execute(
        "UPDATE storage_state SET failed_at = ?, failure = ? WHERE id = 1", (to_ms(now), storable(failure))
    )


async def newest_refresh(reader: Reader) -> RefreshRow | None:
    """Return the refresh that the sizes are of, None before the first one."""
    row = await reader.one("SELECT * FROM storage_refreshes ORDER BY at DESC LIMIT 1")
    if row is None:
        return None
    return RefreshRow(
        at=from_ms(row["at"]),
        cause=row["cause"],
        complete=bool(row["complete"]),
        levels=tuple((name, count) for name, count in json.loads(row["levels"])),
        folders=row["folders"],
        reused_folders=row["reused_folders"],
        file_count=row["file_count"],
        total_bytes=row["total_bytes"],
        allocated_bytes=row["allocated_bytes"],
        errors=row["errors"],
        seconds=row["seconds"],
    )


async def refresh_times(reader: Reader) -> list[datetime]:
    """Return when the refreshes were that are still known, oldest first."""
    return [from_ms(row["at"]) for row in await reader.all("SELECT at FROM storage_refreshes ORDER BY at")]


def _root(row: sqlite3.Row) -> StoredRoot:
    volume_path = row["volume_path"]
    return StoredRoot(
        id=row["id"],
        name=row["name"],
        path=Path(os.fsdecode(row["path"])),
        volume=row["volume"],
        volume_path=None if volume_path is None else Path(os.fsdecode(volume_path)),
        error=row["error"],
        error_since=_moment(row["error_since"]),
        read_at=_moment(row["read_at"]),
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def storable(text: str) -> str:
    """Return text that SQLite takes: bytes of file names that aren't UTF-8 as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
