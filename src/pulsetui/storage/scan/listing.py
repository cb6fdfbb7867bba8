"""Counts what lies in one folder: the inner loop of a walker, run once for every file there is.

Works on the current folder of its process, which is what the walker moves: names without a path before them are what
the kernel looks up fastest. The invariant: what vanished since it was listed is left out, and what can't be looked at
is an error of the folder, never a file of no size. Which folders are entered is left to `walker`.

Kept free of dataclasses and `re`, which would double the time that a walker takes to start.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

_KIND = 0o170000  # stat.S_IFMT and the like: constants, since a call for each file would cost as much as counting it
_FOLDER = 0o040000
_REGULAR = 0o100000
_KEPT_SUFFIXES = 4096

Folder = tuple[bytes, int, int]
"""A folder that was met: its name, device and inode."""

Link = tuple[int, int, bytes, int, int, int, int]
"""Device, inode, name, category, bytes, blocks, mtime in ns: a file with more than one name."""


class Categories(dict[bytes, int]):
    """The category of a name by its suffix: `by_suffix[name[name.rfind(b".", 1):]]`.

    A name without a dot, but for its first letter, gives its last letter, which is nobody's suffix. So it comes to what
    `categories.category_of` says. What is found out is kept: case is folded once for each way of writing a suffix.
    """

    def __init__(self, by_extension: Mapping[str, int], fixed: int | None, other: int) -> None:
        """Take categories by extension (lower case, without the dot), or the one that all names have."""
        super().__init__()
        self._by_extension = by_extension
        self._fixed = fixed
        self._other = other

    def __missing__(self, suffix: bytes) -> int:
        """Find the category of a suffix that is met for the first time."""
        found = self._fixed
        if found is None:
            dotted = suffix.startswith(b".")
            extension = suffix[1:].decode("utf-8", "surrogateescape").casefold() if dotted else ""
            found = self._by_extension.get(extension, self._other)
        if len(self) < _KEPT_SUFFIXES:
            self[suffix] = found
        return found


class Counted:
    """What a number of names of one folder came to."""

    __slots__ = ("error", "files", "folders", "links", "newest_ns", "sums")

    def __init__(self, categories: int) -> None:
        """Begin with nothing, for so many categories."""
        self.sums = [[0, 0, 0] for _ in range(categories)]
        """Files, bytes and blocks by category."""
        self.links: list[Link] = []
        self.folders: list[Folder] = []
        self.newest_ns = 0
        self.error: OSError | None = None
        """The first that was met."""


def count(names: Sequence[bytes], by_suffix: Categories, categories: int) -> Counted:
    """Look at `names` in the current folder and count them."""
    counted = Counted(categories)
    rows = zip(names, map(os.lstat, names), strict=True)
    while True:
        try:
            _count_rows(rows, by_suffix, counted)
        except FileNotFoundError:
            continue  # renamed or deleted since it was listed; `rows` goes on behind it
        except OSError as error:
            counted.error = counted.error or error
        else:
            return counted


def _count_rows(rows: Iterable[tuple[bytes, os.stat_result]], by_suffix: Categories, counted: Counted) -> None:
    sums = counted.sums
    newest_ns = counted.newest_ns
    try:
        for name, status in rows:
            # Folders, pipes and devices are below _REGULAR; sockets, links and files are not.
            if status.st_nlink != 1 or status.st_mode < _REGULAR:
                if status.st_mode & _KIND == _FOLDER:
                    counted.folders.append((name, status.st_dev, status.st_ino))
                    continue
                if status.st_nlink > 1:
                    counted.links.append(_link(name, status, by_suffix))
                    continue
            sizes = sums[by_suffix[name[name.rfind(b".", 1) :]]]
            sizes[0] += 1
            sizes[1] += status.st_size
            sizes[2] += status.st_blocks
            if status.st_mtime_ns > newest_ns:
                newest_ns = status.st_mtime_ns
    finally:
        counted.newest_ns = newest_ns


def _link(name: bytes, status: os.stat_result, by_suffix: Categories) -> Link:
    category = by_suffix[name[name.rfind(b".", 1) :]]
    sizes = (status.st_size, status.st_blocks, status.st_mtime_ns)
    return (status.st_dev, status.st_ino, name, category, *sizes)
