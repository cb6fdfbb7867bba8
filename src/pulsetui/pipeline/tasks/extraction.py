"""Extracts the audio of media into a WAV file of 16 kHz, mono, 16 bit.

Owns the decoding, which goes on past broken packets and counts them, and the file. The invariant: a WAV file with sizes
in its header is whole, and an extraction that fails leaves none; one that is killed leaves a file that the next attempt
replaces. Telling whether enough was decoded is left to `transcriber.acceptance`.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from pulsetui.files.durable import allocated_bytes, close, write_all
from pulsetui.files.folders import Folder
from pulsetui.pipeline.engines.base import RATE_HZ
from pulsetui.pipeline.kinds import NOT_MEDIA, TOO_LONG
from pulsetui.pipeline.tasks.media import Media
from pulsetui.processes.task import TaskError

_SAMPLE_BYTES = 2
_BATCH_BYTES = 1 << 20
_FRAME_SAMPLES = 4096  # frames of the usual 20 ms would cost a fifth more time, in Python
_HEADER_BYTES = 44
_LARGEST_BYTES = 2**32 - 1 - _HEADER_BYTES
_READ_ERRORS_AT_MOST = 100

OnProgress = Callable[[float, int], None]
"""Takes seconds of audio written, and bytes that the file takes on disk."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What came out."""

    decoded_s: float
    starts_s: float
    """The time of the first audio frame in the media."""
    broken_packets: int
    audio_bytes: int
    """Allocated on disk."""


def extract(media: Media, audio: Path, on_progress: OnProgress, *, mode: int = 0o600) -> Extracted:
    """Write the audio of `media` to a new file at `audio`, in the place of what an earlier attempt left there.

    The file gets `mode`. Not synced: it can be made again from the media, and is, after a crash.

    Raises:
        TaskError: nothing could be decoded, or there is more than the process may write or a WAV file can hold.
        SpaceError: the disk is full.
    """
    with Folder.open(audio.parent, create=True) as folder, removed_on_failure(audio):
        with suppress(FileNotFoundError):
            folder.unlink(audio.name)
        descriptor = folder.create(audio.name, mode)
        try:
            return _fill(media, descriptor, on_progress)
        finally:
            close(descriptor)


@contextmanager
def removed_on_failure(audio: Path) -> Iterator[None]:
    """Remove the extracted audio if the block fails or is cancelled: it can be made again, and takes room."""
    try:
        yield
    except BaseException:
        with suppress(OSError), Folder.open(audio.parent) as folder:
            folder.unlink(audio.name)
        raise


def _fill(media: Media, descriptor: int, on_progress: OnProgress) -> Extracted:
    decoding = _Decoding(media)
    write_all(descriptor, _header(0))
    batch = bytearray()
    written = 0
    try:
        for samples in decoding.samples():
            batch += samples
            if len(batch) >= _BATCH_BYTES:
                written += _flush(descriptor, batch, written)
                on_progress(_seconds(written), allocated_bytes(descriptor))
        written += _flush(descriptor, batch, written)
    except OSError as error:
        if error.errno != errno.EFBIG:  # the limit that the reservation set
            raise
        raise TaskError(TOO_LONG, f"the audio is longer than stated: {_seconds(written):.0f} s and more") from error
    if not written:
        raise TaskError(NOT_MEDIA, f"none of the media's audio can be decoded ({decoding.broken} broken packets)")
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, _header(written))
    return Extracted(_seconds(written), decoding.starts_s or 0.0, decoding.broken, allocated_bytes(descriptor))


def _flush(descriptor: int, batch: bytearray, written: int) -> int:
    """Write the batch, empty it and return its bytes."""
    size = len(batch)
    if written + size > _LARGEST_BYTES:
        raise TaskError(TOO_LONG, f"more than {_seconds(_LARGEST_BYTES) / 3600:.1f} hours of audio")
    write_all(descriptor, batch)
    batch.clear()
    return size


class _Decoding:
    """Decodes a stream to samples and keeps count of what broke."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self._resampler = _resampler()
        self.starts_s: float | None = None
        self.broken = 0

    def samples(self) -> Iterator[memoryview]:
        """Give 16-bit mono samples until the stream ends."""
        for packet in self._packets():
            try:
                # A whole packet is decoded or none of it: a generator here would lose the count.
                frames = packet.decode()
            except av.FFmpegError:
                self.broken += 1
                continue
            for frame in frames:
                if self.starts_s is None:
                    self.starts_s = frame.time or 0.0
                frame.pts = None  # broken time stamps must not shift or drop samples
                yield from map(_samples_of, self._resampled(frame))
        yield from map(_samples_of, self._resampler.resample(None))

    def _resampled(self, frame: AudioFrame) -> list[AudioFrame]:
        try:
            return self._resampler.resample(frame)
        except (av.FFmpegError, ValueError):  # streams may change their shape in the middle, resamplers may not
            before, self._resampler = self._resampler, _resampler()
        try:
            return [*before.resample(None), *self._resampler.resample(frame)]
        except (av.FFmpegError, ValueError):  # a shape that can't be
            self.broken += 1
            self._resampler = _resampler()
            return []

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        failures = 0
        while True:
            try:
                for packet in self._media.container.demux(self._media.audio):
                    failures = 0
                    yield packet
            except av.EOFError:
                return
            except av.FFmpegError:  # of the reading: the demuxer finds the next packet, or fails for good
                self.broken += 1
                failures += 1
                if failures > _READ_ERRORS_AT_MOST:
                    return
            else:
                return


def _resampler() -> AudioResampler:
    return AudioResampler(format="s16", layout="mono", rate=RATE_HZ, frame_size=_FRAME_SAMPLES)


def _samples_of(frame: AudioFrame) -> memoryview:
    return memoryview(frame.planes[0])[: frame.samples * _SAMPLE_BYTES]  # planes are padded


def _header(data_bytes: int) -> bytes:
    """Return a WAV header (Microsoft and IBM, Multimedia Programming Interface 1.0): PCM, 16 kHz, mono, 16 bit."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _HEADER_BYTES - 8 + data_bytes, b"WAVE"),
        *(b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * _SAMPLE_BYTES, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES),
        *(b"data", data_bytes),
    )


def _seconds(size_bytes: int) -> float:
    return size_bytes / _SAMPLE_BYTES / RATE_HZ
