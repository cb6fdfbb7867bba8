"""Trees of cuts: how one is made of sizes alone, and where in one a new tile fits best.

The invariant: a tree made here has its tiles in the order that was given. Where cuts lie is left to `split_tree`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import log2

Rect = tuple[int, int, int, int]
"""Left, top, width, height in cells."""

_GROUP_COST = 0.7
"""How many halvings of size worse a single tile may fit a new one before a group of tiles is split instead."""


class Node:
    """A tile (`first` is None) or a cut with what lies before and after it."""

    __slots__ = ("at", "beside", "box", "count", "first", "key", "length", "parent", "second", "size")

    def __init__(self, key: str, size: int) -> None:
        """Make a tile; a cut is made of one by giving it two parts."""
        self.key = key
        self.size = size
        self.count = 1
        """The tiles in it."""
        self.parent: Node | None = None
        self.first: Node | None = None
        self.second: Node | None = None
        self.beside: bool | None = None
        """Whether the second part is right of the first, else below it; None until it was placed."""
        self.at = 0
        """Of a cut: the columns or rows of its first part, ..."""
        self.length = -1
        """... out of so many, when it was placed."""
        self.box: Rect = (0, 0, 0, 0)
        """Where it was placed."""


def balanced(leaves: Sequence[Node]) -> Node:
    """Return a tree over tiles, in their order, whose cuts halve the sizes as well as they can."""
    sums = [0, *accumulate(leaf.size for leaf in leaves)]
    return _halved(leaves, sums, 0, len(leaves))


def tiles_of(root: Node) -> list[Node]:
    """Return the tiles of a tree in their order."""
    tiles: list[Node] = []
    pending = [root]
    while pending:
        node = pending.pop()
        if node.first is None or node.second is None:
            tiles.append(node)
        else:
            pending += (node.second, node.first)
    return tiles


def cuts_of(root: Node | None) -> list[tuple[Node, Node, Node]]:
    """Return each cut with its two parts, parents first."""
    cuts: list[tuple[Node, Node, Node]] = []
    pending = [root] if root else []
    while pending:
        node = pending.pop()
        if node.first is not None and node.second is not None:
            cuts.append((node, node.first, node.second))
            pending += (node.second, node.first)
    return cuts


class Places:
    """The nodes beside which a new tile may go, by size."""

    def __init__(self, root: Node, last: frozenset[str]) -> None:
        """Leave out the groups of tiles that end in one of `last`: nothing may come after that."""
        tiles: list[tuple[float, int, Node]] = []
        groups: list[tuple[float, int, Node]] = []
        pending = [(root, bool(last))]
        while pending:
            node, ends = pending.pop()
            if node.first is None or node.second is None:
                tiles.append((log2(node.size), len(tiles), node))
                continue
            if not ends:
                groups.append((log2(node.size), len(groups), node))
            pending += ((node.second, ends), (node.first, False))
        self._kinds = (sorted(tiles), sorted(groups))

    def take(self, size: int) -> Node:
        """Return the node that is nearest in size, and don't return it again."""
        wanted = log2(size)
        best: tuple[float, list[tuple[float, int, Node]], int] | None = None
        for nodes, cost in zip(self._kinds, (0.0, _GROUP_COST), strict=True):
            index = bisect_left(nodes, (wanted,))
            for near in (index - 1, index):
                if 0 <= near < len(nodes):
                    distance = abs(nodes[near][0] - wanted) + cost
                    if best is None or distance < best[0]:
                        best = (distance, nodes, near)
        assert best is not None, "fewer tiles are new than there are"
        return best[1].pop(best[2])[2]


def _halved(leaves: Sequence[Node], sums: Sequence[int], start: int, stop: int) -> Node:
    if stop - start == 1:
        return leaves[start]
    node = Node("", sums[stop] - sums[start])
    node.count = stop - start
    middle = sums[start] + node.size / 2
    cut = bisect_left(sums, middle, start + 1, stop - 1)
    if cut > start + 1 and middle - sums[cut - 1] <= sums[cut] - middle:
        cut -= 1
    node.first = first = _halved(leaves, sums, start, cut)
    node.second = second = _halved(leaves, sums, cut, stop)
    first.parent = second.parent = node
    return node
