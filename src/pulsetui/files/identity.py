"""`FileIdentity`: which file it is and in what state, so that another one of the same name isn't taken for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Which file it is (device, inode) and in what state (size, mtime), from `stat`."""

    device: int
    inode: int
    size_bytes: int
    mtime_ns: int
    allocated_bytes: int
    """What it takes on disk: `st_blocks` of 512 bytes, which for a sparse file is less than its size."""

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the identity that a `stat` result holds."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_blocks * 512)

    def same_file(self, other: FileIdentity) -> bool:
        """Say whether device, inode and size are equal; the mtime may differ (a copy of times changes it)."""
        return (self.device, self.inode, self.size_bytes) == (other.device, other.inode, other.size_bytes)
