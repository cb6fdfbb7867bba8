"""What SQLite's and the system's errors mean for us, and what an operator does about each.

The invariant: a damaged database is never replaced or started anew by us; the error says how to restore a backup.
Errors that only a bug can cause (a constraint, a syntax error) are left as they are.
"""

from __future__ import annotations

import errno
import os
import shlex
import sqlite3
from pathlib import Path

from pulsetui.errors import DatabaseError, PulseError, SpaceError
from pulsetui.files.names import display_text

BACKUPS = "backups"
"""The folder beside the database that holds its backups."""
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_FULL_BELOW_BYTES = 64 * 1024
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DENIED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


def translated(error: BaseException, path: Path) -> PulseError | None:
    """Return our error for one of SQLite or the system at the database `path`; None if it is a bug or no I/O error.

    SQLite reports some full disks as I/O errors (the shared memory file can't grow), so those are held against the
    free space.
    """
    if isinstance(error, OSError):
        return _of_system(error, path)
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return _space(path)
    if code in _DAMAGED:
        return damaged(path, str(error))
    if code in _BUSY:
        return DatabaseError(
            f"{_shown(path)} is locked by another program", hint="close what else has the file open, such as sqlite3"
        )
    if code == sqlite3.SQLITE_IOERR or code in _DENIED:
        if disk_is_full(path.parent):
            return _space(path)
        return _broken(path, error) if code == sqlite3.SQLITE_IOERR else _denied(path, error)
    return None


def damaged(path: Path, found: str) -> DatabaseError:
    """Return the error for a damaged database, with the steps that bring back the newest backup."""
    return DatabaseError(
        f"the database {_shown(path)} is damaged: {display_text(found)}",
        hint=f"nothing was changed. Keep the damaged file and bring back a copy: {restore_steps(path)}",
    )


def missing(path: Path, traces: list[str]) -> DatabaseError:
    """Return the error for a database that is gone while its companions, `traces`, are still there."""
    return DatabaseError(
        f"the database {_shown(path)} is missing, but {', '.join(map(display_text, traces))} beside it shows that "
        "there was one",
        hint=f"nothing was changed. Bring it back: {restore_steps(path)}; or move the rest away too, to start anew",
    )


def restore_steps(path: Path) -> str:
    """Return the shell commands that put the newest backup, or what SQLite can save, in the database's place."""
    saved = shlex.quote(f"{path}.damaged")
    side_files = " ".join(shlex.quote(f"{path}{suffix}") for suffix in ("-wal", "-shm"))
    away = f"mv {shlex.quote(str(path))} {saved}; rm -f {side_files}; " if path.exists() else ""
    copies = backups(path)
    if copies:
        return display_text(f"{away}cp {shlex.quote(str(copies[-1]))} {shlex.quote(str(path))}")
    return display_text(f"{away}sqlite3 {saved} .recover | sqlite3 {shlex.quote(str(path))}   (there is no backup yet)")


def backups(path: Path) -> list[Path]:
    """Return the database's finished backups, oldest first."""
    return sorted((path.parent / BACKUPS).glob(f"{path.stem}-*.db"), key=lambda copy: copy.name.rpartition("-")[2])


def disk_is_full(folder: Path) -> bool:
    """Say whether the file system of `folder` has neither a few pages nor an inode to give."""
    try:
        free = os.statvfs(folder)
    except OSError:
        return False
    return free.f_bavail * free.f_frsize < _FULL_BELOW_BYTES or (free.f_files > 0 and free.f_favail == 0)


def _of_system(error: OSError, path: Path) -> PulseError | None:
    if error.errno in _NO_SPACE:
        return _space(path)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return _denied(path, error)
    return _broken(path, error) if error.errno == errno.EIO else None


def _space(path: Path) -> SpaceError:
    return SpaceError(
        f"the disk that holds {_shown(path)} is full",
        hint=f"free some space on the file system of {_shown(path.parent)}",
    )


def _broken(path: Path, error: BaseException) -> DatabaseError:
    return DatabaseError(
        f"reading or writing {_shown(path)} failed: {error}", hint="check the disk and the kernel's log (dmesg)"
    )


def _denied(path: Path, error: BaseException) -> DatabaseError:
    if _is_read_only(path.parent):
        return DatabaseError(
            f"{_shown(path)} is on a read-only file system, where SQLite can't read a log either",
            hint="mount it for writing, or copy the folder to another disk and name it with --data-dir",
        )
    return DatabaseError(
        f"{_shown(path)} can't be opened or written: {error}",
        hint=f"check the owner and the rights of {_shown(path.parent)} and what is in it",
    )


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _shown(path: Path) -> str:
    return display_text(str(path))
