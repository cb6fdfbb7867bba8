from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.storage.treemap.layout import Layout, TreemapLayout
from pulsetui.storage.treemap.moves import Direction, first, neighbour
from pulsetui.storage.views import StorageNode
from tests.storage.treemap.trees import folder, library, trees

DIRECTIONS: tuple[Direction, ...] = ("left", "right", "up", "down")
OPPOSITE: dict[Direction, Direction] = {"left": "right", "right": "left", "up": "down", "down": "up"}


def reachable(layout: Layout, start: str) -> set[str]:
    found, pending = {start}, [start]
    while pending:
        key = pending.pop()
        for direction in DIRECTIONS:
            if (next_key := neighbour(layout, key, direction)) not in found:
                found.add(next_key)
                pending.append(next_key)
    return found


@settings(max_examples=40, deadline=None)
@given(trees(), st.integers(30, 120), st.integers(10, 40))
def test_every_tile_is_reached_from_every_other(tree: StorageNode, width: int, height: int) -> None:
    layout = TreemapLayout().lay_out(tree, width, height)
    leaves = [tile.key for tile in layout.tiles if tile.kind != "group"]
    assert reachable(layout, leaves[0]) == set(leaves)
    assert leaves[0] in reachable(layout, leaves[-1])


@settings(max_examples=40, deadline=None)
@given(trees(), st.data())
def test_a_step_can_be_taken_back(tree: StorageNode, data: st.DataObject) -> None:
    layout = TreemapLayout().lay_out(tree, 100, 40)
    here = data.draw(st.sampled_from([tile.key for tile in layout.tiles if tile.kind != "group"]))
    for direction in DIRECTIONS:
        there = neighbour(layout, here, direction)
        if there != here:
            box, other = layout.by_key[here], layout.by_key[there]
            facing = (
                min(box.y + box.height, other.y + other.height) > max(box.y, other.y)
                if direction in ("left", "right")
                else min(box.x + box.width, other.x + other.width) > max(box.x, other.x)
            )
            if facing and box.parent == other.parent:
                assert neighbour(layout, there, OPPOSITE[direction], back=here) == here


@pytest.fixture
def layout() -> Layout:
    return TreemapLayout().lay_out(library([[600, 300, 300], [400, 200], [50, 40]]), 120, 40)


def test_moves_go_to_what_lies_beside(layout: Layout) -> None:
    for tile in layout.tiles:
        if tile.kind == "group":
            continue
        right = layout.by_key[neighbour(layout, tile.key, "right")]
        assert right == tile or right.x >= tile.x + tile.width
        down = layout.by_key[neighbour(layout, tile.key, "down")]
        assert down == tile or down.y >= tile.y + tile.height


def test_a_group_leads_to_its_neighbours_not_into_them(layout: Layout) -> None:
    keys = {neighbour(layout, "g0", direction) for direction in DIRECTIONS}
    assert keys > {"g0"}
    assert all(layout.by_key[key].depth == 1 for key in keys)


def test_the_edge_of_the_picture_ends_a_move() -> None:
    layout = TreemapLayout().lay_out(folder([10]), 40, 10)
    assert all(neighbour(layout, "folder/0", direction) == "folder/0" for direction in DIRECTIONS)


def test_an_unknown_tile_leads_to_the_first(layout: Layout) -> None:
    assert neighbour(layout, "gone", "left") == first(layout)
    assert first(TreemapLayout().lay_out(folder([10]), 0, 0)) == ""
