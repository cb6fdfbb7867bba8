from __future__ import annotations

import math
from pathlib import Path

import pytest

from pulsetui.pipeline.engines.base import Segment, checked
from pulsetui.pipeline.engines.registry import engine_names, load_engine
from pulsetui.processes.task import TaskError
from tests.pipeline.speech.plugin import install


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)


def test_pulsetui_brings_its_engine_as_a_plug_in_like_any_other() -> None:
    assert {"pocketsphinx", "honest"} <= set(engine_names())
    assert list(engine_names()) == sorted(engine_names())


def test_an_installed_engine_is_found_by_its_name() -> None:
    assert load_engine("honest", language="en").model == "a list"


@pytest.mark.parametrize("name", ["whisper\x1b[2J", "", "Honest"])
def test_an_unknown_engine_names_those_that_there_are(name: str) -> None:
    with pytest.raises(TaskError, match=r"known: .*honest.*pocketsphinx") as caught:
        load_engine(name)
    assert caught.value.kind == "unknown-engine"
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "language", "reason"),
    [("missing", None, r"no such model \(OSError\)"), ("honest", "tlh", r"no tlh\\x1b\[2J \(ValueError\)")],
)
def test_an_engine_that_cannot_be_loaded_says_why(name: str, language: str | None, reason: str) -> None:
    with pytest.raises(TaskError, match=f"{name} can't be loaded: {reason}") as caught:
        load_engine(name, language=language)
    assert caught.value.kind == "engine-failed"


def test_segments_are_tidied() -> None:
    untidy = [Segment(0.12345, 1.98765, " one\ud800 ", 0.98765), Segment(2, 3, "  "), Segment(3, 10.4, "two")]

    assert list(checked(untidy, decoded_s=10.0)) == [
        Segment(0.123, 1.988, "one\ufffd", 0.988),
        Segment(3, 10.0, "two", None),
    ]


def test_text_far_behind_the_end_is_kept_for_the_verdict() -> None:
    assert list(checked([Segment(0, 99, "lie")], decoded_s=10.0)) == [Segment(0, 99, "lie")]


@pytest.mark.parametrize(
    "segment",
    [
        Segment(2, 1, "back"),
        Segment(-1, 1, "before"),
        Segment(0, math.inf, "for ever"),
        Segment(math.nan, 1, "never"),
        Segment(0, 1, "sure", 1.5),
        Segment(0, 1, "unsure", math.nan),
    ],
)
def test_figures_that_cannot_be_are_refused(segment: Segment) -> None:
    with pytest.raises(ValueError, match=r"a segment from|a confidence of"):
        list(checked([segment], decoded_s=10.0))
