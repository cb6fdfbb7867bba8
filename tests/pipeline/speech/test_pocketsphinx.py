from __future__ import annotations

import itertools
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.demo.wer import word_error_rate
from pulsetui.pipeline.engines.base import Segment
from pulsetui.pipeline.engines.pocketsphinx import (
    LONGEST_SEGMENT_S,
    LONGEST_UTTERANCE_S,
    PAUSE_S,
    PocketsphinxEngine,
    Utterance,
    Word,
    quietest,
    segments_of,
    utterances,
)
from tests.pipeline.speech.making import Sound


@pytest.fixture(scope="module")
def engine() -> PocketsphinxEngine:
    return PocketsphinxEngine()


def heard(engine: PocketsphinxEngine, path: Path) -> list[Segment]:
    return list(engine.transcribe(path, on_progress=lambda _done_s: None))


def spoken_in(path: Path) -> list[Utterance]:
    with wave.open(str(path)) as file:
        return list(utterances(file))


def test_real_speech_becomes_its_words_with_absolute_times(
    engine: PocketsphinxEngine, sound: Sound, clip_words: str, tmp_path: Path
) -> None:
    done: list[float] = []
    path = (Sound.silence(20) + sound).write(tmp_path / "late.wav")

    segments = list(engine.transcribe(path, on_progress=done.append))

    assert word_error_rate(clip_words, " ".join(segment.text for segment in segments)) <= 0.1
    assert segments[0].start == pytest.approx(20.1, abs=0.5)
    assert segments[-1].end == pytest.approx(20 + sound.seconds, abs=0.5)
    assert all(segment.confidence is not None and 0.3 < segment.confidence <= 1 for segment in segments)
    assert done == sorted(done)
    assert done[-1] == pytest.approx(20 + sound.seconds)
    assert len(done) > sound.seconds


@pytest.mark.parametrize("quiet", [Sound.silence(3), Sound(b""), Sound(bytes(2))])
def test_silence_has_no_words(engine: PocketsphinxEngine, quiet: Sound, tmp_path: Path) -> None:
    assert heard(engine, quiet.write(tmp_path / "quiet.wav")) == []


def test_audio_of_another_shape_is_refused(engine: PocketsphinxEngine, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "stereo.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)

    with pytest.raises(ValueError, match="not 16 kHz mono"):
        heard(engine, tmp_path / "stereo.wav")


def test_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="en-US only, not de"):
        PocketsphinxEngine(language="de")


@pytest.mark.parametrize("samples_short", [0, 1, 479])
def test_speech_that_reaches_to_the_end_is_an_utterance(sound: Sound, tmp_path: Path, samples_short: int) -> None:
    whole_frames = sound.samples[: 5 * 32_000 // 960 * 960]
    ends_talking = Sound(whole_frames[: len(whole_frames) - 2 * samples_short])

    last = spoken_in(ends_talking.write(tmp_path / "cut.wav"))[-1]

    assert last.start_s + len(last.samples) / 32_000 == pytest.approx(ends_talking.seconds, abs=0.1)


def test_speech_without_a_pause_is_cut_and_nothing_of_it_is_lost(sound: Sound, tmp_path: Path) -> None:
    talk = sound.until(12)
    endless = talk + talk + talk + talk + talk + talk
    found = spoken_in(endless.write(tmp_path / "endless.wav"))

    assert len(found) > 1
    assert max(len(utterance.samples) / 32_000 for utterance in found) <= LONGEST_UTTERANCE_S + 1
    assert sum(len(utterance.samples) for utterance in found) / 32_000 == pytest.approx(endless.seconds, rel=0.02)
    for utterance in found:
        start = round(utterance.start_s * 16_000) * 2
        original = endless.samples[start : start + len(utterance.samples)]
        assert utterance.samples.removesuffix(bytes(len(utterance.samples) - len(original))) == original


def test_it_is_cut_where_it_is_quiet() -> None:
    talk = Sound.noise(12) + Sound.silence(0.2) + Sound.noise(4)

    assert quietest(talk.samples) / 32_000 == pytest.approx(12.1, abs=0.06)
    assert quietest(talk.samples) % 2 == 0


def word(start_s: float, end_s: float, probability: float = 1.0) -> Word:
    return Word(start_s, end_s, "word", probability)


def test_a_pause_ends_a_segment() -> None:
    words = [word(0, 1), word(1.1, 2), word(2 + PAUSE_S, 3)]

    assert [(each.start, each.end) for each in segments_of(words)] == [(0, 2), (2.5, 3)]


def test_a_long_segment_ends_at_the_next_short_pause_and_at_last_without_one() -> None:
    words = [word(second, second + 1) for second in range(7)] + [word(7.1, 8)]
    assert [each.start for each in segments_of(words)] == [0, 7.1]

    words = [word(second, second + 1) for second in range(20)]
    assert [each.start for each in segments_of(words)] == [0, LONGEST_SEGMENT_S]


def test_one_wild_guess_shows_in_the_confidence() -> None:
    (segment,) = segments_of([word(0, 1), word(1, 2), word(2, 3), word(3, 4, 0.0001)])

    assert segment.confidence == pytest.approx(0.1)


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.01, 2)), max_size=40))
def test_no_word_is_lost_and_no_silence_is_text(gaps_and_lengths: list[tuple[float, float]]) -> None:
    words, at = [], 0.0
    for gap, length in gaps_and_lengths:
        words.append(word(at + gap, at + gap + length))
        at += gap + length
    segments = list(segments_of(words))

    assert sum(len(each.text.split()) for each in segments) == len(words)
    assert all(first.end <= second.start for first, second in itertools.pairwise(segments))
    assert all(each.end - each.start < LONGEST_SEGMENT_S + 2 + PAUSE_S for each in segments)
