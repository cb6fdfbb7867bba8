"""Makes the database file, and brings an older one up to this version.

The invariants: `pulse.db` appears by a rename when its schema is whole, so an empty or schemaless file is damage and
never a fresh start; each migration is one transaction with its `user_version`; an existing database is backed up before
the first one, and the last three backups are kept. Works on plain blocking connections, in a worker thread, under the
owner's lock; what the tables mean is left to the rooms that own them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pulsetui import faults
from pulsetui.clock import Clock
from pulsetui.db.ballast import ballast_path, drop_ballast, restore_ballast
from pulsetui.db.connections import BUSY_TIMEOUT_S, database_uri
from pulsetui.db.failures import BACKUPS, backups, damaged, missing, translated
from pulsetui.errors import DatabaseError, PulseError, SpaceError
from pulsetui.files.durable import is_temporary, sync
from pulsetui.files.folders import Folder
from pulsetui.files.locks import is_network_file_system
from pulsetui.files.names import display_text

KEPT_BACKUPS = 3
_SIDE_FILES = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: the version that it leads to, and its SQL."""

    version: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """Return the steps in `db/migrations`, in order.

    Raises:
        DatabaseError: the installation lacks one: the numbers have a gap.
    """
    folder = resources.files("pulsetui.db") / "migrations"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    steps = [Migration(int(name[:4]), name, (folder / name).read_text(encoding="utf-8")) for name in found]
    if not steps or [step.version for step in steps] != list(range(1, len(steps) + 1)):
        raise DatabaseError(
            f"the migrations are incomplete: {', '.join(found) or 'none'}", hint="install pulsetui again"
        )
    return steps


def prepare(path: Path, *, clock: Clock, mode: int = 0o600) -> None:
    """Make the database at `path`, or check the one that is there and bring it up to date; for the owner.

    On a full disk the ballast is given up and the work is tried once more.

    Raises:
        DatabaseError: it is damaged, gone, from a newer version, or on a network file system.
        SpaceError: the disk is full.
    """
    refuse_network(path)
    try:
        _prepare_once(path, clock, mode)
    except SpaceError:
        if not drop_ballast(path):
            raise
        _prepare_once(path, clock, mode)
    _clear_temporaries(path)
    with suppress(SpaceError):  # the owner tries again later
        restore_ballast(path, mode=mode)


def check_current(path: Path) -> None:
    """Check that a visitor can read the database at `path`, and change nothing.

    Raises:
        DatabaseError: it isn't there, is damaged, or has another version than this program.
    """
    refuse_network(path)
    if not path.exists():
        raise DatabaseError(f"there is no database at {display_text(str(path))} yet", hint="start pulsetui there first")
    with _connected(path) as connection:
        found = _version(connection, path)
    if found < len(migrations()):
        raise DatabaseError(
            f"the database {display_text(str(path))} has version {found}, this pulsetui needs {len(migrations())}",
            hint="start this version of pulsetui as its owner: it brings the database up to date",
        )


def refuse_network(path: Path) -> None:
    """Refuse a path on a network file system.

    Raises:
        DatabaseError: it is on one.
    """
    if is_network_file_system(path.parent):
        raise DatabaseError(
            f"{display_text(str(path.parent))} is on a network file system, where SQLite can't keep the database safe",
            hint="set paths.data_dir to a folder on a local disk",
        )


def quick_check(path: Path) -> None:
    """Read the whole database and check its structure; takes time with its size.

    Raises:
        DatabaseError: it is damaged.
    """
    with _connected(path) as connection:
        faults.point("db.quick_check")
        found = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    if found != ["ok"]:
        raise damaged(path, "; ".join(found))


def _prepare_once(path: Path, clock: Clock, mode: int) -> None:
    if not path.exists():
        _make(path, mode)
        return
    with _connected(path) as connection:
        found = _version(connection, path)
        if _ended_uncleanly(connection):
            quick_check(path)
        steps = migrations()[found:]
        if steps:
            _back_up(connection, path, found, clock, mode)
            _migrate(connection, path, steps)


def _make(path: Path, mode: int) -> None:
    """Build the database under another name and rename it when it is whole."""
    unfinished = path.with_name(f"{path.name}.new")
    with Folder.open(path.parent.resolve()) as folder:
        left = [name for name in (f"{path.name}-wal", ballast_path(path).name) if folder.identity(name)]
        left += [f"{BACKUPS}/{copy.name}" for copy in backups(path)]
        if left:
            raise missing(path, left)
        _clear(folder, unfinished.name)
        _create(folder, unfinished.name, mode)
        with _connected(unfinished) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            _migrate(connection, unfinished, migrations())
        faults.point("db.made")
        _sync_file(folder, unfinished.name)
        folder.rename(unfinished.name, path.name)
        folder.sync()


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema's version, which is at least 1: a database without one never was ours, or lost its pages."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found < 1 or not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise damaged(path, "it is empty, or is no pulsetui database")
    known = len(migrations())
    if found > known:
        raise DatabaseError(
            f"the database {display_text(str(path))} is from a newer pulsetui: version {found} (known: {known})",
            hint=f"install the newer pulsetui again; backups are in {display_text(str(path.parent / BACKUPS))}",
        )
    return found


def _ended_uncleanly(connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT ended_at FROM owner ORDER BY id DESC LIMIT 1").fetchone()
    return row is not None and row[0] is None


def _migrate(connection: sqlite3.Connection, path: Path, steps: list[Migration]) -> None:
    """Take the steps; after an error, closing the connection rolls the failed one back."""
    for step in steps:
        faults.point("db.migrate")
        try:
            # One script with its own BEGIN and COMMIT: executescript() would commit a transaction begun before it.
            connection.executescript(f"BEGIN IMMEDIATE;\n{step.sql}\nPRAGMA user_version = {step.version};\nCOMMIT;")
        except sqlite3.Error as error:
            raise translated(error, path) or DatabaseError(
                f"migration {step.name} of {display_text(str(path))} failed: {error}",
                hint=f"it was rolled back; a backup is in {display_text(str(path.parent / BACKUPS))}",
            ) from error
        faults.point("db.migrated")


def _back_up(connection: sqlite3.Connection, path: Path, version: int, clock: Clock, mode: int) -> None:
    """Copy the database to `backups/pulse-v0001-20261120T124500123.db` and keep the last three."""
    name = f"{path.stem}-v{version:04}-{clock.now():%Y%m%dT%H%M%S%f}"[:-3] + ".db"
    partial = f"{name}.partial"
    with Folder.open(path.parent.resolve()) as parent, parent.below(BACKUPS, create=True) as folder:
        for leftover in folder.names():
            if leftover.partition(".db")[2].startswith(".partial"):
                folder.unlink(leftover)
        _create(folder, partial, mode)
        faults.point("db.backup")
        with _connected(path.parent / BACKUPS / partial) as copy:
            connection.backup(copy)
        _sync_file(folder, partial)
        folder.rename(partial, name)
        folder.sync()
        for old in backups(path)[:-KEPT_BACKUPS]:
            folder.unlink(old.name)
    faults.point("db.backed_up")


def _create(folder: Folder, name: str, mode: int) -> None:
    """Create an empty file for SQLite, whose side files take over its mode."""
    descriptor = folder.create(name, mode)
    try:
        os.fchmod(descriptor, mode)  # the umask would take the group's rights
    finally:
        os.close(descriptor)


def _clear(folder: Folder, name: str) -> None:
    for suffix in _SIDE_FILES:
        with suppress(FileNotFoundError):
            folder.unlink(f"{name}{suffix}")


def _clear_temporaries(path: Path) -> None:
    """Remove what writes beside the database left when they were killed; nobody else writes there before it is open.

    That can be the database's first name too, where the file system renames in two steps.
    """
    with Folder.open(path.parent.resolve()) as folder:
        for name in filter(is_temporary, folder.names()):
            folder.unlink(name)
        if folder.identity(f"{path.name}.new") is not None:
            _clear(folder, f"{path.name}.new")


def _sync_file(folder: Folder, name: str) -> None:
    descriptor = folder.open_existing(name)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        faults.point("db.connect")
        with closing(
            sqlite3.connect(database_uri(path), uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            yield connection
    except PulseError:
        raise
    except (sqlite3.Error, OSError) as error:
        ours = translated(error, path)
        if ours is None:
            raise
        raise ours from error
