"""Which folders below a root are not the root's own: other file systems, mounts, and other roots.

Used by owner and walkers alike, so it imports nothing.
"""

from __future__ import annotations


class Bounds:
    """Says of a folder that was met whether it is to be left out."""

    __slots__ = ("device", "leave_out", "mounts")

    def __init__(self, device: int | None, mounts: frozenset[bytes], leave_out: frozenset[tuple[int, int]]) -> None:
        """Take the only device to stay on, or None for any; mount points below the root; (device, inode) of folders."""
        self.device = device
        self.mounts = mounts
        self.leave_out = leave_out

    def leave(self, path: bytes, device: int, inode: int) -> bool:
        """Whether the folder at `path`, below the root, is somebody else's."""
        if self.device is not None and device != self.device:
            return True
        return path in self.mounts or (device, inode) in self.leave_out
