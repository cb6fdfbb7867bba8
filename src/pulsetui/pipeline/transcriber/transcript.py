"""The transcript of one episode, and its forms: JSON to keep, SRT, VTT and plain text on demand.

Pure. The invariant: `from_json(to_json())` gives the same transcript, whatever text it holds, and no text can break out
of its place in the other forms. Where it is kept is left to the pipeline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pulsetui.pipeline.engines.base import Segment
from pulsetui.pipeline.transcriber.acceptance import Verdict

__all__ = ["Segment", "Transcript"]

VERSION = 1
"""Of the JSON form."""
NO_SPEECH = "no speech"

_SPACES = re.compile(r"\s+")
# Control characters, and those that turn the direction of what follows (UAX #9) or have no place in text.
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ud800-\udfff]")
_SRT_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")", "\\": "/"})
_VTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in an episode, by which engine, from which bytes, and the verdict on it."""

    segments: tuple[Segment, ...]
    engine: str
    model: str
    language: str
    """A BCP 47 tag."""
    source_sha256: str
    """Of the media, in hexadecimal."""
    decoded_s: float
    """The audio that was decoded, in seconds."""
    container_s: float | None
    """The audio that the container states; None if it doesn't."""
    verdict: Verdict

    def to_json(self) -> bytes:
        """Return it as JSON in UTF-8, ending in a newline.

        `speech` is "no speech" where none was found, else null.

        Raises:
            ValueError: a time is no number.
        """
        values = {
            "version": VERSION,
            "speech": None if self.verdict.has_speech else NO_SPEECH,
            "engine": self.engine,
            "model": self.model,
            "language": self.language,
            "source_sha256": self.source_sha256,
            "decoded_s": self.decoded_s,
            "container_s": self.container_s,
            "verdict": self.verdict.plain(),
            "segments": [segment.plain() for segment in self.segments],
        }
        text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        # What is no UTF-8 becomes \udc80, which JSON reads as that again.
        return text.encode(errors="backslashreplace") + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Transcript:
        """Return the transcript that `to_json` gave.

        Raises:
            ValueError: it is no transcript, or of a version that isn't known.
        """
        values = json.loads(data)
        if not isinstance(values, dict) or values.get("version") != VERSION:
            raise ValueError(f"not a transcript of version {VERSION}")
        try:
            return cls(**_fields(values))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a transcript: {error!r}") from error

    def to_srt(self) -> str:
        r"""Return SubRip subtitles. Empty without text.

        The format has no escapes; players take `<…>`, `{…}` and `\N` for markup and `-->` for a time. Such characters
        are replaced by ones that look alike.
        """
        return "".join(f"{number}\n{cue}\n" for number, cue in enumerate(self._cues(",", _srt_text), 1))

    def to_vtt(self) -> str:
        """Return WebVTT subtitles (W3C WebVTT §4.2), with a note where there was no speech."""
        note = "" if self.verdict.has_speech else f"NOTE {NO_SPEECH}\n\n"
        return f"WEBVTT\n\n{note}" + "".join(f"{cue}\n" for cue in self._cues(".", _vtt_text))

    def to_text(self) -> str:
        """Return the words, a line for each segment, without control characters; `[no speech]` where there was none."""
        lines = [] if self.verdict.has_speech else [f"[{NO_SPEECH}]"]
        lines += [line for segment in self.segments if (line := _line(segment.text))]
        return "".join(f"{line}\n" for line in lines)

    def _cues(self, point: str, escape: Callable[[str], str]) -> list[str]:
        """Return a time line and a text line for each segment that has text, each cue at least a millisecond long."""
        cues = []
        for segment in self.segments:
            text = escape(_line(segment.text))
            start_ms = round(segment.start * 1000)
            end_ms = max(round(segment.end * 1000), start_ms + 1)
            if text:
                cues.append(f"{_time(start_ms, point)} --> {_time(end_ms, point)}\n{text}\n")
        return cues


def _fields(values: dict[str, Any]) -> dict[str, Any]:
    container_s = values["container_s"]
    return {
        **{name: str(values[name]) for name in ("engine", "model", "language", "source_sha256")},
        "segments": tuple(Segment.from_plain(segment) for segment in values["segments"]),
        "decoded_s": float(values["decoded_s"]),
        "container_s": None if container_s is None else float(container_s),
        "verdict": Verdict.from_plain(values["verdict"]),
    }


def _line(text: str) -> str:
    """Return text as one line that can be shown anywhere."""
    return _SPACES.sub(" ", _UNSHOWN.sub("", _SPACES.sub(" ", text))).strip()


def _srt_text(line: str) -> str:
    return line.translate(_SRT_LOOKALIKES)


def _vtt_text(line: str) -> str:
    return line.translate(_VTT_ESCAPES)


def _time(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{point}{milliseconds:03}"
