from __future__ import annotations

import pytest

from pulsetui.storage.treemap.labels import figures, group_title, percent_text, short, title
from pulsetui.storage.treemap.layout import Tile, TreemapLayout
from tests.storage.treemap.trees import folder, node


def tile(name: str, size: int = 612_000_000_000, share: float = 0.43) -> Tile:
    return Tile("tile", "key", node("key", size, name=name), 0, 0, 10, 5, 1, "root", size, share)


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, "100 %"), (0.9999, "99 %"), (0.43, "43 %"), (0.01, "1 %"), (0.0042, "0.4 %"), (0.0004, "< 0.1 %")],
)
def test_shares_are_true(share: float, said: str) -> None:
    assert percent_text(share) == said


def test_figures_are_there_whole_or_not_at_all() -> None:
    said = {width: figures(tile("a"), width) for width in (20, 13, 12, 6, 5)}
    assert said == {20: "612 GB · 43 %", 13: "612 GB · 43 %", 12: "612 GB", 6: "612 GB", 5: ""}


def test_a_group_gives_up_its_share_before_its_size_and_its_size_before_its_name() -> None:
    said = {width: "".join(group_title(tile("Scene 1"), width)) for width in (23, 22, 15, 14, 4)}
    assert said == {
        23: "Scene 1 · 612 GB · 43 %",
        22: "Sce… 1 · 612 GB · 43 %",
        15: "Sce… 1 · 612 GB",
        14: "Scene 1",
        4: "Sc…1",
    }


def test_others_are_counted_in_short_where_there_is_no_room() -> None:
    others = TreemapLayout().lay_out(folder([9000, *[1] * 300]), 80, 24).tiles[-1]
    assert [title(others, 12), title(others, 6), short(others, 4), short(others, 3)] == [
        "300 others",
        "+300",
        "+300",
        "",
    ]
