"""A rename that never replaces, through `renameat2(2)`.

Owns the system call that Python's standard library lacks, and what to do where the file system lacks it too.
"""

from __future__ import annotations

import ctypes
import errno
import os

from pulsetui import faults

_RENAME_NOREPLACE = 1
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS}

_libc = ctypes.CDLL(None, use_errno=True)


def rename_no_replace(old_folder: int, old: str, new_folder: int, new: str) -> None:
    """Rename `old` in one open folder to `new` in another, only if `new` is free.

    Where the kernel or the file system doesn't know RENAME_NOREPLACE, it is a hard link and an unlink: a crash between
    the two leaves both names on the same file, which replaces nothing and loses nothing.

    Raises:
        FileExistsError: `new` is taken.
        FileNotFoundError: `old` doesn't exist.
    """
    faults.point("files.rename")
    number = _renameat2(old_folder, os.fsencode(old), new_folder, os.fsencode(new))
    if number in _UNSUPPORTED:
        link_and_unlink(old_folder, old, new_folder, new)
    elif number:
        raise OSError(number, os.strerror(number), old, None, new)
    faults.point("files.renamed")


def link_and_unlink(old_folder: int, old: str, new_folder: int, new: str) -> None:
    """Rename as two steps, which fail rather than replace on every file system that has hard links."""
    faults.point("files.link")
    os.link(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder, follow_symlinks=False)
    faults.point("files.linked")
    os.unlink(old, dir_fd=old_folder)


def _renameat2(old_folder: int, old: bytes, new_folder: int, new: bytes) -> int:
    """Return 0, or the errno."""
    call = getattr(_libc, "renameat2", None)  # glibc 2.28, musl 1.2.4
    if call is None:
        return errno.ENOSYS
    done: int = call(old_folder, old, new_folder, new, ctypes.c_uint(_RENAME_NOREPLACE))
    return ctypes.get_errno() if done else 0
