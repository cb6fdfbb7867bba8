"""Copies that share blocks with their original (reflinks), where the file system can do that.

Owns the one system call; what to do where it isn't possible (copy the bytes) is left to the caller.
"""

from __future__ import annotations

import errno
import fcntl

from pulsetui import faults
from pulsetui.files.space import space_errors

# FICLONE of ioctl_ficlonerange(2): _IOW(0x94, 9, int) in <linux/fs.h>, the same on every architecture that Python's
# wheels for Linux are built for. Python has `fcntl.FICLONE` from 3.12 on.
_FICLONE = 0x40049409
_IMPOSSIBLE = {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM, errno.ETXTBSY}


def clone(source: int, target: int) -> bool:
    """Make the open file `target` share all blocks of the open file `source`; return False where that isn't possible.

    `target` must be writable and empty. The source is not changed, whatever is later written to either.

    Raises:
        SpaceError: the disk is full.
    """
    with space_errors("clone a file"):
        try:
            faults.point("files.clone")
            fcntl.ioctl(target, _FICLONE, source)
        except OSError as error:
            if error.errno in _IMPOSSIBLE:
                return False
            raise
        faults.point("files.cloned")
    return True
