"""Where the operator is in the tree of sizes: what is open, what is selected, what was seen before.

Plain state without I/O. The invariants: what is selected lies in the tree on display, unless that is empty; coming back
to a place finds its selection again; and a refresh moves neither. Reading trees is left to the screen, which puts them
in with `take`.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

from pulsetui.storage.views import StorageNode, StorageView

_KEPT_VIEWS = 32
"""Trees that are kept for going back without waiting; each is read again when it is on display."""


class TreeIndex:
    """Finds the nodes of one tree by key, and what they are in."""

    def __init__(self, tree: StorageNode) -> None:
        """Take the tree, and look through all of it once."""
        self.tree = tree
        self._nodes: dict[str, StorageNode] = {}
        self._above: dict[str, str] = {}
        self.add(tree)

    def add(self, branch: StorageNode) -> None:
        """Take in a node with what is below it, in place of what was known of it."""
        self._nodes[branch.key] = branch
        pending = [branch]
        while pending:
            node = pending.pop()
            for child in node.children:
                self._nodes[child.key] = child
                self._above[child.key] = node.key
            pending.extend(node.children)

    def __contains__(self, key: str) -> bool:
        """Tell whether the tree has a node."""
        return key in self._nodes

    def node(self, key: str | None) -> StorageNode | None:
        """Return a node, or None if the tree has none of that key."""
        return self._nodes.get(key) if key is not None else None

    def parent(self, key: str) -> StorageNode | None:
        """Return what a node is in; None for the root and for what the tree doesn't have."""
        above = self._above.get(key)
        return self._nodes[above] if above is not None else None

    def path(self, key: str) -> tuple[StorageNode, ...]:
        """Return the nodes from the root of the tree to a node, both included; empty if the tree has none."""
        found: list[StorageNode] = []
        at = self.node(key)
        while at is not None:
            found.append(at)
            at = self.parent(at.key)
        return tuple(reversed(found))


_recent: deque[TreeIndex] = deque(maxlen=4)


def index_of(tree: StorageNode) -> TreeIndex:
    """Return the index of a tree; all that show the same one share it."""
    kept = next((index for index in _recent if index.tree is tree), None)
    if kept is None:
        kept = TreeIndex(tree)
        _recent.append(kept)
    return kept


class StoragePlace:
    """Keeps what is open and selected while trees come and go."""

    def __init__(self) -> None:
        """Start at the root, with nothing read."""
        self.key: str | None = None
        """What is open; None is the whole library."""
        self.view: StorageView | None = None
        """The newest tree of it, or None before that is read."""
        self.selected: str | None = None
        self.index: TreeIndex | None = None
        self.branches: Mapping[str, StorageNode] = MappingProxyType({})
        """What was grafted onto the tree, by key."""
        self._seen: OrderedDict[str | None, StorageView] = OrderedDict()
        self._chosen: dict[str | None, str] = {}

    @property
    def node(self) -> StorageNode | None:
        """What is selected, or None while that is no node of the tree."""
        return self.index.node(self.selected) if self.index else None

    def take(self, key: str | None, view: StorageView) -> None:
        """Take in what was read for `key`; it is put on display if that is still what is open."""
        self._keep(key, view)
        if key == self.key:
            self._display(view)

    def select(self, key: str) -> None:
        """Select something; what isn't a node of the tree, such as a tile of many, is as good."""
        self.selected = key
        self._chosen[self.key] = key

    def open(self, key: str) -> bool:
        """Open a node of the tree; tell whether there can be something in it."""
        path = self.index.path(key) if self.index else ()
        if self.view is None or len(path) < 2 or not (path[-1].children or path[-1].has_more):
            return False
        self._chosen[self.key] = path[1].key
        for above, below in pairwise(path[1:]):
            self._chosen[above.key] = below.key
        bare = tuple(replace(node, children=(), has_more=True) for node in path[:-1])
        inside = replace(self.view, tree=path[-1], ancestors=(*self.view.ancestors, *bare))
        self._go(key, self._seen.get(key, inside if path[-1].children else None))
        return True

    def leave(self, levels: int = 1) -> bool:
        """Go up, to the root at most, where what one comes from is selected; tell whether there was a way up."""
        above = self.view.ancestors if self.view else ()
        if not above or levels < 1:
            return False
        at = max(0, len(above) - levels)
        below = (*above, self.view.tree)[at + 1] if self.view else above[at]
        key = above[at].key if at else None
        self._chosen[key] = below.key
        self._go(key, self._seen.get(key))
        return True

    def go_to(self, key: str | None, select: str | None = None) -> None:
        """Open a node wherever it is, and select something in it."""
        if select is not None:
            self._chosen[key] = select
        self._go(key, self._seen.get(key))

    def graft(self, branch: StorageNode) -> None:
        """Take in what is in a node of the tree that had more than was read."""
        if self.index is not None and branch.key in self.index:
            self.index.add(branch)
            self.branches = MappingProxyType({**self.branches, branch.key: branch})

    def find(self, key: str | None) -> tuple[StorageNode, tuple[StorageNode, ...]] | None:
        """Return a node of the tree, or of what was grafted, and what it is in, from the library down."""
        path = self.index.path(key) if self.index is not None and key is not None else ()
        if not path or self.view is None:
            return None
        return path[-1], (*self.view.ancestors, *path[:-1])

    def lost(self) -> None:
        """What is open isn't there any more: go up, and forget it."""
        above = self.view.ancestors if self.view else ()
        self._seen.pop(self.key, None)
        key = above[-1].key if len(above) > 1 else None
        self._go(key, self._seen.get(key))

    def forget(self) -> None:
        """Forget the trees that aren't on display: from now on they are of another time, or of another growth."""
        self._seen.clear()

    def _go(self, key: str | None, view: StorageView | None) -> None:
        self.key, self.view, self.index = key, None, None
        self.branches = MappingProxyType({})
        self.selected = self._chosen.get(key)
        if view is not None:
            self._display(view)

    def _keep(self, key: str | None, view: StorageView) -> None:
        self._seen[key] = view
        self._seen.move_to_end(key)
        while len(self._seen) > _KEPT_VIEWS:
            self._seen.popitem(last=False)

    def _display(self, view: StorageView) -> None:
        """Put a tree on display; what was selected stays so, or else what it was in, or the largest."""
        before, self.view = self.index, view
        if before is None or before.tree is not view.tree:
            self.index = index_of(view.tree)
            for branch in self.branches.values():
                if branch.key in self.index:
                    self.index.add(branch)
        self.selected = self._still(before)

    def _still(self, before: TreeIndex | None) -> str | None:
        """Return what is selected in the tree that is on display from now on."""
        if self.view is None or self.index is None:
            return self.selected
        root, held = self.view.tree, self.selected
        for key in (self._chosen.get(self.key), held):
            if key is not None and key in self.index:
                return key
        if held is not None and before is not None:
            if held not in before:  # no node, but a tile of many
                return held
            for node in reversed(before.path(held)):
                if node.key in self.index and node.key != root.key:
                    return node.key
        return root.children[0].key if root.children else None
