from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.storage.treemap.cutting import FEWEST_CELLS
from pulsetui.storage.treemap.seeding import Rect
from pulsetui.storage.treemap.split_tree import SplitTree

SIZES = st.dictionaries(
    st.integers(0, 60).map(str), st.one_of(st.integers(1, 1000), st.integers(1, 2**63)), min_size=1, max_size=40
)


def area(rect: Rect) -> int:
    return rect[2] * rect[3]


def assert_covers(placed: dict[str, Rect], x: int, y: int, width: int, height: int) -> None:
    cells = [
        (column, line)
        for left, top, w, h in placed.values()
        for column in range(left, left + w)
        for line in range(top, top + h)
    ]
    assert len(cells) == len(set(cells)), "tiles overlap"
    assert set(cells) == {(column, line) for column in range(x, x + width) for line in range(y, y + height)}


@settings(deadline=None)
@given(
    st.lists(SIZES, min_size=1, max_size=4),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 60),
    st.integers(1, 30),
)
def test_tiles_cover_the_rectangle_exactly_whatever_changes(
    refreshes: list[dict[str, int]], x: int, y: int, width: int, height: int
) -> None:
    tree = SplitTree()
    for sizes in refreshes:
        tree.update(sizes)
        assert_covers(tree.place(x, y, width, height), x, y, width, height)


@settings(deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=60), st.integers(1, 10**15))
def test_every_tile_gets_its_fewest_cells_where_there_is_room(sizes: list[int], unit: int) -> None:
    tree = SplitTree()
    tree.update({str(index): size * unit for index, size in enumerate(sorted(sizes, reverse=True))})

    placed = tree.place(0, 0, 80, 30)

    assert len(placed) == len(sizes)
    assert all(width >= FEWEST_CELLS for _, _, width, _ in placed.values())


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 60).map(str), st.integers(1, 50), min_size=1), min_size=2, max_size=5))
def test_last_tiles_stay_at_the_bottom_right(refreshes: list[dict[str, int]]) -> None:
    tree = SplitTree()
    for sizes in refreshes:
        tree.update({**sizes, "last": 10}, ("last",))
        placed = tree.place(0, 0, 80, 40)
        x, y, width, height = placed["last"]
        assert (x + width, y + height) == (80, 40)


def test_a_growing_tile_moves_cuts_and_shuffles_nothing() -> None:
    source = random.Random(1)
    sizes = {str(index): source.randint(50, 500) for index in range(30)}
    tree = SplitTree()
    tree.update(sizes)
    before = tree.place(0, 0, 200, 50)
    tree.update({**sizes, "7": int(sizes["7"] * 1.05)})
    after = tree.place(0, 0, 200, 50)

    for key, (x, y, width, height) in before.items():
        moved = after[key]
        assert abs(moved[0] - x) <= 3
        assert abs(moved[1] - y) <= 2
        assert abs(moved[2] - width) <= 3
        assert abs(moved[3] - height) <= 2


def test_a_vanished_tile_leaves_its_place_to_its_sibling_only() -> None:
    tree = SplitTree()
    tree.update({"a": 400, "b": 200, "c": 100, "d": 100})
    before = tree.place(0, 0, 80, 20)
    tree.update({"a": 400, "b": 200, "c": 200})
    after = tree.place(0, 0, 80, 20)

    assert {key: after[key] for key in "ab"} == {key: before[key] for key in "ab"}
    assert area(after["c"]) == area(before["c"]) + area(before["d"])


def test_a_new_tile_shares_the_place_of_one_of_its_size() -> None:
    tree = SplitTree()
    tree.update({"large": 800, "b": 100, "c": 100})
    tree.place(0, 0, 100, 40)
    tree.update({"large": 800, "b": 100, "c": 100, "new": 100})
    placed = tree.place(0, 0, 100, 40)

    _, _, width, height = placed["new"]
    assert max(width / (2 * height), 2 * height / width) < 3
    assert placed["large"][:2] == (0, 0)


def test_a_renamed_file_stays_where_it_was() -> None:
    tree = SplitTree()
    sizes = {str(index): 100 - index for index in range(20)}
    tree.update(sizes)
    before = tree.place(0, 0, 120, 40)
    tree.update({("renamed" if key == "7" else key): size for key, size in sizes.items()})

    assert tree.place(0, 0, 120, 40) == {("renamed" if key == "7" else key): rect for key, rect in before.items()}


def test_repacking_lays_out_as_if_all_tiles_were_new() -> None:
    tree, fresh = SplitTree(), SplitTree()
    tree.update({"a": 10, "b": 20, "rest": 5}, ("rest",))
    tree.place(0, 0, 60, 20)
    tree.update({"a": 10, "b": 900, "c": 40, "d": 5, "rest": 5}, ("rest",))
    tree.place(0, 0, 60, 20)
    tree.repack()
    fresh.update({"b": 900, "c": 40, "a": 10, "d": 5, "rest": 5}, ("rest",))

    assert tree.place(0, 0, 60, 20) == fresh.place(0, 0, 60, 20)


def test_slivers_are_mended_when_the_picture_changes_its_shape() -> None:
    source = random.Random(3)
    tree = SplitTree()
    tree.update({str(index): source.randint(100, 300) for index in range(40)})
    tree.place(0, 0, 30, 60)
    placed = tree.place(0, 0, 200, 30)

    aspects = [max(width / (2 * height), 2 * height / width) for _, _, width, height in placed.values()]
    assert sum(aspects) / len(aspects) < 2.5
    assert max(aspects) < 6


def test_a_tree_that_is_fed_one_tile_at_a_time_stays_flat() -> None:
    tree, sizes = SplitTree(), {}
    for index in range(600):
        sizes[str(index)] = 2**60 - index
        tree.update(sizes)

    assert len(tree.place(0, 0, 300, 80)) == 600


def test_a_wavering_size_moves_no_cut() -> None:
    tree = SplitTree()
    tree.update({"a": 1000, "b": 1000})
    before = tree.place(0, 0, 101, 20)
    tree.update({"a": 1010, "b": 990})

    assert tree.place(0, 0, 101, 20) == before
