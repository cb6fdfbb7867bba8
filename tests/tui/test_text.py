from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pulsetui.tui.renderables.text import age, count, end_cut, figure, left, line, middle_cut, right, safe, size, spread
from tests.tui.fakes import HOSTILE, NOW


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("Harbor / Part 12", 16, "Harbor / Part 12"),
        ("Harbor / Part 12", 11, "Harbo…rt 12"),
        ("日本語のエピソード", 8, "日本…ド"),
        ("Harbor", 1, "…"),
        ("Harbor", 0, ""),
        ("", 4, ""),
    ],
)
def test_a_name_is_cut_in_its_middle_by_display_width(text: str, width: int, cut: str) -> None:
    assert middle_cut(text, width) == cut


@given(st.text(), st.integers(0, 40))
def test_a_cut_name_is_never_wider_than_asked_and_always_printable(text: str, width: int) -> None:
    for cut in (middle_cut(text, width), end_cut(text, width)):
        assert cell_len(cut) <= width
        assert not {unicodedata.category(character) for character in cut} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(), st.integers(2, 40))
def test_a_padded_name_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert cell_len(left(text, width)) == width


def test_a_cut_name_never_begins_its_end_with_a_combining_mark() -> None:
    assert middle_cut("abcdefghe\u0301", 4) == "ab…e\u0301"
    assert middle_cut("abcdefgh\u0301e", 4) == "ab…e"


def test_hostile_text_loses_its_power_but_not_its_words() -> None:
    shown = safe(HOSTILE)

    assert shown.isprintable()
    assert "\\x1b[31mred" in shown
    assert "[bold red]markup[/]" in shown
    assert "\\u202e" in shown


def test_a_figure_is_right_aligned_with_its_unit_muted() -> None:
    drawn = figure("231 GB", 9)

    assert drawn.plain == "   231 GB"
    assert [(span.start, span.end, span.style) for span in drawn.spans] == [
        (3, 6, "$foreground"),
        (6, 9, "$quiet"),
    ]


def test_a_size_that_is_not_known_is_a_dash_and_never_a_nought() -> None:
    assert size(None, 7).plain == "      –"
    assert size(0, 7).plain == "    0 B"


def test_an_age_is_relative() -> None:
    assert age(NOW - timedelta(seconds=12), NOW) == "12s"
    assert age(NOW - timedelta(hours=3, minutes=59), NOW, 5) == "   3h"


def test_a_spread_line_cuts_its_start_and_keeps_its_end() -> None:
    assert spread(line("left"), line("right"), 12).plain == "left   right"
    assert spread(line("a long start"), line("right"), 12).plain == "a lon… right"


def test_counts_agree_in_number() -> None:
    assert count(1, "job") == "1 job"
    assert count(1204, "job") == "1,204 jobs"
    assert right("7", 3) == "  7"
