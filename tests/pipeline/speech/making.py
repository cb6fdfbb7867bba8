"""Makes media for the tests: with sound and pictures, cut, broken, or lying."""

from __future__ import annotations

import fractions
import random
import wave
from array import array
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream

from pulsetui.pipeline.tasks.extraction import extract
from pulsetui.pipeline.tasks.media import open_media

RATE_HZ = 16_000


@dataclass(frozen=True)
class Sound:
    """16 kHz mono samples of 16 bit."""

    samples: bytes

    @classmethod
    def read(cls, path: Path) -> Sound:
        with wave.open(str(path), "rb") as file:
            return cls(file.readframes(file.getnframes()))

    @classmethod
    def silence(cls, seconds: float) -> Sound:
        return cls(bytes(2 * int(seconds * RATE_HZ)))

    @classmethod
    def noise(cls, seconds: float, loudness: int = 3000) -> Sound:
        chance = random.Random(1)
        return cls(array("h", (chance.randint(-loudness, loudness) for _ in range(int(seconds * RATE_HZ)))).tobytes())

    @property
    def seconds(self) -> float:
        return len(self.samples) / 2 / RATE_HZ

    def __add__(self, other: Sound) -> Sound:
        return Sound(self.samples + other.samples)

    def until(self, seconds: float) -> Sound:
        return Sound(self.samples[: 2 * int(seconds * RATE_HZ)])

    def write(self, path: Path) -> Path:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(self.samples)
        return path


def encode(
    sound: Sound,
    path: Path,
    codec: str,
    *,
    container_format: str | None = None,
    options: dict[str, str] | None = None,
    picture_s: float = 0.0,
    starts_s: float = 0.0,
    rate_hz: int | None = None,
) -> Path:
    """Encode a sound that starts at `starts_s`, with `picture_s` seconds of a black picture beside it."""
    with av.open(str(path), "w", format=container_format, options=options or {}) as container:
        rate_hz = rate_hz or (48_000 if codec == "libopus" else RATE_HZ)
        stream = cast(AudioStream, container.add_stream(codec, rate=rate_hz))
        stream.layout = "mono"
        if picture_s:
            _add_picture(container, picture_s)
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate_hz, frame_size=960)
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(sound.samples) // 2)
        frame.sample_rate = RATE_HZ
        frame.planes[0].update(sound.samples + bytes(frame.planes[0].buffer_size - len(sound.samples)))
        at = round(starts_s * rate_hz)
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            resampled.pts, resampled.time_base = at, fractions.Fraction(1, rate_hz)
            at += resampled.samples
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return path


def long_speech(path: Path) -> None:
    """Write some minutes of speech, which no test waits for."""
    clip = Path(str(resources.files("pulsetui.demo").joinpath("clips", "01.opus"))).resolve()
    with open_media(clip) as media:
        extract(media, path, lambda _done_s, _audio_bytes: None)
    once = Sound.read(path)
    path.unlink()
    encode(Sound(once.samples * 32), path, "pcm_s16le")


def mute(path: Path, seconds: float = 2.0) -> Path:
    """Make a video without sound."""
    with av.open(str(path), "w") as container:
        _add_picture(container, seconds)
    return path


def cut(path: Path, share: float) -> Path:
    """Keep the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def damage(path: Path, *, first: float, last: float) -> Path:
    """Write zeros over a part of the packets, given by shares; in MP4 they are what follows `mdat`."""
    data = bytearray(path.read_bytes())
    packets = max(0, data.find(b"mdat") + 4)
    start, end = (packets + int((len(data) - packets) * share) for share in (first, last))
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    return path


def _add_picture(container: av.container.OutputContainer, seconds: float) -> None:
    stream = container.add_stream("mpeg4", rate=5)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    for number in range(int(seconds * 5)):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts, frame.time_base = number, fractions.Fraction(1, 5)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
