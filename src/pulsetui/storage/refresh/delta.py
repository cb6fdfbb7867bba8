"""What a refresh has to write: the difference between what is stored and what was found. Pure, runs in a thread.

The invariant: applied to what is stored, a delta gives what was found, and nothing in it is already stored so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from pulsetui.catalog.entities import Placed
from pulsetui.storage.aggregate import Usage, aggregate
from pulsetui.storage.links import Records
from pulsetui.storage.placing import PARTS, NodeKey, Placing
from pulsetui.storage.refresh import folder_store, snapshot_store
from pulsetui.storage.refresh.folder_store import FolderRow
from pulsetui.storage.refresh.snapshot_store import NodeRow, Place, SizeRow
from pulsetui.storage.roots import Root
from pulsetui.storage.scan.records import FolderRecord

NodesOf = Mapping[int, Mapping[bytes, NodeKey]]
"""The node that each folder's files count for, by root's id and path."""
_NOBODY: Mapping[bytes, NodeKey] = MappingProxyType({})
_NONE: Mapping[bytes, FolderRecord] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored, in memory, so that a refresh need not read it."""

    records: Records = field(default_factory=dict)
    nodes_of: NodesOf = field(default_factory=dict)
    rows: Mapping[NodeKey, bytes] = field(default_factory=dict)
    """The rows of all nodes, packed."""
    entities: int = 0
    placing: Placing | None = None
    """Whose each folder is, among so many entities; None before the first refresh of this process."""
    places: Mapping[NodeKey, Place] = field(default_factory=dict)
    """The first folder of each node."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What to write, and what is known when it is written."""

    known: Known
    library: Usage
    put_folders: list[FolderRow]
    gone_folders: list[tuple[int, bytes]]
    put_nodes: list[NodeRow]
    gone_nodes: list[NodeKey]
    sizes: list[SizeRow]
    """Of the nodes where these changed."""
    levels: Mapping[str, int]
    """How many entities there are of each level that has any."""


def delta(
    known: Known,
    roots: Sequence[Root],
    found: Records,
    entities: Collection[Placed],
    *,
    library_id: int,
    failures: Mapping[int, str],
    at_ms: int,
) -> Delta:
    """Return what changed between `known` and what was `found` at `at_ms`; `failures` is for `aggregate`."""
    placing, is_same = known.placing, len(entities) == known.entities and _same_folders(known.records, found)
    if placing is None or not is_same:  # entities neither go nor move, so a new one is what moves a folder
        placing = Placing(entities, library_id)
    usages = aggregate(roots, found, entities, library_id=library_id, failures=failures, placing=placing)
    nodes_of, places = known.nodes_of, known.places
    if placing is not known.placing:
        nodes_of = {root.id: {path: placing.place(root, path)[0] for path in found.get(root.id, ())} for root in roots}
        places = _first_places(roots, nodes_of)
    rows: dict[NodeKey, bytes] = {}
    put_nodes: list[NodeRow] = []
    sizes: list[SizeRow] = []
    for key, usage in usages.items():
        row = snapshot_store.encoded(key, usage, name=_name(key), place=_shown_place(key, places))
        packed = rows[key] = snapshot_store.packed(row)
        before = known.rows.get(key)
        if packed != before:
            put_nodes.append((*row, at_ms))
            size = snapshot_store.size_in(packed)
            if size != ((0, 0, 0) if before is None else snapshot_store.size_in(before)):
                sizes.append((*key, at_ms, *size))
    return Delta(
        known=Known(found, nodes_of, rows, len(entities), placing, places),
        library=usages[placing.library],
        put_folders=_changed_folders(known, found, nodes_of),
        gone_folders=[
            (root_id, path)
            for root_id, records in known.records.items()
            for path in records
            if path not in found.get(root_id, _NONE)
        ],
        put_nodes=put_nodes,
        gone_nodes=[key for key in known.rows if key not in usages],
        sizes=sizes + [(*key, at_ms, 0, 0, 0) for key in known.rows if key not in usages],
        levels=Counter(entity.level for entity in entities),
    )


def _same_folders(before: Records, after: Records) -> bool:
    return before.keys() == after.keys() and all(before[root].keys() == after[root].keys() for root in after)


def _first_places(roots: Sequence[Root], nodes_of: NodesOf) -> dict[NodeKey, Place]:
    """Return the first folder of each node: that of the first root that it has one in, which holds all others there."""
    places: dict[NodeKey, Place] = {}
    for root in roots:
        for path, node in nodes_of[root.id].items():
            place = places.get(node)
            if place is None or (place.root_id == root.id and path < place.path):
                places[node] = Place(root.id, path)
    return places


def _changed_folders(known: Known, found: Records, nodes_of: NodesOf) -> list[FolderRow]:
    changed: list[FolderRow] = []
    for root_id, records in found.items():
        before, nodes_before = known.records.get(root_id, _NONE), known.nodes_of.get(root_id, _NOBODY)
        nodes = nodes_of[root_id]
        same_nodes = nodes is nodes_before  # and most records are those of before: by identity that is quickly seen
        for path, record in records.items():
            stored = before.get(path)
            if stored is record and same_nodes:
                continue
            node = nodes[path]
            if (stored is not record and stored != record) or (not same_nodes and nodes_before.get(path) != node):
                changed.append(folder_store.encoded(root_id, record, node))
    return changed


def _name(key: NodeKey) -> str | None:
    """Return the name of a node that is no entity and no library: those have theirs in the catalog."""
    kind, number = key
    if kind == "part":
        return PARTS[number]
    return kind if kind in ("unassigned", "system") else None


def _shown_place(key: NodeKey, places: Mapping[NodeKey, Place]) -> Place | None:
    """Return the first folder of a node, of what is one folder in each root; the others have no place of their own."""
    return None if key[0] in ("library", "unassigned", "system") else places.get(key)
