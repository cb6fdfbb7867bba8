"""What runs statements: `Reader` on a `query_only` connection, `Transaction` on the writer, both single round trips.

The invariant: rows are fetched before a call returns, so that no statement is open when the transaction ends. When a
transaction begins, commits or is rolled back is `Database`'s business; a `Transaction` never ends itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

import aiosqlite

from pulsetui import faults
from pulsetui.waiting import finished

SqlValue: TypeAlias = int | float | str | bytes | None
Parameters: TypeAlias = Sequence[SqlValue] | Mapping[str, SqlValue]

BUSY_TIMEOUT_S = 5.0
"""How long a connection waits for another process's lock."""
_WAL_PAGES = 256
_JOURNAL_BYTES = 1 << 20


class Reader:
    """Reads a consistent state of the database, for as long as the work that got it runs."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        """Take the connection, inside a transaction that somebody else ends."""
        self._connection = connection

    async def all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Return all rows."""
        return list(await self._connection.execute_fetchall(sql, parameters))

    async def one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Return the first row, or None if there is none."""
        rows = await self.all(sql, parameters)
        return rows[0] if rows else None

    async def value(self, sql: str, parameters: Parameters = ()) -> SqlValue:
        """Return the first column of the first row; None if there is no row, or it holds NULL."""
        row = await self.one(sql, parameters)
        if row is None:
            return None
        value: SqlValue = row[0]
        return value


class Transaction(Reader):
    """Reads and writes inside the one write transaction; it sees its own changes."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        """Take the writer's connection."""
        super().__init__(connection)
        self._callbacks: list[Callable[[], None]] = []
        self._undos: list[Callable[[], None]] = []

    async def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement and return how many rows it changed."""
        return (await self._connection.execute(sql, parameters)).rowcount

    async def insert(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one `INSERT` and return the row's id (that of the connection's last insert, if it inserted nothing)."""
        row = await self._connection.execute_insert(sql, parameters)
        return int(row[0]) if row is not None else 0

    async def many(self, sql: str, rows: Iterable[Parameters]) -> int:
        """Run one statement for each of `rows` in one round trip and return how many rows changed in all."""
        return (await self._connection.executemany(sql, rows)).rowcount

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the event loop right after the commit; never if the transaction is rolled back."""
        self._callbacks.append(callback)

    def after_rollback(self, undo: Callable[[], None]) -> None:
        """Call `undo` on the event loop right after a rollback; never if the transaction is committed."""
        self._undos.append(undo)

    def withdraw(self) -> None:
        """Run what waits for a rollback, the latest first. For `Database` alone."""
        for undo in reversed(self._undos):
            undo()

    def announce(self) -> None:
        """Run what waits for the commit, in order. For `Database` alone."""
        for callback in self._callbacks:
            callback()


def database_uri(path: Path) -> str:
    """Return the URI that opens `path` for reading and writing, and fails if the file isn't there."""
    return f"file:{quote(bytes(path))}?mode=rw"


async def connect(path: Path, *, writer: bool) -> aiosqlite.Connection:
    """Open a connection in autocommit mode, so that transactions are only those that are begun in so many words.

    Raises:
        sqlite3.Error: SQLite can't open it.
    """
    await faults.async_point("db.open")
    connection = aiosqlite.connect(database_uri(path), uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        # To its end, also when cancelled: a connection that is left half-way can't be closed any more.
        await finished(asyncio.ensure_future(_begin(connection, writer=writer)))
    except BaseException:
        await finished(asyncio.ensure_future(connection.close()))
        raise
    return connection


async def _begin(connection: aiosqlite.Connection, *, writer: bool) -> None:
    await connection
    connection.row_factory = sqlite3.Row
    await connection.executescript(_writer_pragmas() if writer else "PRAGMA query_only=ON;")
    await connection.execute_fetchall("SELECT count(*) FROM sqlite_schema")


def _writer_pragmas() -> str:
    return (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        f"PRAGMA wal_autocheckpoint={_WAL_PAGES}; PRAGMA journal_size_limit={_JOURNAL_BYTES};"
    )


async def rolled_back(connection: aiosqlite.Connection) -> None:
    """End the open transaction of a connection, if there is one, whatever happens to the calling task.

    The connection's thread works in order, so this comes after a statement or a commit in flight. An interrupted
    wait is begun again: a second rollback does nothing.
    """
    cancelled: asyncio.CancelledError | None = None
    while True:
        try:
            await connection.rollback()
        except asyncio.CancelledError as error:
            cancelled = error
        else:
            break
    if cancelled is not None:
        raise cancelled
