"""What the kernel says of the file system that an open file or folder lies on.

Owns the one system call that Python lacks; what a file system without an identity is known by is left to `volumes`.
"""

from __future__ import annotations

import errno
import fcntl
import uuid

from pulsetui import faults

# FS_IOC_GETFSUUID of <linux/fs.h>, Linux 6.9: _IOR(0x15, 0, struct fsuuid2), that is a length and 16 bytes. The same
# number on every architecture that Python's wheels for Linux are built for.
_GETFSUUID = 0x80111500
_UUID_BYTES = 16
# EBADF: an O_PATH descriptor; EPERM and EACCES: a sandbox, or a FUSE mount of another user.
_NONE_THERE = {errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EBADF, errno.EPERM, errno.EACCES}


def fs_uuid(descriptor: int) -> str:
    """Return the UUID of the file system that a descriptor, open for reading, lies on, in lower case.

    Empty where it has none (all zeros count as none), or the kernel or the file system can't say.

    Raises:
        OSError: the file system doesn't work: EIO, ESTALE.
    """
    try:
        faults.point("files.fs_uuid")
        answer = fcntl.ioctl(descriptor, _GETFSUUID, bytes(1 + _UUID_BYTES))
    except OSError as error:
        if error.errno in _NONE_THERE:
            return ""
        raise
    found = answer[1 : 1 + answer[0]]
    if not any(found):
        return ""
    return str(uuid.UUID(bytes=found)) if len(found) == _UUID_BYTES else found.hex()
