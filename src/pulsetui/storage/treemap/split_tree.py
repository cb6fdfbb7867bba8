"""A stable layout of one parent's children: a binary tree of cuts that outlives the sizes it was made from.

The invariant: `place` gives rectangles that cover the given one exactly and never overlap. A refresh changes sizes, and
with them where cuts lie; which tiles are neighbours changes only where a tile comes or goes, or where tiles would
become slivers. A cell is twice as high as wide, so a rectangle of `w` by `h` cells looks `w` by `2 h`. Which children
get a tile at all is left to `layout`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from pulsetui.storage.treemap.cutting import aspect, settle
from pulsetui.storage.treemap.seeding import Node, Places, Rect, balanced, cuts_of, tiles_of

_SLIVER = 5.0
"""A tile whose aspect is worse is a reason to seed its surroundings anew, ..."""
_FAIR = 2.5
"""... up to the first rectangle around it whose own aspect is no worse than this, ..."""
_FEWEST_MENDED = 4
"""... with so many tiles in it that they can be put together better."""
_ALIKE = 4
"""A new tile takes the place of one that is gone where neither is more times as large as the other."""
_DEEPEST = 100
"""A tree that grew deeper than this is packed anew: far below the limit of recursion."""
_TOO_MANY_NEW = 0.5
"""When more than this share of the tiles is new, nothing is left to keep and the whole is seeded."""


class SplitTree:
    """The cuts between the children of one parent."""

    def __init__(self) -> None:
        """Start without any tile."""
        self._root: Node | None = None
        self._leaves: dict[str, Node] = {}
        self._last: tuple[str, ...] = ()
        self._cuts: list[tuple[Node, Node, Node]] | None = None
        """Parents first; None after the tree changed."""
        self._all_seen = False
        """Whether every tile has cells, where none had to be mended."""

    @property
    def keys(self) -> Mapping[str, object]:
        """The tiles' keys."""
        return self._leaves

    def update(self, sizes: Mapping[str, int], last: Sequence[str] = ()) -> None:
        """Take the tiles' new sizes, each above 0; unknown keys are new tiles, missing ones are gone.

        `sizes` is in the order in which a new tree lays tiles out, large ones first. The keys in `last`, the final ones
        of `sizes`, stay at the end: at the bottom right.
        """
        self._last = tuple(last)
        leaves = self._leaves
        if leaves.keys() != sizes.keys():
            new = [key for key in sizes if key not in leaves]
            if len(new) > _TOO_MANY_NEW * len(sizes):
                self._seed(sizes)
                return
            gone = [key for key in leaves if key not in sizes]
            new = self._replace(gone, new, sizes)
            self._resize(sizes)
            self._insert(new, sizes)
        self._resize(sizes)

    def repack(self) -> None:
        """Forget all cuts; the tiles are laid out by their sizes, as if they were all new."""
        last = [key for key in self._last if key in self._leaves]
        body = sorted((leaf for leaf in self._leaves.values() if leaf.key not in last), key=lambda leaf: -leaf.size)
        self._seed({leaf.key: leaf.size for leaf in (*body, *(self._leaves[key] for key in last))})

    def place(self, x: int, y: int, width: int, height: int) -> dict[str, Rect]:
        """Return each tile's rectangle; tiles for which not even one cell was left are missing."""
        root = self._root
        if root is None or width <= 0 or height <= 0:
            return {}
        root.box = (x, y, width, height)
        settle(self._order())
        if self._mend():
            settle(self._order())
        placed = {key: leaf.box for key, leaf in self._leaves.items()}
        return placed if self._all_seen else {key: box for key, box in placed.items() if box[2] > 0 and box[3] > 0}

    def _order(self) -> list[tuple[Node, Node, Node]]:
        if self._cuts is None:
            self._cuts = cuts_of(self._root)
        return self._cuts

    def _resize(self, sizes: Mapping[str, int]) -> None:
        """Give each tile its size, and each cut the sum of its parts."""
        for key, leaf in self._leaves.items():
            leaf.size = sizes[key]
        for node, first, second in reversed(self._order()):
            node.size = first.size + second.size
            node.count = first.count + second.count

    def _seed(self, sizes: Mapping[str, int]) -> None:
        leaves = [Node(key, size) for key, size in sizes.items()]
        self._leaves = {leaf.key: leaf for leaf in leaves}
        self._root = balanced(leaves) if leaves else None
        self._cuts = None

    def _remove(self, key: str) -> None:
        """Give the place of a tile that is gone to its sibling."""
        leaf = self._leaves.pop(key)
        parent = leaf.parent
        if parent is None:
            self._root = None
        else:
            sibling = parent.second if parent.first is leaf else parent.first
            assert sibling is not None
            self._put(sibling, parent)
        self._cuts = None

    def _replace(self, gone: Sequence[str], new: Sequence[str], sizes: Mapping[str, int]) -> list[str]:
        """Give the places of tiles that are gone to new ones of about their size, or else to their siblings.

        Return the new tiles that have no place yet. A file that got another name stays where it was.
        """
        free = sorted((self._leaves[key].size, key) for key in gone if key not in self._last)
        rest: list[str] = []
        for key in new:
            size = sizes[key]
            index = bisect_left(free, (size // _ALIKE,))
            if key in self._last or index == len(free) or free[index][0] > size * _ALIKE:
                rest.append(key)
                continue
            leaf = self._leaves.pop(free.pop(index)[1])
            leaf.key = key
            self._leaves[key] = leaf
        for key in gone:
            if key in self._leaves:
                self._remove(key)
        return rest

    def _put(self, node: Node, where: Node) -> None:
        """Put `node` where `where` hangs."""
        above = where.parent
        node.parent = above
        if above is None:
            self._root = node
        elif above.first is where:
            above.first = node
        else:
            above.second = node
        self._cuts = None

    def _insert(self, new: Sequence[str], sizes: Mapping[str, int]) -> None:
        """Let each new tile share the place of what is nearest to it in size, so that both parts are well formed.

        The largest tile would be the simplest place, but a small tile would be a sliver there. Each place is taken once
        an update, so that the tree stays flat.
        """
        if not new or self._root is None:
            return
        last = frozenset(self._last)
        places = Places(self._root, last)
        for key in new:
            leaf = self._leaves[key] = Node(key, sizes[key])
            if key in last:
                self._join(self._end(leaf.size), leaf)
                continue
            where = places.take(leaf.size)
            if where.key in last:
                self._join(where, leaf, before=True)
            else:
                self._join(where, leaf)
        if _depth(self._order()) > _DEEPEST:
            self.repack()

    def _join(self, where: Node, leaf: Node, *, before: bool = False) -> None:
        """Cut the place of `where` in two, and give one part to `leaf`."""
        cut = Node("", where.size + leaf.size)
        self._put(cut, where)
        cut.first, cut.second = (leaf, where) if before else (where, leaf)
        where.parent = leaf.parent = cut

    def _end(self, size: int) -> Node:
        """Return what a tile at the end best shares its place with: the last subtree that isn't smaller."""
        where = self._root
        assert where is not None
        while where.second is not None and where.second.size >= size and where.second.key not in self._last:
            where = where.second
        return where

    def _mend(self) -> bool:
        """Seed anew around slivers: the tiles stay, in their order. Return whether anything changed."""
        mended: set[int] = set()
        self._all_seen = True
        for leaf in self._leaves.values():
            _, _, width, height = leaf.box
            if width <= 2 * _SLIVER * height and 2 * height <= _SLIVER * width:
                continue
            self._all_seen &= width > 0 and height > 0
            around = leaf.parent
            while around is not None and (around.count < _FEWEST_MENDED or aspect(around.box) > _FAIR):
                around = around.parent
            if around is None or id(around) in mended:
                continue
            mended.add(id(around))
            fresh = balanced(tiles_of(around))
            around.first, around.second, around.beside = fresh.first, fresh.second, None
            if fresh.first is not None and fresh.second is not None:
                fresh.first.parent = fresh.second.parent = around
        if mended:
            self._cuts = None
            self._all_seen = False
        return bool(mended)


def _depth(cuts: Sequence[tuple[Node, Node, Node]]) -> int:
    depths: dict[int, int] = {}
    for node, _, _ in cuts:
        depths[id(node)] = depths.get(id(node.parent), 0) + 1
    return max(depths.values(), default=0)
