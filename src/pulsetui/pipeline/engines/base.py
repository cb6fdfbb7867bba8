"""What a speech engine is, and the `Segment` that it gives.

Pure: importing this loads no engine. Plug-ins implement `Engine` and register a factory with the keyword `language` in
the entry point group `pulsetui.engines`; what they return is checked by `checked`, since they aren't ours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

RATE_HZ = 16_000
"""The sampling rate of the audio that engines and the voice detector get: mono, 16 bit, in a WAV file."""

_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of audio and what was said in it; `start` and `end` are seconds from the start of the audio.

    Without units in their names, since these are the keys of the transcript's JSON.
    """

    start: float
    end: float
    text: str
    confidence: float | None = None
    """0 to 1 by the engine's own measure; None if it has none."""

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values under the names of the fields."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Segment:
        """Return the segment that `plain` gave.

        Raises:
            ValueError: something is missing or of the wrong type.
        """
        confidence = values.get("confidence")
        try:
            return cls(
                float(values["start"]),
                float(values["end"]),
                str(values["text"]),
                None if confidence is None else float(confidence),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a segment: {values!r}") from error


class Engine(Protocol):
    """Turns audio into segments."""

    name: str
    """The name that it is registered under."""
    model: str
    """The model that it uses, with its version where it has one."""
    language: str
    """The language that it expects or found, as a BCP 47 tag."""

    def transcribe(self, audio: Path, *, on_progress: Callable[[float], None]) -> Iterator[Segment]:
        """Give the segments of a WAV file (16 kHz, mono, 16 bit) in the order of time, as they are ready.

        `on_progress` takes the seconds of audio that are done. Ending the iteration cancels the work.
        """
        ...


class EngineFactory(Protocol):
    """What an entry point of the group names: a class or function that makes the engine, loading its model."""

    def __call__(self, *, language: str | None) -> Engine:
        """Make the engine for a language (a BCP 47 tag), or for its default one.

        Raises:
            ValueError: it doesn't know that language.
        """
        ...


def checked(segments: Iterable[Segment], *, decoded_s: float) -> Iterator[Segment]:
    """Give an engine's segments with tidy figures, and refuse those that can't be.

    Times are rounded to milliseconds, blank text is left out, bytes that are no text become U+FFFD. Engines may run a
    little past the end of the audio, and are cut there; more than a second is for acceptance to judge, and stays.

    Raises:
        ValueError: a time or a confidence is no number or out of range, or a segment ends before it starts.
    """
    for segment in segments:
        start_s, end_s, confidence = segment.start, segment.end, segment.confidence
        if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s <= end_s):
            raise ValueError(f"a segment from {start_s} to {end_s} s")
        if confidence is not None and not 0 <= confidence <= 1:
            raise ValueError(f"a confidence of {confidence}")
        if decoded_s < end_s <= decoded_s + 1:
            start_s, end_s = min(start_s, decoded_s), decoded_s
        text = _SURROGATES.sub("\ufffd", segment.text).strip()
        if text:
            figure = None if confidence is None else round(confidence, 3)
            yield Segment(round(start_s, 3), round(end_s, 3), text, figure)
