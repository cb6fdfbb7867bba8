"""Which node of a tree of sizes gets a tile, and where: groups, their tiles, `N others`, and what is still to come.

The invariant: the tiles of depth 1 cover the picture exactly, the tiles in a group cover the group's inside exactly,
none overlap, and every child is in a tile of its own or counted in its group's others. A tile's rectangle is the cells
that it owns; its box is one column and row larger, because its right and bottom border lie on its neighbours' first
column and row. How tiles are drawn is left to `canvas`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Literal, NamedTuple

from pulsetui.storage.treemap.cutting import FEWEST_CELLS
from pulsetui.storage.treemap.seeding import Rect
from pulsetui.storage.treemap.split_tree import SplitTree
from pulsetui.storage.views import StorageNode

Kind = Literal["tile", "group", "others", "ghost"]
Measure = Callable[[StorageNode], int]

GROUP_CELLS = ((14, 5), (40, 12))
"""Width and height from which a tile of depth 1, and of depth 2 or more, shows what is in it."""
ADMITTED_CELLS = 5.0
"""A child gets a tile of its own when its share of the parent is as large as this many cells, ..."""
KEPT_CELLS = 3.0
"""... and keeps it as long as its share is as large as this: sizes that waver don't make tiles come and go."""


class Tile(NamedTuple):
    """One rectangle of the picture. A tuple, because thousands are made in a frame."""

    kind: Kind
    """``others`` stands for several small nodes, ``ghost`` for what running jobs will still write into the group."""
    key: str
    """Of its node; ``others:KEY`` and ``ghost:KEY`` have their group's key."""
    node: StorageNode | None
    """None for others and ghosts."""
    x: int
    y: int
    width: int
    height: int
    depth: int
    """1 for what lies directly in the picture."""
    parent: str
    """The key of the group that it is in; of the whole tree at depth 1."""
    size_bytes: int
    """As measured; a ghost's are not on disk yet."""
    share: float
    """Of the whole tree's size, 0 to 1; a ghost's may be more."""
    others: tuple[StorageNode, ...] = ()
    """What stands behind `N others`, the largest first."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where every tile lies, groups before what is in them."""

    tiles: tuple[Tile, ...]
    width: int
    """Of the picture in cells, with its right and bottom border."""
    height: int
    root: str
    """The key of the whole tree."""
    by_key: Mapping[str, Tile]

    def tile_at(self, x: int, y: int) -> Tile | None:
        """Return the innermost tile at a cell of the picture."""
        x, y = min(x, self.width - 2), min(y, self.height - 2)
        found = None
        for tile in self.tiles:
            if tile.x <= x < tile.x + tile.width and tile.y <= y < tile.y + tile.height:
                found = tile
        return found


allocated: Measure = attrgetter("size.allocated_bytes")
"""Measures a node by what the disk gave for it."""
apparent: Measure = attrgetter("size.total_bytes")
"""Measures a node by the lengths of its files."""


class TreemapLayout:
    """Lays out trees of sizes, and keeps each parent's cuts, so that a refresh doesn't shuffle tiles."""

    def __init__(self) -> None:
        """Start without any cut to keep."""
        self._cuts: dict[str, SplitTree] = {}

    def lay_out(
        self, tree: StorageNode, width: int, height: int, *, measure: Measure = allocated, depth_limit: int = 3
    ) -> Layout:
        """Return where each tile lies in a picture of `width` by `height` cells.

        `measure` gives a node's size in bytes, 0 for what isn't to be seen. Shows at most `depth_limit` levels. What
        jobs will still write counts upwards in `incoming_bytes`, as sizes do.
        """
        return _Work(self._cuts, tree, measure, depth_limit).layout(width, height)

    def repack(self) -> None:
        """Forget all cuts: the next layout is made of sizes alone."""
        self._cuts.clear()


class _Work:
    """One layout being made."""

    def __init__(self, cuts: dict[str, SplitTree], tree: StorageNode, measure: Measure, depth_limit: int) -> None:
        self._cuts = cuts
        self._tree = tree
        self._measure = measure
        self._depth_limit = depth_limit
        self._whole = measure(tree) or 1
        self._tiles: list[Tile] = []

    def layout(self, width: int, height: int) -> Layout:
        tree, tiles = self._tree, self._tiles
        if width > FEWEST_CELLS and height > 1:
            inside = (0, 0, width - 1, height - 1)
            if tree.children:
                self._fill(tree, inside, 1)
            else:
                tiles.append(Tile("tile", tree.key, tree, *inside, 1, tree.key, self._measure(tree), 1.0))
        return Layout(tuple(tiles), width, height, tree.key, {tile[1]: tile for tile in tiles})

    def _fill(self, group: StorageNode, inside: Rect, depth: int) -> None:
        """Lay out the children of a group in its inside."""
        cuts = self._cuts.setdefault(group.key, SplitTree())
        sizes = list(map(self._measure, group.children))
        whole = sum(sizes)
        per_cell = (whole + group.incoming_bytes) / (inside[2] * inside[3])
        new, old, keys = max(1.0, ADMITTED_CELLS * per_cell), max(1.0, KEPT_CELLS * per_cell), cuts.keys
        shown = [
            (size, child)
            for size, child in zip(sizes, group.children, strict=True)
            if size >= new or (size >= old and child.key in keys)
        ]
        shown.sort(key=_SIZE, reverse=True)
        coming = self._coming(shown, per_cell, depth)
        tails = _tails(group, whole, shown, coming)
        placed = _place(cuts, shown, coming, tails, inside)
        while shown and len(placed) < len(shown) + len(tails):
            # No room for all of them: the smallest go to the others, which always have a tile.
            seen = [one for one in shown if one[1].key in placed]
            shown = seen if len(seen) < len(shown) else shown[: -max(1, len(shown) // 16)]
            tails = _tails(group, whole, shown, coming)
            placed = _place(cuts, shown, coming, tails, inside)
        self._add_tiles(group, shown, coming, placed, depth)
        self._add_tails(group, shown, tails, placed, depth)

    def _coming(self, shown: Sequence[_Sized], per_cell: float, depth: int) -> dict[str, int]:
        """Return what is still to come in those children that will be groups of their own: it is shown there."""
        if depth >= self._depth_limit:
            return {}
        width, height = GROUP_CELLS[depth > 1]
        least = width * height * per_cell * _SAFELY_LARGER
        return {
            node.key: node.incoming_bytes
            for size, node in shown
            if node.incoming_bytes and node.children and size >= least
        }

    def _add_tiles(
        self,
        group: StorageNode,
        shown: Sequence[_Sized],
        coming: Mapping[str, int],
        placed: Mapping[str, Rect],
        depth: int,
    ) -> None:
        whole, add, parent = self._whole, self._tiles.append, group.key
        width, height = GROUP_CELLS[depth > 1] if depth < self._depth_limit else (_NEVER, _NEVER)
        for size, node in shown:
            key = node.key
            x, y, columns, rows = placed[key]
            opened = columns >= width and rows >= height and node.children
            if opened and (key in coming or not node.incoming_bytes):
                add(Tile("group", key, node, x, y, columns, rows, depth, parent, size, size / whole))
                self._fill(node, (x + 1, y + 1, columns - 2, rows - 2), depth + 1)
            else:
                add(Tile("tile", key, node, x, y, columns, rows, depth, parent, size, size / whole))

    def _add_tails(
        self,
        group: StorageNode,
        shown: Sequence[_Sized],
        tails: Mapping[str, int],
        placed: Mapping[str, Rect],
        depth: int,
    ) -> None:
        for key, size in tails.items():
            if key in placed:
                kind: Kind = "others" if key.startswith(_OTHERS) else "ghost"
                others = _rest(group.children, shown) if kind == "others" else ()
                share = size / self._whole
                self._tiles.append(Tile(kind, key, None, *placed[key], depth, group.key, size, share, others))


_Sized = tuple[int, StorageNode]
"""A child and its size in bytes."""
_SIZE = itemgetter(0)
_OTHERS, _GHOST = "others:", "ghost:"
_NEVER = 1 << 30
_SAFELY_LARGER = 1.5
"""How much larger than the smallest group a child has to be to be sure of becoming one, whatever its aspect."""


def _tails(group: StorageNode, whole: int, shown: Sequence[_Sized], coming: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes of the tiles that stand at the end of a group."""
    tails: dict[str, int] = {}
    others = whole - sum(map(_SIZE, shown))
    ghost = group.incoming_bytes - (sum(coming.get(node.key, 0) for _, node in shown) if coming else 0)
    if others or not (shown or ghost > 0):
        tails[f"{_OTHERS}{group.key}"] = others
    if ghost > 0:
        tails[f"{_GHOST}{group.key}"] = ghost
    return tails


def _place(
    cuts: SplitTree, shown: Sequence[_Sized], coming: Mapping[str, int], tails: Mapping[str, int], inside: Rect
) -> dict[str, Rect]:
    """Return where the tiles lie that are large enough to be seen."""
    sizes = {node.key: size for size, node in shown}
    for key, size in coming.items():
        if key in sizes:
            sizes[key] += size
    for key, size in tails.items():
        sizes[key] = max(1, size)
    cuts.update(sizes, tuple(tails))
    placed = cuts.place(*inside)
    if shown and min([rect[2] for rect in placed.values()], default=0) < FEWEST_CELLS:
        return {key: rect for key, rect in placed.items() if rect[2] >= FEWEST_CELLS}
    return placed


def _rest(children: tuple[StorageNode, ...], shown: Sequence[_Sized]) -> tuple[StorageNode, ...]:
    """Return the children that aren't shown. Most often those are the last ones, which is quicker to tell."""
    if all(node is child for (_, node), child in zip(shown, children, strict=False)):
        return children[len(shown) :]
    keys = {node.key for _, node in shown}
    return tuple(child for child in children if child.key not in keys)
