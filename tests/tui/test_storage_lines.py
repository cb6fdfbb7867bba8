from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pulsetui.storage.treemap.colours import Mode, palette
from pulsetui.storage.treemap.layout import TreemapLayout
from pulsetui.storage.views import RefreshView
from pulsetui.tui.renderables.legend import legend
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.place import Spot, crumbs, focus_lines, stand_in, state, tooltip
from tests.tui.fakes import HOSTILE, NOW
from tests.tui.showing import make_view
from tests.tui.storage_fakes import AT, GB, LIBRARY, amount, branch, find, leaf

WIDTHS = (80, 100, 120, 200)
WORDS = (("storage.colour", "by size"), ("storage.view", "treemap"), ("storage.types", "types"))


def spot_of(key: str) -> Spot:
    return Spot(*find(LIBRARY, key), LIBRARY.size, 3600.0, AT)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_screen_whatever_the_names(width: int) -> None:
    node, above = find(LIBRARY, "segment:0")
    hostile = replace(node, name=HOSTILE, path=b"/\xff" * 200, error=HOSTILE)
    view = make_view("segment:0")
    deep = replace(view, tree=hostile, ancestors=tuple(replace(one, name=HOSTILE) for one in view.ancestors))
    lines = [crumbs(deep, NOW, width), *focus_lines(Spot(hostile, above, LIBRARY.size), NOW, width)]
    for mode in Mode:
        for none in (False, True):
            paint = Paint(palette(mode, now=NOW), none=none)
            lines.append(legend(paint, frozenset(range(len(paint.palette.steps))), WORDS, width))

    assert [drawn.cell_length for drawn in lines if drawn.cell_length > width] == []
    assert all(character.isprintable() for drawn in lines for character in drawn.plain)


def test_the_breadcrumbs_name_every_step_and_click_by_level() -> None:
    drawn = crumbs(make_view("scene:0"), NOW, 120)
    clicks = [span.style.meta["@click"] for span in drawn.spans if not isinstance(span.style, str) and span.style.meta]

    assert drawn.plain.startswith(" Storage ▸ Harbor ▸ Cast ▸ Scene 1 ")
    assert clicks == ["screen.leave(3)", "screen.leave(2)", "screen.leave(1)", "screen.refresh_storage"]


def test_figures_of_the_focus_leave_from_the_end() -> None:
    _, narrow = focus_lines(spot_of("character:0"), NOW, 60)
    _, wide = focus_lines(spot_of("character:0"), NOW, 200)

    assert wide.plain.startswith(narrow.plain)
    assert "as of 4m ago" in wide.plain


def test_everything_is_said_of_the_tile_under_the_mouse() -> None:
    said = tooltip(replace(spot_of("segment:3"), growth_s=86_400.0), NOW).plain

    for part in (
        "/mnt/hdd/videos/Harbor/Cast/Scene 1/Part",
        "of Scene 1",
        "of all",
        "video 9",
        "incoming 9.20 GB",
        "newest",
    ):
        assert part in said


def test_tiles_that_are_no_node_say_what_they_stand_for() -> None:
    sizes = [*[GB // 100] * 60, *[10 * GB] * 6]
    small = [leaf(f"segment:{at}", f"Part {at}", {"video": amount(size)}) for at, size in enumerate(sizes)]
    tree = branch("scene:1", "Scene", small, incoming_bytes=9 * GB)
    tiles = TreemapLayout().lay_out(tree, 60, 20).tiles
    others = stand_in(next(tile for tile in tiles if tile.kind == "others"))
    ghost = stand_in(next(tile for tile in tiles if tile.kind == "ghost"))

    assert others is not None
    assert others.name == f"{len(others.children)} others"
    assert others.size.total_bytes == sum(one.size.total_bytes for one in others.children)
    assert ghost is not None
    assert ghost.incoming_bytes == 9 * GB


def test_the_age_of_the_sizes_is_said_and_marked_once_it_is_old() -> None:
    view = make_view()
    later = NOW + timedelta(hours=2)

    assert state(view, NOW).plain == "as of 4m ago"
    assert "$warn" not in str(state(view, NOW).spans)
    assert "$warn" in str(state(view, later).spans)
    assert state(replace(view, snapshot_at=None), NOW).plain == "never read"
    assert state(replace(view, failure="gone"), NOW).plain == "✗ refresh failed as of 4m ago"
    assert state(replace(view, history_at=TWO_HOURS_AGO), NOW).plain == "as it was 2h ago"
    running = RefreshView(12_104, 10**12, 940, 3_400.0, 3.5)
    assert state(replace(view, refreshing=running), NOW).plain == "↻ 12,104 files read, 3,400/s"


TWO_HOURS_AGO = NOW - timedelta(hours=2)


def test_the_legend_lists_of_categories_only_those_on_display() -> None:
    paint = Paint(palette(Mode.CATEGORY, now=NOW))
    drawn = legend(paint, frozenset({0, 5}), WORDS, 120).plain

    assert "video" in drawn
    assert "audio" in drawn
    assert "image" not in drawn
    assert "o by size" in drawn
