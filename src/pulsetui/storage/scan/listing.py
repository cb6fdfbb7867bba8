"""Counts what lies in one folder: the inner loop of a walker, run once for every file there is.

Works on the current folder of its process, which is what the walker moves: names without a path before them are what
the kernel looks up fastest. The invariant: what vanished since it was listed is left out, and what can't be looked at
is an error of the folder, never a file of no size. Which folders are entered is left to `walker`.

Kept free of dataclasses and `re`, which would double the time that a walker takes to start.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

_KIND = 0o170000  # stat.S_IFMT and the like: constants, since a call for each file would cost as much as counting it
_FOLDER = 0o040000
_REGULAR = 0o100000
_KEPT_EXTENSIONS = 4096

Folder = tuple[bytes, int, int]
"""A folder that was met: its name, device and inode."""

Link = tuple[int, int, bytes, int, int, int, int]
"""Device, inode, name, category, bytes, blocks, mtime in ns: a file with more than one name."""


class Sums(dict[bytes, list[int]]):
    """What the files of a folder come to, by extension: `sums[extension]` is files, bytes and blocks of its category.

    Extensions of a category share a list, so that counting a file takes one look-up. What is found out of an extension
    is kept: its case is folded once for each way of writing it. A name without extension has the empty one.
    """

    def __init__(self, by_extension: Mapping[str, int], fixed: int | None, other: int, categories: int) -> None:
        """Take categories by extension (case folded), or the one that all names have; and how many there are."""
        super().__init__()
        self._by_extension = by_extension
        self._fixed = fixed
        self._other = other
        self._lists = [[0, 0, 0] for _ in range(categories)]

    def __missing__(self, extension: bytes) -> list[int]:
        """Find the sums of an extension that is met for the first time."""
        found = self._lists[self.category(extension)]
        if len(self) < _KEPT_EXTENSIONS:
            self[extension] = found
        return found

    def category(self, extension: bytes) -> int:
        """Return the category of an extension, as `categories.category_of` has it."""
        if self._fixed is not None:
            return self._fixed
        return self._by_extension.get(extension.decode(errors="replace").casefold(), self._other)

    def taken(self) -> list[tuple[int, int, int, int]]:
        """Return category, files, bytes and blocks of what was counted since the last call, and begin anew."""
        taken = []
        for category, sums in enumerate(self._lists):
            files, total_bytes, blocks = sums
            if files:
                taken.append((category, files, total_bytes, blocks))
                sums[:] = (0, 0, 0)
        return taken


class Counted:
    """What a number of names of one folder came to."""

    __slots__ = ("error", "folders", "links", "newest_ns", "sums")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.sums: list[tuple[int, int, int, int]] = []
        """Category, files, bytes and blocks."""
        self.links: list[Link] = []
        self.folders: list[Folder] = []
        self.newest_ns = 0
        self.error: OSError | None = None
        """The first that was met."""


def count(names: Sequence[bytes], sums: Sums, look: Callable[[bytes], os.stat_result] = os.lstat) -> Counted:
    """Look at `names` in the current folder, or where `look` does, and count them."""
    counted = Counted()
    rows = zip(names, map(look, names), strict=True)
    while True:
        try:
            _count_rows(rows, sums, counted)
        except FileNotFoundError:
            continue  # renamed or deleted since it was listed; `rows` goes on behind it
        except OSError as error:
            counted.error = counted.error or error
        else:
            counted.sums = sums.taken()
            return counted


def _count_rows(rows: Iterable[tuple[bytes, os.stat_result]], sums: Sums, counted: Counted) -> None:
    newest_ns = counted.newest_ns
    try:
        for name, status in rows:
            # Folders, pipes and devices are below _REGULAR; sockets, links and files are not.
            if status.st_nlink != 1 or status.st_mode < _REGULAR:
                if status.st_mode & _KIND == _FOLDER:
                    counted.folders.append((name, status.st_dev, status.st_ino))
                    continue
                if status.st_nlink > 1:
                    counted.links.append(_link(name, status, sums))
                    continue
            stem, _, extension = name.rpartition(b".")
            sizes = sums[extension if stem else b""]
            sizes[0] += 1
            sizes[1] += status.st_size
            sizes[2] += status.st_blocks
            mtime_ns = status.st_mtime_ns
            if mtime_ns > newest_ns:
                newest_ns = mtime_ns
    finally:
        counted.newest_ns = newest_ns


def _link(name: bytes, status: os.stat_result, sums: Sums) -> Link:
    stem, _, extension = name.rpartition(b".")
    category = sums.category(extension if stem else b"")
    sizes = (status.st_size, status.st_blocks, status.st_mtime_ns)
    return (status.st_dev, status.st_ino, name, category, *sizes)
