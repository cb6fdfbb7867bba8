"""A stable layout of one parent's children: a binary tree of cuts that outlives the sizes it was made from.

The invariant: `place` gives rectangles that cover the given one exactly and never overlap. A refresh changes sizes, and
with them where cuts lie; which tiles are neighbours changes only where a tile comes or goes, or where tiles would
become slivers. A cell is twice as high as wide, so a rectangle of `w` by `h` cells looks `w` by `2 h`. Which children
get a tile at all is left to `layout`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import log2

Rect = tuple[int, int, int, int]
"""Left, top, width, height in cells."""

FEWEST_CELLS = 2
"""The smallest tile is this wide and one row high, where the rectangle has room for all."""

_FLIP = 1.8
"""A cut turns when its rectangle became this much longer the other way: less would turn cuts back and forth."""
_BAD_ASPECT = 3.0
"""A subtree whose tiles' mean aspect is worse is seeded anew."""
_FAIR_ASPECT = 2.5
"""... unless its own rectangle is worse than this: then an ancestor is at fault."""
_INNER_COST = 0.7
"""How many halvings of size worse a single tile may fit a new one before a group of tiles is split instead."""
_DEEPEST = 100
"""A tree that grew deeper than this is packed anew: far below the limit of recursion."""
_TOO_MANY_NEW = 0.5
"""When more than this share of the tiles is new, nothing is left to keep and the whole is seeded."""


class _Node:
    """A tile (`first` is None) or a cut with what lies before and after it."""

    __slots__ = ("beside", "count", "first", "key", "parent", "second", "size")

    def __init__(self, key: str, size: int) -> None:
        self.key = key
        self.size = size
        self.count = 1
        self.parent: _Node | None = None
        self.first: _Node | None = None
        self.second: _Node | None = None
        self.beside: bool | None = None
        """Whether the second part is right of the first, else below it; None until it was placed."""


class SplitTree:
    """The cuts between the children of one parent."""

    def __init__(self) -> None:
        """Start without any tile."""
        self._root: _Node | None = None
        self._leaves: dict[str, _Node] = {}
        self._last: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self._leaves)

    def __contains__(self, key: object) -> bool:
        """Return whether there is a tile of that key."""
        return key in self._leaves

    def update(self, sizes: Mapping[str, int], last: Sequence[str] = ()) -> None:
        """Take the tiles' new sizes, each above 0; unknown keys are new tiles, missing ones are gone.

        `sizes` is in the order in which a new tree lays tiles out, large ones first. The keys in `last`, the final ones
        of `sizes`, stay at the end: at the bottom right.
        """
        self._last = tuple(last)
        leaves = self._leaves
        for key in [key for key in leaves if key not in sizes]:
            self._remove(key)
        new = [key for key in sizes if key not in leaves]
        if len(new) > _TOO_MANY_NEW * len(sizes):
            self._seed(sizes)
            return
        for key, leaf in leaves.items():
            leaf.size = sizes[key]
        if self._root is not None:
            _sum(self._root)
        if new:
            self._insert(new, sizes)

    def repack(self) -> None:
        """Forget all cuts; the tiles are laid out by their sizes, as if they were all new."""
        last = [key for key in self._last if key in self._leaves]
        body = sorted((leaf for leaf in self._leaves.values() if leaf.key not in last), key=lambda leaf: -leaf.size)
        self._seed({leaf.key: leaf.size for leaf in (*body, *(self._leaves[key] for key in last))})

    def place(self, x: int, y: int, width: int, height: int) -> dict[str, Rect]:
        """Return each tile's rectangle; tiles for which not even one cell was left are missing."""
        placed: dict[str, Rect] = {}
        if self._root is not None and width > 0 and height > 0:
            _place(self._root, x, y, width, height, placed, repair=True)
        return placed

    def _seed(self, sizes: Mapping[str, int]) -> None:
        leaves = [_Node(key, size) for key, size in sizes.items()]
        self._leaves = {leaf.key: leaf for leaf in leaves}
        self._root = _balanced(leaves) if leaves else None

    def _remove(self, key: str) -> None:
        """Give the place of a tile that is gone to its sibling."""
        leaf = self._leaves.pop(key)
        parent = leaf.parent
        if parent is None:
            self._root = None
            return
        sibling = parent.second if parent.first is leaf else parent.first
        assert sibling is not None
        self._put(sibling, parent)

    def _put(self, node: _Node, where: _Node) -> None:
        """Put `node` where `where` hangs."""
        above = where.parent
        node.parent = above
        if above is None:
            self._root = node
        elif above.first is where:
            above.first = node
        else:
            above.second = node

    def _insert(self, new: Sequence[str], sizes: Mapping[str, int]) -> None:
        """Let each new tile share the place of what is nearest to it in size, so that both parts are well formed.

        The largest tile would be the simplest place, but a small tile would be a sliver there. Each place is taken once
        an update, so that the tree stays flat.
        """
        assert self._root is not None
        last = frozenset(self._last)
        places = _Places(self._root, last)
        for key in new:
            leaf = self._leaves[key] = _Node(key, sizes[key])
            if key in last:
                self._join(self._end(leaf.size), leaf)
                continue
            where = places.take(leaf.size)
            if where.key in last:
                self._join(where, leaf, before=True)
            else:
                self._join(where, leaf)
        if _sum(self._root) > _DEEPEST:
            self.repack()

    def _join(self, where: _Node, leaf: _Node, *, before: bool = False) -> None:
        """Cut the place of `where` in two, and give one part to `leaf`."""
        cut = _Node("", where.size + leaf.size)
        self._put(cut, where)
        cut.first, cut.second = (leaf, where) if before else (where, leaf)
        where.parent = leaf.parent = cut

    def _end(self, size: int) -> _Node:
        """Return what a tile at the end best shares its place with: the last subtree that isn't smaller."""
        where = self._root
        assert where is not None
        while where.second is not None and where.second.size >= size and where.second.key not in self._last:
            where = where.second
        return where


class _Places:
    """The nodes beside which a new tile may go, by size."""

    def __init__(self, root: _Node, last: frozenset[str]) -> None:
        """Leave out what ends in a tile of `last`: nothing may come after that."""
        tiles: list[tuple[float, int, _Node]] = []
        groups: list[tuple[float, int, _Node]] = []
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

    def take(self, size: int) -> _Node:
        """Return the node that is nearest in size, and don't return it again."""
        wanted = log2(size)
        best: tuple[float, list[tuple[float, int, _Node]], int] | None = None
        for nodes, cost in zip(self._kinds, (0.0, _INNER_COST), strict=True):
            index = bisect_left(nodes, (wanted,))
            for near in (index - 1, index):
                if 0 <= near < len(nodes):
                    distance = abs(nodes[near][0] - wanted) + cost
                    if best is None or distance < best[0]:
                        best = (distance, nodes, near)
        assert best is not None, "fewer tiles are new than there are"
        return best[1].pop(best[2])[2]


def _balanced(leaves: Sequence[_Node]) -> _Node:
    """Return a tree over leaves, in their order, whose cuts halve the sizes as well as they can."""
    sums = [0, *accumulate(leaf.size for leaf in leaves)]
    return _halved(leaves, sums, 0, len(leaves))


def _halved(leaves: Sequence[_Node], sums: Sequence[int], start: int, stop: int) -> _Node:
    if stop - start == 1:
        return leaves[start]
    node = _Node("", sums[stop] - sums[start])
    node.count = stop - start
    middle = sums[start] + node.size / 2
    cut = bisect_left(sums, middle, start + 1, stop - 1)
    if cut > start + 1 and middle - sums[cut - 1] <= sums[cut] - middle:
        cut -= 1
    node.first = first = _halved(leaves, sums, start, cut)
    node.second = second = _halved(leaves, sums, cut, stop)
    first.parent = second.parent = node
    return node


def _sum(node: _Node) -> int:
    """Add up sizes and counts of a subtree; return how deep it is."""
    first, second = node.first, node.second
    if first is None or second is None:
        return 1
    depth = max(_sum(first), _sum(second)) + 1
    node.size = first.size + second.size
    node.count = first.count + second.count
    return depth


def _place(node: _Node, x: int, y: int, width: int, height: int, placed: dict[str, Rect], *, repair: bool) -> float:
    """Place a subtree and return the sum of its tiles' aspects."""
    first, second = node.first, node.second
    if first is None or second is None:
        if width <= 0 or height <= 0:
            return 0.0
        placed[node.key] = (x, y, width, height)
        return width / (2 * height) if width > 2 * height else 2 * height / width
    at = _cut(node, first, second, width, height)
    if node.beside:
        aspects = _place(first, x, y, at, height, placed, repair=repair)
        aspects += _place(second, x + at, y, width - at, height, placed, repair=repair)
    else:
        aspects = _place(first, x, y, width, at, placed, repair=repair)
        aspects += _place(second, x, y + at, width, height - at, placed, repair=repair)
    own = max(width, 2 * height) / max(1, min(width, 2 * height))
    if not repair or aspects <= _BAD_ASPECT * node.count or own > _FAIR_ASPECT:
        return aspects
    _mend(node)
    return _place(node, x, y, width, height, placed, repair=False)


def _cut(node: _Node, first: _Node, second: _Node, width: int, height: int) -> int:
    """Return how many columns (or rows, where the cut isn't beside) the first part gets; settle the direction."""
    if node.beside is None:
        node.beside = width >= 2 * height
    elif node.beside:
        node.beside = width * _FLIP >= 2 * height
    else:
        node.beside = width > 2 * height * _FLIP
    share = first.size / (first.size + second.size)
    for _ in range(2):
        if node.beside:
            length, lines, least = width, height, FEWEST_CELLS
        else:
            length, lines, least = height, width // FEWEST_CELLS, 1
        if lines:
            low = -(-first.count // lines) * least
            high = length + (-second.count // lines) * least
            if low <= high:
                return min(max(round(length * share), low), high)
        node.beside = not node.beside
    return round((width if node.beside else height) * share)


def _mend(node: _Node) -> None:
    """Seed a subtree anew; its tiles stay, in their order."""
    leaves: list[_Node] = []
    pending = [node]
    while pending:
        each = pending.pop()
        if each.first is None or each.second is None:
            leaves.append(each)
        else:
            pending += (each.second, each.first)
    fresh = _balanced(leaves)
    node.first, node.second, node.beside = fresh.first, fresh.second, None
    assert node.first is not None
    assert node.second is not None
    node.first.parent = node.second.parent = node
