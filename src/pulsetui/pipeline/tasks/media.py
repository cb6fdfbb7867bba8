"""Opens untrusted media with FFmpeg, in a child process, and reads what it says of itself.

Owns the fences around the demuxers and the question how long the container says its audio is. The invariant: FFmpeg
opens this one regular file and nothing else, be it a playlist under another name; a length that FFmpeg only estimated
counts as unknown. Whether a short decode matters is left to `transcriber.acceptance`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer

from pulsetui import faults
from pulsetui.files.folders import Folder
from pulsetui.files.names import display_text
from pulsetui.pipeline.kinds import MISSING, NO_AUDIO, NOT_MEDIA
from pulsetui.processes.task import Emit, TaskError

# Containers that are one file. Playlists (HLS, DASH, concat) name other files and addresses, and are not among them.
_FORMATS = "mov,matroska,webm,ogg,flac,wav,w64,avi,aac,mp3,mpegts,mpeg,flv,asf,aiff,amr,caf"
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}

# Streams of packets without a header: what they say is where their last packet is, whatever came after it once.
_HEADERLESS = {"mpegts", "mpeg"}
# libavformat/demux.c, estimate_timings_from_bit_rate: the only sign of an estimate that its interface gives.
_ESTIMATED = "Estimating duration from bitrate"
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_PROBED_PACKETS = 500


@dataclass(frozen=True, slots=True)
class Media:
    """An open file with its best audio stream."""

    container: InputContainer
    audio: AudioStream
    estimated: bool
    """FFmpeg made the durations up from the bit rate."""

    def stated_s(self, starts_s: float = 0.0) -> float | None:
        """Return the length of the audio that the container states, or None if it doesn't.

        `starts_s` is the time of the first audio frame: Matroska states where a stream ends, not how long it is.
        """
        if self.estimated or self.container.format.name in _HEADERLESS:
            return None
        tagged = _CLOCK.fullmatch(self.audio.metadata.get("DURATION", "")[:18])
        if tagged:
            hours, minutes, seconds = tagged.groups()
            return max(0.0, int(hours) * 3600 + int(minutes) * 60 + float(seconds) - starts_s)
        if "matroska" not in self.container.format.name and self.audio.duration and self.audio.time_base:
            return float(self.audio.duration * self.audio.time_base)
        whole_s = self.container.duration
        return None if not whole_s else max(0.0, whole_s / av.time_base - starts_s)


@contextmanager
def open_media(path: Path) -> Iterator[Media]:
    """Open a media file for reading.

    Raises:
        TaskError: it is missing, is no media, or has no audio stream.
        RefusedError: it is behind a symbolic link, or no regular file.
    """
    name = display_text(path.name)
    try:
        with Folder.open(path.parent) as folder:
            descriptor = folder.open_existing(path.name)
    except FileNotFoundError as error:
        raise TaskError(MISSING, f"{name} is not there") from error
    try:
        # By its descriptor: what was checked is what is read, and names in other encodings don't matter.
        with _open_container(f"/proc/self/fd/{descriptor}") as (container, estimated):
            yield Media(container, _best_audio(container), estimated)
    finally:
        os.close(descriptor)


def probe(arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:  # noqa: ARG001 - a task's signature
    """Prove that a file has audio that can be decoded; the task behind the ingest check.

    Takes `path`; returns `container` (FFmpeg's name of the format), `duration_s` of the audio, `duration_stated` (false
    if the container doesn't state it, so that it was counted) and `audio_streams`.

    Raises:
        TaskError: kind `not-media`, `no-audio` or `missing`.
    """
    with open_media(Path(arguments["path"])) as media:
        if not _decodes(media):
            raise TaskError(NOT_MEDIA, "the media's audio can't be decoded")
        stated_s = media.stated_s()
        return {
            "container": media.container.format.name,
            "duration_s": round(_counted_s(media) if stated_s is None else stated_s, 3),
            "duration_stated": stated_s is not None,
            "audio_streams": len(media.container.streams.audio),
        }


@contextmanager
def _open_container(location: str) -> Iterator[tuple[InputContainer, bool]]:
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)  # or the second estimate of a process goes unheard
    try:
        faults.point("media.open")
        with av.logging.Capture(local=True) as logs:
            container = av.open(location, "r", container_options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TaskError(NOT_MEDIA, f"the media can't be read: {display_text(reason)}") from error
    finally:
        av.logging.set_level(None)
    with container:
        yield container, any(_ESTIMATED in message for _, _, message in logs)


def _best_audio(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise TaskError(NO_AUDIO, "the media has no audio stream")
    best = container.streams.best("audio")
    audio = best if isinstance(best, AudioStream) else container.streams.audio[0]
    if audio.codec_context is None:
        raise TaskError(NOT_MEDIA, "there is no decoder for the media's audio")
    return audio


def _decodes(media: Media) -> bool:
    """Say whether one of the first packets of audio gives a frame; some broken ones before it don't matter."""
    broken = 0
    try:
        for packet in media.container.demux(media.audio):
            try:
                if packet.decode():
                    return True
            except av.FFmpegError:
                broken += 1
            if broken > _PROBED_PACKETS:
                return False
    except av.FFmpegError:
        return False
    return False


def _counted_s(media: Media) -> float:
    """Return the length of the audio by its packets, undecoded: room for it is reserved by this."""
    ticks = 0
    with suppress(av.FFmpegError):
        media.container.seek(0)
    with suppress(av.FFmpegError):  # what is behind an error that ends the reading can't be extracted either
        for packet in media.container.demux(media.audio):
            ticks += packet.duration or 0
    return float(ticks * (media.audio.time_base or 0))
