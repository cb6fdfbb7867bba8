"""The task of a transcription job: extract the audio, find the speech, let the engine hear it.

Owns the order of the three, the progress that is told, and the plug-in boundary around the engine. Judging the result
(`transcriber.acceptance`) and keeping it are left to the process that waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulsetui import faults
from pulsetui.errors import PulseError
from pulsetui.pipeline.engines.base import Engine, Segment, checked
from pulsetui.pipeline.engines.registry import ENGINE_FAILED, described, load_engine
from pulsetui.pipeline.tasks.extraction import Extracted, extract, removed_on_failure
from pulsetui.pipeline.tasks.media import open_media
from pulsetui.pipeline.transcriber.voice import Region, detect_speech
from pulsetui.processes.task import Emit, TaskError

EVENTS_PER_S = 5


class Progress:
    """Tells how far a stage is: its beginning and end always, what is between at most `EVENTS_PER_S` times a second.

    An event has `stage`, `done_s` and `total_s` in seconds of audio (`total_s` null if unknown) and `audio_bytes`, what
    the extracted audio takes on disk so far.
    """

    def __init__(self, emit: Emit, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take where the events go, and a clock."""
        self._emit = emit
        self._monotonic = monotonic
        self._stage = ""
        self._total_s: float | None = None
        self._audio_bytes = 0
        self._told_at: float | None = None

    def begin(self, stage: str, total_s: float | None) -> None:
        """Start a stage: `extracting`, `detecting` or `transcribing`."""
        self._stage, self._total_s = stage, total_s
        self._send(0.0)

    def at(self, done_s: float, audio_bytes: int | None = None) -> None:
        """Tell that so many seconds of the stage are done, if it is time."""
        self._audio_bytes = self._audio_bytes if audio_bytes is None else audio_bytes
        if self._told_at is None or self._monotonic() - self._told_at >= 1 / EVENTS_PER_S:
            self._send(done_s)

    def end(self, done_s: float, audio_bytes: int | None = None) -> None:
        """End the stage."""
        self._audio_bytes = self._audio_bytes if audio_bytes is None else audio_bytes
        self._send(done_s)

    def _send(self, done_s: float) -> None:
        self._told_at = self._monotonic()
        self._emit(
            {
                "stage": self._stage,
                "done_s": round(done_s, 2),
                "total_s": None if self._total_s is None else round(self._total_s, 2),
                "audio_bytes": self._audio_bytes,
            }
        )


def transcribe(arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Make text of the speech in a media file.

    Takes `media_path`, `audio_path` (a new file; what an earlier attempt left there is replaced; it stays for the
    caller to delete, except after a failure), `audio_mode` (its permission bits, 0600 unless given), `engine`, and
    `language` if it isn't the engine's default. Emits what `Progress` describes.

    Returns `decoded_s`, `container_s` (the length of the audio as the container states it, or null), `broken_packets`,
    `speech` (pairs of seconds), `segments` (see `Segment.plain`), `engine`, `model`, `language` and `audio_bytes`.

    Raises:
        TaskError: kind `not-media`, `no-audio`, `missing`, `too-long`, `unknown-engine` or `engine-failed`.
        SpaceError: the disk is full.
    """
    progress = Progress(emit)
    # First, since a wrong setting must not cost an extraction; loading takes half a second, the rest minutes.
    engine = load_engine(str(arguments["engine"]), language=arguments.get("language"))
    audio = Path(arguments["audio_path"])
    mode = int(arguments.get("audio_mode", 0o600))
    extracted, container_s = _extract(Path(arguments["media_path"]), audio, mode, progress)
    with removed_on_failure(audio):
        faults.point("transcription.extracted")
        speech = _find_speech(audio, extracted.decoded_s, progress)
        faults.point("transcription.detected")
        segments = _hear(engine, audio, extracted.decoded_s, progress)
        faults.point("transcription.heard")
    return {
        "decoded_s": round(extracted.decoded_s, 3),
        "container_s": None if container_s is None else round(container_s, 3),
        "broken_packets": extracted.broken_packets,
        "speech": [list(region) for region in speech],
        "segments": [segment.plain() for segment in segments],
        "engine": engine.name,
        "model": engine.model,
        "language": engine.language,
        "audio_bytes": extracted.audio_bytes,
    }


def _extract(path: Path, audio: Path, mode: int, progress: Progress) -> tuple[Extracted, float | None]:
    with open_media(path) as media:
        progress.begin("extracting", media.stated_s())
        extracted = extract(media, audio, progress.at, mode=mode)
        container_s = media.stated_s(extracted.starts_s)
    progress.end(extracted.decoded_s, extracted.audio_bytes)
    return extracted, container_s


def _find_speech(audio: Path, decoded_s: float, progress: Progress) -> list[Region]:
    progress.begin("detecting", decoded_s)
    speech = detect_speech(audio, on_progress=progress.at)
    progress.end(decoded_s)
    return speech


def _hear(engine: Engine, audio: Path, decoded_s: float, progress: Progress) -> list[Segment]:
    progress.begin("transcribing", decoded_s)
    try:
        segments = list(checked(engine.transcribe(audio, on_progress=progress.at), decoded_s=decoded_s))
    except (TaskError, PulseError, MemoryError):
        raise
    except Exception as error:  # the plug-in boundary: an engine may fail in any way
        raise TaskError(ENGINE_FAILED, f"speech engine {engine.name} failed: {described(error)}") from error
    progress.end(decoded_s)
    return sorted(segments, key=lambda segment: (segment.start, segment.end))
