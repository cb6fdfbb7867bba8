"""Waiting after failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.pipeline.backoff import Backoff

BACKOFF = Backoff(base_s=5, cap_s=1800, retry_after_cap_s=21_600)


@pytest.mark.parametrize(("attempts", "most_s"), [(1, 5), (2, 10), (3, 20), (9, 1280), (10, 1800), (5_000, 1800)])
def test_it_doubles_up_to_the_cap(attempts: int, most_s: float) -> None:
    assert BACKOFF.delay_s(attempts, draw=1.0) == most_s
    assert BACKOFF.delay_s(attempts, draw=0.5) == most_s / 2
    assert BACKOFF.delay_s(attempts, draw=0.0) == 0


@given(attempts=st.integers(1, 10**9), draw=st.floats(0, 1), asked=st.none() | st.floats(-10, 10**9))
def test_it_is_never_negative_nor_longer_than_allowed(attempts: int, draw: float, asked: float | None) -> None:
    delay = BACKOFF.delay_s(attempts, draw=draw, retry_after_s=asked)
    assert 0 <= delay <= (1800 if asked is None else 21_600)


def test_the_server_s_own_figure_wins_but_is_capped() -> None:
    assert BACKOFF.delay_s(1, draw=0.3, retry_after_s=7) == 7
    assert BACKOFF.delay_s(9, draw=0.3, retry_after_s=7) == 7
    assert BACKOFF.delay_s(1, draw=0.3, retry_after_s=10**6) == 21_600
    assert BACKOFF.delay_s(1, draw=0.3, retry_after_s=-5) == 0
