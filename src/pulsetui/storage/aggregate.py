"""Adds folders up to entities: how large each node of the hierarchy is.

The tree is: the library; in it the entities of the top level, `unassigned` and `system`; in `system` its parts, one of
which is the trash. Invariants:

- `total` is a node's own amounts and the totals of its children, exactly, category by category. So all that lies in the
  roots, but for trash, is in the library's total once, as `du` counts it: folders too, each inode once.
- Trash is no active storage. It is in `trash` and in no `own` or `total`: that of the trash part is what lies in the
  trash folders, that of each other node the sum over its children, so the library's is all of it. What is drawn,
  `total` plus `trash`, therefore sums exactly too, and is all that is on disk in the roots.
- Every node that there is has figures: entities without a file, and all parts, have zeros.

Pure: runs in a worker thread. Who owns what is met twice is settled in `links`, which folder is whose in `placing`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pulsetui.catalog.entities import Placed
from pulsetui.storage.links import Records, met_twice, settle_links
from pulsetui.storage.placing import PARTS, TRASH, NodeKey, Placing
from pulsetui.storage.roots import Root
from pulsetui.storage.scan.records import FolderRecord, LinkedFile
from pulsetui.storage.views import CATEGORIES, NOTHING, OTHER, Amount

__all__ = ["EMPTY", "PARTS", "TRASH", "NodeKey", "Records", "Usage", "aggregate"]

Amounts = tuple[Amount, ...]
"""One for each of `CATEGORIES`, in their order."""
EMPTY: Amounts = (NOTHING,) * len(CATEGORIES)
_SLOTS = 3 * len(CATEGORIES)
_FOLDER_SLOT = 3 * OTHER + 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What one node of the hierarchy takes."""

    parent: NodeKey | None
    """The node that it is in; None for the library."""
    own: Amounts = EMPTY
    """Its files and folders that are in none of its children, by category. Folders are `other`, and no files."""
    total: Amounts = EMPTY
    """Its own and everything below it, by category."""
    trash: Amount = NOTHING
    """What lies in the trash folders that are in it. In no `own` and no `total`."""
    newest_ns: int = 0
    """When the newest file in it was written, trash aside; 0 without files."""
    verified_ms: int = 0
    """When the part of it that was longest not listed was last listed, in ms since 1970; 0: it has no folder."""
    unreadable: int = 0
    """How many folders in it could not be read."""
    error: str = ""
    """What could not be read in it, in one sentence, or empty. Raw text: names the path."""

    @property
    def own_size(self) -> Amount:
        """`own` over all categories."""
        return sum(self.own, NOTHING)

    @property
    def size(self) -> Amount:
        """`total` over all categories."""
        return sum(self.total, NOTHING)


def aggregate(
    roots: Sequence[Root],
    records: Records,
    entities: Collection[Placed],
    *,
    library_id: int,
    failures: Mapping[int, str] | None = None,
    placing: Placing | None = None,
) -> dict[NodeKey, Usage]:
    """Return the figures of every node.

    Folders of entities that aren't there count for the nearest one above, or as `unassigned`. `failures` says, by
    root's id, why its records are those of an earlier scan. `placing` is that of an earlier aggregation of the same
    entities, if there was one.
    """
    placing = placing or Placing(entities, library_id)
    nodes = _tree(placing, entities)
    twice = met_twice(roots, records)
    links = settle_links(roots, records, leave_out=twice)
    for root in roots:
        for path, record in records.get(root.id, {}).items():
            if (root.id, path) in twice:
                continue
            files, folder = placing.place(root, path)
            nodes[folder].take_folder(record)
            nodes[files].take_files(root, record, links.get((root.id, path), ()))
        if failures and root.id in failures:
            top = TRASH if root.kind == "trash" else placing.library if root.layout else placing.system
            nodes[top].failures += (failures[root.id],)
    return _summed(nodes)


@dataclass(slots=True)
class _Node:
    """Figures while they grow. Lists are flat: bytes, allocated bytes and files of each category; None is all zeros."""

    parent: NodeKey | None
    own: list[int] | None = None
    below: list[int] | None = None
    """What the children have."""
    trash: Amount = NOTHING
    newest_ns: int = 0
    verified_ms: int = 0
    unreadable: int = 0
    first_unreadable: str = ""
    failures: tuple[str, ...] = ()

    def take_folder(self, record: FolderRecord) -> None:
        """Count the folder itself."""
        if self.own is None:
            self.own = [0] * _SLOTS
        self.own[_FOLDER_SLOT] += record.allocated_bytes
        self._verified(record.verified_ms)

    def take_files(self, root: Root, record: FolderRecord, links: Sequence[LinkedFile]) -> None:
        """Count the files in a folder that have one name, and those of `links`."""
        own = self.own
        if own is None:
            own = self.own = [0] * _SLOTS
        for category, files, total_bytes, allocated_bytes in record.counts:
            slot = 3 * category
            own[slot] += total_bytes
            own[slot + 1] += allocated_bytes
            own[slot + 2] += files
        for link in links:
            slot = 3 * link.category
            own[slot] += link.total_bytes
            own[slot + 1] += link.allocated_bytes
            own[slot + 2] += 1
        if record.newest_ns > self.newest_ns:
            self.newest_ns = record.newest_ns
        self._verified(record.verified_ms)
        if record.error:
            self._unreadable(1, f"{root.path / os.fsdecode(record.path)}: {record.error}")

    def take_child(self, child: _Node) -> None:
        """Count all of a child, which has all of its own children by now."""
        self.below = _added(_added(self.below, child.own), child.below)
        if child.trash is not NOTHING:
            self.trash += child.trash
        if child.newest_ns > self.newest_ns:
            self.newest_ns = child.newest_ns
        self._verified(child.verified_ms)
        if child.unreadable:
            self._unreadable(child.unreadable, child.first_unreadable)
        self.failures += child.failures

    def set_aside(self) -> None:
        """Turn what this node has into trash."""
        self.trash, self.own, self.newest_ns = _size(self.own), None, 0

    def usage(self) -> Usage:
        """Return the figures as they stand."""
        own = _amounts(self.own)
        total = own if self.below is None else _amounts(_added(self.own, self.below))
        return Usage(
            self.parent,
            own,
            total,
            self.trash,
            self.newest_ns,
            self.verified_ms,
            self.unreadable,
            self._error() if self.unreadable or self.failures else "",
        )

    def _verified(self, at_ms: int) -> None:
        if at_ms and (not self.verified_ms or at_ms < self.verified_ms):
            self.verified_ms = at_ms

    def _unreadable(self, folders: int, first: str) -> None:
        self.unreadable += folders
        if not self.first_unreadable or first < self.first_unreadable:
            self.first_unreadable = first

    def _error(self) -> str:
        said = sorted(self.failures)
        if self.unreadable == 1:
            said.append(f"a folder can't be read: {self.first_unreadable}")
        elif self.unreadable:
            said.append(f"{self.unreadable:,} folders can't be read, such as {self.first_unreadable}")
        return "; ".join(said)


def _tree(placing: Placing, entities: Collection[Placed]) -> dict[NodeKey, _Node]:
    """Return all nodes, children before the nodes that they are in."""
    keys: dict[int, NodeKey] = {entity.id: (entity.level, entity.id) for entity in entities}
    nodes = {
        keys[entity.id]: _Node(placing.library if entity.parent_id is None else keys[entity.parent_id])
        for entity in sorted(entities, key=lambda entity: entity.folders.count(b"/"), reverse=True)
    }
    nodes |= {("part", index): _Node(placing.system) for index in range(len(PARTS))}
    nodes[placing.unassigned] = _Node(placing.library)
    nodes[placing.system] = _Node(placing.library)
    nodes[placing.library] = _Node(None)
    return nodes


def _summed(nodes: dict[NodeKey, _Node]) -> dict[NodeKey, Usage]:
    nodes[TRASH].set_aside()
    for node in nodes.values():
        if node.parent is not None:
            nodes[node.parent].take_child(node)
    return {key: node.usage() for key, node in nodes.items()}


def _added(one: list[int] | None, other: list[int] | None) -> list[int] | None:
    """Return the sum; a list that is handed in is never changed."""
    if one is None or other is None:
        return other if one is None else one
    return [a + b for a, b in zip(one, other, strict=True)]


def _amounts(flat: list[int] | None) -> Amounts:
    if flat is None:
        return EMPTY
    return tuple(
        Amount(flat[slot], flat[slot + 1], flat[slot + 2])
        if flat[slot] or flat[slot + 1] or flat[slot + 2]
        else NOTHING
        for slot in range(0, _SLOTS, 3)
    )


def _size(flat: list[int] | None) -> Amount:
    return NOTHING if flat is None else Amount(sum(flat[0::3]), sum(flat[1::3]), sum(flat[2::3]))
