"""The root of a scan on disk: held open, so that whatever happens to its name, it stays clear which folder it was.

While its descriptor is open the kernel gives its inode number to nobody else. Its calls block.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pulsetui import faults
from pulsetui.errors import NotFoundError, PulseError
from pulsetui.files.names import display_text
from pulsetui.storage.scan.bounds import Bounds
from pulsetui.storage.scan.mounts import mounts_below, read_table


@dataclass(frozen=True, slots=True)
class Place:
    """A root that is being scanned."""

    path: Path
    descriptor: int
    """Of the kind that only names a folder (O_PATH)."""
    identity: tuple[int, int]
    """Device and inode."""
    bounds: Bounds

    @classmethod
    def open(cls, path: Path, leave_out: frozenset[tuple[int, int]], *, cross_mounts: bool) -> Self:
        """Open a root; a link is followed, since the settings may name one.

        Raises:
            NotFoundError: it is not there, or no folder.
            PulseError: it can't be reached.
        """
        try:
            faults.point("storage.scan_place")
            descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(f"{display_text(str(path))} is not there: {error.strerror}") from error
        except OSError as error:
            raise PulseError(f"{display_text(str(path))} can't be reached: {error.strerror}") from error
        status = os.fstat(descriptor)
        mounts = frozenset[bytes]()
        if not cross_mounts:
            mounts = mounts_below(bytes(Path(f"/proc/self/fd/{descriptor}").readlink()), read_table())
        bounds = Bounds(None if cross_mounts else status.st_dev, mounts, leave_out)
        return cls(path, descriptor, (status.st_dev, status.st_ino), bounds)

    def verify(self) -> None:
        """See that the root is still the one that was opened, under its name.

        Raises:
            NotFoundError: it was removed, renamed, replaced or unmounted.
        """
        try:
            status = self.path.stat()
            there = (status.st_dev, status.st_ino) == self.identity
        except OSError:
            there = False
        if not there:
            raise NotFoundError(f"{self.shown()} went away during the scan")

    def shown(self) -> str:
        """Return its path as harmless text."""
        return display_text(str(self.path))

    def close(self) -> None:
        """Let it go."""
        os.close(self.descriptor)
