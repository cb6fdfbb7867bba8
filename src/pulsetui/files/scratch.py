"""A file without a name, for bytes that nobody is to find: it is gone with the last descriptor, also after a kill.

The invariant: while `scratch_file` is open, and after it in any case, neither the file nor its folder can be seen. Only
a kill between two system calls leaves an empty one of the two; the next call removes it. On NFS, whose client keeps
open files under names of its own, the folder goes when the file does.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pulsetui import faults
from pulsetui.files.durable import close
from pulsetui.files.folders import Folder
from pulsetui.files.space import space_errors

_PREFIX = "scratch-"
_NO_UNNAMED = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}
"""What file systems (and kernels) without O_TMPFILE say: open(2)."""


@contextmanager
def scratch_file(place: Folder, name: str) -> Iterator[int]:
    """Open an empty file in the folder `name` of `place`, and yield its descriptor, for reading and writing.

    Raises:
        PermissionError: this user may not write there.
        SpaceError: the disk is full.
    """
    descriptor = -1
    try:
        with place.below(name, create=True) as folder:
            _clear(folder)
            descriptor = _unnamed(folder)
            if descriptor < 0:
                descriptor = _unlinked(folder)
        place.remove_folder(name)  # an open file needs none
        yield descriptor
    finally:
        if descriptor >= 0:
            close(descriptor)
        with suppress(OSError):
            place.remove_folder(name)


def _unnamed(folder: Folder) -> int:
    """Return the descriptor of a new file that never had a name; -1 where there is no such thing."""
    with space_errors("create a file"):
        try:
            faults.point("files.scratch")
            return os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=folder.fileno())
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
            return -1


def _unlinked(folder: Folder) -> int:
    """Return the descriptor of a new file whose name is gone already."""
    name = f"{_PREFIX}{os.urandom(8).hex()}"
    descriptor = folder.create(name)
    try:
        folder.unlink(name)
    except OSError:
        close(descriptor)
        raise
    return descriptor


def _clear(folder: Folder) -> None:
    """Remove what a kill left. Of one in use, only the name could be met, and that goes anyway."""
    for name in folder.names():
        if name.startswith(_PREFIX):
            with suppress(FileNotFoundError):
                folder.unlink(name)
