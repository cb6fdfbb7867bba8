"""Which entity a folder belongs to, from its path alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.settings.storage import DEFAULT_LEVELS, layout_text
from pulsetui.storage.layouts import NOWHERE, Layout, Match

PLAIN = Layout.of_levels(DEFAULT_LEVELS)
MIXED = Layout.parse("assets/{project}/renders/{character}", DEFAULT_LEVELS)


def test_a_folder_for_each_level_is_written_as_the_levels() -> None:
    assert Layout.parse(layout_text(DEFAULT_LEVELS), DEFAULT_LEVELS) == PLAIN


@pytest.mark.parametrize(
    ("path", "match"),
    [
        (b"", Match()),
        (b"A", Match((b"A",))),
        (b"A/b/c/d", Match((b"A", b"b", b"c", b"d"))),
        (b"A/b/c/d/deeper/still", Match((b"A", b"b", b"c", b"d"))),
        (b"\xff/\n", Match((b"\xff", b"\n"))),
        (b"unassigned", NOWHERE),
        (b"unassigned/A", NOWHERE),
        (b"A/unassigned/c", Match((b"A",), fits=False)),
    ],
)
def test_a_path_names_its_levels_from_the_top(path: bytes, match: Match) -> None:
    assert PLAIN.match(path) == match


@pytest.mark.parametrize(
    ("path", "match"),
    [
        (b"", Match()),
        (b"assets", Match()),
        (b"other/A", NOWHERE),
        (b"assets/A", Match((b"A",))),
        (b"assets/A/notes/x", Match((b"A",), fits=False)),
        (b"assets/A/renders", Match((b"A",))),
        (b"assets/A/renders/b/c/d", Match((b"A", b"b"))),
    ],
)
def test_fixed_names_must_be_there_and_name_nothing(path: bytes, match: Match) -> None:
    assert MIXED.match(path) == match


parts = st.binary(min_size=1, max_size=6).filter(lambda part: b"/" not in part and b"\0" not in part)


@given(st.lists(parts, max_size=7), st.sampled_from((PLAIN, MIXED)))
def test_a_folder_belongs_where_the_folder_above_does_or_deeper(path: list[bytes], layout: Layout) -> None:
    names: tuple[bytes, ...] = ()
    for depth in range(len(path) + 1):
        below = layout.match(b"/".join(path[:depth])).names
        assert below[: len(names)] == names
        assert len(below) <= min(len(names) + 1, 4)
        names = below
