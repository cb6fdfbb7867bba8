"""Where the cuts of a tree lie: whole cells, top down, by sizes.

The invariant: the two parts of a cut cover its rectangle exactly. Whether a cut lies beside or below, and on which
cell, changes only where keeping it would cost form or truth: a cut that moves takes all tiles in its parts along.
"""

from __future__ import annotations

from collections.abc import Sequence

from pulsetui.storage.treemap.seeding import Node, Rect

FEWEST_CELLS = 2
"""The smallest tile is this wide and one row high, where the rectangle has room for all."""

_FLIP = 1.8
"""A cut turns when its rectangle became this much longer the other way: less would turn cuts back and forth."""
_ROUNDING_COST = 10.0
"""How much aspect a cut may cost that lies on a whole cell, by the share of the smaller part that rounding takes."""
_HOLD_CELLS, _HOLD_SHARE = 0.5, 0.03
"""A cut stays where it is while it is off by no more than this many cells and this share of the smaller part: most of
what would move are cells of tiles that didn't change."""


def settle(cuts: Sequence[tuple[Node, Node, Node]]) -> None:
    """Give the parts of each cut their rectangles, top down: whole cells, by their sizes."""
    for node, first, second in cuts:
        x, y, width, height = node.box
        beside = node.beside
        if beside is None:
            beside = _better(first.size / node.size, width, height)
        elif beside:
            beside = width * _FLIP >= 2 * height
        else:
            beside = width > 2 * _FLIP * height
        share = first.size / node.size
        length = width if beside else height
        at = int(length * share + 0.5)
        if node.length == length and beside is node.beside:
            old = node.at
            if abs(old - length * share) <= _HOLD_CELLS + _HOLD_SHARE * min(at, length - at):
                at = old
        lines = height if beside else width // FEWEST_CELLS
        least = FEWEST_CELLS if beside else 1
        if first.count > at // least * lines or second.count > (length - at) // least * lines:
            beside, at = _tight(node, first, second, beside, share)
        node.beside, node.at, node.length = beside, at, width if beside else height
        if beside:
            first.box = (x, y, at, height)
            second.box = (x + at, y, width - at, height)
        else:
            first.box = (x, y, width, at)
            second.box = (x, y + at, width, height - at)


def _better(share: float, width: int, height: int) -> bool:
    """Return whether a cut beside gives better parts than one below: by their aspects, and by what rounding costs."""
    beside, below = (
        _cost(length * share, length, lines, looks)
        for length, lines, looks in ((width, height, 0.5), (height, width, 2.0))
    )
    return beside <= below


def _cost(at: float, length: int, lines: int, looks: float) -> float:
    """Return how bad a cut at `at` of `length` is; a cell looks `looks` as long in that direction as across."""
    smaller, larger = sorted((max(at, 1e-9), max(length - at, 1e-9)))
    off = abs(at - int(at + 0.5)) / smaller
    aspect = max(lines / (smaller * looks), larger * looks / max(1, lines))
    return aspect + _ROUNDING_COST * min(off, 1.0)


def _tight(node: Node, first: Node, second: Node, beside: bool, share: float) -> tuple[bool, int]:
    """Return a cut that leaves each tile of both parts its fewest cells, or, where none can, the one by size."""
    _, _, width, height = node.box
    for across in (beside, not beside):
        length, lines, least = (width, height, FEWEST_CELLS) if across else (height, width // FEWEST_CELLS, 1)
        if not lines:
            continue
        low = -(-first.count // lines) * least
        high = length + (-second.count // lines) * least
        if low <= high:
            return across, min(max(int(length * share + 0.5), low), high)
    return beside, int((width if beside else height) * share + 0.5)


def aspect(box: Rect) -> float:
    """Return how long a rectangle looks for its breadth, 1 or more."""
    wide, high = max(1, box[2]), max(1, 2 * box[3])
    return max(wide / high, high / wide)
