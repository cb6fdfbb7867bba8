from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pulsetui.tui.renderables.bars import bar, blocks, budget_bar


@pytest.mark.parametrize(
    ("fraction", "drawn"),
    [
        (0.0, "        "),
        (0.001, "▎       "),
        (0.25, "██      "),
        (0.3125, "██▌     "),
        (0.984375, "███████▉"),
        (0.999, "███████▉"),
        (1.0, "████████"),
        (7.0, "████████"),
        (-1.0, "        "),
    ],
)
def test_a_bar_moves_in_eighths_and_is_full_only_when_all_is_done(fraction: float, drawn: str) -> None:
    assert blocks(fraction, 8) == drawn


@given(st.floats(-1, 2), st.integers(0, 60))
def test_a_bar_is_exactly_as_wide_as_asked(fraction: float, width: int) -> None:
    assert cell_len(blocks(fraction, width)) == width


def test_a_bar_without_a_total_says_how_much_there_is_instead() -> None:
    assert bar(None, 12, note="240 MB").plain == "▕  240 MB  ▏"


def test_a_budget_bar_shows_use_solid_flight_hatched_and_the_limit_at_its_end() -> None:
    drawn = budget_bar(50, 20, 100, 22, marks=(80, 92), limit=100).plain

    assert drawn == "▕██████████▒▒▒▒  ┊ ┊ │"


def test_marks_stay_visible_on_the_filled_part() -> None:
    drawn = budget_bar(95, 0, 100, 22, marks=(80, 92), limit=100).plain

    assert drawn == "▕████████████████┊█┊ │"


def test_work_in_flight_shows_even_when_it_is_less_than_a_cell() -> None:
    assert "▒" in budget_bar(50, 0.01, 100, 22, marks=(80, 92), limit=100).plain


def test_no_work_in_flight_shows_no_hatch() -> None:
    assert "▒" not in budget_bar(50, 0, 100, 22, limit=100).plain


def test_a_limit_within_the_scale_stands_where_it_is() -> None:
    assert budget_bar(20, 0, 100, 22, limit=75).plain == "▕████           │    ▏"


@given(st.floats(0, 300), st.floats(0, 300), st.floats(1, 200), st.integers(3, 60), st.floats(0, 300))
def test_a_budget_bar_is_exactly_as_wide_as_asked(
    used: float, in_flight: float, scale: float, width: int, mark: float
) -> None:
    assert budget_bar(used, in_flight, scale, width, marks=(mark,), limit=scale).cell_length == width
