"""Whether bytes are media: what the source says they are, what they start with, and what a probe finds must agree.

The invariant: a file is accepted only if its first bytes are those of a known container, a declared type doesn't
contradict that, and a probe in a limited process found an audio stream. How the probe works is left to
`pipeline.tasks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from pulsetui.errors import FailureClass, SourceError, WorkerFailedError
from pulsetui.files.names import display_text
from pulsetui.pipeline import kinds
from pulsetui.processes.runner import Limits, TaskSpec, run

START_BYTES = 512
"""How much of a file `family_of` looks at; two packets of an MPEG transport stream and more."""

_PROBE = "pulsetui.pipeline.tasks:probe"
_PROBE_LIMITS = Limits(memory_bytes=2 * 1024**3, cpu_s=60)
_ISO_ATOMS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_TS_PACKETS = ((0, 188), (4, 192), (0, 204))


@dataclass(frozen=True, slots=True)
class Family:
    """A container format: the extensions that it goes by, the first one for what has none, and its first bytes."""

    name: str
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Media:
    """What a file turned out to be."""

    extension: str
    container: str
    duration_s: float
    """0 if the container doesn't say."""


def _is_iso(start: bytes) -> bool:
    return start[4:8] in _ISO_ATOMS


def _is_mpeg_audio(start: bytes) -> bool:
    """ID3v2, or a frame header: sync, layer II or III (I matches UTF-16), rates of bits and samples that exist."""
    if start[:3] == b"ID3":
        return True
    if len(start) < 4 or start[0] != 0xFF or start[1] & 0xE0 != 0xE0:
        return False
    return (
        start[1] & 0x06 in {0x02, 0x04}
        and start[1] & 0x18 != 0x08
        and start[2] & 0xF0 != 0xF0
        and start[2] & 0x0C != 0x0C
    )


def _is_transport_stream(start: bytes) -> bool:
    return any(
        len(start) > first + 2 * packet and start[first] == start[first + packet] == start[first + 2 * packet] == 0x47
        for first, packet in _TS_PACKETS
    )


# A table of our own: puremagic needs Python 3.12 and guesses among hundreds of types, of which only these may pass.
# Sources: ISO/IEC 14496-12 §4.3 and the QuickTime File Format (atoms), RFC 8794 (EBML), RFC 3533 (Ogg), RFC 9639
# (FLAC), WHATWG MIME Sniffing §6.2 (RIFF, MP3, WebM), id3.org (ID3v2), ISO/IEC 13818-1 (TS 0x47, PS 000001BA),
# ISO/IEC 13818-7 (ADTS), Adobe FLV 10.1 annex E, Microsoft ASF 01.20 §3.1, Apple AIFF 1.3.
FAMILIES = (
    Family("MP4 or QuickTime", ("mp4", "m4v", "m4a", "m4b", "mov", "qt", "3gp", "3g2", "f4v"), _is_iso),
    Family("Matroska or WebM", ("mkv", "webm", "mka"), lambda start: start[:4] == b"\x1aE\xdf\xa3"),
    Family("Ogg", ("ogg", "oga", "ogv", "opus", "spx"), lambda start: start[:4] == b"OggS"),
    Family("FLAC", ("flac",), lambda start: start[:4] == b"fLaC"),
    Family("WAVE", ("wav", "wave"), lambda start: start[:4] in {b"RIFF", b"RF64"} and start[8:12] == b"WAVE"),
    Family("AVI", ("avi",), lambda start: start[:4] == b"RIFF" and start[8:12] == b"AVI "),
    Family("AAC", ("aac",), lambda start: start[:1] == b"\xff" and start[1:2] in {b"\xf1", b"\xf9", b"\xf0", b"\xf8"}),
    Family("MPEG audio", ("mp3", "mp2", "mpga", "aac", "flac"), _is_mpeg_audio),
    Family("MPEG transport stream", ("ts", "m2ts", "mts"), _is_transport_stream),
    Family("MPEG program stream", ("mpg", "mpeg", "vob"), lambda start: start[:4] == b"\0\0\x01\xba"),
    Family("Flash video", ("flv",), lambda start: start[:4] == b"FLV\x01"),
    Family("ASF", ("wmv", "wma", "asf"), lambda start: start[:8] == b"0&\xb2u\x8ef\xcf\x11"),
    Family("AIFF", ("aiff", "aif", "aifc"), lambda start: start[:4] == b"FORM" and start[8:12] in {b"AIFF", b"AIFC"}),
)
EXTENSIONS = tuple(dict.fromkeys(extension for family in FAMILIES for extension in family.extensions))

_LOOK = "look at the source: servers answer with a page where they want a login"
_HINTS = {
    kinds.NOT_MEDIA: "play the source elsewhere; if it is broken there too, get it anew",
    kinds.NO_AUDIO: "there is nothing to transcribe: name a source with sound",
}
_BY_CONTENT_TYPE = {
    "video/mp4": "mp4",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "video/x-m4v": "m4v",
    "video/quicktime": "mov",
    "video/3gpp": "3gp",
    "video/webm": "webm",
    "audio/webm": "webm",
    "video/x-matroska": "mkv",
    "audio/x-matroska": "mka",
    "audio/ogg": "ogg",
    "video/ogg": "ogv",
    "audio/opus": "opus",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "video/x-msvideo": "avi",
    "audio/aac": "aac",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "video/mp2t": "ts",
    "video/mpeg": "mpg",
    "video/x-flv": "flv",
    "audio/aiff": "aiff",
    "audio/x-aiff": "aiff",
}


def extension_of(path: str, *, disposition: str = "", content_type: str = "") -> str:
    """Return the extension that a source gives its body: by the name it says, the URL's path, or the type; else empty.

    Names that are no media, such as `download.php`, say nothing.
    """
    named = re.search(r"filename\*?=(?:[\w-]*'[\w-]*')?\"?([^\";]+)", disposition, re.IGNORECASE)
    for name in (named[1].strip() if named else "", path.rpartition("/")[2]):
        suffix = unquote(name).rpartition(".")[2].lower()
        if "." in unquote(name) and suffix in EXTENSIONS:
            return suffix
    return _BY_CONTENT_TYPE.get(content_type.partition(";")[0].strip().lower(), "")


def extension_for(start: bytes, declared: str) -> str:
    """Return the extension to store under, from a file's first `START_BYTES` and the extension that the source gave.

    Raises:
        SourceError: they are no media, or not what was declared.
    """
    families = [family for family in FAMILIES if family.matches(start)]
    for family in families:
        if not declared or declared in family.extensions:
            return declared or family.extensions[0]
    raise SourceError(f"{_found(start, families)}, {_expected(declared)}", failure=FailureClass.PERMANENT, hint=_LOOK)


def _found(start: bytes, families: list[Family]) -> str:
    """Say what a file is by its first bytes."""
    if not start:
        return "the file is empty"
    return (
        f"the content is {families[0].name}"
        if families
        else f"the content begins with {display_text(repr(start[:16]))}"
    )


def _expected(declared: str) -> str:
    """Say what a file should be."""
    return f"not {declared} as its name says" if declared else "which is no media"


async def check_media(path: Path, extension: str) -> Media:
    """Probe a file in a process of its own and return what it is.

    Raises:
        SourceError: it is no media or has no audio stream.
        WorkerLostError: it killed the probe.
    """
    spec = TaskSpec(_PROBE, {"path": str(path)}, _PROBE_LIMITS)
    try:
        found = await run(spec, lambda _event: None)
    except WorkerFailedError as error:
        permanent = error.kind in kinds.PERMANENT
        failure = FailureClass.PERMANENT if permanent else FailureClass.TRANSIENT
        raise SourceError(str(error), failure=failure, hint=error.hint or _HINTS.get(error.kind, "")) from error
    return Media(extension, str(found["container"]), float(found["duration_s"] or 0.0))
