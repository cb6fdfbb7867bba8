from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.storage.treemap.layout import Layout, Tile, TreemapLayout, apparent
from pulsetui.storage.views import Amount, StorageNode
from tests.storage.treemap.trees import folder, library, node, trees


def cells(tiles: list[Tile]) -> list[tuple[int, int]]:
    return [
        (x, y)
        for tile in tiles
        for x in range(tile.x, tile.x + tile.width)
        for y in range(tile.y, tile.y + tile.height)
    ]


def rectangle(x: int, y: int, width: int, height: int) -> set[tuple[int, int]]:
    return {(column, line) for column in range(x, x + width) for line in range(y, y + height)}


def inside(layout: Layout, key: str) -> list[Tile]:
    return [tile for tile in layout.tiles if tile.parent == key]


def assert_exact(layout: Layout, tree: StorageNode) -> None:
    """The tiles of each group cover its inside, without overlap, and stand for all of its children."""
    groups = [("", (0, 0, layout.width - 1, layout.height - 1), tree)]
    groups += [
        (tile.key, (tile.x + 1, tile.y + 1, tile.width - 2, tile.height - 2), tile.node)
        for tile in layout.tiles
        if tile.kind == "group" and tile.node
    ]
    for key, box, group in groups:
        tiles = inside(layout, key or layout.root)
        covered = cells(tiles)
        assert len(covered) == len(set(covered)), "tiles overlap"
        assert set(covered) == rectangle(*box)
        shown = {tile.key for tile in tiles if tile.node}
        others = [other for tile in tiles for other in tile.others]
        assert all(child.key in shown for child in group.children if child not in others and child.size.allocated_bytes)
        sizes = sum(tile.size_bytes for tile in tiles if tile.kind != "ghost")
        assert sizes == group.size.allocated_bytes


@settings(max_examples=60, deadline=None)
@given(st.lists(trees(), min_size=1, max_size=3), st.integers(8, 120), st.integers(4, 50), st.integers(1, 4))
def test_tiles_cover_every_group_exactly_and_count_every_byte(
    refreshes: list[StorageNode], width: int, height: int, depth_limit: int
) -> None:
    keeper = TreemapLayout()
    for tree in refreshes:
        layout = keeper.lay_out(tree, width, height, depth_limit=depth_limit)
        assert_exact(layout, tree)
        assert max(tile.depth for tile in layout.tiles) <= depth_limit
        assert len(layout.by_key) == len(layout.tiles)


@settings(max_examples=40, deadline=None)
@given(trees(), st.integers(0, 9), st.integers(0, 4))
def test_no_picture_is_too_small(tree: StorageNode, width: int, height: int) -> None:
    layout = TreemapLayout().lay_out(tree, width, height)
    covered = cells(list(inside(layout, layout.root)))
    assert set(covered) in (rectangle(0, 0, width - 1, height - 1), set())


def test_small_nodes_are_one_tile_at_the_end_that_is_as_large_as_what_it_holds() -> None:
    tree = folder([50_000, 30_000, *[10] * 200, 0, 0])

    layout = TreemapLayout().lay_out(tree, 101, 31)

    others = layout.tiles[-1]
    assert others.kind == "others"
    assert others.size_bytes == 2000
    assert len(others.others) == 202
    assert (others.x + others.width, others.y + others.height) == (100, 30)
    assert abs(others.width * others.height - 3000 * 2000 / 82_000) < 20


def test_others_and_ghosts_have_a_tile_even_where_there_is_hardly_room() -> None:
    tree = node("root", 0, [node("a", 10**12), node("b", 10**11), node("c", 10**11), node("tiny", 1)], incoming=1)

    for width in range(4, 12):
        layout = TreemapLayout().lay_out(tree, width, 4)
        assert {"others:root", "ghost:root"} <= layout.by_key.keys()
        assert sum(tile.size_bytes for tile in layout.tiles if tile.kind != "ghost") == tree.size.allocated_bytes


def test_empty_nodes_get_no_tile() -> None:
    layout = TreemapLayout().lay_out(folder([1000, 500, 0]), 60, 20)
    assert [tile.key for tile in layout.tiles] == ["folder/0", "folder/1"]


def test_a_folder_of_empty_nodes_is_one_tile_of_others() -> None:
    (tile,) = TreemapLayout().lay_out(folder([0, 0, 0]), 60, 20).tiles
    assert (tile.kind, len(tile.others), tile.size_bytes) == ("others", 3, 0)


def test_a_node_without_children_is_its_own_tile() -> None:
    (tile,) = TreemapLayout().lay_out(node("file", 5), 60, 20).tiles
    assert (tile.kind, tile.key, tile.share) == ("tile", "file", 1.0)


def test_a_size_that_wavers_about_the_least_does_not_make_its_tile_come_and_go() -> None:
    keeper = TreemapLayout()
    large, small = [9_000, 900], 0.0012
    keys = []
    for share in (small * 1.6, small * 0.9, small * 1.1):
        tree = folder([*large, int(9_900 * share), 1])
        keys.append("folder/2" in keeper.lay_out(tree, 91, 41).by_key)
    assert keys == [True, True, True]
    assert "folder/2" not in TreemapLayout().lay_out(folder([*large, int(9_900 * small * 0.9), 1]), 91, 41).by_key


def test_tiles_are_measured_as_told() -> None:
    sparse = StorageNode("sparse", "sparse", "file", None, Amount(900, 100, 1))
    dense = StorageNode("dense", "dense", "file", None, Amount(100, 900, 1))
    tree = StorageNode("root", "root", "folder", None, Amount(1000, 1000, 2), children=(dense, sparse))

    layout = TreemapLayout().lay_out(tree, 101, 31, measure=apparent)

    assert layout.by_key["sparse"].width * layout.by_key["sparse"].height > 2600
    assert layout.by_key["sparse"].share == 0.9


def test_what_is_still_to_come_is_a_ghost_at_the_end_of_its_group() -> None:
    busy = node("busy", 0, [node("busy/1", 400), node("busy/2", 200)], incoming=300)
    idle = node("idle", 100)
    tree = node("root", 0, [busy, idle], incoming=300 + 200)

    layout = TreemapLayout().lay_out(tree, 121, 41)

    own, rest = layout.by_key["ghost:busy"], layout.by_key["ghost:root"]
    assert (own.kind, own.size_bytes, own.parent) == ("ghost", 300, "busy")
    assert (rest.size_bytes, rest.depth) == (200, 1)
    assert (rest.x + rest.width, rest.y + rest.height) == (120, 40)
    assert abs(own.width * own.height - layout.by_key["busy/1"].width * layout.by_key["busy/1"].height * 3 / 4) < 120


def test_groups_open_to_a_third_level_only_where_there_is_room() -> None:
    deep = node("root", 0, [node("a", 0, [node("a/b", 0, [node("a/b/c", 300), node("a/b/d", 300)]), node("a/e", 200)])])

    assert max(tile.depth for tile in TreemapLayout().lay_out(deep, 140, 46).tiles) == 3
    assert max(tile.depth for tile in TreemapLayout().lay_out(deep, 40, 12).tiles) == 2


def test_a_refresh_keeps_tiles_in_place_and_packing_anew_sorts_them() -> None:
    keeper = TreemapLayout()
    sizes = [800, 400, 300, 200, 100]
    first = keeper.lay_out(folder(sizes), 100, 30)
    sizes[4] = 1600
    grown = keeper.lay_out(folder(sizes), 100, 30)
    keeper.repack()
    packed = keeper.lay_out(folder(sizes), 100, 30)

    assert first.tile_at(0, 0) == first.by_key["folder/0"]
    assert grown.tile_at(0, 0) == grown.by_key["folder/0"]
    assert packed.tile_at(0, 0) == packed.by_key["folder/4"]


def test_a_cell_belongs_to_the_innermost_tile() -> None:
    layout = TreemapLayout().lay_out(library([[500, 400], [300, 200]]), 100, 30)

    group = layout.by_key["g0"]
    corner = layout.tile_at(group.x, group.y)
    within = layout.tile_at(group.x + 2, group.y + 2)
    assert corner == group
    assert within is not None
    assert within.parent == "g0"
    assert layout.tile_at(99, 29) == layout.tile_at(98, 28)
