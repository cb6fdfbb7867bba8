"""Spatial moves between tiles: what lies next in a direction, as the eye sees it.

The invariants: from each tile that isn't a group every other one can be reached, because a move never leaves out what
lies along the whole side of a tile; and a move that names where it came from goes back there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pulsetui.storage.treemap.layout import Layout, Tile

Direction = Literal["left", "right", "up", "down"]


def neighbour(layout: Layout, key: str, direction: Direction, *, back: str = "") -> str:
    """Return the key of the tile next to `key` in a direction, or `key` itself at the edge of the picture.

    A tile leads to tiles, a group to groups and tiles beside it. `back` is where the last move came from: it is taken
    where it lies in that direction, so that a step can be undone. An unknown `key` leads to the first tile.
    """
    here = layout.by_key.get(key)
    if here is None:
        return first(layout)
    found: list[Tile] = []
    box: Tile | None = here
    while box is not None and not found:
        found = [tile for tile in _inside(layout, box.parent) if _touches(box, tile, direction)]
        box = layout.by_key[box.parent] if box.parent != layout.root else None
    if here.kind != "group":
        found = [leaf for tile in found for leaf in _facing(layout, tile, direction)]
    if not found:
        return key
    if any(tile.key == back for tile in found):
        return back
    return min(found, key=lambda tile: (-_overlap(here, tile, direction), _apart(here, tile, direction))).key


def first(layout: Layout) -> str:
    """Return the key of the tile at the top left, or an empty key where there is none."""
    return next((tile.key for tile in layout.tiles if tile.kind != "group"), "")


def _inside(layout: Layout, key: str) -> Iterable[Tile]:
    return [tile for tile in layout.tiles if tile.parent == key]


def _touches(box: Tile, tile: Tile, direction: Direction) -> bool:
    """Return whether a tile of the same group lies directly beyond that side of a box."""
    if direction == "right":
        beyond = tile.x == box.x + box.width
    elif direction == "left":
        beyond = tile.x + tile.width == box.x
    elif direction == "down":
        beyond = tile.y == box.y + box.height
    else:
        beyond = tile.y + tile.height == box.y
    return beyond and _overlap(box, tile, direction) > 0


def _facing(layout: Layout, tile: Tile, direction: Direction) -> list[Tile]:
    """Return the tile, or, of a group, its tiles along the side from which a move in `direction` enters it."""
    if tile.kind != "group":
        return [tile]
    inside = list(_inside(layout, tile.key))
    if direction == "right":
        edge = min(each.x for each in inside)
        entered = [each for each in inside if each.x == edge]
    elif direction == "left":
        edge = max(each.x + each.width for each in inside)
        entered = [each for each in inside if each.x + each.width == edge]
    elif direction == "down":
        edge = min(each.y for each in inside)
        entered = [each for each in inside if each.y == edge]
    else:
        edge = max(each.y + each.height for each in inside)
        entered = [each for each in inside if each.y + each.height == edge]
    return [leaf for each in entered for leaf in _facing(layout, each, direction)]


def _overlap(one: Tile, other: Tile, direction: Direction) -> int:
    """Return how many cells of their sides face each other; below 0 is how far they are apart."""
    if direction in ("left", "right"):
        return min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return min(one.x + one.width, other.x + other.width) - max(one.x, other.x)


def _apart(one: Tile, other: Tile, direction: Direction) -> float:
    """Return how far the middles of the sides are apart: of equals, the nearest is next."""
    if direction in ("left", "right"):
        return abs(2 * one.y + one.height - 2 * other.y - other.height)
    return abs(2 * one.x + one.width - 2 * other.x - other.width)
