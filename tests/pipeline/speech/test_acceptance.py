from __future__ import annotations

import random
from dataclasses import asdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.pipeline.engines.base import Segment
from pulsetui.pipeline.transcriber.acceptance import (
    Region,
    Rules,
    Verdict,
    compression_ratio,
    judge,
    merged,
)

HOUR = [(0.0, 3600.0)]
RULES = Rules()


def told(*regions: Region) -> list[Segment]:
    """Segments whose text doesn't repeat itself."""
    return [
        Segment(start, end, f"{number} {hash((start, end)) % 10**12:x}") for number, (start, end) in enumerate(regions)
    ]


def verdict_on(
    speech: list[Region],
    segments: list[Segment],
    *,
    decoded_s: float = 3600.0,
    container_s: float | None = 3600.0,
    rules: Rules = RULES,
) -> Verdict:
    return judge(speech=speech, segments=segments, decoded_s=decoded_s, container_s=container_s, rules=rules)


def test_speech_that_all_has_text_is_accepted() -> None:
    verdict = verdict_on([(0, 10), (20, 3600)], told((0, 10), (19, 3599)))

    assert verdict.accepted
    assert verdict.reasons == ()
    assert (verdict.coverage, verdict.speech_s, verdict.largest_gap_s) == (0.9997, 3590, 1)
    assert (verdict.gap_at_s, verdict.end_distance_s) == (3599, 1)


def test_an_engine_that_returns_nothing_is_held() -> None:
    verdict = verdict_on(HOUR, [])

    assert not verdict.accepted
    assert (verdict.coverage, verdict.largest_gap_s, verdict.end_distance_s) == (0, 3600, 3600)
    assert verdict.reasons == (
        "0.0 % of 3600 s of speech has text, less than 70.0 %",
        "3600 s of speech from 0:00 on has no text, more than 60 s",
        "the text ends 3600 s before the last speech, more than 30 s",
    )


def test_segments_without_words_are_no_text() -> None:
    assert verdict_on(HOUR, [Segment(0, 3600, " \n")]).coverage == 0


def test_an_engine_that_drops_every_third_minute_is_held_for_its_coverage() -> None:
    kept = [(start, start + 40) for start in range(0, 3600, 60)]
    verdict = verdict_on(HOUR, told(*kept))

    assert verdict.coverage == pytest.approx(2 / 3, abs=1e-4)
    assert verdict.reasons == ("66.7 % of 3600 s of speech has text, less than 70.0 %",)


def test_a_minute_of_speech_without_text_is_held_however_long_the_rest_is() -> None:
    verdict = verdict_on(HOUR, told((0, 1800), (1861, 3600)))

    assert verdict.coverage > 0.98
    assert (verdict.largest_gap_s, verdict.gap_at_s) == (61, 1800)
    assert verdict.reasons == ("61 s of speech from 30:00 on has no text, more than 60 s",)


def test_silence_between_two_texts_is_no_gap() -> None:
    verdict = verdict_on([(0, 100), (900, 910), (2000, 3600)], told((0, 100), (2000, 3600)))

    assert verdict.accepted
    assert (verdict.largest_gap_s, verdict.gap_at_s) == (10, 900)


def test_text_that_ends_long_before_the_last_speech_is_held() -> None:
    verdict = verdict_on(HOUR, told((0, 3569)))

    assert verdict.reasons == ("the text ends 31 s before the last speech, more than 30 s",)


def test_silence_after_the_last_text_is_accepted() -> None:
    verdict = verdict_on([(0, 100)], told((0, 100)))

    assert (verdict.accepted, verdict.end_distance_s) == (True, 0)


def test_text_after_the_end_of_the_audio_is_held() -> None:
    verdict = verdict_on(HOUR, told((0, 3603)))

    assert verdict.reasons == ("the text ends at 1:00:03, after the audio, which ends at 1:00:00",)


def test_text_that_repeats_itself_is_held_and_says_where() -> None:
    loop = [Segment(1200 + 2 * number, 1202 + 2 * number, "thank you for watching") for number in range(40)]
    verdict = verdict_on(HOUR, [*told((0, 1200)), *loop, *told((1280, 3600))])

    assert verdict.compression_ratio > 2.4
    assert verdict.reasons[0].startswith("the text repeats itself from 20:")
    assert len(verdict.reasons) == 1


def test_one_segment_that_repeats_itself_is_held() -> None:
    assert not verdict_on(HOUR, [Segment(0, 3600, "and then " * 200)]).accepted


def test_an_hour_of_plain_english_is_no_repetition() -> None:
    sentence = "on the day number {} we saw {} ships and {} birds near the harbour and counted {} of them twice"
    segments = [
        Segment(number * 10.0, number * 10.0 + 10, sentence.format(*(hash((number, word)) for word in range(4))))
        for number in range(360)
    ]
    verdict = verdict_on(HOUR, segments)

    whole = compression_ratio(" ".join(segment.text for segment in segments))
    assert verdict.accepted
    assert verdict.compression_ratio < 2.4
    assert whole > verdict.compression_ratio


@pytest.mark.parametrize(
    ("container_s", "decoded_s", "accepted"),
    [(1440, 375, False), (1440, 1434, True), (60, 57.9, False), (60, 58.1, True), (None, 375, True), (375, 1440, True)],
)
def test_media_that_decoded_shorter_than_stated_is_held(
    container_s: float | None, decoded_s: float, accepted: bool
) -> None:
    speech = [(0.0, decoded_s)]
    verdict = verdict_on(speech, told(*speech), decoded_s=decoded_s, container_s=container_s)

    assert verdict.accepted is accepted
    if not accepted:
        assert f"{decoded_s:.0f} s of {container_s:.0f} s" in verdict.reasons[0]


def test_media_without_speech_is_accepted_as_such() -> None:
    verdict = verdict_on([], [])

    assert (verdict.accepted, verdict.has_speech, verdict.coverage) == (True, False, 1)


def test_a_blip_that_the_detector_took_for_speech_is_no_speech() -> None:
    assert verdict_on([(5, 5.3), (900, 900.3)], []).accepted
    assert not verdict_on([(5, 5.6), (900, 900.6)], []).accepted


def test_cut_media_without_speech_is_held() -> None:
    assert not verdict_on([], [], decoded_s=375, container_s=1440).accepted


def test_a_verdict_comes_back_from_its_plain_values() -> None:
    verdict = verdict_on(HOUR, told((0, 1800)))

    assert Verdict.from_plain(verdict.plain()) == verdict
    with pytest.raises(ValueError, match="not a verdict"):
        Verdict.from_plain({**verdict.plain(), "mood": "good"})


times = st.floats(0, 1000, allow_nan=False).map(lambda seconds: round(seconds, 3))
regions = st.tuples(times, times).map(lambda pair: (min(pair), max(pair)))
any_speech = st.lists(regions, max_size=12)
any_text = st.lists(
    st.builds(lambda region, text: Segment(region[0], region[1], text), regions, st.text(max_size=12)), max_size=12
)


def judged(speech: list[Region], segments: list[Segment]) -> Verdict:
    return verdict_on(speech, segments, decoded_s=1000, container_s=None)


@given(any_speech, any_text)
def test_figures_stay_in_their_ranges(speech: list[Region], segments: list[Segment]) -> None:
    verdict = judged(speech, segments)

    assert 0 <= verdict.coverage <= 1
    assert 0 <= verdict.largest_gap_s <= verdict.speech_s + 1e-3
    assert 0 <= verdict.end_distance_s <= 1000
    assert verdict.largest_gap_s <= verdict.speech_s * (1 - verdict.coverage) + 0.1
    assert verdict.accepted is (not verdict.reasons)
    assert (verdict.gap_at_s is None) is (verdict.largest_gap_s == 0) or verdict.largest_gap_s < 1e-3


@given(any_speech, any_text, regions)
def test_more_text_never_lowers_the_coverage(speech: list[Region], segments: list[Segment], more: Region) -> None:
    before, after = judged(speech, segments), judged(speech, [*segments, Segment(more[0], more[1], "more")])

    assert after.coverage >= before.coverage
    assert after.largest_gap_s <= before.largest_gap_s
    assert after.end_distance_s <= before.end_distance_s


@given(any_speech, any_text, st.randoms(use_true_random=False))
def test_the_order_of_what_was_found_does_not_matter(
    speech: list[Region], segments: list[Segment], chance: random.Random
) -> None:
    first = judged(speech, segments)
    mixed_speech, mixed = [*speech], [*segments]
    chance.shuffle(mixed_speech)
    chance.shuffle(mixed)
    second = judged(mixed_speech, mixed)

    assert first.coverage == pytest.approx(second.coverage)
    assert (first.speech_s, first.largest_gap_s, first.gap_at_s) == (
        second.speech_s,
        second.largest_gap_s,
        second.gap_at_s,
    )


@given(any_speech)
def test_text_on_all_speech_is_complete(speech: list[Region]) -> None:
    verdict = judged(speech, told(*speech))

    assert (verdict.coverage, verdict.largest_gap_s, verdict.end_distance_s) == (1, 0, 0)


@given(any_speech, any_text)
def test_coverage_is_what_a_ruler_of_milliseconds_measures(speech: list[Region], segments: list[Segment]) -> None:
    def marks(found: list[Region]) -> set[int]:
        return {at for start, end in found for at in range(round(start * 10), round(end * 10))}

    coarse = [(round(start, 1), round(end, 1)) for start, end in speech]
    texts = [Segment(round(each.start, 1), round(each.end, 1), each.text) for each in segments]
    spoken = marks(coarse)
    covered = spoken & marks([(each.start, each.end) for each in texts if each.text.strip()])

    assert judged(coarse, texts).coverage == pytest.approx(len(covered) / len(spoken) if spoken else 1, abs=1e-4)


@given(any_speech)
def test_merged_regions_are_apart_and_in_order(speech: list[Region]) -> None:
    joined = merged(speech)

    assert all(start < end for start, end in joined)
    assert all(first[1] < second[0] for first, second in pairwise(joined))
    assert merged(joined) == joined


@pytest.mark.parametrize("field", sorted(asdict(RULES)))
def test_each_rule_alone_decides(field: str) -> None:
    segments = [*told((0, 1700)), Segment(1731, 3590, "well " * 20)]
    lenient = Rules(min_coverage=0.5, max_gap_s=100, max_end_distance_s=100, max_compression_ratio=100)
    strict = {"min_coverage": 0.999, "max_gap_s": 30, "max_end_distance_s": 5, "max_compression_ratio": 1.5}
    assert verdict_on(HOUR, segments, rules=lenient).accepted

    verdict = verdict_on(HOUR, segments, rules=Rules(**{**asdict(lenient), field: strict[field]}))
    assert len(verdict.reasons) == 1
