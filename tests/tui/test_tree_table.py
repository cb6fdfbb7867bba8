from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.storage.views import StorageNode
from pulsetui.tui.renderables.storage import Measure
from pulsetui.tui.renderables.tree_table import SORTS, TreeRow, tree_head, tree_row, tree_rows
from pulsetui.tui.widgets.tree_table import TreeTable
from tests.tui.fakes import HOSTILE, NOW
from tests.tui.looking import gone, press, seen, text_of, until
from tests.tui.showing import heard, make_view, shown
from tests.tui.storage_fakes import LIBRARY, amount, branch, cut, find, leaf

KEYS = sorted(node.key for node in LIBRARY.walk())


@settings(max_examples=30, deadline=None)
@given(st.frozensets(st.sampled_from(KEYS), max_size=30), st.sampled_from(SORTS))
def test_rows_of_open_nodes_sum_to_their_parent_and_stand_below_it(expanded: frozenset[str], sort: str) -> None:
    rows = tree_rows(LIBRARY, {}, expanded, Measure(), sort)

    assert len({row.key for row in rows}) == len(rows)
    for at, row in enumerate(rows):
        below = [one for one in _inside(rows, at) if one.depth == row.depth + 1]
        assert bool(below) == row.open
        if row.open:
            assert row.node is not None
            assert sum(one.node.size.allocated_bytes for one in below if one.node is not None) == (
                row.node.size.allocated_bytes
            )


def _inside(rows: list[TreeRow], at: int) -> list[TreeRow]:
    """Return the rows below one, up to the next at its depth."""
    end = next((index for index in range(at + 1, len(rows)) if rows[index].depth <= rows[at].depth), len(rows))
    return rows[at + 1 : end]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("size", ["Part 10", "part 1", "Part 2"]),
        ("name", ["part 1", "Part 2", "Part 10"]),
        ("files", ["Part 2", "Part 10", "part 1"]),
    ],
)
def test_rows_are_sorted_by_size_by_natural_name_and_by_files(sort: str, names: list[str]) -> None:
    parts = [
        leaf("scene:1", "part 1", {"video": amount(200, 1)}),
        leaf("scene:2", "Part 2", {"video": amount(100, 9)}),
        leaf("scene:3", "Part 10", {"video": amount(9_000, 3)}),
    ]
    tree = branch("library:1", "Library", parts)
    rows = tree_rows(tree, {}, frozenset(), Measure(apparent=True), sort)

    assert [row.node.name for row in rows if row.node is not None] == names


@pytest.mark.parametrize("width", [28, 40, 54, 64, 80, 120, 200])
def test_head_and_rows_are_as_wide_as_the_table(width: int) -> None:
    hostile = replace(LIBRARY.children[0], name=HOSTILE)
    for node in (LIBRARY.children[0], hostile, LIBRARY.children[-1]):
        for depth in (0, 3, 40):
            row = TreeRow(node.key, node, depth, LIBRARY.size.allocated_bytes)
            assert tree_row(row, Measure(), NOW, width).cell_length == width
    for sort in SORTS:
        assert tree_head(width, sort).cell_length == width


def make_table(**values: object) -> TreeTable:
    table = TreeTable()
    table.now = NOW
    for name, value in {"view": make_view(), **values}.items():
        setattr(table, name, value)
    return table


async def test_rows_open_and_close_and_the_cursor_walks_in_and_out() -> None:
    table = make_table()
    async with shown(table) as pilot:
        await seen(pilot, "+ Harbor")
        await press(pilot, "l")
        await seen(pilot, "− Harbor")
        await press(pilot, "l", "right")
        await seen(pilot, "− Cast")
        await seen(pilot, "    + Scene 6")
        await press(pilot, "j", "h")
        assert table.selected == "character:0"
        await press(pilot, "h", "h", "h")
        await gone(pilot, "Cast")
        assert table.selected == "project:0"


async def test_a_click_on_the_sign_opens_a_row_and_one_on_the_name_only_goes_there() -> None:
    table = make_table()
    async with shown(table, kinds=(TreeTable.EntityWanted,)) as pilot:
        await seen(pilot, "+ Glass Coast")
        await pilot.click(offset=(8, 3))
        await until(pilot, lambda: table.selected == "project:2")
        assert not table.expanded
        await pilot.click(offset=(2, 3))
        await seen(pilot, "− Glass Coast")
        await pilot.click(offset=(2, 3), times=2)
        await pilot.click(offset=(2, 3))
        await seen(pilot, "+ Glass Coast")
        assert heard(pilot) == []
        await pilot.click(offset=(8, 3), times=2)
        await until(pilot, lambda: len(heard(pilot)) == 1)


async def test_the_cursor_tells_its_node_and_enter_asks_for_it() -> None:
    kinds = (TreeTable.Selected, TreeTable.EntityWanted)
    async with shown(make_table(), kinds=kinds) as pilot:
        await press(pilot, "j", "enter")
        await until(pilot, lambda: len(heard(pilot)) == 2)
        told = heard(pilot)

    assert isinstance(told[0], TreeTable.Selected)
    assert isinstance(told[1], TreeTable.EntityWanted)
    assert told[0].key == told[1].key == "project:2"


async def test_what_is_not_here_yet_is_asked_for_once_and_shows_when_it_comes() -> None:
    shallow = make_view(depth=1)
    table = make_table(view=shallow)
    async with shown(table, kinds=(TreeTable.Expanded,)) as pilot:
        await press(pilot, "l")
        await seen(pilot, "reading…")
        asked = [one.key for one in heard(pilot) if isinstance(one, TreeTable.Expanded)]
        table.branches = {"project:0": cut(LIBRARY.children[0], 1)}
        await seen(pilot, "+ Cast")
        assert "reading" not in text_of(pilot)
        assert table.open_keys() == {"project:0"}

    assert asked == ["project:0"]


async def test_s_steps_through_the_orders_and_the_cursor_stays_on_its_node() -> None:
    table = make_table()
    async with shown(table) as pilot:
        await press(pilot, "j", "s")
        await seen(pilot, "name▾")
        assert table.node is not None
        assert table.node.name == "Glass Coast"
        assert table.cursor == 0
        await press(pilot, "s")
        await seen(pilot, "files▾")
        assert table.node.name == "Glass Coast"


async def test_the_cursor_stays_on_its_node_when_a_refresh_moves_it() -> None:
    table = make_table()
    async with shown(table) as pilot:
        await press(pilot, "j", "j", "j")
        assert table.selected == "project:1"
        grown = leaf("project:9", "Newcomer", {"video": amount(9 * 10**12)})
        table.view = make_view(tree=replace(LIBRARY, children=(grown, *LIBRARY.children)))
        await seen(pilot, "Newcomer")

        assert table.cursor == 4
        assert table.selected == "project:1"


async def test_what_is_selected_from_outside_is_brought_to_light() -> None:
    table = make_table(view=make_view(depth=4))
    _, above = find(LIBRARY, "segment:2095")
    async with shown(table, size=(80, 12), kinds=(TreeTable.Selected,)) as pilot:
        await seen(pilot, "Harbor")
        table.selected = "segment:2095"
        await until(pilot, lambda: table.node is not None and table.node.key == "segment:2095")
        await seen(pilot, f"{above[-1].name}")
        told = heard(pilot)

    assert told == []


async def test_a_hidden_category_leaves_size_and_files_of_the_rows() -> None:
    table = make_table()
    async with shown(table, size=(100, 24)) as pilot:
        await seen(pilot, "1.58 TB")
        table.hidden = frozenset({"video"})
        await gone(pilot, "1.58 TB")
        await seen(pilot, "1 type off")


async def test_an_unread_part_is_marked_and_nothing_read_says_so() -> None:
    table = make_table(view=None)
    async with shown(table) as pilot:
        await seen(pilot, "reading")
        table.failure = "the database is locked"
        await seen(pilot, "✗ the database is locked")
        table.view = make_view()
        await seen(pilot, "unassigned")


async def test_twenty_thousand_rows_stay_a_table_of_what_is_in_view() -> None:
    many = tuple(StorageNode(f"scene:{at}", f"Scene {at}", "scene", at, amount(10**9 - at)) for at in range(20_000))
    tree = replace(LIBRARY, children=many)
    table = make_table(view=make_view(tree=tree))
    async with shown(table) as pilot:
        await press(pilot, "G")
        await seen(pilot, "Scene 19999")
        assert table.row_count == 20_000
        assert len(table._painted) <= 24


async def test_hostile_names_in_ascii_stay_text() -> None:
    tree = branch("library:1", "Library", [leaf("project:0", HOSTILE, {"video": amount(5)})])
    async with shown(make_table(view=make_view(tree=tree)), ascii_only=True) as pilot:
        await seen(pilot, "\\x1b")
        assert text_of(pilot).isascii()
