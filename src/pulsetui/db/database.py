"""The open database: one writer behind a lock, a few `query_only` readers, and what happens when the disk is full.

The invariant: each write is one `BEGIN IMMEDIATE` transaction in a task of its own, which ends in a commit or a
rollback before anyone else writes, even if its caller is cancelled; a full disk costs the ballast and one write, never
the connection. Schemas and SQL belong to the subjects' stores, the owner's lock to `owner`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self, TypeVar

import aiosqlite

from pulsetui import faults
from pulsetui.clock import Clock, SystemClock
from pulsetui.db import ballast, migrations
from pulsetui.db.connections import Reader, SqlValue, Transaction, connect, rolled_back
from pulsetui.db.failures import translated
from pulsetui.errors import DatabaseError, SpaceError
from pulsetui.waiting import finished, in_thread

__all__ = ["DATABASE_NAME", "Database", "Reader", "SqlValue", "Transaction"]

DATABASE_NAME = "pulse.db"
"""The database's file name in the data directory."""
_READERS = 3
T = TypeVar("T")


class Database:
    """An open database. `open` and `close` frame its life; a visitor's has no writer."""

    def __init__(self, path: Path, *, mode: int = 0o600) -> None:
        """Take the path; use `open` instead."""
        self._path = path
        self._mode = mode
        self._writer: aiosqlite.Connection | None = None
        self._watcher: aiosqlite.Connection | None = None
        self._readers: list[aiosqlite.Connection] = []
        self._idle: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._lock = asyncio.Lock()
        self._writing: asyncio.Task[object] | None = None
        self.on_full: Callable[[], None] | None = None
        """Called on the event loop each time that the disk was full, after the ballast went: close the gate."""

    @classmethod
    async def open(cls, path: Path, *, owner: bool, clock: Clock | None = None, mode: int = 0o600) -> Self:
        """Open the database at `path`.

        The owner, who holds the lock, makes or migrates it first (and checks it after an unclean end); a visitor only
        reads. `mode` is for the files that are made.

        Raises:
            DatabaseError: it is damaged, gone, of another version, or on a network file system.
            SpaceError: the disk is full.
        """
        if owner:
            await in_thread(migrations.prepare, path, clock=clock or SystemClock(), mode=mode)
        else:
            await in_thread(migrations.check_current, path)
        database = cls(path, mode=mode)
        try:
            await database._connect(owner=owner)
        except BaseException as error:
            await database.close()
            ours = translated(error, path)
            if ours is None:
                raise
            raise ours from error
        return database

    @property
    def path(self) -> Path:
        """Where the database file is."""
        return self._path

    @property
    def is_owner(self) -> bool:
        """Whether this one can write."""
        return self._writer is not None

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work` in one transaction, commit, then call what it left with `after_commit`; return its result.

        An error in `work` rolls all of it back. A caller that is cancelled while it waits for its turn writes nothing;
        one that is cancelled later gets its CancelledError when the transaction has ended, committed or not.

        Raises:
            SpaceError: the disk is full; the ballast was dropped, so that the next write works.
            DatabaseError: the database is damaged, locked by another program, closed, or open for reading only.
        """
        if self._writing is not None and self._writing is asyncio.current_task():
            raise RuntimeError("a write inside a write would wait for itself: use the transaction that is there")
        async with self._lock:
            task = asyncio.create_task(self._transact(work), name="db.write")
            self._writing = task
            try:
                return await finished(task)
            finally:
                self._writing = None

    async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Run `work` on one state of the database, whatever is written meanwhile; return its result.

        Raises:
            DatabaseError: the database is damaged or closed.
        """
        if not self._readers:
            raise self._closed()
        connection = await self._idle.get()
        try:
            await faults.async_point("db.read")
            await connection.execute("BEGIN")
            return await work(Reader(connection))
        except (sqlite3.Error, OSError) as error:
            ours = translated(error, self._path)
            if ours is None:
                raise
            raise ours from error
        finally:
            try:
                await rolled_back(connection)
            finally:
                self._idle.put_nowait(connection)

    async def data_version(self) -> int:
        """Return a number that differs from the last one if anyone committed meanwhile; costs microseconds."""
        if self._watcher is None:
            raise self._closed()
        rows = list(await self._watcher.execute_fetchall("PRAGMA data_version"))
        return int(rows[0][0])

    async def quick_check(self) -> None:
        """Check the whole file in a thread, beside running work; for now and then.

        Raises:
            DatabaseError: it is damaged.
        """
        await in_thread(migrations.quick_check, self._path)

    async def drop_ballast(self) -> bool:
        """Give up the ballast; return False if there was none."""
        return await in_thread(ballast.drop_ballast, self._path)

    async def restore_ballast(self) -> bool:
        """Put the ballast back if there is room to spare; return whether it is there now.

        Raises:
            SpaceError: the disk filled up meanwhile.
        """
        return await in_thread(ballast.restore_ballast, self._path, mode=self._mode)

    async def close(self) -> None:
        """Wait for the write that runs, then close everything; a second call does nothing."""
        async with self._lock:
            await finished(asyncio.create_task(self._disconnect()))

    async def __aenter__(self) -> Self:
        """Return itself: a connection left open keeps its thread, and so the process, alive."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def _connect(self, *, owner: bool) -> None:
        if owner:
            self._writer = await connect(self._path, writer=True)
        self._watcher = await connect(self._path, writer=False)
        for _ in range(_READERS):
            self._readers.append(await connect(self._path, writer=False))
            self._idle.put_nowait(self._readers[-1])

    async def _disconnect(self) -> None:
        """Close the readers first, so that the writer, the last one, moves the log into the database."""
        readers, self._readers = self._readers, []
        for _ in readers:
            await self._idle.get()  # reads that run, or wait for their turn, end first
        watcher, self._watcher = self._watcher, None
        writer, self._writer = self._writer, None
        for connection in [*readers, watcher, writer]:
            if connection is not None:
                await connection.close()

    async def _transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        writer = self._writer
        if writer is None:
            raise self._closed() if not self._readers else DatabaseError("this process only reads the database")
        transaction = Transaction(writer)
        try:
            await faults.async_point("db.begin")
            await writer.execute("BEGIN IMMEDIATE")
            result = await work(transaction)
            await faults.async_point("db.commit")
            await writer.commit()
        except BaseException as error:
            try:
                await rolled_back(writer)
            finally:
                transaction.withdraw()
            ours = translated(error, self._path)
            if ours is None:
                raise
            if isinstance(ours, SpaceError):
                await self._make_room()
            raise ours from error
        transaction.announce()
        await faults.async_point("db.committed")
        return result

    async def _make_room(self) -> None:
        await self.drop_ballast()
        if self.on_full is not None:
            self.on_full()

    def _closed(self) -> DatabaseError:
        return DatabaseError(f"the database {self._path} is closed")
