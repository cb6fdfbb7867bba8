"""Folders that grow while a tree of plain folders is read, and the frozen nodes that they become.

The invariant: the children of a node sum to it exactly. What has no node of its own, and what the folder itself takes
on disk, is one more child beside those that have. Which folders and files get nodes is left to `tree`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pulsetui.clock import from_ms
from pulsetui.storage.tree.listing import FILES, ITSELF
from pulsetui.storage.views import CATEGORIES, NOTHING, OTHER, Amount, StorageNode

Sums = dict[int, tuple[int, int, int]]
"""Files, apparent bytes, allocated bytes, by category index."""


class PlainFile(NamedTuple):
    """A file, link or other entry that is no folder."""

    name: bytes
    category: int
    total_bytes: int
    allocated_bytes: int
    newest_ns: int = 0
    error: str = ""
    file_count: int = 1
    """0 for what is named but not counted: excluded, or not to be read."""


@dataclass(slots=True, eq=False)
class Branch:
    """A folder that grows. Held by who reads, and handed back to the tree with what was found in it."""

    name: bytes
    depth: int
    above: Branch | None
    blocks_bytes: int = 0
    """What the folder itself takes on disk."""
    folders: dict[bytes, Branch] = field(default_factory=dict)
    files: list[PlainFile] = field(default_factory=list)
    summed: Sums = field(default_factory=dict)
    """Files that have no node, its own and those of folders that have none."""
    newest_ns: int = 0
    error: str = ""
    hides: bool = False
    """There are folders or files in it that have no node."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A node with what its parent adds up."""

    node: StorageNode
    sums: Sums
    newest_ns: int


def freeze(branch: Branch, below: list[Frozen], path: bytes, top: bytes) -> Frozen:
    """Return the node of a folder whose folders are frozen; `path` is its own below `top`, which is absolute."""
    sums = dict(branch.summed)
    add_to(sums, OTHER, 0, 0, branch.blocks_bytes)
    own_newest_ns = branch.newest_ns
    children = [frozen.node for frozen in below]
    if children or branch.files:
        children += [_file_node(file, path, top) for file in branch.files]
        if any(map(any, sums.values())):
            children.append(_rest_node(dict(sums), path, own_newest_ns, beside=bool(branch.files)))
    newest_ns = max([own_newest_ns, *(file.newest_ns for file in branch.files), *(each.newest_ns for each in below)])
    for file in branch.files:
        add_to(sums, file.category, file.file_count, file.total_bytes, file.allocated_bytes)
    for frozen in below:
        for category, counts in frozen.sums.items():
            add_to(sums, category, *counts)
    node = _node(
        *("folder", path, branch.name, sums, newest_ns),
        absolute=_absolute(top, path),
        children=tuple(sorted(children, key=_largest_first)),
        has_more=branch.hides,
        error=branch.error,
    )
    return Frozen(node, sums, newest_ns)


def add_to(sums: Sums, category: int, count: int, total_bytes: int, allocated_bytes: int) -> None:
    """Add files to the sums of their category."""
    known = sums.get(category, (0, 0, 0))
    sums[category] = (known[0] + count, known[1] + total_bytes, known[2] + allocated_bytes)


def _file_node(file: PlainFile, path: bytes, top: bytes) -> StorageNode:
    below = path + b"/" + file.name if path else file.name
    sums = {file.category: (file.file_count, file.total_bytes, file.allocated_bytes)}
    return _node("file", below, file.name, sums, file.newest_ns, absolute=_absolute(top, below), error=file.error)


def _rest_node(sums: Sums, path: bytes, newest_ns: int, *, beside: bool) -> StorageNode:
    """Return the node of what has none of its own: the folder's own blocks, and files `beside` such that have one."""
    files = sum(count for count, _, _ in sums.values())
    name = ITSELF if not files else f"({files:,} more files)" if beside else FILES
    return _node("files", path, name, sums, newest_ns)


def _node(
    kind: str,
    path: bytes,
    name: bytes | str,
    sums: Sums,
    newest_ns: int,
    *,
    absolute: bytes | None = None,
    children: tuple[StorageNode, ...] = (),
    has_more: bool = False,
    error: str = "",
) -> StorageNode:
    categories = [NOTHING] * len(CATEGORIES)
    for category, (count, total_bytes, allocated_bytes) in sums.items():
        categories[category] = Amount(total_bytes, allocated_bytes, count)
    return StorageNode(
        key=f"{kind}:0:{os.fsdecode(path)}",
        name=os.fsdecode(name),
        entity_type=kind,
        entity_id=None,
        size=sum(categories, NOTHING),
        path=absolute,
        categories=tuple(categories),
        newest_at=_moment(newest_ns),
        children=children,
        has_more=has_more,
        error=error,
    )


def _absolute(top: bytes, path: bytes) -> bytes:
    return top.rstrip(b"/") + b"/" + path if path else top


def _moment(newest_ns: int) -> datetime | None:
    """Return a time, or None for none and for one that is no year of ours: files may claim any."""
    try:
        return from_ms(newest_ns // 1_000_000) if newest_ns else None
    except OverflowError:
        return None


def _largest_first(node: StorageNode) -> tuple[int, str]:
    return -node.size.allocated_bytes, node.key
