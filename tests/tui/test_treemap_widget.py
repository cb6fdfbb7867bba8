from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from pulsetui.storage.treemap.colours import Mode
from pulsetui.storage.views import StorageView
from pulsetui.tui.source import QuitChoice
from pulsetui.tui.widgets.treemap import Treemap
from tests.tui.fakes import HOSTILE, NOW
from tests.tui.looking import seen, text_of, until
from tests.tui.showing import heard, make_view, shown
from tests.tui.storage_fakes import EMPTY_LIBRARY, LIBRARY, MB, amount, branch, changed, leaf, scaled

KINDS = (Treemap.Selected, Treemap.Opened, Treemap.Left, Treemap.MenuWanted, Treemap.Hovered)


@asynccontextmanager
async def mapped(
    view: StorageView | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Treemap, Pilot[QuitChoice]]]:
    treemap = Treemap()
    async with shown(treemap, size=size, kinds=KINDS) as pilot:
        pilot.app.animation_level = "none"
        treemap.now, treemap.selected, treemap.view = NOW, "project:0", view or make_view()
        await seen(pilot, "1.58 TB · 43 %") if view is None else await pilot.pause()
        yield treemap, pilot


def said(pilot: Pilot[QuitChoice], kind: type[Message]) -> list[str]:
    return [getattr(message, "key", "") for message in heard(pilot) if isinstance(message, kind)]


async def test_the_keys_go_to_what_lies_in_that_direction_and_back() -> None:
    async with mapped() as (treemap, pilot):
        for there, back in (("l", "h"), ("right", "left"), ("j", "k"), ("down", "up")):
            here = treemap.selected or ""
            before = treemap.tiles.by_key[here]  # type: ignore[union-attr]
            await pilot.press(there)
            after = treemap.tiles.by_key[treemap.selected or ""]  # type: ignore[union-attr]
            if after.key == here:  # the edge of the picture
                continue
            beyond = (
                after.x >= before.x + before.width if there in ("l", "right") else after.y >= before.y + before.height
            )
            assert beyond
            await pilot.press(back)
            assert treemap.selected == here

        assert said(pilot, Treemap.Selected)


async def test_keys_ask_to_open_and_to_go_up() -> None:
    async with mapped() as (_, pilot):
        await pilot.press("enter", "backspace", "u", "home")
        await until(pilot, lambda: len(heard(pilot)) == 4)
        left = [message.to_root for message in heard(pilot) if isinstance(message, Treemap.Left)]

        assert said(pilot, Treemap.Opened) == ["project:0"]
        assert left == [False, False, True]


async def test_the_mouse_selects_opens_and_asks_for_the_menu() -> None:
    async with mapped() as (treemap, pilot):
        await pilot.click(Treemap, offset=(60, 10))
        picked = treemap.selected or ""
        tile = treemap.tiles.by_key[picked]  # type: ignore[union-attr]
        assert tile.x <= 60 < tile.x + tile.width
        assert tile.y <= 10 < tile.y + tile.height
        await pilot.click(Treemap, offset=(60, 10), times=2)
        await until(pilot, lambda: said(pilot, Treemap.Opened) == [picked])
        await pilot.click(Treemap, offset=(3, 3), button=3)
        await until(pilot, lambda: len(said(pilot, Treemap.MenuWanted)) == 1)

        assert said(pilot, Treemap.MenuWanted) == [treemap.selected]


async def test_the_mouse_tells_what_it_is_over_once_a_tile() -> None:
    async with mapped() as (treemap, pilot):
        await pilot.hover(Treemap, offset=(3, 3))
        await pilot.hover(Treemap, offset=(4, 3))
        await pilot.hover(Treemap, offset=(60, 3))
        await until(pilot, lambda: len(said(pilot, Treemap.Hovered)) == 2)
        over = treemap.spot(said(pilot, Treemap.Hovered)[0])

        assert over is not None
        assert over.above[0].name == "Library"


async def test_new_sizes_never_shuffle_tiles() -> None:
    async with mapped() as (treemap, pilot):
        before = {tile.key: (tile.x, tile.y) for tile in treemap.tiles.tiles if tile.depth == 1}  # type: ignore[union-attr]
        grown = changed(LIBRARY, lambda node: scaled(node, 1.08) if "Part 1." in node.name else node)
        treemap.view = replace(make_view(), tree=grown)
        await pilot.pause()
        after = {tile.key: (tile.x, tile.y) for tile in treemap.tiles.tiles if tile.depth == 1}  # type: ignore[union-attr]
        moved = [abs(x - after[key][0]) + abs(y - after[key][1]) for key, (x, y) in before.items() if key in after]

        assert len(moved) >= 5
        assert max(moved) <= 4


async def test_only_rows_that_came_out_otherwise_are_painted() -> None:
    async with mapped() as (treemap, pilot):
        painted: list[int] = []
        draw = treemap.render_line

        def noted(y: int) -> Strip:
            painted.append(y)
            return draw(y)

        treemap.render_line = noted  # type: ignore[method-assign]
        treemap.now = NOW.replace(microsecond=1)
        await pilot.pause()
        assert painted == []
        treemap.selected = "character:1"
        await until(pilot, lambda: bool(painted))
        painted.clear()
        treemap.selected = "character:2"
        await until(pilot, lambda: bool(painted))
        framed = [treemap.tiles.by_key[key] for key in ("character:1", "character:2")]  # type: ignore[union-attr]

    assert min(painted) >= min(tile.y for tile in framed) > 5


async def test_a_selected_node_without_a_tile_shows_in_the_one_that_it_is_in() -> None:
    crowd = [
        leaf(f"segment:{number}", f"Part {number}", {"video": amount(MB * (1 + number // 90 * 999))})
        for number in range(100)
    ]
    async with mapped(replace(make_view(), tree=branch("scene:1", "Scene", crowd))) as (treemap, _):
        tiles = treemap.tiles
        assert tiles is not None
        small = next(tile for tile in tiles.tiles if tile.others)
        treemap.selected = small.others[-1].key
        assert treemap.shown_key == small.key
        spot = treemap.spot(small.key)

        assert spot is not None
        assert spot.node.name == f"{len(small.others)} other{'s' if len(small.others) > 1 else ''}"
        assert spot.node.size.file_count == sum(node.size.file_count for node in small.others)


async def test_hidden_categories_and_apparent_sizes_measure_anew() -> None:
    async with mapped() as (treemap, pilot):
        treemap.hidden = frozenset({"video"})
        await pilot.pause()
        project = treemap.tiles.by_key["project:0"]  # type: ignore[union-attr]
        assert project.size_bytes < LIBRARY.children[0].size.allocated_bytes // 5
        treemap.hidden, treemap.apparent = frozenset(), True
        await pilot.pause()
        project = treemap.tiles.by_key["project:0"]  # type: ignore[union-attr]

        assert project.size_bytes == LIBRARY.children[0].size.total_bytes


async def test_marked_tiles_are_hatched_and_every_mode_draws() -> None:
    async with mapped() as (treemap, pilot):
        before = text_of(pilot).count("╱")
        treemap.marked = frozenset({"project:1"})
        await until(pilot, lambda: text_of(pilot).count("╱") > before)
        for mode in Mode:
            treemap.mode = mode
            await pilot.pause()
            assert treemap.steps


async def test_an_animation_ends_at_any_key_and_leaves_the_new_tree() -> None:
    async with mapped() as (treemap, pilot):
        pilot.app.animation_level = "full"
        treemap.view = make_view("project:0")
        assert treemap.is_zooming
        treemap.view = replace(make_view("project:0"), failure="read again meanwhile")
        assert treemap.is_zooming
        await pilot.press("x")
        assert not treemap.is_zooming
        await seen(pilot, "1.09 TB · 68 %")
        treemap.view = make_view()
        assert treemap.is_zooming
        await until(pilot, lambda: not treemap.is_zooming)
        await seen(pilot, "1.58 TB · 43 %")


async def test_every_frame_of_an_animation_has_the_width_of_the_picture() -> None:
    async with mapped() as (treemap, pilot):
        pilot.app.animation_level = "full"
        for key in ("project:0", None):
            treemap.view = make_view(key)
            widths: set[int] = set()
            while treemap.is_zooming:
                widths |= {treemap.strip_of(y, 80).cell_length for y in range(24)}
                await pilot.pause()

            assert widths == {80}


async def test_reduced_motion_shows_the_new_tree_at_once() -> None:
    async with mapped() as (treemap, _):
        treemap.view = make_view("project:0")

        assert not treemap.is_zooming


@pytest.mark.parametrize("size", [(20, 6), (80, 24), (120, 40)])
async def test_hostile_names_leave_every_row_as_wide_as_the_picture(size: tuple[int, int]) -> None:
    hostile = changed(LIBRARY, lambda node: replace(node, name=HOSTILE))
    named = replace(hostile, children=tuple(replace(child, name=HOSTILE) for child in hostile.children))
    async with mapped(replace(make_view(), tree=named), size) as (treemap, pilot):
        rows = text_of(pilot).splitlines()
        widths = {treemap.render_line(y).cell_length for y in range(size[1])}

    assert all(character.isprintable() for row in rows for character in row)
    assert widths == {size[0]}


@pytest.mark.parametrize(
    ("view", "failure", "text"),
    [
        (None, "", "reading"),
        (None, "the database is locked", "✗ the database is locked"),
        (make_view(snapshot_at=None, tree=EMPTY_LIBRARY), "", "r reads all sizes for the first time"),
        (make_view(tree=EMPTY_LIBRARY), "", "Nothing takes space here."),
        (make_view(tree=EMPTY_LIBRARY, failure="disk on fire"), "", "✗ disk on fire"),
        (make_view("segment:0", depth=0, history_at=NOW), "", "Which files were in it then isn't kept."),
    ],
)
async def test_without_tiles_it_says_what_will_be_here_or_what_failed(
    view: StorageView | None, failure: str, text: str
) -> None:
    treemap = Treemap()
    async with shown(treemap) as pilot:
        treemap.view, treemap.failure = view, failure
        await seen(pilot, text)
