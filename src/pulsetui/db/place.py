"""The data directory as a place: it exists, on a local disk, and nobody but those who may can read what is in it.

The invariant: after `secure` the folder is 0700 and our files in it are 0600; with a group, 2770 and 0660 and of that
group. That is the real barrier between users; rights within pulsetui come on top. Media folders are the pipeline's.
"""

from __future__ import annotations

import grp
import os
import stat
from pathlib import Path

from pulsetui import faults
from pulsetui.db.failures import BACKUPS
from pulsetui.db.migrations import refuse_network
from pulsetui.errors import SettingsError
from pulsetui.files.folders import Folder
from pulsetui.files.modes import Modes
from pulsetui.files.names import display_text

_OURS = ("pulse.db*", "owner.lock", f"{BACKUPS}/*.db*")


def modes_for(group: str) -> Modes:
    """Return the modes for `access.group`; empty is for the owner alone.

    Raises:
        SettingsError: there is no such group.
    """
    if not group:
        return Modes()
    try:
        return Modes(0o2770, 0o660, grp.getgrnam(group).gr_gid)
    except KeyError as error:
        raise SettingsError(
            f"access.group: there is no group {display_text(group)!r} on this machine",
            hint=f"create it (groupadd {display_text(group)}), or leave the setting empty",
        ) from error


def secure(data_dir: Path, group: str = "") -> Modes:
    """Make the data directory if need be, mend the modes of it and of our files in it, and return the modes.

    Raises:
        DatabaseError: it is on a network file system.
        SettingsError: it can't be made, can't be written, or its modes can't be mended.
    """
    modes = modes_for(group)
    place = data_dir.resolve()
    refuse_network(place)
    try:
        with Folder.open(place, create=True):
            pass
        _mend(place, modes.folder, modes.group_id)
        for path in [place / BACKUPS, *(path for pattern in _OURS for path in place.glob(pattern))]:
            if path.is_dir() and not path.is_symlink():
                _mend(path, modes.folder, modes.group_id)
            elif path.is_file() and not path.is_symlink():
                _mend(path, modes.file, modes.group_id)
    except OSError as error:
        raise SettingsError(
            f"the data directory {display_text(str(data_dir))} can't be used: {error.strerror}",
            hint="set paths.data_dir (or --data-dir) to a folder that this user may write",
        ) from error
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        raise SettingsError(
            f"the data directory {display_text(str(data_dir))} is on a read-only file system",
            hint="mount it for writing, or set paths.data_dir (or --data-dir) to another folder",
        )
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        raise SettingsError(
            f"the data directory {display_text(str(data_dir))} can't be written by this user",
            hint="set paths.data_dir (or --data-dir) to a folder that this user may write",
        )
    return modes


def _mend(path: Path, mode: int, group_id: int | None) -> None:
    found = path.stat(follow_symlinks=False)
    if group_id is not None and found.st_gid != group_id:
        os.chown(path, -1, group_id, follow_symlinks=False)
    if stat.S_IMODE(found.st_mode) == mode:
        return
    faults.point("db.mend_mode")
    path.chmod(mode)
    found = path.stat(follow_symlinks=False)
    if stat.S_IMODE(found.st_mode) & ~mode:
        raise SettingsError(
            f"{display_text(str(path))} has mode {stat.S_IMODE(found.st_mode):04o} and can't be given {mode:04o}",
            hint="put the data directory on a file system that keeps permissions",
        )
