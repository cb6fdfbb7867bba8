"""The task that looks at mounts, one at a time, in a process that can be killed: `statvfs`, UUID and marker.

The invariant: it looks at the mount that it was asked about, or says that it is gone: below an unmounted one there is
another file system, which must not be taken for it. It imports little, because it stays. When to ask what, and how long
to wait for the answer, is left to `probing`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pulsetui import faults
from pulsetui.files.filesystems import fs_uuid
from pulsetui.processes.task import Emit, Orders
from pulsetui.volumes.marker import MARKER_NAME, found_in

TASK = "pulsetui.volumes.looking:look"
GONE = "it is not mounted any more"
NOT_A_FOLDER = "a file is mounted there, not a folder"
_PATH = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def look(_: dict[str, Any], emit: Emit, orders: Orders) -> dict[str, Any]:
    """Answer each order `{"id": …, "point": …}` with the fields of a `Probe`; ends with its standard input."""
    emit({"ready": True})
    while True:
        order = orders.get()
        emit(found_at(order["point"], order["id"]))


def found_at(point: str, mount_id: int) -> dict[str, Any]:
    """Return what there is at a mount point, as fields of a `Probe`. Blocks for as long as the mount hangs."""
    try:
        faults.point("volumes.probe")
        descriptor = os.open(point, _PATH)
    except NotADirectoryError:
        return {"error": NOT_A_FOLDER}
    except FileNotFoundError:
        return {"error": GONE}
    except OSError as error:
        return {"error": _reason(error)}
    try:
        if _mount_of(descriptor) != mount_id:
            return {"error": GONE}
        return _found(descriptor)
    except OSError as error:
        return {"error": _reason(error)}
    finally:
        os.close(descriptor)


def _mount_of(descriptor: int) -> int:
    """Return the id of the mount that a descriptor is in (proc_pid_fdinfo(5)), as in the first column of mountinfo."""
    for line in Path(f"/proc/self/fdinfo/{descriptor}").read_bytes().splitlines():
        if line.startswith(b"mnt_id:"):
            return int(line.split()[1])
    return -1


def _found(descriptor: int) -> dict[str, Any]:
    room = os.fstatvfs(descriptor)
    return {
        "device": os.fstat(descriptor).st_dev,
        "fs_uuid": _uuid(descriptor),
        "total_bytes": room.f_blocks * room.f_frsize,
        "available_bytes": room.f_bavail * room.f_frsize,
        "total_inodes": room.f_files,
        "free_inodes": room.f_ffree,
        **_marker(descriptor),
    }


def _uuid(descriptor: int) -> str:
    try:
        faults.point("volumes.probe_uuid")
        readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    except PermissionError:
        return ""  # not for this user to list; the rest can be told all the same
    try:
        return fs_uuid(readable)
    finally:
        os.close(readable)


def _marker(descriptor: int) -> dict[str, str]:
    try:
        marker, reason = found_in(descriptor)
    except OSError as error:
        return {"marker_error": f"{MARKER_NAME}: {_reason(error)}"}
    return {"marker_error": f"{MARKER_NAME} {reason}"} if reason else {"marker": marker}


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
