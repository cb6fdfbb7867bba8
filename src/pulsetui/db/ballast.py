"""The ballast: 1 MiB beside the database given up on a full disk, so that the last things can be written.

The invariant: while the file is there its blocks are really allocated, so dropping it frees them (measured: at 0 bytes
free, UPDATE and DELETE both fail in WAL mode, and 1 MiB brings them back). When to restore it is the caller's decision.
"""

from __future__ import annotations

import os
from pathlib import Path

from pulsetui import faults
from pulsetui.files.durable import write_durable
from pulsetui.files.folders import Folder

BALLAST_BYTES = 1 << 20
_RESTORE_ABOVE_BYTES = 16 * BALLAST_BYTES


def ballast_path(database: Path) -> Path:
    """Return where the ballast of a database lies."""
    return database.with_name(f"{database.name}.ballast")


def drop_ballast(database: Path) -> bool:
    """Remove the ballast durably; return False if there was none."""
    ballast = ballast_path(database)
    with Folder.open(ballast.parent.resolve()) as folder:
        try:
            folder.unlink(ballast.name)
        except FileNotFoundError:
            return False
        folder.sync()
    faults.point("db.ballast_dropped")
    return True


def restore_ballast(database: Path, *, mode: int = 0o600) -> bool:
    """Write the ballast if it isn't whole and 16 MiB are free; return whether it is there now.

    Raises:
        SpaceError: the disk filled up meanwhile.
    """
    ballast = ballast_path(database)
    with Folder.open(ballast.parent.resolve()) as folder:
        found = folder.identity(ballast.name)
        if found is not None and found.size_bytes == BALLAST_BYTES:
            return True
        free = os.statvfs(ballast.parent)
        if free.f_bavail * free.f_frsize < _RESTORE_ABOVE_BYTES:
            return False
        faults.point("db.ballast_restore")
        # Random bytes: a file system that compresses, or that makes holes of zeros, would allocate nothing for zeros.
        write_durable(folder, ballast.name, os.urandom(BALLAST_BYTES), replace=True, mode=mode)
    return True
