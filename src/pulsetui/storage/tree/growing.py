"""Grows a tree of frozen nodes out of the rows of a snapshot. Pure, a few microseconds a node: runs in a thread.

The invariant: children sum to their parent exactly. What a node has itself is a child of its own, `(files)`; what was
left out of a level because there are too many is in one child at its end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pulsetui.storage.placing import NodeKey
from pulsetui.storage.tree import tree_store
from pulsetui.storage.tree.listing import FILES, ITSELF, largest_first
from pulsetui.storage.tree.tree_store import Then
from pulsetui.storage.views import NOTHING, Amount, StorageNode


def grown(rows: Sequence[sqlite3.Row], then: Then | None = None, *, left_out: int = 0) -> StorageNode:
    """Return the node of the first row with all others below it; parents come before their children.

    `left_out` says how many children of the first one are not among the rows.
    """
    below: dict[NodeKey | None, list[StorageNode]] = {}
    for row in reversed(rows):
        key, parent = tree_store.keys_of(row)
        children = below.pop(key, [])
        if children:
            children += _rest(row, children, then, left_out if row is rows[0] else 0)
            children.sort(key=largest_first)
        more = not children and (row["has_children"] or (row["own"] != "[]" and not _is_past(then)))
        node = tree_store.node_of(row, tuple(children), then, has_more=bool(more))
        below.setdefault(parent, []).append(node)
    return node


def own_node(row: sqlite3.Row) -> StorageNode:
    """Return the node of what a row's node has itself."""
    kind, number = row["entity_type"], row["entity_id"]
    amounts = tree_store.own_amounts(row)
    size = sum(amounts, NOTHING)
    return StorageNode(
        key=f"files:{kind}:{number}",
        name=FILES if size.file_count else ITSELF,
        entity_type="files",
        entity_id=None,
        size=size,
        categories=amounts,
        has_more=size.file_count > 0,
    )


def _rest(
    row: sqlite3.Row, children: Sequence[StorageNode], then: Then | None, left_out: int
) -> tuple[StorageNode, ...]:
    """Return the nodes for what lies in none of the children that are there."""
    own = own_node(row)
    if _is_past(then):  # what a node had itself isn't kept: it is what its children didn't have
        size = _less(tree_store.size_of(row, then), sum((child.size for child in children), NOTHING))
        past = StorageNode(own.key, FILES if size.file_count else ITSELF, "files", None, size)
        return (past,) if size != NOTHING else ()
    nodes = (own,) if own.size != NOTHING else ()
    if not left_out:
        return nodes
    shown = (*children, *nodes)
    whole = tree_store.node_of(row, (), then, has_more=False)
    amounts = tuple(
        _less(amount, sum((child.categories[index] for child in shown), NOTHING))
        for index, amount in enumerate(whole.categories)
    )
    size = _less(whole.size, sum((child.size for child in shown), NOTHING))
    left = StorageNode(
        f"more:{whole.key}",
        f"({left_out:,} smaller ones)",
        "files",
        None,
        size,
        categories=amounts,
        reclaimable_bytes=whole.reclaimable_bytes - sum(child.reclaimable_bytes for child in children),
        candidate_bytes=whole.candidate_bytes - sum(child.candidate_bytes for child in children),
    )
    return (*nodes, left)


def _less(whole: Amount, part: Amount) -> Amount:
    return Amount(
        max(0, whole.total_bytes - part.total_bytes),
        max(0, whole.allocated_bytes - part.allocated_bytes),
        max(0, whole.file_count - part.file_count),
    )


def _is_past(then: Then | None) -> bool:
    return then is not None and then.shown
