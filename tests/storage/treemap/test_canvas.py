from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from pulsetui.storage.treemap import borders
from pulsetui.storage.treemap.borders import Borders
from pulsetui.storage.treemap.canvas import NEUTRAL, OTHERS_STEP, Canvas, Part, draw
from pulsetui.storage.treemap.colours import Mode, palette
from pulsetui.storage.treemap.layout import Layout, TreemapLayout
from pulsetui.storage.views import StorageNode
from tests.storage.treemap.trees import NOW, folder, library, node, trees

SIZES = palette(Mode.SIZE, now=NOW)
HOSTILE = (
    "\x1b[2Jred",
    "a\nb",
    "[bold]x[/bold]",
    "\u202egpj.exe",
    "日本語の名前.mp4",
    "e\u0301\u0301",
    "b\udcffd",
    "👨‍👩‍👧",
    "❤️❤️❤️",
)


def laid(tree: StorageNode, width: int = 78, height: int = 20) -> Layout:
    return TreemapLayout().lay_out(tree, width, height)


def lines(canvas: Canvas) -> list[str]:
    return canvas.text.split("\n")


def parts_of(canvas: Canvas, part: Part) -> str:
    return "".join(text for row in canvas.rows for text, style in row if style.part is part)


@settings(max_examples=60, deadline=None)
@given(trees(), st.integers(3, 120), st.integers(2, 40), st.booleans(), st.booleans(), st.data())
def test_every_row_is_as_wide_as_the_picture_whatever_the_names(
    tree: StorageNode, width: int, height: int, ascii_only: bool, textured: bool, data: st.DataObject
) -> None:
    layout = laid(tree, width, height)
    selected = data.draw(st.sampled_from([tile.key for tile in layout.tiles] or [""]))

    canvas = draw(layout, SIZES, selected=selected, ascii_only=ascii_only, textured=textured)

    assert len(canvas.rows) == height
    for row in canvas.rows:
        assert sum(cell_len(text) for text, _ in row) == width
        assert all(one[1] != other[1] for one, other in pairwise(row))
        assert not ascii_only or all(text.isascii() for text, _ in row)
        assert all(unicodedata.category(sign) not in ("Cc", "Cs") for text, _ in row for sign in text)


def test_hostile_names_are_shown_escaped() -> None:
    tree = node("root", 0, [node(str(index), 100, name=name) for index, name in enumerate(HOSTILE)])

    text = draw(laid(tree, 140, 40), SIZES).text

    assert r"\x1b[2Jred" in text
    assert r"a\nb" in text
    assert r"\u202egpj.exe" in text
    assert r"b\xffd" in text
    assert "日本語の名前.mp4" in text


def test_neighbours_share_one_line_and_titles_stand_in_it() -> None:
    tree = node("cast", 0, [node("Part 1.mp4", 600_000_000_000), node("Part 2.mp4", 400_000_000_000)])

    assert lines(draw(laid(tree, 50, 6), SIZES)) == [
        "┌ Part 1.mp4 ────────────────┬ Part 2.mp4 ───────┐",
        "│ 600 GB · 60 %              │ 400 GB · 40 %     │",
        "│                            │                   │",
        "│                            │                   │",
        "│                            │                   │",
        "└────────────────────────────┴───────────────────┘",
    ]


def test_the_picture_in_ascii() -> None:
    tree = node("cast", 0, [node("Pärt 1.mp4", 600_000), node("Part 2.mp4", 400_000)])

    assert lines(draw(laid(tree, 50, 4), SIZES, ascii_only=True)) == [
        "+ Part 1.mp4 ----------------+ Part 2.mp4 -------+",
        "| 600 kB - 60 %              | 400 kB - 40 %     |",
        "|                            |                   |",
        "+----------------------------+-------------------+",
    ]


def test_groups_have_their_figures_in_the_border_and_their_tiles_inside() -> None:
    tree = library([[300, 300], [250, 150]])

    top, below, *_ = lines(draw(laid(tree, 80, 12), SIZES))

    assert top.startswith("┌ g0 · 600 B · 60 % ─")
    assert "┬ g1 · 400 B · 40 % ─" in top
    assert below.startswith("│┌ g0/0 ─")


@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_selected_tile_has_a_heavy_border_and_a_pointer(ascii_only: bool) -> None:
    layout = laid(folder([500, 300, 200]))

    plain = draw(layout, SIZES, ascii_only=ascii_only)
    picked = draw(layout, SIZES, selected="folder/1", ascii_only=ascii_only)

    assert parts_of(plain, Part.PICKED_NAME) == parts_of(plain, Part.PICKED_RULE) == ""
    assert parts_of(picked, Part.PICKED_NAME).strip() == (">folder/1" if ascii_only else "▸folder/1")
    tile = layout.by_key["folder/1"]
    assert len(parts_of(picked, Part.PICKED_RULE)) > tile.width + 2 * tile.height
    assert set(parts_of(picked, Part.PICKED_RULE)) <= (set("#") if ascii_only else set("━┃┏┓┗┛┷┯┿┨┠╂┲┢╆┱┪╅┺┡╄┹┩╃"))


def test_a_small_selected_tile_has_a_pointer() -> None:
    layout = laid(folder([*[100] * 150]), 60, 20)
    small = next(tile for tile in layout.tiles if tile.width < 8)

    picked = draw(layout, SIZES, selected=small.key)

    assert "▸" in parts_of(picked, Part.PICKED_NAME)


def test_marked_and_candidate_shares_are_hatched() -> None:
    tree = node("root", 0, [node("all", 100), node("half", 100, candidates=50), node("none", 100)])
    layout = laid(tree, 90, 21)

    canvas = draw(layout, SIZES, marked=frozenset(["all"]))

    hatched = {
        key: sum(
            lines(canvas)[y][x] == "╱"
            for y in range(box.y, box.y + box.height)
            for x in range(box.x, box.x + box.width)
        )
        for key, box in layout.by_key.items()
    }
    inside = {key: (box.width - 1) * (box.height - 1) for key, box in layout.by_key.items()}
    assert hatched["none"] == 0
    assert 0.45 < hatched["half"] / inside["half"] <= 0.55
    assert hatched["all"] > 0.9 * inside["all"]


def test_trash_is_hatched_but_not_what_it_came_from() -> None:
    tree = node(
        "root", 0, [node("trash", 100, entity_type="part", reclaimable=100), node("scene", 100, reclaimable=90)]
    )

    canvas = draw(laid(tree), SIZES)

    assert all("╱" in line[40:] for line in lines(canvas)[2:-1])
    assert not any("╱" in line[:38] for line in lines(canvas))


def test_what_is_still_to_come_is_drawn_as_a_ghost() -> None:
    canvas = draw(laid(node("root", 0, [node("a", 700), node("b", 200)], incoming=500)), SIZES)

    assert " incoming " in canvas.text
    assert " 500 B " in canvas.text
    assert set(parts_of(canvas, Part.GHOST)) == {"░"}


def test_others_say_how_many_they_are_in_any_room() -> None:
    wide = draw(laid(folder([5000, *[4] * 400]), 100, 30), SIZES)
    narrow = draw(laid(folder([3000, 2000, 2000, 900, 500, *[1] * 300]), 60, 20), SIZES)

    assert " 400 others " in wide.text
    assert " +300 " in narrow.text
    assert any(style.step == OTHERS_STEP for row in wide.rows for _, style in row)


def test_small_tiles_have_short_names_and_no_lines() -> None:
    layout = laid(folder([*[100] * 120]), 78, 20)

    canvas = draw(layout, SIZES)

    assert max(tile.width for tile in layout.tiles) < 8
    assert parts_of(canvas, Part.RULE) == ""
    assert any(text.startswith(" fo") for row in canvas.rows for text, _ in row)


def test_without_colours_steps_differ_by_texture_and_tiles_by_borders() -> None:
    tree = node("root", 0, [node("film", 100, category=0), node("sound", 100, category=5)])

    text = draw(laid(tree), palette(Mode.CATEGORY, now=NOW), textured=True).text

    assert "v v v" in text
    assert "a a a" in text


def test_every_cell_of_a_tile_has_its_colour() -> None:
    layout = laid(library([[500, 400, 3, 3], [300, 200]]), 100, 30)
    steps = dict(zip((tile.key for tile in layout.tiles), SIZES.steps_of(layout.tiles), strict=True))

    grid = [[style.step for text, style in row for _ in range(cell_len(text))] for row in draw(layout, SIZES).rows]

    for tile in layout.tiles:
        expected = NEUTRAL if tile.kind in ("group", "ghost") else steps[tile.key]
        box = grid[tile.y][tile.x : tile.x + tile.width]
        assert set(box) == {expected}


def test_lines_are_joined_where_they_meet() -> None:
    lines = Borders(7, 5)
    lines.add(0, 0, 3, 2)
    lines.add(3, 0, 3, 4)
    lines.add(0, 2, 3, 2)

    rows = [lines.masks()[y * 7 : y * 7 + 7] for y in range(5)]

    assert ["".join(borders.BOXES[mask] for mask in row) for row in rows] == [
        "┌──┬──┐",
        "│  │  │",
        "├──┤  │",
        "│  │  │",
        "└──┴──┘",
    ]


def test_box_characters_have_the_arms_of_their_mask() -> None:
    arms = {borders.UP: "UP", borders.DOWN: "DOWN", borders.LEFT: "LEFT", borders.RIGHT: "RIGHT"}
    for mask, sign in enumerate(borders.BOXES[1:], start=1):
        name = unicodedata.name(sign).replace("VERTICAL", "UP DOWN").replace("HORIZONTAL", "LEFT RIGHT").split()
        assert {arm for bit, arm in arms.items() if mask & bit} == set(name) & set(arms.values())
    for (light, heavy), sign in borders.HEAVY_BOXES.items():
        spelled = unicodedata.name(sign).replace("VERTICAL", "UP DOWN").replace("HORIZONTAL", "LEFT RIGHT")
        assert set(spelled.split()) & set(arms.values()) == {arm for bit, arm in arms.items() if (light | heavy) & bit}
        assert "HEAVY" in spelled
        assert ("LIGHT" in spelled) == bool(light)
