"""What a refresh has to write: the difference between what is stored and what was found. Pure, runs in a thread.

The invariant: applied to what is stored, a delta gives what was found, and nothing in it is already stored so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from pulsetui.catalog.entities import Placed
from pulsetui.storage import folder_store, snapshot_store
from pulsetui.storage.aggregate import Usage, aggregate
from pulsetui.storage.folder_store import FolderRow
from pulsetui.storage.links import Records
from pulsetui.storage.placing import PARTS, NodeKey, Placing
from pulsetui.storage.roots import Root
from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.snapshot_store import NodeRow, Place, SizeRow

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
    entities: int = -1
    """How many entities there were when `nodes_of` was found out; -1: not in this process, under its layouts."""


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
    usages = aggregate(roots, found, entities, library_id=library_id, failures=failures)
    placing = Placing(entities, library_id)
    nodes_of = _placed(known, roots, found, placing, len(entities))
    places: dict[NodeKey, Place] = {}
    for root in roots:
        for path, node in nodes_of[root.id].items():
            place = places.get(node)
            if place is None or (place.root_id == root.id and path < place.path):
                places[node] = Place(root.id, path)
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
        known=Known(found, nodes_of, rows, len(entities)),
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


def _placed(known: Known, roots: Sequence[Root], found: Records, placing: Placing, entities: int) -> NodesOf:
    """Return whose files are in each folder. Entities neither go nor move, so only a new one moves what is known."""
    nodes_of: dict[int, Mapping[bytes, NodeKey]] = {}
    for root in roots:
        before = known.nodes_of.get(root.id, _NOBODY) if entities == known.entities else _NOBODY
        records = found.get(root.id, _NONE)
        nodes_of[root.id] = {path: before.get(path) or placing.place(root, path)[0] for path in records}
    return nodes_of


def _changed_folders(known: Known, found: Records, nodes_of: NodesOf) -> list[FolderRow]:
    changed: list[FolderRow] = []
    for root_id, records in found.items():
        before, nodes_before = known.records.get(root_id, _NONE), known.nodes_of.get(root_id, _NOBODY)
        nodes = nodes_of[root_id]
        for path, record in records.items():
            stored, node = before.get(path), nodes[path]
            # By identity first: most folders are the very records of the last time.
            if (stored is not record and stored != record) or nodes_before.get(path) != node:
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
