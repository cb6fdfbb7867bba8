from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulsetui.demo.wer import word_error_rate
from pulsetui.errors import WorkerFailedError, WorkerLostError
from pulsetui.pipeline.engines.base import Segment
from pulsetui.pipeline.tasks.transcription import Progress
from pulsetui.pipeline.transcriber.acceptance import Rules, Verdict, judge
from pulsetui.processes.runner import TaskSpec, run
from tests.pipeline.speech.making import Sound, cut, encode
from tests.pipeline.speech.plugin import install

Run = Callable[..., Any]


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return tmp_path / "audio" / "job.wav"


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    install(folder, monkeypatch)


def spec(media: Path, audio: Path, engine: str, **more: Any) -> TaskSpec:
    arguments = {"media_path": str(media), "audio_path": str(audio), "engine": engine, **more}
    return TaskSpec("pulsetui.pipeline.tasks:transcribe", arguments)


def allocated_bytes(path: Path) -> int:
    return path.stat().st_blocks * 512


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


async def result_of(media: Path, audio: Path, engine: str) -> dict[str, Any]:
    return await run(spec(media, audio, engine), lambda _event: None)


def verdict_on(result: dict[str, Any]) -> Verdict:
    return judge(
        speech=[(start, end) for start, end in result["speech"]],
        segments=[Segment.from_plain(segment) for segment in result["segments"]],
        decoded_s=result["decoded_s"],
        container_s=result["container_s"],
        rules=Rules(),
    )


async def test_the_real_engine_transcribes_a_real_clip_and_is_accepted(
    clip: Path, clip_words: str, audio: Path, events: list[dict[str, Any]]
) -> None:
    result = await run(spec(clip, audio, "pocketsphinx"), events.append)
    verdict = verdict_on(result)

    assert verdict.accepted, verdict.reasons
    assert verdict.coverage > 0.95
    assert word_error_rate(clip_words, " ".join(segment["text"] for segment in result["segments"])) <= 0.1
    assert result["decoded_s"] == pytest.approx(result["container_s"], abs=0.1)
    assert (result["engine"], result["language"], result["broken_packets"]) == ("pocketsphinx", "en-US", 0)
    assert result["audio_bytes"] == allocated_bytes(audio)
    assert list(dict.fromkeys(event["stage"] for event in events)) == ["extracting", "detecting", "transcribing"]
    for stage in ("detecting", "transcribing"):
        done = [event["done_s"] for event in events if event["stage"] == stage]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0, pytest.approx(result["decoded_s"], abs=0.01))
        assert len(done) > 2
    assert events[-1]["audio_bytes"] == result["audio_bytes"]
    assert events[-1]["total_s"] == pytest.approx(result["decoded_s"], abs=0.01)


async def test_an_honest_engine_is_accepted(clip: Path, audio: Path) -> None:
    verdict = verdict_on(await result_of(clip, audio, "honest"))

    assert (verdict.accepted, verdict.coverage) == (True, 1)


@pytest.mark.parametrize(
    ("engine", "reason", "low", "high"),
    [
        ("silent", "0.0 % of 1", 0.0, 0.0),
        ("lazy", "% of 1", 0.4, 0.6),
        ("dropping", "% of 1", 0.6, 0.7),
        ("looping", "the text repeats itself from 0:00 on: compression ratio 17.4", 1.0, 1.0),
    ],
)
async def test_an_engine_that_lies_is_held_with_figures(
    clip: Path, audio: Path, engine: str, reason: str, low: float, high: float
) -> None:
    verdict = verdict_on(await result_of(clip, audio, engine))

    assert not verdict.accepted
    assert reason in verdict.reasons[0]
    assert low <= verdict.coverage <= high
    assert verdict.speech_s > 10


async def test_a_cut_video_is_held_though_the_engine_heard_all_there_is(
    sound: Sound, tmp_path: Path, audio: Path
) -> None:
    media = cut(encode(sound, tmp_path / "cut.mp4", "aac", options={"movflags": "faststart"}), 0.6)
    result = await result_of(media, audio, "honest")
    verdict = verdict_on(result)

    assert result["container_s"] - result["decoded_s"] > 4
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["the media is cut short or broken"]


async def test_a_length_that_nobody_stated_is_null(sound: Sound, tmp_path: Path, audio: Path) -> None:
    media = encode(sound, tmp_path / "talk.aac", "aac")

    assert (await result_of(media, audio, "honest"))["container_s"] is None


async def test_media_without_speech_is_accepted_as_such(tmp_path: Path, audio: Path) -> None:
    media = (Sound.silence(5) + Sound.noise(5)).write(tmp_path / "rain.wav")
    verdict = verdict_on(await result_of(media, audio, "silent"))

    assert (verdict.accepted, verdict.has_speech) == (True, False)


@pytest.mark.parametrize(
    ("engine", "kind", "message"),
    [
        ("broken", "engine-failed", r"speech engine scripted failed: torn\\x1b\[2J \(ZeroDivisionError\)"),
        ("backwards", "engine-failed", r"a segment from 2 to 1 s"),
        ("missing", "engine-failed", r"missing can't be loaded: no such model"),
        ("whisper", "unknown-engine", r"no speech engine 'whisper'; known: .*pocketsphinx"),
    ],
)
async def test_an_engine_that_fails_is_named_and_leaves_no_audio(
    clip: Path, audio: Path, engine: str, kind: str, message: str
) -> None:
    with pytest.raises(WorkerFailedError, match=message) as caught:
        await result_of(clip, audio, engine)

    assert caught.value.kind == kind
    assert files_in(audio.parent) == []


async def test_an_engine_that_dies_loses_its_process_only(clip: Path, audio: Path) -> None:
    with pytest.raises(WorkerLostError, match="9"):
        await result_of(clip, audio, "dying")


async def test_a_cancelled_transcription_leaves_no_audio(clip: Path, audio: Path) -> None:
    cancel = asyncio.Event()

    def on_event(event: dict[str, Any]) -> None:
        if event["stage"] == "transcribing" and event["done_s"] > 0:
            cancel.set()

    with pytest.raises(WorkerFailedError, match="cancelled"):
        async with asyncio.timeout(30):
            await run(spec(clip, audio, "endless"), on_event, cancel)
    assert files_in(audio.parent) == []


@pytest.mark.parametrize("language", ["de", "xx"])
async def test_a_language_that_the_engine_lacks_costs_no_extraction(
    clip: Path, audio: Path, language: str, events: list[dict[str, Any]]
) -> None:
    with pytest.raises(WorkerFailedError, match=f"not {language}"):
        await run(spec(clip, audio, "pocketsphinx", language=language), events.append)
    assert events == []


def test_progress_is_told_five_times_a_second_and_at_both_ends(events: list[dict[str, Any]]) -> None:
    now = [0.0]
    progress = Progress(events.append, monotonic=lambda: now[0])
    progress.begin("extracting", None)
    for number in range(100):
        now[0] = number / 100
        progress.at(now[0] * 10, number)
    progress.end(10.0, 1234)

    assert [event["done_s"] for event in events] == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.2)
    assert events[0] == {"stage": "extracting", "done_s": 0.0, "total_s": None, "audio_bytes": 0}
    assert events[-1] == {"stage": "extracting", "done_s": 10.0, "total_s": None, "audio_bytes": 1234}
