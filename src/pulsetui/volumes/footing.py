"""What a folder stands on: its file system, by what stays the same when that is mounted again, and its inode.

The device number (`st_dev`) is no part of it: it may change with each mount. Blocks: for worker threads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pulsetui import faults
from pulsetui.files.filesystems import fs_uuid
from pulsetui.files.folders import Folder
from pulsetui.volumes import identity
from pulsetui.volumes.detection import kind_of, subvolume_of
from pulsetui.volumes.mountinfo import Mount, parse_mountinfo

_UUID = "uuid:"
_FDINFO = Path("/proc/self/fdinfo")
_MOUNTINFO = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Footing:
    """Where a folder stood when it was looked at."""

    file_system: str
    """`uuid:…`; without a UUID `id:…` (f_fsid, statfs(2)); without that `from:` type and source of its mount."""
    inode: int
    device: int
    """`st_dev`, as long as it stays mounted."""
    is_read_only: bool


def footing_of(folder: Folder) -> Footing:
    """Return what an open folder stands on.

    Raises:
        OSError: it can't be looked at.
    """
    status = os.fstat(folder.fileno())
    found = os.fstatvfs(folder.fileno())
    faults.point("volumes.footing")
    readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder.fileno())
    try:
        uuid = fs_uuid(readable)
    finally:
        os.close(readable)
    if uuid:
        file_system = f"{_UUID}{uuid}"
    elif found.f_fsid:
        file_system = f"id:{found.f_fsid:016x}"
    else:
        mount = mount_of(folder)
        file_system = "" if mount is None else f"from:{mount.fs_type} {os.fsdecode(mount.source)}"
    return Footing(file_system, status.st_ino, status.st_dev, bool(found.f_flag & os.ST_RDONLY))


def volume_id(folder: Folder) -> str:
    """Return the fingerprint of the volume that an open folder is on, by which it may be tracked.

    What is known by this machine and its mount point alone has none here, since another one there would have the same:
    of that it is what `Footing.file_system` says. Empty where nothing is known.

    Raises:
        OSError: it can't be looked at.
    """
    file_system, mount = footing_of(folder).file_system, mount_of(folder)
    if mount is None:
        return file_system
    kind = kind_of(mount.fs_type)
    if kind == "network":
        return identity.network(mount.fs_type, mount.source).fingerprint
    if kind == "disk" and file_system.startswith(_UUID):
        return identity.disk(file_system.removeprefix(_UUID), subvolume_of(mount)).fingerprint
    return file_system


def mount_of(folder: Folder) -> Mount | None:
    """Return the mount that an open folder lies in; None if it was let go meanwhile.

    Raises:
        OSError: /proc can't be read.
    """
    lines = (_FDINFO / str(folder.fileno())).read_text().splitlines()
    number = next((int(line.split()[1]) for line in lines if line.startswith("mnt_id:")), -1)
    return next((mount for mount in parse_mountinfo(_MOUNTINFO.read_bytes()) if mount.id == number), None)
