"""Settles what is met more than once: files with several names, folders in two places. Pure.

The invariant: each inode has one owner, chosen by path alone (names outside trash first, then the smallest whole path,
as bytes), so that no total changes because something was scanned earlier.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pulsetui.storage.roots import Root
from pulsetui.storage.scan.records import FolderRecord, LinkedFile

Records: TypeAlias = Mapping[int, Mapping[bytes, FolderRecord]]
"""All folders, by root's id and path below the root."""
FolderKey: TypeAlias = tuple[int, bytes]
"""A folder: root's id and path below the root."""
_Inode: TypeAlias = tuple[int, int]
_Rank: TypeAlias = tuple[bool, bytes]


def met_twice(roots: Sequence[Root], records: Records) -> frozenset[FolderKey]:
    """Return the folders that are another one under a second path, and don't count."""
    owners: dict[_Inode, tuple[Root, bytes]] = {}
    found: set[FolderKey] = set()
    for root in roots:
        for path, record in records.get(root.id, {}).items():
            if not record.inode:
                continue  # it could not be looked at
            inode = (record.device, record.inode)
            other = owners.setdefault(inode, (root, path))
            if other[1] is path and other[0] is root:
                continue
            if _rank(root, path) < _rank(*other):
                owners[inode] = (root, path)
                found.add((other[0].id, other[1]))
            else:
                found.add((root.id, path))
    return frozenset(found)


def settle_links(
    roots: Sequence[Root], records: Records, *, leave_out: frozenset[FolderKey] = frozenset()
) -> dict[FolderKey, list[LinkedFile]]:
    """Return the files with several names that count in each folder, each inode in one folder only.

    `leave_out` names folders that don't count.
    """
    owners: dict[_Inode, tuple[_Rank, FolderKey, LinkedFile]] = {}
    for root in roots:
        for path, record in records.get(root.id, {}).items():
            if not record.links or (root.id, path) in leave_out:
                continue
            for link in record.links:
                inode, rank = (link.device, link.inode), _rank(root, path, link.name)
                known = owners.get(inode)
                if known is None or rank < known[0]:
                    owners[inode] = (rank, (root.id, path), link)
    settled: dict[FolderKey, list[LinkedFile]] = {}
    for _, folder, link in owners.values():
        settled.setdefault(folder, []).append(link)
    return settled


def _rank(root: Root, path: bytes, name: bytes = b"") -> _Rank:
    return root.kind == "trash", os.path.join(os.fsencode(root.path), path, name)  # noqa: PTH118 - bytes
