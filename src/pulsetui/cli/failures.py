"""What went wrong, as one error that says what happened, on what, and what to do next; whatever was raised.

The last resort: rooms translate what they foresee. Here come the errors of the system that nobody met on the way.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator

from pulsetui.errors import DatabaseError, NotFoundError, NotPermittedError, PulseError, SpaceError

_BUG = "this is a fault in pulsetui: run it again with --debug, and report what it prints"
_KINDS: dict[int, tuple[type[PulseError], str]] = {
    errno.EACCES: (NotPermittedError, "check who owns it and its rights (ls -ld), or name another one"),
    errno.EPERM: (NotPermittedError, "check who owns it and its rights (ls -ld), or name another one"),
    errno.EROFS: (PulseError, "the file system is mounted read-only: mount it for writing, or name another folder"),
    errno.ENOSPC: (SpaceError, "free some space on that file system (df -h; df -i for inodes)"),
    errno.EDQUOT: (SpaceError, "the disk quota is used up: free some space (quota -s)"),
    errno.ENOENT: (NotFoundError, "check the path"),
    errno.ENOTDIR: (PulseError, "a part of the path is a file, not a folder: check the path"),
    errno.EISDIR: (PulseError, "it is a folder, and a file was expected: check the path"),
    errno.ELOOP: (PulseError, "its symbolic links lead in a circle: check them"),
    errno.ENAMETOOLONG: (PulseError, "use a shorter path"),
    errno.EMFILE: (PulseError, "this process may open no more files: raise the limit (ulimit -n)"),
    errno.ENFILE: (PulseError, "the machine has too many open files: end something, or raise fs.file-max"),
    errno.EIO: (PulseError, "check the disk and the kernel's log (dmesg)"),
    errno.ENOMEM: (PulseError, "the machine is out of memory: end something"),
}


def explained(error: BaseException) -> PulseError:
    """Return `error`, or what a group of errors holds, as one of ours; ours go before others."""
    leaves = list(_leaves(error))
    for leaf in leaves:
        if isinstance(leaf, PulseError):
            return leaf
    return _translated(leaves[0])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _translated(error: BaseException) -> PulseError:
    if isinstance(error, OSError) and error.errno is not None:
        kind, hint = _KINDS.get(error.errno, (PulseError, "run it again with --debug for the place"))
        what = error.strerror or os.strerror(error.errno)
        where = error.filename if error.filename is not None else ""
        return kind(f"{os.fsdecode(where)}: {what}" if isinstance(where, str | bytes) and where else what, hint=hint)
    if isinstance(error, MemoryError):
        return PulseError("out of memory", hint="end something, or give it less at a time")
    if isinstance(error, sqlite3.Error):
        return DatabaseError(f"the database answered: {error}", hint=_BUG)
    return PulseError(f"something unforeseen: {type(error).__name__}: {error}", hint=_BUG)
