"""Advisory locks on open files, and which file systems can't be trusted with them.

A lock belongs to the open file, and the kernel lets it go when its last descriptor is closed, so on any death of the
process. Which file means what is left to those who lock it.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

from pulsetui import faults

# One a line would be longer than the rest of the module.
# fmt: off
_NETWORK_TYPES = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf",
})
_NETWORK_FUSE = frozenset({
    "ceph-fuse", "curlftpfs", "davfs2", "gcsfuse", "glusterfs", "goofys", "mount-s3", "rclone", "s3fs", "smbnetfs",
    "sshfs", "vmhgfs-fuse",
})
# fmt: on
_OCTAL = re.compile(r"\\([0-7]{3})")


def lock_exclusive(descriptor: int) -> bool:
    """Take the file for this open descriptor alone, without waiting; return False if someone has it."""
    faults.point("files.lock")
    return _flock(descriptor, fcntl.LOCK_EX)


def lock_shared(descriptor: int) -> bool:
    """Take the file together with other shared holders, without waiting; return False if someone has it alone."""
    faults.point("files.lock_shared")
    return _flock(descriptor, fcntl.LOCK_SH)


def is_network_file_system(path: Path) -> bool:
    """Say whether `path`, which needn't exist yet, lies on a network file system, from `/proc/self/mountinfo`.

    There SQLite's write-ahead log, which needs shared memory, and `flock` can't keep their word.
    """
    mountinfo = os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    return is_network_type(mount_type(mountinfo, path.resolve()))


def is_network_type(file_system: str) -> bool:
    """Say whether a type from `/proc/self/mountinfo`, such as `nfs4` or `fuse.sshfs`, is a network file system."""
    kind, _, subtype = file_system.partition(".")
    return kind in _NETWORK_TYPES or (kind == "fuse" and subtype in _NETWORK_FUSE)


def mount_type(mountinfo: str, path: Path) -> str:
    """Return the type of the file system that an absolute path without links lies on; empty if no mount holds it.

    Of mounts on the same point the last one counts: it hides the others (proc(5), "mountinfo").
    """
    found, found_depth = "", -1
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        if len(point.parts) >= found_depth and path.is_relative_to(point):
            found, found_depth = after.split(" ")[0], len(point.parts)
    return found


def _flock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
