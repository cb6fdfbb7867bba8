"""All SQL of the folders' records: what a refresh knows of each folder, so that the next one need not list it.

Records go in and out as plain tuples, encoded and decoded off the event loop, since there may be a million of them. The
invariant: a record that was stored comes back equal, but for times past the year 2262.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

from pulsetui.db.database import Reader, SqlValue, Transaction
from pulsetui.storage.placing import NodeKey
from pulsetui.storage.refresh.store import LARGEST, storable
from pulsetui.storage.scan.records import FolderRecord, LinkedFile

FolderRow: TypeAlias = tuple[SqlValue, ...]
_COLUMNS = (
    "root_id, path, entity_type, entity_id, device, inode, mtime_ns, ctime_ns, allocated_bytes, counts, links,"
    " newest_ns, error, verified_at"
)
_PUT = (
    f"INSERT INTO storage_folders ({_COLUMNS}) VALUES ({', '.join('?' * 14)})"  # noqa: S608 - constants
    " ON CONFLICT (root_id, path) DO UPDATE SET entity_type = excluded.entity_type, entity_id = excluded.entity_id,"
    " device = excluded.device, inode = excluded.inode, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns,"
    " allocated_bytes = excluded.allocated_bytes, counts = excluded.counts, links = excluded.links,"
    " newest_ns = excluded.newest_ns, error = excluded.error, verified_at = excluded.verified_at"
)


async def rows_in(reader: Reader, root_id: int) -> list[sqlite3.Row]:
    """Return the rows of all folders of a root, for `decoded`."""
    return await reader.all(
        f"SELECT {_COLUMNS} FROM storage_folders WHERE root_id = ?",  # noqa: S608 - constants
        (root_id,),
    )


async def rows_of(reader: Reader, node: NodeKey) -> list[sqlite3.Row]:
    """Return the rows of all folders whose files count for a node itself, for `decoded`."""
    return await reader.all(
        f"SELECT {_COLUMNS} FROM storage_folders WHERE entity_type = ? AND entity_id = ?",  # noqa: S608
        node,
    )


async def node_of(reader: Reader, root_id: int, path: bytes) -> NodeKey | None:
    """Return the node that a folder's files count for, None if the folder isn't known."""
    row = await reader.one(
        "SELECT entity_type, entity_id FROM storage_folders WHERE root_id = ? AND path = ?", (root_id, path)
    )
    return None if row is None else (row["entity_type"], row["entity_id"])


def decoded(row: sqlite3.Row) -> tuple[int, FolderRecord, NodeKey]:
    """Return a folder's root, its record and its node. Costs microseconds: call it off the event loop for many."""
    (root_id, path, kind, number, device, inode, mtime_ns, ctime_ns, allocated, counts, links, newest, error, at) = row
    record = FolderRecord(
        path=path,
        device=_unsigned(device),
        inode=_unsigned(inode),
        mtime_ns=mtime_ns,
        ctime_ns=ctime_ns,
        allocated_bytes=allocated,
        counts=tuple(map(tuple, json.loads(counts))) if counts != "[]" else (),
        links=tuple(
            LinkedFile(device, inode, os.fsencode(name), category, total, taken, at_ns)
            for device, inode, name, category, total, taken, at_ns in json.loads(links)
        )
        if links != "[]"
        else (),
        newest_ns=newest,
        error=error,
        verified_ms=at,
    )
    return root_id, record, (kind, number)


def encoded(root_id: int, record: FolderRecord, node: NodeKey) -> FolderRow:
    """Return the row of a folder, for `put`. Costs microseconds: call it off the event loop for many."""
    links = [
        (
            link.device,
            link.inode,
            os.fsdecode(link.name),
            link.category,
            link.total_bytes,
            link.allocated_bytes,
            link.mtime_ns,
        )
        for link in record.links
    ]
    return (
        root_id,
        record.path,
        *node,
        _signed(record.device),
        _signed(record.inode),
        # SQLite's 64 bits end in 2262. A folder of then is listed again after each start, and that is all.
        min(record.mtime_ns, LARGEST),
        min(record.ctime_ns, LARGEST),
        record.allocated_bytes,
        json.dumps(record.counts, separators=(",", ":")) if record.counts else "[]",
        json.dumps(links, separators=(",", ":")) if links else "[]",
        min(record.newest_ns, LARGEST),
        storable(record.error),
        record.verified_ms,
    )


async def put(tx: Transaction, rows: Sequence[FolderRow]) -> None:
    """Store rows of folders, new or changed."""
    if rows:
        await tx.many(_PUT, rows)


async def remove(tx: Transaction, gone: Sequence[tuple[int, bytes]]) -> None:
    """Forget folders, by root and path."""
    if gone:
        await tx.many("DELETE FROM storage_folders WHERE root_id = ? AND path = ?", gone)


def _signed(number: int) -> int:
    """Return an unsigned number of 64 bits as SQLite's integers have it."""
    return number - (1 << 64) if number > LARGEST else number


def _unsigned(number: int) -> int:
    return number + (1 << 64) if number < 0 else number
