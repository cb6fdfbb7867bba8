"""Who owns a data directory: the process that holds the lock on `owner.lock`, and the row that says who that is.

The invariant: at most one process holds the lock, for as long as it lives and not longer: the kernel frees it on any
death, spawned processes don't get the descriptor, and a forked child lets it go at once. The lock is the truth; the row
and the lock file's text only describe its holder.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import uuid
import weakref
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from pulsetui import __version__
from pulsetui.clock import Clock, SystemClock, from_ms, to_ms
from pulsetui.db.connections import Reader, Transaction
from pulsetui.db.database import Database
from pulsetui.db.identity import boot_id, process_start, user_name
from pulsetui.db.lock import Holder, owned_error, take_lock
from pulsetui.db.place import secure
from pulsetui.files.modes import Modes
from pulsetui.waiting import in_thread

ORDER_FRONT_END = "cli"
"""The front end of a command that takes the lock for one order: worth waiting for."""
_RETRY_S = 0.1
_UNSURE_S = 0.5
_KEPT_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Owner:
    """One process that owns, or owned, the data directory."""

    instance: str
    """UUID of this ownership."""
    pid: int
    boot_id: str
    process_start: int
    """Clock ticks since boot: with pid and boot id, names one process for ever."""
    user: str
    host: str
    version: str
    front_end: str
    started_at: datetime
    heartbeat_at: datetime
    ended_at: datetime | None
    """When it released the data directory; None while it runs, or if it never could."""


class Ownership:
    """The lock on a data directory, held until `forget` or the end of the process."""

    def __init__(self, descriptor: int, owner: Owner, modes: Modes, clock: Clock) -> None:
        """Take over the locked descriptor; use `acquire` instead."""
        self._descriptor = descriptor
        self._clock = clock
        self._database: Database | None = None
        self.owner = owner
        """Who we are."""
        self.modes = modes
        """The modes for files in the data directory."""
        _held.add(self)

    @classmethod
    async def acquire(
        cls, data_dir: Path, *, front_end: str, group: str = "", wait_s: float = 0.0, clock: Clock | None = None
    ) -> Self:
        """Make and secure the data directory if need be, and take its lock.

        `wait_s` is how long to wait for a command that holds the lock for one order; a real owner isn't waited for.

        Raises:
            OwnedError: another process has it.
            SettingsError: the directory can't be used.
            DatabaseError: it is on a network file system.
        """
        clock = clock or SystemClock()
        modes = await in_thread(secure, data_dir, group)
        owner = _this_process(front_end, clock.now())
        holder = Holder(
            owner.pid, owner.boot_id, owner.process_start, owner.user, owner.host, front_end, owner.started_at
        )
        began = clock.monotonic()
        while True:
            # On the event loop: some microseconds, and a thread that outlives a cancelled start would keep the lock.
            taken = take_lock(data_dir, holder, modes.file)
            if isinstance(taken, int):
                return cls(taken, owner, modes, clock)
            if clock.monotonic() - began >= _patience_s(taken, wait_s):
                raise owned_error(data_dir, taken)
            await clock.sleep(_RETRY_S)

    async def begin(self, database: Database) -> None:
        """Write the owner's row; from here on `read_owner` tells visitors who we are."""
        owner = self.owner

        async def insert(tx: Transaction) -> None:
            await tx.execute(
                "INSERT INTO owner (instance, pid, boot_id, process_start, user_name, host, version, front_end,"
                " started_at, heartbeat_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(owner.instance, owner.pid, owner.boot_id, owner.process_start, owner.user, owner.host),
                    *(owner.version, owner.front_end, to_ms(owner.started_at), to_ms(owner.heartbeat_at)),
                ),
            )
            await tx.execute("DELETE FROM owner WHERE id <= (SELECT max(id) FROM owner) - ?", (_KEPT_ROWS,))

        await database.write(insert)
        self._database = database

    async def heartbeat(self) -> None:
        """Tell visitors that we live."""
        await self._mark("UPDATE owner SET heartbeat_at = ? WHERE instance = ?")

    async def end(self) -> None:
        """Mark the row as ended, while the database is still open; the lock stays until `forget`."""
        if self._descriptor >= 0:
            await self._mark("UPDATE owner SET ended_at = ? WHERE instance = ?")

    def forget(self) -> None:
        """Let the lock go, after the database was closed; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    async def _mark(self, sql: str) -> None:
        if self._database is not None:
            await self._database.write(lambda tx: tx.execute(sql, (to_ms(self._clock.now()), self.owner.instance)))


async def read_owner(reader: Reader) -> Owner | None:
    """Return the current or the last owner; None if there never was one."""
    row = await reader.one("SELECT * FROM owner ORDER BY id DESC LIMIT 1")
    return None if row is None else _from_row(row)


def is_alive(owner: Owner) -> bool:
    """Say whether the owner's process runs on this machine; for display, since only the lock knows for sure."""
    return owner.ended_at is None and owner.boot_id == boot_id() and owner.process_start == process_start(owner.pid)


_held: weakref.WeakSet[Ownership] = weakref.WeakSet()


def _let_go_in_child() -> None:
    for ownership in list(_held):
        ownership.forget()


# A lock belongs to the open file, which a forked child shares: it would outlive us there. Closing the child's
# descriptor leaves ours locked. Spawned processes never see it (O_CLOEXEC).
os.register_at_fork(after_in_child=_let_go_in_child)


def _patience_s(holder: Holder | None, wait_s: float) -> float:
    """Return how long to try again: the lock may be an order's, or its new holder hasn't written its name yet."""
    if holder is None or not holder.is_alive():
        return max(wait_s, _UNSURE_S)
    return wait_s if holder.front_end == ORDER_FRONT_END else 0.0


def _this_process(front_end: str, now: datetime) -> Owner:
    now = from_ms(to_ms(now))  # as it comes back from the database
    return Owner(
        instance=str(uuid.uuid4()),
        pid=os.getpid(),
        boot_id=boot_id(),
        process_start=process_start(os.getpid()) or 0,
        user=user_name(os.geteuid()),
        host=socket.gethostname(),
        version=__version__,
        front_end=front_end,
        started_at=now,
        heartbeat_at=now,
        ended_at=None,
    )


def _from_row(row: sqlite3.Row) -> Owner:
    return Owner(
        instance=row["instance"],
        pid=row["pid"],
        boot_id=row["boot_id"],
        process_start=row["process_start"],
        user=row["user_name"],
        host=row["host"],
        version=row["version"],
        front_end=row["front_end"],
        started_at=from_ms(row["started_at"]),
        heartbeat_at=from_ms(row["heartbeat_at"]),
        ended_at=None if row["ended_at"] is None else from_ms(row["ended_at"]),
    )
