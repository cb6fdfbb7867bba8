from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.pipeline.engines.base import Segment
from pulsetui.pipeline.transcriber.acceptance import Rules, judge
from pulsetui.pipeline.transcriber.transcript import Transcript

HOSTILE = "1\n\n00:00:00,000 --> 99:00:00,000\r\n<v Eve>{\\an8}&amp; \x1b[2J\u202eevil\x00\u2028 \ud800--></v>"
times = st.floats(0, 400_000, allow_nan=False).map(lambda seconds: round(seconds, 3))
any_text = st.text(st.characters(exclude_categories=()), max_size=40)
any_segments = st.lists(
    st.builds(Segment, times, times, any_text, st.none() | st.floats(0, 1, allow_nan=False)), max_size=6
)


def transcript(*segments: Segment, speech: bool = True) -> Transcript:
    spoken = [(0.0, 10.0)] if speech else []
    return Transcript(
        segments=segments,
        engine="pocketsphinx",
        model="en-us",
        language="en-US",
        source_sha256="ab" * 32,
        decoded_s=10.0,
        container_s=None,
        verdict=judge(speech=spoken, segments=segments, decoded_s=10.0, container_s=None, rules=Rules()),
    )


@given(any_segments)
def test_a_transcript_comes_back_from_its_json(segments: list[Segment]) -> None:
    original = transcript(*segments)

    assert Transcript.from_json(original.to_json()) == original


def test_the_json_has_what_others_read() -> None:
    values = json.loads(transcript(Segment(0.5, 2.25, "good morning", 0.9)).to_json())

    assert values["segments"] == [{"start": 0.5, "end": 2.25, "text": "good morning", "confidence": 0.9}]
    assert {name: values[name] for name in ("engine", "model", "language", "source_sha256", "speech")} == {
        "engine": "pocketsphinx",
        "model": "en-us",
        "language": "en-US",
        "source_sha256": "ab" * 32,
        "speech": None,
    }
    assert (values["decoded_s"], values["container_s"], values["version"]) == (10.0, None, 1)
    assert values["verdict"]["coverage"] == 0.175


def test_other_scripts_stand_in_the_json_as_they_are() -> None:
    assert "Grüße 日本".encode() in transcript(Segment(0, 1, "Grüße 日本")).to_json()


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"version":2}', b'{"version":1}', b'{"version":1,"segments":[1],"verdict":{}}', b"\xff"],
)
def test_what_is_no_transcript_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Transcript.from_json(data)


def test_a_segment_without_an_end_is_refused() -> None:
    data = transcript(Segment(0, 1, "word")).to_json().replace(b'"end"', b'"finish"')

    with pytest.raises(ValueError, match="not a segment"):
        Transcript.from_json(data)


def test_srt_numbers_its_cues() -> None:
    assert transcript(Segment(0, 1.5, "good morning"), Segment(3661.25, 3662, "and welcome")).to_srt() == (
        "1\n00:00:00,000 --> 00:00:01,500\ngood morning\n\n2\n01:01:01,250 --> 01:01:02,000\nand welcome\n\n"
    )


def test_vtt_has_its_header_and_escapes() -> None:
    assert transcript(Segment(0, 1.5, "a < b & c --> d")).to_vtt() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\na &lt; b &amp; c --&gt; d\n\n"
    )


def test_hostile_text_stays_in_its_cue() -> None:
    both = transcript(Segment(1, 2, HOSTILE), Segment(2, 3, "after"))

    srt = both.to_srt()
    assert srt.startswith(
        "1\n00:00:01,000 --> 00:00:02,000\n1 00:00:00,000 --› 99:00:00,000 ‹v Eve›(/an8)&amp; [2Jevil --›‹/v›\n\n2\n"
    )
    assert both.to_vtt().split("\n")[3] == (
        "1 00:00:00,000 --&gt; 99:00:00,000 &lt;v Eve&gt;{\\an8}&amp;amp; [2Jevil --&gt;&lt;/v&gt;"
    )
    assert both.to_text().split("\n")[1:] == ["after", ""]


@given(any_segments)
def test_no_text_can_add_a_cue_or_a_control_character(segments: list[Segment]) -> None:
    made = transcript(*segments)

    for written, head, point in ((made.to_srt(), 0, ","), (made.to_vtt(), 2, ".")):
        written.encode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", written)
        cues = written.split("\n\n")[head // 2 : -1]
        assert written.count("-->") == len(cues)
        for cue in cues:
            time_line = cue.split("\n")[-2]
            assert re.fullmatch(rf"\d\d+:\d\d:\d\d\{point}\d{{3}} --> \d\d+:\d\d:\d\d\{point}\d{{3}}", time_line)


@given(any_segments)
def test_each_cue_ends_after_it_starts(segments: list[Segment]) -> None:
    for start, end in re.findall(r"([\d:.]+) --> ([\d:.]+)", transcript(*segments).to_vtt()):
        assert _ms(end) > _ms(start)


def test_a_segment_without_words_is_no_cue() -> None:
    assert transcript(Segment(0, 1, " \x00\n"), Segment(1, 2, "word")).to_srt().startswith("1\n00:00:01,000")


def test_media_without_speech_says_so_in_every_form() -> None:
    silent = transcript(speech=False)

    assert json.loads(silent.to_json())["speech"] == "no speech"
    assert silent.to_vtt() == "WEBVTT\n\nNOTE no speech\n\n"
    assert silent.to_text() == "[no speech]\n"
    assert silent.to_srt() == ""


def _ms(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)
