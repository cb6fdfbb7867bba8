"""The names in the current folder that a walker is to count: not the excluded ones, and of a huge folder its share.

Each walker lists a huge folder for itself: the kernel does that several times faster than one could tell another a
name. Shares go by inode number, so a file that is renamed between two listings is in one share all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

_ENTRY_BYTES = 12
"""A folder of this size for each of its names may be huge: then that is found out while it is listed. Most file systems
have no smaller entries, but for those whose folders have another kind of size: there it is found out afterwards."""


class Names:
    """Lists the current folder."""

    def __init__(self, exclude: str, shares: int, huge: int) -> None:
        """Take what to leave out (a regular expression over Latin-1, or nothing) and when a folder is shared."""
        self._wanted = _not_matching(exclude) if exclude else None
        self._shares = shares
        self._huge = huge

    def here(self, size_bytes: int, split: Callable[[int], None]) -> Sequence[bytes]:
        """Return all names; or, if there are too many for one, call `split` with the number of shares first.

        Then the names are those of the first share, numbered 0. `size_bytes` is the folder's own size.

        Raises:
            OSError: the folder can't be read.
        """
        if self._shares > 1 and size_bytes >= self._huge * _ENTRY_BYTES:
            return self._first_share(split)
        names = self._of_use(os.listdir(b"."))  # noqa: PTH208 - Path has no names in bytes
        if self._shares == 1 or len(names) <= self._huge:
            return names
        split(self._shares)
        return self.share(0, self._shares)

    def share(self, share: int, shares: int) -> Sequence[bytes]:
        """Return the names whose inode number leaves `share` when divided by `shares`.

        Raises:
            OSError: the folder can't be read.
        """
        with os.scandir(b".") as entries:
            return self._of_use([entry.name for entry in entries if entry.inode() % shares == share])

    def _first_share(self, split: Callable[[int], None]) -> Sequence[bytes]:
        """Split as soon as there are too many names, so that the others begin while this walker is still listing."""
        with os.scandir(b".") as entries:
            first = [(entry.name, entry.inode()) for entry in islice(entries, self._huge + 1)]
            if len(first) <= self._huge:
                return self._of_use([name for name, _ in first])
            split(self._shares)
            names = [name for name, inode in first if inode % self._shares == 0]
            names += [entry.name for entry in entries if entry.inode() % self._shares == 0]
            return self._of_use(names)

    def _of_use(self, names: list[bytes]) -> list[bytes]:
        return names if self._wanted is None else [name for name in names if self._wanted(name)]


def _not_matching(pattern: str) -> Callable[[bytes], Any]:
    import re  # only where somebody excludes something

    excluded = re.compile(pattern.encode("latin-1")).match
    return lambda name: excluded(name) is None
