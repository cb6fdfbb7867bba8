"""Which of the mounts are volumes: one for each file system, however often it is mounted. Pure.

The invariant: each visible mount of a file system that keeps files is in exactly one volume. What a volume is known by
is left to `identity`, and whether it answers to `probing`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pulsetui.files.locks import is_network_type
from pulsetui.volumes.identity import network_source
from pulsetui.volumes.mountinfo import visible
from pulsetui.volumes.records import Mount
from pulsetui.volumes.views import Kind

MEMORY_TYPES = frozenset({"tmpfs", "ramfs"})
OVERLAY_TYPES = frozenset({"overlay", "aufs", "fuse.fuse-overlayfs", "fuse.unionfs", "fuse.mergerfs", "unionfs"})
_TRIGGERS = frozenset({"autofs"})
"""Left out whatever the settings say: to look at one mounts something."""
_KERNEL_S = (b"/proc/", b"/sys/")
"""What is mounted below these is the kernel's, or hides some of that in a container."""
_SUBVOLUME = "subvol="
_MORE_NETWORK_TYPES = frozenset({"virtiofs"})
"""From another machine too, though SQLite is safe there."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One file system by its visible mounts, the main one first."""

    kind: Kind
    """`disk` where its identity is still to be read."""
    mounts: tuple[Mount, ...]
    first: Mount
    """Of those that show as much of it as the main one, the one that was mounted first: later ones don't change it."""
    subvolume: bytes
    """On btrfs the path of the subvolume, such as `/@home`; empty elsewhere."""

    @property
    def main(self) -> Mount:
        """The mount that shows the most of it; of those that can be written to, if there is one; the shortest."""
        return self.mounts[0]

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written to it by its main mount point."""
        return "ro" in self.main.options or "ro" in self.main.super_options


def file_systems(mounts: Iterable[Mount], ignored: Collection[str]) -> tuple[FileSystem, ...]:
    """Return the file systems of the mounts, in the order in which they were mounted; `ignored` are types."""
    groups: dict[tuple[str, ...], list[Mount]] = defaultdict(list)
    for mount in visible(mounts):
        if mount.fs_type not in _TRIGGERS and mount.fs_type not in ignored and not mount.point.startswith(_KERNEL_S):
            groups[_key(mount)].append(mount)
    return tuple(_file_system(group) for group in groups.values())


def kind_of(fs_type: str) -> Kind:
    """Return what the identity of a type of file system is made of."""
    if is_network_type(fs_type) or fs_type in _MORE_NETWORK_TYPES:
        return "network"
    if fs_type in MEMORY_TYPES:
        return "memory"
    return "overlay" if fs_type in OVERLAY_TYPES else "disk"


def _file_system(mounts: Sequence[Mount]) -> FileSystem:
    ordered = tuple(sorted(mounts, key=_rank))
    main = ordered[0]
    first = next(mount for mount in mounts if mount.root == main.root)
    return FileSystem(kind_of(main.fs_type), ordered, first, subvolume_of(main))


def _key(mount: Mount) -> tuple[str, ...]:
    """Return what two mounts of one file system have in common.

    Of a network file system that is where it comes from: the kernel may keep it twice, or two exports as one.
    """
    if kind_of(mount.fs_type) == "network":
        return "network", *network_source(mount.fs_type, mount.source)
    return "local", mount.device, os.fsdecode(subvolume_of(mount))


def subvolume_of(mount: Mount) -> bytes:
    """Return the path of the btrfs subvolume that a mount shows; empty on other file systems."""
    if mount.fs_type != "btrfs":
        return b""
    found = (option for option in mount.super_options if option.startswith(_SUBVOLUME))
    return os.fsencode(next(found, _SUBVOLUME + "/").removeprefix(_SUBVOLUME))


def _rank(mount: Mount) -> tuple[int, bool, int, bytes]:
    parts = 0 if mount.root == b"/" else mount.root.count(b"/")
    return parts, "ro" in mount.options, len(mount.point), mount.point
