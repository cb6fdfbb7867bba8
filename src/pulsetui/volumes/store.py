"""All SQL of tracked volumes and of how full they were.

The invariant: a library has a fingerprint at most once, and a row goes only when it is untracked or its library is
removed; its past goes with it. What the rows mean is found in `judgement`; when they are written is left to `monitor`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pulsetui.clock import from_ms, to_ms
from pulsetui.db.database import Reader, SqlValue, Transaction
from pulsetui.volumes.records import Record
from pulsetui.volumes.views import CapacityPoint, SpeedView

if TYPE_CHECKING:
    from pulsetui.volumes.views import Kind, Method

# One a line would say no more.
# fmt: off
_SEEN = (
    "identity", "fs_type", "device", "mount_point", "last_seen_at", "is_online", "is_read_only", "quarantine",
    "needs_decision", "is_filling", "total_bytes", "available_bytes", "told_bytes",
)
# fmt: on
"""What a look may change."""


async def list_volumes(reader: Reader) -> tuple[Record, ...]:
    """Return the tracked volumes of all libraries, in the order in which they were tracked."""
    rows = await reader.all("SELECT v.*, l.name AS library FROM volumes v JOIN libraries l ON l.id = v.library_id")
    return tuple(_from_row(row) for row in rows)


async def add(tx: Transaction, record: Record, library_id: int) -> int:
    """Track a volume and return its row's id; `record.id` and `record.library` are not looked at."""
    columns = ["uuid", "library_id", "fingerprint", "kind", "marker", "display_name", "tracked_at", *_SEEN]
    return await tx.insert(
        f"INSERT INTO volumes ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608 - constants
        (
            *(record.uuid, library_id, record.fingerprint, record.kind, record.marker, record.display_name),
            *(to_ms(record.tracked_at), *_seen(record)),
        ),
    )


async def remove(tx: Transaction, record_id: int) -> bool:
    """Track a volume no more; return whether it was tracked."""
    return bool(await tx.execute("DELETE FROM volumes WHERE id = ?", (record_id,)))


async def rename(tx: Transaction, record_id: int, display_name: str | None) -> None:
    """Give a volume another display name; None: none."""
    await tx.execute("UPDATE volumes SET display_name = ? WHERE id = ?", (display_name, record_id))


async def mark_accepted(tx: Transaction, fingerprint: str, marker: str, mount_point: Path) -> None:
    """End a volume's quarantine in all libraries: it is the one with this marker, which is mounted there."""
    await tx.execute(
        "UPDATE volumes SET marker = ?, mount_point = ?, quarantine = '', needs_decision = 0 WHERE fingerprint = ?",
        (marker, bytes(mount_point), fingerprint),
    )


async def record_seen(tx: Transaction, records: Iterable[Record]) -> None:
    """Store what looks found of volumes."""
    await tx.many(
        f"UPDATE volumes SET {', '.join(f'{column} = ?' for column in _SEEN)} WHERE id = ?",  # noqa: S608 - constants
        [(*_seen(record), record.id) for record in records],
    )


async def record_speed(tx: Transaction, fingerprint: str, speed: SpeedView) -> int:
    """Store a volume's newest speed test in all libraries that track it; return how many do."""
    return await tx.execute(
        "UPDATE volumes SET read_bps = ?, write_bps = ?, tested_at = ?, test_method = ?, test_size_bytes = ?,"
        " test_beside = ? WHERE fingerprint = ?",
        (
            *(speed.read_bps, speed.write_bps, to_ms(speed.tested_at), speed.method, speed.size_bytes),
            *(speed.beside, fingerprint),
        ),
    )


async def record_points(tx: Transaction, points: Iterable[tuple[int, CapacityPoint]]) -> None:
    """Store how full volumes are, by their rows' ids. One that was untracked meanwhile is left out."""
    await tx.many(
        "INSERT OR REPLACE INTO volume_history (volume_id, at, used_bytes, total_bytes)"
        " SELECT id, ?, ?, ? FROM volumes WHERE id = ?",
        [(to_ms(point.at), point.used_bytes, point.total_bytes, record_id) for record_id, point in points],
    )


async def list_points(reader: Reader) -> dict[int, list[CapacityPoint]]:
    """Return how full each volume was, oldest first, by their rows' ids."""
    found: dict[int, list[CapacityPoint]] = {}
    for row in await reader.all("SELECT * FROM volume_history ORDER BY volume_id, at"):
        point = CapacityPoint(from_ms(row["at"]), row["used_bytes"], row["total_bytes"])
        found.setdefault(row["volume_id"], []).append(point)
    return found


async def remove_points(tx: Transaction, points: Iterable[tuple[int, datetime]]) -> None:
    """Thin the past: delete points by their volume's row and time."""
    await tx.many(
        "DELETE FROM volume_history WHERE volume_id = ? AND at = ?",
        [(record_id, to_ms(at)) for record_id, at in points],
    )


def _seen(record: Record) -> Sequence[SqlValue]:
    point = record.mount_point
    return (
        *(os.fsencode(record.identity), record.fs_type, os.fsencode(record.device)),
        *(None if point is None else bytes(point), to_ms(record.last_seen_at), int(record.is_online)),
        *(int(record.is_read_only), _storable(record.quarantine), int(record.needs_decision), int(record.is_filling)),
        *(record.total_bytes, record.available_bytes, record.told_bytes),
    )


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _from_row(row: sqlite3.Row) -> Record:
    return Record(
        id=row["id"],
        uuid=row["uuid"],
        library=row["library"],
        fingerprint=row["fingerprint"],
        kind=cast("Kind", row["kind"]),
        identity=os.fsdecode(row["identity"]),
        marker=row["marker"],
        display_name=row["display_name"],
        fs_type=row["fs_type"],
        device=os.fsdecode(row["device"]),
        mount_point=None if row["mount_point"] is None else Path(os.fsdecode(row["mount_point"])),
        tracked_at=from_ms(row["tracked_at"]),
        last_seen_at=from_ms(row["last_seen_at"]),
        is_online=bool(row["is_online"]),
        quarantine=row["quarantine"],
        total_bytes=row["total_bytes"],
        available_bytes=row["available_bytes"],
        speed=_speed(row),
        is_read_only=bool(row["is_read_only"]),
        needs_decision=bool(row["needs_decision"]),
        is_filling=bool(row["is_filling"]),
        told_bytes=row["told_bytes"],
    )


def _speed(row: sqlite3.Row) -> SpeedView | None:
    if row["tested_at"] is None:
        return None
    return SpeedView(
        read_bps=row["read_bps"],
        write_bps=row["write_bps"],
        tested_at=from_ms(row["tested_at"]),
        method=cast("Method", row["test_method"]),
        size_bytes=row["test_size_bytes"],
        beside=row["test_beside"],
    )
