"""The default engine: CMU Pocketsphinx with the US English model that comes inside its package, wholly offline.

Owns finding utterances (Pocketsphinx's own endpointer, which is not the voice detector that judges the result), the
decoding of each, and grouping its timed words into segments. The invariant: text stands where its words were heard, so
that audio that the decoder made nothing of stays uncovered. It holds the interpreter's lock while it decodes: it must
run in a process of its own.
"""

from __future__ import annotations

import math
import re
import wave
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pocketsphinx import Decoder, Endpointer  # type: ignore[import-untyped]

from pulsetui.pipeline.engines.base import RATE_HZ, Segment

LONGEST_UTTERANCE_S = 30.0
"""The decoder's memory and its search for the best path grow with the utterance: speech without a pause is cut here."""
CUT_WITHIN_S = 8.0
"""It is cut where it is quietest within this time before the end."""
PAUSE_S = 0.5
"""A pause of this length ends a segment."""
LONG_SEGMENT_S = 7.0
"""From here on the next pause of any length ends a segment: about what a subtitle can show."""
LONGEST_SEGMENT_S = 15.0

_SAMPLE_BYTES = 2
_STEP_BYTES = RATE_HZ * _SAMPLE_BYTES // 4
"""Decoded at a time, so that progress moves and a signal is answered."""
_FRAMES_PER_S = 100
_LANGUAGES = {"en", "en-us"}
_PRONUNCIATION = re.compile(r"\(\d+\)$")


@dataclass(frozen=True, slots=True)
class Utterance:
    """Samples that were found to be speech, and when they start."""

    start_s: float
    samples: bytes


@dataclass(frozen=True, slots=True)
class Word:
    """A decoded word; `probability` is its posterior, 0 to 1."""

    start_s: float
    end_s: float
    text: str
    probability: float


class PocketsphinxEngine:
    """Decodes US English."""

    name = "pocketsphinx"
    language = "en-US"

    def __init__(self, *, language: str | None = None) -> None:
        """Load the model, which takes about half a second.

        Raises:
            ValueError: another language than English is asked for.
        """
        if language is not None and language.lower() not in _LANGUAGES:
            raise ValueError(f"it knows en-US only, not {language}")
        self.model = f"en-us of pocketsphinx {version('pocketsphinx')}"
        self._decoder = Decoder(samprate=RATE_HZ, loglevel="FATAL")

    def transcribe(self, audio: Path, *, on_progress: Callable[[float], None]) -> Iterator[Segment]:
        """Give the segments as each utterance is decoded.

        Raises:
            ValueError: the audio is not 16 kHz mono of 16 bit.
        """
        with wave.open(str(audio), "rb") as source:
            if (source.getframerate(), source.getnchannels(), source.getsampwidth()) != (RATE_HZ, 1, _SAMPLE_BYTES):
                raise ValueError(f"{audio.name} is not 16 kHz mono of 16 bit")
            for utterance in utterances(source):
                yield from segments_of(self._words(utterance, on_progress))
            on_progress(source.getnframes() / RATE_HZ)

    def _words(self, utterance: Utterance, on_progress: Callable[[float], None]) -> Iterator[Word]:
        decoder = self._decoder
        decoder.start_utt()
        for start in range(0, len(utterance.samples), _STEP_BYTES):
            step = utterance.samples[start : start + _STEP_BYTES]
            decoder.process_raw(step)
            on_progress(utterance.start_s + _seconds(start + len(step)))
        decoder.end_utt()
        # Without a hypothesis there is no word segmentation either, not even an empty one.
        for heard in decoder.seg() or ():
            word = _word(heard, utterance.start_s)
            if word is not None:
                yield word


def utterances(source: wave.Wave_read) -> Iterator[Utterance]:
    """Give the utterances of 16 kHz mono audio, none longer than `LONGEST_UTTERANCE_S`.

    Not Pocketsphinx's own `Segmenter`: that one never ends an utterance that reaches to the end of a file whose length
    is a whole number of frames, and drops it.
    """
    endpointer = Endpointer(sample_rate=RATE_HZ)
    samples = bytearray()
    start_s: float | None = None
    ended = False
    while not ended:
        frame = source.readframes(endpointer.frame_bytes // _SAMPLE_BYTES)
        ended = len(frame) < endpointer.frame_bytes
        # The end of the stream can't be told without a sample.
        speech = endpointer.end_stream(frame or bytes(_SAMPLE_BYTES)) if ended else endpointer.process(frame)
        if speech is not None:
            start_s = endpointer.speech_start if start_s is None else start_s
            samples += speech
        if start_s is None:
            continue
        if _seconds(len(samples)) >= LONGEST_UTTERANCE_S:
            cut = quietest(samples)
            yield Utterance(start_s, bytes(samples[:cut]))
            del samples[:cut]
            start_s += _seconds(cut)
        if ended or not endpointer.in_speech:
            yield Utterance(start_s, bytes(samples))
            samples.clear()
            start_s = None


def quietest(samples: bytes | bytearray) -> int:
    """Return the byte at the middle of the quietest 90 ms among the last `CUT_WITHIN_S` of 16-bit samples."""
    frame = RATE_HZ * 30 // 1000
    tail = array("h", samples[-int(CUT_WITHIN_S * RATE_HZ) * _SAMPLE_BYTES :])
    loudness = [sum(map(abs, tail[start : start + frame])) for start in range(0, len(tail) - frame + 1, frame)]
    middles = range(1, len(loudness) - 1)
    middle = min(middles, key=lambda index: sum(loudness[index - 1 : index + 2]))
    return len(samples) - (len(tail) - middle * frame - frame // 2) * _SAMPLE_BYTES


def segments_of(words: Iterable[Word]) -> Iterator[Segment]:
    """Group the words of an utterance into segments that end at pauses."""
    group: list[Word] = []
    for word in words:
        if group and _ends(group, word):
            yield _segment(group)
            group = []
        group.append(word)
    if group:
        yield _segment(group)


def _ends(group: list[Word], following: Word) -> bool:
    pause_s = following.start_s - group[-1].end_s
    length_s = group[-1].end_s - group[0].start_s
    return pause_s >= PAUSE_S or (length_s >= LONG_SEGMENT_S and pause_s > 0.02) or length_s >= LONGEST_SEGMENT_S


def _segment(words: list[Word]) -> Segment:
    """Join words; the confidence is the geometric mean of their probabilities, so one wild guess shows."""
    logarithms = [math.log(max(word.probability, 1e-6)) for word in words]
    confidence = math.exp(sum(logarithms) / len(words))
    return Segment(words[0].start_s, words[-1].end_s, " ".join(word.text for word in words), confidence)


def _word(heard: Any, start_s: float) -> Word | None:
    """Return a decoded word, or None for silence, noise and the marks of sentences, which stand in brackets."""
    text = _PRONUNCIATION.sub("", heard.word)
    if text.startswith(("<", "[", "+")):
        return None
    return Word(
        start_s + heard.start_frame / _FRAMES_PER_S,
        start_s + (heard.end_frame + 1) / _FRAMES_PER_S,
        text,
        min(1.0, max(0.0, float(heard.prob))),  # its integer logarithms round to a little more than 1
    )


def _seconds(size_bytes: int) -> float:
    return size_bytes / _SAMPLE_BYTES / RATE_HZ
