from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.storage.treemap.colours import Mode, palette
from pulsetui.storage.views import Amount, StorageNode
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.rings import Rings, lay_rings
from pulsetui.tui.renderables.storage import Measure
from pulsetui.tui.renderables.sunburst import SunburstPicture
from pulsetui.tui.widgets.sunburst import Sunburst
from tests.tui.fakes import HOSTILE, NOW
from tests.tui.looking import press, seen, text_of, until
from tests.tui.showing import heard, make_view, shown
from tests.tui.storage_fakes import EMPTY_LIBRARY, LIBRARY, amount, branch, leaf

PALETTE = palette(Mode.SIZE, now=datetime(2026, 11, 20, tzinfo=UTC))
SIZES = st.integers(0, 10**12)


def node(key: str, children: list[StorageNode] | int, name: str = "") -> StorageNode:
    """Return a leaf of a size, or the sum of children."""
    if isinstance(children, int):
        return StorageNode(key, name or key, "scene", None, Amount(children, children, 1))
    size = sum((child.size for child in children), Amount())
    return StorageNode(key, name or key, "scene", None, size, children=tuple(children))


@st.composite
def trees(draw: st.DrawFn) -> StorageNode:
    """Return a tree of at most three levels, with sizes from nothing to terabytes."""
    tops = []
    for at in range(draw(st.integers(1, 8))):
        below = draw(st.lists(SIZES, max_size=12))
        parts = [node(f"{at}.{part}", size) for part, size in enumerate(below)]
        tops.append(node(f"{at}", parts) if parts else node(f"{at}", draw(SIZES)))
    return node("root", tops)


@settings(max_examples=40, deadline=None)
@given(trees(), st.integers(8, 100))
def test_arcs_fill_their_parents_exactly_and_leave_no_child_out(tree: StorageNode, rows: int) -> None:
    rings = lay_rings(tree, rows * 2, Measure())

    assert rings.arcs[0][0].size_bytes == tree.size.allocated_bytes == rings.whole
    for inner, outer in pairwise(rings.arcs):
        for parent in inner:
            below = [arc for arc in outer if arc.parent == parent.key]
            if not below:
                continue
            assert below[0].start == parent.start
            assert below[-1].end == parent.end
            assert all(one.end == other.start for one, other in pairwise(below))
            assert parent.node is not None
            drawn = sorted(
                child.key for arc in below for child in (arc.others or ([arc.node] if arc.node is not None else []))
            )
            assert drawn == sorted(child.key for child in parent.node.children if child.size.allocated_bytes)


@settings(max_examples=20, deadline=None)
@given(trees())
def test_small_children_are_counted_in_one_last_arc_of_others(tree: StorageNode) -> None:
    rings = lay_rings(tree, 60, Measure())

    for ring in rings.arcs[1:]:
        for arc in ring:
            siblings = [one for one in ring if one.parent == arc.parent]
            assert not arc.others or (len(arc.others) > 1 and arc is siblings[-1])
            assert arc.size_bytes == sum(one.size.allocated_bytes for one in arc.others) or arc.node is not None


def test_the_share_of_the_circle_is_the_share_of_the_bytes() -> None:
    rings = lay_rings(node("root", [node("half", 500), node("third", 300), node("fifth", 200)]), 80, Measure())
    picture = SunburstPicture(rings, 40)
    cells = [
        arc.key for row in range(40) for x in range(80) if (arc := picture.arc_at(x, row)) is not None and arc.ring
    ]

    assert cells.count("half") / len(cells) == pytest.approx(0.5, abs=0.01)
    assert cells.count("third") / len(cells) == pytest.approx(0.3, abs=0.01)


def test_the_picture_is_round_where_a_cell_is_twice_as_high_as_wide() -> None:
    picture = SunburstPicture(lay_rings(node("root", [node("all", 1)]), 60, Measure()), 30)
    inside = [(x, row) for row in range(30) for x in range(60) if picture.arc_at(x, row) is not None]
    widths = {row: sum(1 for _, at in inside if at == row) for row in range(30)}

    for row in range(2, 28):
        y = abs(row + 0.5 - 15) * 2
        assert widths[row] == pytest.approx(2 * math.sqrt(30**2 - y**2), abs=4)


def _picture(tree: StorageNode, rows: int, *, none: bool = False, selected: str | None = None) -> list[str]:
    rings = lay_rings(tree, rows * 2, Measure())
    steps = {arc.key: 0 for ring in rings.arcs for arc in ring}
    drawn = SunburstPicture(rings, rows).draw(Paint(PALETTE, none=none), steps, selected)
    assert {content.cell_length for content in drawn} == {rows * 2}
    return [content.plain for content in drawn]


def test_every_line_is_as_wide_as_the_picture_under_hostile_and_wide_names() -> None:
    tree = node("root", [node("a", 5, HOSTILE), node("b", 4, "夜の港"), node("c", 3, "e\u0301te\u0301")], HOSTILE)

    for rows in (6, 11, 30):
        text = "\n".join(_picture(tree, rows))
        assert all(character.isprintable() for character in text.replace("\n", ""))


def test_without_colour_neighbours_differ_by_texture_and_the_selected_one_is_solid() -> None:
    tree = node("root", [node("a", 50), node("b", 30), node("c", 20)])
    plain = "".join(_picture(tree, 20, none=True))
    chosen = "".join(_picture(tree, 20, none=True, selected="b"))

    assert "░" in plain
    assert "▒" in plain
    assert "█" not in plain
    assert chosen.count("█") > 50


def test_names_stand_on_their_arcs_and_the_whole_in_the_middle() -> None:
    tree = node("root", [node("one", 700, "Harbor"), node("two", 300, "Northern")], "Library")
    picture = SunburstPicture(lay_rings(tree, 48, Measure()), 24)
    lines = _picture(tree, 24)
    arcs = {}
    for name in ("Harbor", "Northern", "Library", "1.00 kB"):
        row = next(row for row, text in enumerate(lines) if name in text)
        at = lines[row].index(name)
        arcs[name] = {arc.key for x in range(at, at + len(name)) if (arc := picture.arc_at(x, row)) is not None}

    assert arcs == {"Harbor": {"one"}, "Northern": {"two"}, "Library": {"root"}, "1.00 kB": {"root"}}


def _rings(side: int = 70) -> Rings:
    return lay_rings(LIBRARY, side, Measure())


def test_the_rings_are_two_to_four_and_grow_with_the_room() -> None:
    assert len(_rings(16).arcs) - 1 == 2
    assert len(_rings(120).arcs) - 1 == 4


def test_going_along_a_ring_meets_every_arc_and_comes_back() -> None:
    rings = _rings()
    key = first = rings.arcs[2][0].key
    met = []
    for _ in rings.arcs[2]:
        met.append(key)
        key = rings.neighbour(key, "right") or ""

    assert key == first
    assert met == [arc.key for arc in rings.arcs[2]]
    assert rings.neighbour(first, "left") == met[-1]


def test_out_leads_to_the_largest_child_and_in_leads_back() -> None:
    rings = _rings()
    first = rings.arcs[1][0].key
    child = rings.neighbour(first, "up")

    assert child == LIBRARY.children[0].children[0].key
    assert rings.neighbour(child, "down") == first
    assert rings.neighbour(first, "down") == LIBRARY.key
    assert rings.neighbour(LIBRARY.key, "down") is None


def make_widget(**values: object) -> Sunburst:
    widget = Sunburst(labelled=True)
    widget.now = NOW
    for name, value in {"view": make_view(), "selected": "project:1", **values}.items():
        setattr(widget, name, value)
    return widget


async def test_keys_walk_the_rings_open_and_leave() -> None:
    widget = make_widget(selected="project:0")
    kinds = (Sunburst.Selected, Sunburst.Opened, Sunburst.Left)
    async with shown(widget, size=(100, 40), kinds=kinds) as pilot:
        await seen(pilot, "1.58 TB")
        await press(pilot, "l", "left", "k", "enter", "u", "home")
        await until(pilot, lambda: len(heard(pilot)) == 6)
        told = heard(pilot)

    assert [type(one) for one in told] == [
        Sunburst.Selected,
        Sunburst.Selected,
        Sunburst.Selected,
        Sunburst.Opened,
        Sunburst.Left,
        Sunburst.Left,
    ]
    assert [one.key for one in told if isinstance(one, Sunburst.Selected | Sunburst.Opened)] == [
        "project:2",
        "project:0",
        "character:0",
        "character:0",
    ]
    assert [one.to_root for one in told if isinstance(one, Sunburst.Left)] == [False, True]


async def test_enter_in_the_middle_leads_up() -> None:
    async with shown(make_widget(selected=LIBRARY.key), size=(80, 30), kinds=(Sunburst.Left,)) as pilot:
        await press(pilot, "enter")
        await until(pilot, lambda: len(heard(pilot)) == 1)


async def test_a_click_selects_the_arc_and_a_second_one_opens_it() -> None:
    widget = make_widget()
    async with shown(widget, size=(80, 32), kinds=(Sunburst.Opened,)) as pilot:
        await seen(pilot, "Northern")
        at = widget.middle_of("project:0")
        await pilot.click(offset=(at.x, at.y))
        await until(pilot, lambda: widget.selected == "project:0")
        await pilot.click(offset=(at.x, at.y), times=2)
        await until(
            pilot, lambda: [one.key for one in heard(pilot) if isinstance(one, Sunburst.Opened)] == ["project:0"]
        )


async def test_the_label_names_what_is_selected_with_its_figures() -> None:
    async with shown(make_widget(selected="character:0"), size=(120, 30)) as pilot:
        await seen(pilot, "Cast")
        label = text_of(pilot).splitlines()[-2:]

    assert label[0].split()[0] == "Cast"
    assert "of all" in label[0]
    assert "files" in label[1]


async def test_what_has_no_arc_of_its_own_shows_in_the_others_or_in_what_it_is_in() -> None:
    widget = make_widget()
    async with shown(widget, size=(60, 20)) as pilot:
        await seen(pilot, "Library")
        picture = widget.picture
        assert picture is not None
        small = next(arc for ring in picture.rings.arcs for arc in ring if arc.others)
        outermost = picture.rings.arcs[-1][0]
        assert outermost.node is not None
        widget.selected = small.others[-1].key
        in_others = widget.shown_key
        widget.selected = outermost.node.children[0].children[0].key
        in_parent = widget.shown_key

    assert in_others == small.key
    assert in_parent == outermost.key


async def test_a_hidden_category_takes_its_bytes_out_of_the_circle() -> None:
    widget = make_widget()
    async with shown(widget, size=(80, 30)) as pilot:
        await seen(pilot, "3.62 TB")
        widget.hidden = frozenset({"video"})
        await seen(pilot, "346 GB")


async def test_before_the_first_read_and_the_first_refresh_it_says_what_will_be_here() -> None:
    widget = make_widget(view=None)
    async with shown(widget, size=(80, 20)) as pilot:
        await seen(pilot, "reading")
        widget.view = make_view(snapshot_at=None, tree=EMPTY_LIBRARY)
        await seen(pilot, "reads all sizes for the first time")


async def test_an_ascii_terminal_gets_ascii() -> None:
    async with shown(make_widget(), size=(80, 24), ascii_only=True) as pilot:
        await seen(pilot, "Northern")
        assert text_of(pilot).isascii()


async def test_hostile_names_stay_text_on_the_rings_and_in_the_label() -> None:
    parts = [leaf(f"project:{at}", HOSTILE, {"video": amount(10**9)}) for at in range(2)]
    tree = branch("library:1", "Library", parts)
    async with shown(make_widget(view=make_view(tree=tree), selected="project:0"), size=(80, 24)) as pilot:
        await seen(pilot, "\\x1b")
        strips = pilot.app.screen._compositor.render_strips()

    assert {strip.cell_length for strip in strips} == {80}
    assert all(character.isprintable() for strip in strips for character in strip.text)
