"""Which node of a tree of sizes gets a tile, and where: groups, their tiles, `N others`, and what is still to come.

The invariant: the tiles of depth 1 cover the picture exactly, the tiles in a group cover the group's inside exactly,
none overlap, and every child is in a tile of its own or counted in its group's others. A tile's rectangle is the cells
that it owns; its box is one column and row larger, because its right and bottom border lie on its neighbours' first
column and row. How tiles are drawn is left to `canvas`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pulsetui.storage.treemap.split_tree import FEWEST_CELLS, Rect, SplitTree
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


def allocated(node: StorageNode) -> int:
    """Measure a node by what the disk gave for it."""
    return node.size.allocated_bytes


def apparent(node: StorageNode) -> int:
    """Measure a node by the lengths of its files."""
    return node.size.total_bytes


class TreemapLayout:
    """Lays out trees of sizes, and keeps each parent's cuts, so that a refresh doesn't shuffle tiles."""

    def __init__(self) -> None:
        """Start without any cut to keep."""
        self._cuts: dict[str, SplitTree] = {}

    def lay_out(
        self, tree: StorageNode, width: int, height: int, *, measure: Measure = allocated, depth_limit: int = 3
    ) -> Layout:
        """Return where each tile lies in a picture of `width` by `height` cells.

        `measure` gives a node's size in bytes, 0 for what isn't to be seen. Shows at most `depth_limit` levels.
        """
        return _Work(self._cuts, tree, measure, depth_limit).layout(width, height)

    def repack(self) -> None:
        """Forget all cuts: the next layout is made of sizes alone."""
        self._cuts.clear()


class _Member(NamedTuple):
    """A child that has a size or will have one."""

    node: StorageNode
    size: int
    weight: int
    """Its size, and for a group what is still to come in it: bytes."""
    is_group: bool


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
        if width > FEWEST_CELLS and height > 1:
            inside = (0, 0, width - 1, height - 1)
            if self._tree.children:
                self._fill(self._tree, inside, 1)
            else:
                size = self._measure(self._tree)
                share = size / self._whole
                self._tiles.append(Tile("tile", self._tree.key, self._tree, *inside, 1, self._tree.key, size, share))
        return Layout(tuple(self._tiles), width, height, self._tree.key, {tile.key: tile for tile in self._tiles})

    def _fill(self, group: StorageNode, inside: Rect, depth: int) -> None:
        """Lay out the children of a group in its inside."""
        members, ghost_bytes = self._members(group, inside, depth)
        cuts = self._cuts.setdefault(group.key, SplitTree())
        per_cell = (sum(member.weight for member in members) + ghost_bytes) / (inside[2] * inside[3])
        least = ADMITTED_CELLS * per_cell, KEPT_CELLS * per_cell
        shown = [member for member in members if member.weight >= least[member.node.key in cuts]]
        others_bytes = sum(member.size for member in members) - sum(member.size for member in shown)
        tails = _tails(group.key, others_bytes, ghost_bytes, bool(shown))
        placed = _place(cuts, shown, tails, inside)
        if len(placed) < len(shown) + len(tails):
            shown = [member for member in shown if member.node.key in placed]
            others_bytes = sum(member.size for member in members) - sum(member.size for member in shown)
            tails = _tails(group.key, others_bytes, ghost_bytes, bool(shown))
            placed = _place(cuts, shown, tails, inside)
        self._add_tiles(group, shown, tails, placed, depth)

    def _members(self, group: StorageNode, inside: Rect, depth: int) -> tuple[list[_Member], int]:
        """Return the children that have a size, the largest first, and what else is still to come in the group.

        What is still to come in a child that is a group of its own is shown there, all other in a ghost of this group.
        """
        measure = self._measure
        sizes = [(size, child) for child in group.children if (size := measure(child)) > 0]
        coming = max(group.incoming_bytes, sum(child.incoming_bytes for child in group.children))
        total = sum(size for size, _ in sizes) + coming
        width, height = GROUP_CELLS[depth > 1]
        large = total * width * height / (inside[2] * inside[3]) if depth < self._depth_limit else total + 1
        members = []
        for size, child in sizes:
            if size >= large and child.children:
                coming -= child.incoming_bytes
                members.append(_Member(child, size, size + child.incoming_bytes, True))
            else:
                members.append(_Member(child, size, size, False))
        members.sort(key=_by_weight)
        return members, coming

    def _add_tiles(
        self,
        group: StorageNode,
        shown: Sequence[_Member],
        tails: Mapping[str, int],
        placed: Mapping[str, Rect],
        depth: int,
    ) -> None:
        whole, tiles, parent = self._whole, self._tiles, group.key
        width, height = GROUP_CELLS[depth > 1]
        for node, size, _, is_group in shown:
            rect = placed.get(node.key)
            if rect is None:
                continue
            opened = is_group and rect[2] >= width and rect[3] >= height
            tiles.append(Tile("group" if opened else "tile", node.key, node, *rect, depth, parent, size, size / whole))
            if opened:
                self._fill(node, (rect[0] + 1, rect[1] + 1, rect[2] - 2, rect[3] - 2), depth + 1)
        for key, size in tails.items():
            if key in placed and key.startswith("ghost:"):
                tiles.append(Tile("ghost", key, None, *placed[key], depth, parent, size, size / whole))
            elif key in placed:
                keys = {member.node.key for member in shown}
                others = tuple(child for child in group.children if child.key not in keys)
                tiles.append(Tile("others", key, None, *placed[key], depth, parent, size, size / whole, others))


def _by_weight(member: _Member) -> int:
    return -member.weight


def _tails(key: str, others_bytes: int, ghost_bytes: int, some_shown: bool) -> dict[str, int]:
    """Return the sizes of the tiles that stand at the end of a group."""
    tails = {f"others:{key}": others_bytes} if others_bytes or not (some_shown or ghost_bytes) else {}
    return {**tails, f"ghost:{key}": ghost_bytes} if ghost_bytes else tails


def _place(cuts: SplitTree, shown: Sequence[_Member], tails: Mapping[str, int], inside: Rect) -> dict[str, Rect]:
    """Return where the tiles lie that are large enough to be seen."""
    sizes = {member.node.key: member.weight for member in shown}
    for key, size in tails.items():
        sizes[key] = max(1, size)
    cuts.update(sizes, tuple(tails))
    return {key: rect for key, rect in cuts.place(*inside).items() if rect[2] >= FEWEST_CELLS}
