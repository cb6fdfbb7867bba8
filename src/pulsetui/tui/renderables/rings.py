"""Which node of a tree of sizes gets which arc of which ring: the sunburst's layout, without drawing.

Arcs are bytes of the whole, in whole numbers, from the top clockwise. The invariants: an arc lies within its parent's
arc, the arcs of a parent's children follow one another without gap or overlap and sum to it exactly, and every child
has an arc of its own or is counted in its parent's others, which come last.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from pulsetui.storage.treemap.layout import Kind, Tile
from pulsetui.storage.views import StorageNode
from pulsetui.tui.renderables.storage import Measure, largest_first

FEWEST_RINGS = 2
MOST_RINGS = 4
_RING_PIXELS = 6
"""A ring is wanted to be at least so thick."""
_SHORTEST_ARC_PIXELS = 3.0
"""A child whose arc would be shorter, in the middle of its ring, is one of the others."""


@dataclass(frozen=True, slots=True)
class Arc:
    """One node's, or some others', part of a ring."""

    key: str
    """Of its node; others have ``others:KEY`` with their parent's."""
    node: StorageNode | None
    """None for others."""
    parent: str | None
    """The key of what it is in; None for the middle."""
    ring: int
    """0 is the disc in the middle, the tree itself."""
    start: int
    end: int
    others: tuple[StorageNode, ...] = ()
    """What stands behind `N others`, the largest first."""

    @property
    def size_bytes(self) -> int:
        """How much it is, as measured."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Rings:
    """All arcs of a picture."""

    whole: int
    radius: float
    """Of the picture, in pixels."""
    thickness: float
    """Of a ring, in pixels; the disc has what is left."""
    arcs: tuple[tuple[Arc, ...], ...]
    """By ring, the disc first; each ring clockwise."""

    def at(self, ring: int, turn: float) -> Arc | None:
        """Return the arc at a part of the circle, 0 to 1 from the top clockwise."""
        if not 0 <= ring < len(self.arcs) or not self.whole:
            return None
        arcs, place = self.arcs[ring], turn * self.whole
        index = bisect_right(arcs, place, key=lambda arc: arc.start) - 1
        return arcs[index] if index >= 0 and place < arcs[index].end else None

    def find(self, key: str | None) -> Arc | None:
        """Return the arc with a key."""
        return next((arc for ring in self.arcs for arc in ring if arc.key == key), None)

    def find_others(self, key: str) -> str | None:
        """Return the key of the others that a node is one of."""
        arcs = (arc for ring in self.arcs for arc in ring)
        return next((arc.key for arc in arcs if any(node.key == key for node in arc.others)), None)

    def neighbour(self, key: str | None, direction: str) -> str | None:
        """Return the key that is next: `left` and `right` along the ring, `up` outwards, `down` inwards."""
        arc = self.find(key) or self.arcs[0][0]
        if direction == "down":
            return arc.parent
        if direction == "up":
            if arc.ring + 1 >= len(self.arcs):
                return None
            return next((child.key for child in self.arcs[arc.ring + 1] if child.parent == arc.key), None)
        ring = self.arcs[arc.ring]
        step = 1 if direction == "right" else -1
        return ring[(ring.index(arc) + step) % len(ring)].key


def lay_rings(tree: StorageNode, side: int, measure: Measure) -> Rings:
    """Return the arcs of a picture of `side` by `side` pixels, in two to four rings, or as many as the tree is deep."""
    radius = side / 2
    room = min(MOST_RINGS, max(FEWEST_RINGS, int(radius / _RING_PIXELS) - 1))
    rings = min(room, _depth(tree, room))
    thickness = radius / (rings + 1.25)
    whole = measure(tree)
    arcs: list[tuple[Arc, ...]] = [(Arc(tree.key, tree, None, 0, 0, whole),)]
    for ring in range(1, rings + 1):
        middle = radius - (rings - ring + 0.5) * thickness
        fewest = whole * _SHORTEST_ARC_PIXELS / (math.tau * middle)
        found = [arc for parent in arcs[-1] for arc in _children(parent, ring, fewest, measure)]
        if not found:
            break
        arcs.append(tuple(found))
    return Rings(whole, radius, thickness, tuple(arcs))


def _children(parent: Arc, ring: int, fewest_bytes: float, measure: Measure) -> list[Arc]:
    """Return the arcs of a node's children, the largest first; several that are too small become one."""
    if parent.node is None:
        return []
    children = [child for child in largest_first(parent.node.children, measure) if measure(child) > 0]
    small = [child for child in children if measure(child) < fewest_bytes]
    if len(small) < 2:
        small = []
    large = children[: len(children) - len(small)]
    ends = list(accumulate((measure(child) for child in large), initial=parent.start))
    arcs = [
        Arc(child.key, child, parent.key, ring, start, end)
        for child, (start, end) in zip(large, pairwise(ends), strict=True)
    ]
    if small:
        end = ends[-1] + sum(measure(child) for child in small)
        arcs.append(Arc(f"others:{parent.key}", None, parent.key, ring, ends[-1], end, tuple(small)))
    return arcs


def _depth(tree: StorageNode, most: int) -> int:
    """Return how many levels there are below a node, at most `most`."""
    level: Sequence[StorageNode] = (tree,)
    for depth in range(most + 1):
        level = [child for node in level for child in node.children]
        if not level:
            return max(1, depth)
    return most


def as_tile(arc: Arc, rings: Rings) -> Tile:
    """Return an arc as the tile that the rules of colour and words are written for; it has no place in a picture."""
    share = arc.size_bytes / rings.whole if rings.whole else 0.0
    kind: Kind = "tile" if arc.node is not None else "others"
    return Tile(kind, arc.key, arc.node, 0, 0, 0, 0, arc.ring, arc.parent or "", arc.size_bytes, share, arc.others)
