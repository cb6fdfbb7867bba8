"""The served episodes: a second or two of the demo's real speech beside pictures, and the server in its own process."""

from __future__ import annotations

import contextlib
import itertools
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream

SERVE = """
import sys
from pulsetui.demo.web import serve
rate = int(sys.argv[2]) or None
order = {"folder": sys.argv[1], "address": "127.0.0.1", "rate_bytes_per_s": rate}
serve(order, lambda event: print(event["port"], flush=True))
"""
_TICK = Fraction(1, 90_000)
_FRAMES = 8


@dataclass(frozen=True, slots=True)
class Episode:
    """One file to serve: the beginning of a clip, up to `seconds`, in a file of about `size_bytes`."""

    name: str
    entity: str
    clip: str
    seconds: float
    size_bytes: int


FIRST = Episode("first.mkv", "Radio/Studio", "01", 1.1, 450_000)
SECOND = Episode("second.mp4", "Stories/Reader", "07", 1.2, 350_000)
LONG = Episode("long.mkv", "Stories/Reader", "03", 13.0, 600_000)
BIG = Episode("big.mkv", "Stories/Reader", "07", 1.2, 4_200_000)
"""Several batches of a MiB, for what happens between two of them."""
EPISODES = (FIRST, SECOND, LONG, BIG)


@dataclass(frozen=True, slots=True)
class Site:
    """The folder of the files and where they are served."""

    folder: Path
    port: int

    def url(self, episode: Episode, *, host: str = "127.0.0.1", variant: str = "") -> str:
        """Return an address; `variant` tells apart jobs for the same file."""
        return f"http://{host}:{self.port}/{episode.name}{variant and '?' + variant}"

    def path(self, episode: Episode) -> Path:
        """Return the served file."""
        return self.folder / episode.name


@contextlib.contextmanager
def served(folder: Path, *, rate_bytes_per_s: int = 0) -> Iterator[Site]:
    """Serve a folder for as long as the block lasts; `rate_bytes_per_s` limits each request, 0 doesn't."""
    command = [sys.executable, "-c", SERVE, str(folder), str(rate_bytes_per_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield Site(folder, int(server.stdout.readline()))
        finally:
            server.kill()


def make(folder: Path, episode: Episode) -> None:
    """Write one file: the clip's packets as they are, and noise as pictures that fill the size."""
    clip = resources.files("pulsetui.demo").joinpath("clips", f"{episode.clip}.opus")
    with (
        clip.open("rb") as file,
        av.open(file, "r") as source,
        av.open(str(folder / episode.name), "w") as target,
    ):
        spoken = source.streams.audio[0]
        sound = target.add_stream_from_template(spoken)
        picture = target.add_stream("mjpeg", rate=25)
        picture.width, picture.height, picture.pix_fmt = 192, 112, "yuvj420p"
        picture.codec_context.qmin = picture.codec_context.qmax = 2
        packets = [*_sound(source, spoken, sound, episode.seconds), *_pictures(picture, episode)]
        for packet in sorted(packets, key=lambda packet: float((packet.pts or 0) * packet.time_base)):
            target.mux_one(packet)


def _sound(source: Any, spoken: AudioStream, stream: AudioStream, seconds: float) -> Iterator[Packet[Any]]:
    for packet in source.demux(spoken):
        if packet.size and packet.pts * packet.time_base < seconds:
            packet.stream = stream
            yield packet


def _pictures(stream: VideoStream, episode: Episode) -> Iterator[Packet[Any]]:
    frames = [bytes(packet) for frame in _noise(episode.name) for packet in stream.encode(frame)]
    count = episode.size_bytes * len(frames) // sum(map(len, frames))
    for index, data in enumerate(itertools.islice(itertools.cycle(frames), count)):
        packet = Packet(data)
        packet.stream, packet.time_base, packet.is_keyframe = stream, _TICK, True
        packet.pts = packet.dts = round(index * episode.seconds / count / _TICK)
        yield packet


def _noise(seed: str) -> Iterator[av.VideoFrame]:
    chance = random.Random(seed)
    for index in range(_FRAMES):
        frame = av.VideoFrame(192, 112, "yuvj420p")
        for plane in frame.planes:
            plane.update(chance.randbytes(plane.buffer_size))
        frame.pts, frame.time_base = index, Fraction(1, 25)
        yield frame
