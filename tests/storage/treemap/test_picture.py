from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pulsetui.storage.treemap.canvas import draw
from pulsetui.storage.treemap.colours import Mode, palette
from pulsetui.storage.treemap.layout import TreemapLayout
from pulsetui.storage.treemap.picture import GAP_CELLS, Picture, Row, changed_spans
from pulsetui.storage.views import Amount, StorageNode

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def tree() -> StorageNode:
    """Return a tree with tiles of every kind: groups, wide names, candidates, a crowd of small ones, a ghost."""

    def leaf(key: str, size: int, candidates: int = 0) -> StorageNode:
        name = f"部分 {key}.mp4" if size % 2 else f"{key}.mp4"
        return StorageNode(key, name, "segment", None, Amount(size, size, 1), candidate_bytes=candidates)

    groups = []
    for number in range(4):
        leaves = [leaf(f"{number}-{at}", 1000 >> at | 1, 300 >> at) for at in range(6)]
        leaves += [leaf(f"{number}-small-{at}", 3) for at in range(20)]
        size = sum((one.size for one in leaves), Amount())
        group = StorageNode(f"g{number}", f"Scene {number}", "scene", None, size, incoming_bytes=400)
        groups.append(replace(group, children=tuple(leaves)))
    whole = sum((one.size for one in groups), Amount())
    return StorageNode("root", "Library", "library", 1, whole, children=tuple(groups))


@pytest.mark.parametrize(("ascii_only", "textured"), [(False, False), (True, False), (False, True)])
def test_moving_the_selection_draws_what_drawing_anew_would(ascii_only: bool, textured: bool) -> None:
    layout = TreemapLayout().lay_out(tree(), 100, 30)
    scale = palette(Mode.SIZE, now=NOW)
    picture = Picture(layout, scale, frozenset({"0-1"}), ascii_only=ascii_only, textured=textured)

    assert {tile.kind for tile in layout.tiles} == {"group", "tile", "others", "ghost"}
    for key in ("", *layout.by_key, "unknown", ""):
        anew = draw(layout, scale, selected=key, marked=frozenset({"0-1"}), ascii_only=ascii_only, textured=textured)
        assert picture.rows(key) == tuple(map(tuple, anew.rows)), key


def cells(row: Row) -> list[tuple[str, object]]:
    return [(sign, style) for text, style in row for sign in text]


def test_only_what_is_told_to_have_changed_differs_between_two_rows() -> None:
    layout = TreemapLayout().lay_out(tree(), 100, 30)
    picture = Picture(layout, palette(Mode.SIZE, now=NOW))
    keys = ["", *layout.by_key]
    told = 0
    for one, other in itertools.pairwise(keys):
        for before, after in zip(picture.rows(one), picture.rows(other), strict=True):
            painted = cells(before)
            spans = changed_spans(before, after)
            if spans == [(0, layout.width)]:
                continue
            told += len(spans)
            for start, end in spans:
                painted[start:end] = cells(after)[start:end]
            assert painted == cells(after)
            assert all(right - left > GAP_CELLS for (_, left), (right, _) in itertools.pairwise(spans))
    assert told > 100


def test_rows_of_two_widths_and_wide_signs_changed_whole() -> None:
    style = draw(TreemapLayout().lay_out(tree(), 20, 5), palette(Mode.SIZE, now=NOW)).rows[0][0][1]
    assert changed_spans((("abc", style),), (("abcd", style),)) == [(0, 4)]
    assert changed_spans((("部a", style),), (("部b", style),)) == [(0, 3)]
    assert changed_spans((("xbc", style),), (("abc", style),)) == [(0, 1)]
    assert changed_spans((("abc", style),), (("a", style), ("bc", style))) == []
