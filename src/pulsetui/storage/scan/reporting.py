"""What a walker tells its owner: folders as they are counted, gathered until they are worth a message.

The invariant: a message is one line, so an owner has all of it or nothing. What the lines say is in `walker`.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulsetui.processes.task import Emit
    from pulsetui.storage.scan.listing import Counted
    from pulsetui.storage.scan.records import CategoryCount

_UNITS = 1_000
"""Folders, files with several names and folders below: about so many make a message of 64 KiB."""
_LATEST_S = 0.1

_BLOCK_BYTES = 512  # as in `records`, which would load dataclasses here
Item = tuple[bytes, int, int, bool]
"""A folder to be listed: path below the root, share, shares, and whether to go on below it."""


class Report:
    """What is to be told to the owner, kept until it is worth a message."""

    def __init__(self, emit: Emit) -> None:
        """Take what sends."""
        self._emit = emit
        self._parts: list[list[Any]] = []
        self._units = 0
        self._counted = [0, 0]
        self._sent_at = time.monotonic()

    def gone(self, path: bytes, share: int) -> None:
        """Report a folder that is not there any more, or not ours."""
        self._add([path.decode("latin-1"), share, True], 1)

    def listed(
        self,
        path: bytes,
        share: int,
        head: list[int],
        part: Counted | None,
        folders: list[bytes],
        error: str,
        *,
        last: bool,
    ) -> None:
        """Report a folder or a part of it."""
        sums, links = self._counts(part) if part else ([], [])
        below = [name.decode("latin-1") for name in folders]
        newest_ns = part.newest_ns if part else 0
        self._add(
            [path.decode("latin-1"), share, last, head, sums, newest_ns, error, below, links],
            5 + len(links) + len(below),
        )

    def _counts(self, part: Counted) -> tuple[list[CategoryCount], list[list[Any]]]:
        """Return sums and links of a part, blocks as bytes, and count them as progress."""
        sums: list[CategoryCount] = []
        for category, files, total_bytes, blocks in part.sums:
            sums.append((category, files, total_bytes, blocks * _BLOCK_BYTES))
            self._counted[0] += files
            self._counted[1] += total_bytes
        self._counted[0] += len(part.links)
        links = [
            [device, inode, name.decode("latin-1"), category, total_bytes, blocks * _BLOCK_BYTES, mtime_ns]
            for device, inode, name, category, total_bytes, blocks, mtime_ns in part.links
        ]
        return sums, links

    def split(self, path: bytes, shares: int) -> None:
        """Say that this walker lists one share of a folder only."""
        self.send(split=[path.decode("latin-1"), shares])

    def send(
        self,
        *,
        gave: list[Item] | None = None,
        split: list[Any] | None = None,
        idle: bool = False,
    ) -> None:
        """Send what is kept, and what else there is to say."""
        given = [[path.decode("latin-1"), *rest] for path, *rest in gave or ()]
        counted, self._counted = self._counted, [0, 0]
        self._emit({"listed": self._parts, "counted": counted, "gave": given, "split": split, "idle": idle})
        self._parts = []
        self._units = 0
        self._sent_at = time.monotonic()

    def _add(self, part: list[Any], units: int) -> None:
        self._parts.append(part)
        self._units += units
        if self._units >= _UNITS or time.monotonic() - self._sent_at >= _LATEST_S:
            self.send()


NO_HEAD = [0, 0, 0, 0, 0]


def head_of(status: os.stat_result) -> list[int]:
    """Return device, inode, mtime, ctime and blocks of a folder.

    A folder that changed within the tick of the clock in which it is listed could change again without a new time:
    its ctime is given as 0, which nothing equals, so that the next scan lists it again. File systems that keep whole
    seconds (or two) show it by zeros.
    """
    changed_ns = max(status.st_mtime_ns, status.st_ctime_ns)
    tick_ns = 20_000_000 if changed_ns % 1_000_000_000 else 2_000_000_000
    ctime_ns = status.st_ctime_ns if time.time_ns() - changed_ns > tick_ns else 0
    return [status.st_dev, status.st_ino, status.st_mtime_ns, ctime_ns, status.st_blocks * _BLOCK_BYTES]
