"""Who may look: the permission bits of our folders and files, and the mending of those that have others.

The invariant: a folder that `mend_below` returned from holds no file and no folder that lets in more, or fewer, than
its modes say. Links are neither followed nor touched.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pulsetui import faults


@dataclass(frozen=True, slots=True)
class Modes:
    """The permission bits of folders and files, and the group that they belong to, if any."""

    folder: int = 0o700
    file: int = 0o600
    group_id: int | None = None

    def fits(self, found: os.stat_result) -> bool:
        """Say whether a folder has these modes."""
        return stat.S_IMODE(found.st_mode) == self.folder and self.group_id in (None, found.st_gid)


PRIVATE = Modes()
"""For the owner alone."""


def let_in(modes: Modes) -> None:
    """Let the umask leave the group what `modes` give it. It is the process's, and that of all that it starts."""
    if modes.group_id is not None:
        os.umask(os.umask(0o077) & ~0o070)


def mend_below(root: Path, modes: Modes) -> None:
    """Give a folder of ours, and all that is in it, its modes. Nothing to do if the folder has them: it gets them last.

    What is made in it later belongs to its group by itself, since the folders are set-group-ID.

    Raises:
        OSError: something can't be changed.
    """
    if modes.fits(root.stat(follow_symlinks=False)):
        return
    for _, _, names, descriptor in os.fwalk(root, topdown=False, onerror=_refuse):
        for name in names:
            with _opened(name, descriptor) as file:
                if file is not None:
                    _mend(file, modes.file, modes.group_id)
        _mend(descriptor, modes.folder, modes.group_id)


@contextmanager
def _opened(name: str, folder: int) -> Iterator[int | None]:
    """Open a regular file; None for anything else, or if it is gone by now."""
    faults.point("files.mend_open")
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
            raise
        yield None
        return
    try:
        yield descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    finally:
        os.close(descriptor)


def _mend(descriptor: int, mode: int, group_id: int | None) -> None:
    faults.point("files.mend_mode")
    if group_id is not None and os.fstat(descriptor).st_gid != group_id:
        os.fchown(descriptor, -1, group_id)
    os.fchmod(descriptor, mode)


def _refuse(error: OSError) -> None:
    raise error
