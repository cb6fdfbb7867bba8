from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.pipeline.transcriber.voice import CHUNK_S, SHORTEST_SPEECH_S, Region, detect_speech, speech_regions
from tests.pipeline.speech.making import Sound

LOUD, UNSURE, QUIET = 0.9, 0.4, 0.1


def regions_of(*runs: tuple[float, int]) -> list[Region]:
    probabilities = [probability for probability, count in runs for _ in range(count)]
    return speech_regions(probabilities, duration_s=len(probabilities) * CHUNK_S)


def chunks(first: int, last: int) -> Region:
    return (round(first * CHUNK_S, 3), round(last * CHUNK_S, 3))


def test_speech_lasts_from_its_first_chunk_to_its_last() -> None:
    assert regions_of((QUIET, 10), (LOUD, 20), (QUIET, 10)) == [chunks(10, 30)]


def test_speech_reaches_to_the_end_of_the_audio() -> None:
    assert regions_of((QUIET, 10), (LOUD, 20)) == [chunks(10, 30)]
    assert regions_of((LOUD, 20), (QUIET, 2)) == [chunks(0, 20)]


def test_a_breath_does_not_end_it() -> None:
    assert regions_of((LOUD, 10), (QUIET, 3), (LOUD, 10)) == [chunks(0, 23)]
    assert regions_of((LOUD, 10), (QUIET, 4), (LOUD, 10)) == [chunks(0, 10), chunks(14, 24)]


def test_what_is_unsure_goes_on_as_it_was() -> None:
    assert regions_of((UNSURE, 10), (LOUD, 10), (UNSURE, 10), (QUIET, 10)) == [chunks(10, 30)]


def test_a_click_is_no_speech() -> None:
    assert regions_of((QUIET, 10), (LOUD, 7), (QUIET, 10)) == []


@given(st.lists(st.floats(0, 1, allow_nan=False), max_size=200))
def test_regions_are_apart_in_order_and_within_the_audio(probabilities: list[float]) -> None:
    duration_s = len(probabilities) * CHUNK_S
    found = speech_regions(probabilities, duration_s=duration_s)

    edges = [edge for region in found for edge in region]
    assert edges == sorted(edges)
    assert all(start >= 0 and end <= duration_s + 1e-3 for start, end in found)
    assert all(end - start >= SHORTEST_SPEECH_S - 1e-3 for start, end in found)


def test_speech_is_found_between_silence_and_noise(sound: Sound, tmp_path: Path) -> None:
    mixed = Sound.silence(5) + sound + Sound.noise(5)
    done: list[float] = []

    found = detect_speech(mixed.write(tmp_path / "mixed.wav"), on_progress=done.append)

    spoken_s = sum(end - start for start, end in found)
    assert found[0][0] == pytest.approx(5.2, abs=0.3)
    assert found[-1][1] == pytest.approx(5 + sound.seconds, abs=0.3)
    assert spoken_s > 0.9 * sound.seconds
    assert done == sorted(done)
    assert done[-1] == pytest.approx(mixed.seconds)


@pytest.mark.parametrize("quiet", [Sound.silence(3), Sound.noise(3), Sound(b""), Sound(bytes(2))])
def test_there_is_no_speech_where_nobody_speaks(quiet: Sound, tmp_path: Path) -> None:
    assert detect_speech(quiet.write(tmp_path / "quiet.wav"), on_progress=lambda _done_s: None) == []
