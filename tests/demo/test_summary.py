from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pulsetui.demo.summary import Summary

KEPT = Summary(
    episodes=12,
    transcribed=12,
    word_error_rate=0.047,
    pauses=2,
    resumes=2,
    peak_committed_bytes=38_000_000,
    peak_observed_bytes=36_000_000,
    hard_limit_bytes=40_000_000,
    videos_left=0,
    seconds=75.5,
    real_time_factor=0.21,
    worst_loop_lag_ms=8.4,
    data_dir="/somewhere/data",
)


def test_a_demo_that_kept_every_promise_is_ok() -> None:
    assert KEPT.ok
    assert KEPT.problems() == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"transcribed": 11}, "1 episodes were not transcribed"),
        ({"episodes": 0, "transcribed": 0}, "there were no episodes"),
        ({"word_error_rate": 0.15}, "word error rate 15.0% is not below 15%"),
        ({"peak_committed_bytes": 40_000_001}, "committed 40.0 MB passed the hard limit of 40.0 MB"),
        ({"peak_observed_bytes": 41_000_000}, "another process saw 41.0 MB, past the hard limit of 40.0 MB"),
        ({"pauses": 0, "resumes": 0}, "the gate never closed"),
        ({"resumes": 1}, "the gate closed 2 times, but opened 1 times"),
        ({"videos_left": 3}, "3 videos were left on the disk"),
    ],
)
def test_each_broken_promise_alone_fails_the_demo_and_is_named(change: dict[str, Any], said: str) -> None:
    summary = replace(KEPT, **change)

    assert not summary.ok
    assert summary.problems() == (said,)
    assert summary.lines()[-1].split(maxsplit=1) == ["failed", said]


def test_exactly_the_hard_limit_is_within_it() -> None:
    assert replace(KEPT, peak_committed_bytes=40_000_000, peak_observed_bytes=40_000_000).ok


def test_a_demo_that_nobody_watched_can_be_ok_and_says_so() -> None:
    summary = replace(KEPT, peak_observed_bytes=None)

    assert summary.ok
    assert any("not watched" in line for line in summary.lines())


def test_json_is_one_line_with_the_figures_that_scripts_rely_on() -> None:
    text = KEPT.to_json()

    assert "\n" not in text
    assert (
        json.loads(text).items()
        >= {
            "episodes": 12,
            "transcribed": 12,
            "word_error_rate": 0.047,
            "pauses": 2,
            "resumes": 2,
            "peak_committed_bytes": 38_000_000,
            "hard_limit_bytes": 40_000_000,
            "seconds": 75.5,
            "data_dir": "/somewhere/data",
            "ok": True,
        }.items()
    )


def test_the_lines_say_the_figures_with_their_share_of_the_limit() -> None:
    lines = "\n".join(KEPT.lines())

    assert "12 of 12 episodes in 1m 15s" in lines
    assert "4.7%" in lines
    assert "38.0 MB of 40.0 MB (95 %)" in lines
    assert lines.endswith("every promise was kept")
