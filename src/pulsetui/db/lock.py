"""The lock file `owner.lock`: taking its `flock`, and the line in it that tells others who has it.

The invariant: a lock that `take_lock` returns is on the file that everyone else finds under that name. The line is only
a description; it is written right after the lock was taken, so for an instant it is that of the last holder.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pulsetui import faults
from pulsetui.clock import rfc3339
from pulsetui.db.identity import boot_id, process_start
from pulsetui.errors import OwnedError, SettingsError, SpaceError
from pulsetui.files.durable import write_all
from pulsetui.files.folders import Folder
from pulsetui.files.locks import lock_exclusive
from pulsetui.files.names import display_text

LOCK_NAME = "owner.lock"
_LINE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Holder:
    """What the lock file says about the process that holds it."""

    pid: int
    boot_id: str
    process_start: int
    user: str
    host: str
    front_end: str
    since: datetime

    def is_alive(self) -> bool:
        """Say whether that process runs here; False also for one in another container that shares the folder."""
        return self.boot_id == boot_id() and self.process_start == process_start(self.pid)

    def to_line(self) -> bytes:
        """Return the line, padded to one length: writing it over an older one is one write without a truncation."""
        plain = {
            "pid": self.pid,
            "boot_id": self.boot_id,
            "process_start": self.process_start,
            "user": self.user,
            "host": self.host,
            "front_end": self.front_end,
            "since": rfc3339(self.since),
        }
        return json.dumps(plain).encode().ljust(_LINE_BYTES - 1) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Holder | None:
        """Return what a line says; None if it says nothing."""
        try:
            plain = json.loads(line)
            return cls(
                int(plain["pid"]),
                *(str(plain["boot_id"]), int(plain["process_start"]), str(plain["user"]), str(plain["host"])),
                *(str(plain["front_end"]), datetime.fromisoformat(plain["since"])),
            )
        except (ValueError, TypeError, KeyError):
            return None


def take_lock(data_dir: Path, holder: Holder, mode: int) -> int | Holder | None:
    """Return the locked descriptor if the lock was free, else its holder, or None if that one hasn't said its name.

    Raises:
        SettingsError: the lock file can't be made or locked.
    """
    try:
        with Folder.open(data_dir.resolve()) as folder:
            while True:
                descriptor = _open_lock(folder, mode)
                try:
                    faults.point("owner.lock")
                    if not lock_exclusive(descriptor):
                        return Holder.from_line(os.pread(descriptor, _LINE_BYTES, 0))
                    if _is_the_one(folder, descriptor):
                        _describe(descriptor, holder)
                        faults.point("owner.locked")
                        kept, descriptor = descriptor, -1
                        return kept
                finally:
                    if descriptor >= 0:
                        os.close(descriptor)
    except OSError as error:
        raise SettingsError(
            f"{display_text(str(data_dir / LOCK_NAME))} can't be locked: {error.strerror}",
            hint="set paths.data_dir (or --data-dir) to a folder on a local disk that this user may write",
        ) from error


def owned_error(data_dir: Path, holder: Holder | None) -> OwnedError:
    """Return the error that names who owns the data directory."""
    who = "another process, which has not said its name"
    if holder is not None:
        who = (
            f"process {holder.pid} ({display_text(holder.front_end)}) of user {display_text(holder.user)} on "
            f"{display_text(holder.host)} since {rfc3339(holder.since)}"
        )
    return OwnedError(
        f"{display_text(str(data_dir))} is owned by {who}",
        hint="stop that process, or use another data directory (--data-dir)",
    )


def _open_lock(folder: Folder, mode: int) -> int:
    while True:
        with suppress(FileNotFoundError):
            return folder.open_existing(LOCK_NAME, writable=True)
        with suppress(FileExistsError):  # made by another process just now
            descriptor = folder.create(LOCK_NAME, mode)
            os.fchmod(descriptor, mode)  # the umask would take the group's rights
            return descriptor


def _is_the_one(folder: Folder, descriptor: int) -> bool:
    """Say whether the name still leads to the file that we locked; somebody may have removed it meanwhile."""
    found = folder.identity(LOCK_NAME)
    return found is not None and found.inode == os.fstat(descriptor).st_ino


def _describe(descriptor: int, holder: Holder) -> None:
    # The lock holds without the line, and a broken or full disk is what the owner meets next, with a better message.
    with suppress(SpaceError, OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        write_all(descriptor, holder.to_line())
