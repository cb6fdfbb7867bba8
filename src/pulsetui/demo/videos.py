"""The demo's episodes: which there are, and the real video files that they come from.

Owns the plan (a pure function of count and seed) and the making of the files: the Opus packets of a committed clip
beside a Motion JPEG stream of noise, in MP4 and Matroska by turns. The same plan gives the same bytes again. Making
runs in a process of its own, as all media work does; serving the files is left to `server`.
"""

from __future__ import annotations

import heapq
import itertools
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePath
from typing import Any, cast

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from pulsetui import faults
from pulsetui.files.folders import Folder
from pulsetui.files.space import space_errors
from pulsetui.processes.runner import TaskSpec, run
from pulsetui.processes.task import Emit

SMALLEST_BYTES = 5_000_000
LARGEST_BYTES = 10_000_000
VIDEOS_AT_MOST = 48
"""Episodes past this number come from the videos of earlier ones, so that a long demo doesn't fill the disk."""

_TITLES = {
    "01": "The Late Train",
    "02": "Before You Plant",
    "03": "A Library for the Winter",
    "04": "Paper and Machine Parts",
    "05": "What Did You Know",
    "06": "Three Lakes",
    "07": "Dinner at Eight",
    "08": "Two Kinds of Files",
    "09": "Half an Hour a Day",
    "10": "The Way Home",
    "11": "The Old Factory",
    "12": "The Man Who Repaired Clocks",
}
_ENTITIES = ("Morning Radio/Studio", "Open Air/Field", "Morning Radio/Phone-in", "Evening Stories/Reader")
_FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
_WIDTH, _HEIGHT = 192, 112
_DISTINCT_FRAMES = 24
_VIDEO_TICK = Fraction(1, 90_000)


@dataclass(frozen=True, slots=True)
class Video:
    """One file to make.

    `clip` is the clip's two-digit name; `size_bytes`, at least 250 kB, is met within 10 %.
    """

    name: str
    clip: str
    size_bytes: int
    seed: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of the demo, numbered from 1; some may share a video, but no two have the same title or location."""

    number: int
    title: str
    entity: str
    video: Video

    @property
    def location(self) -> str:
        """The episode's path and query below the server's root."""
        return f"{self.video.name}?episode={self.number}"

    @property
    def text(self) -> str:
        """The words that are spoken in it."""
        return clip_text(self.video.clip)


def clips() -> tuple[str, ...]:
    """Return the names of the committed clips, in order."""
    return tuple(_TITLES)


def clip_text(clip: str) -> str:
    """Return the words that are spoken in a clip."""
    return _clip_file(f"{clip}.txt").read_text(encoding="utf-8")


def plan(
    count: int, *, seed: int = 0, smallest_bytes: int = SMALLEST_BYTES, largest_bytes: int = LARGEST_BYTES
) -> tuple[Episode, ...]:
    """Return the first `count` episodes; a longer plan of the same seed begins with the shorter one."""
    chance = random.Random(seed)
    videos = tuple(
        Video(
            name=f"{number:03d}{tuple(_FORMATS)[(number - 1) % 2]}",
            clip=clips()[(number - 1) % len(clips())],
            size_bytes=chance.randint(smallest_bytes, largest_bytes),
            seed=chance.getrandbits(32),
        )
        for number in range(1, min(count, VIDEOS_AT_MOST) + 1)
    )
    return tuple(_episode(number, videos[(number - 1) % VIDEOS_AT_MOST]) for number in range(1, count + 1))


async def make_videos(
    folder: Path, videos: Sequence[Video], on_made: Callable[[str], None] = lambda _name: None
) -> int:
    """Make `videos` in an existing folder, in one process, and return their bytes in all.

    `on_made` is told each name once its file is complete.

    Raises:
        WorkerFailedError: a file couldn't be written.
        WorkerLostError: the process died.
    """
    spec = TaskSpec("pulsetui.demo.videos:make", {"folder": str(folder), "videos": [asdict(video) for video in videos]})
    result = await run(spec, lambda event: on_made(event["made"]))
    return int(result["bytes"])


def make(arguments: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Make videos in a child process: the task behind `make_videos`."""
    total_bytes = 0
    with Folder.open(Path(arguments["folder"]).resolve()) as folder:
        for video in (Video(**fields) for fields in arguments["videos"]):
            total_bytes += make_video(folder, video)
            emit({"made": video.name})
    return {"bytes": total_bytes}


def make_video(folder: Folder, video: Video) -> int:
    """Make one video, which appears under its name only when it is complete, and return its size in bytes.

    A video that is there already stays: a demo that is started again serves the same file with the same validators, so
    that downloads can be resumed.

    Raises:
        SpaceError: the disk is full.
    """
    made = folder.identity(video.name)
    if made is not None:
        return made.size_bytes
    unfinished = f"{video.name}.unfinished"
    if folder.identity(unfinished) is not None:  # of a demo that was killed
        folder.unlink(unfinished)
    faults.point("demo.video")
    with space_errors(f"make {video.name}"), os.fdopen(folder.create(unfinished), "w+b") as file:
        with av.open(file, "w", format=_FORMATS[PurePath(video.name).suffix], options={"fflags": "bitexact"}) as target:
            _fill(target, video)
        size_bytes = file.seek(0, os.SEEK_END)
    folder.rename(unfinished, video.name)
    return size_bytes


def _episode(number: int, video: Video) -> Episode:
    part = (number - 1) // len(_TITLES) + 1
    title = _TITLES[video.clip] if part == 1 else f"{_TITLES[video.clip]}, part {part}"
    return Episode(number, title, _ENTITIES[(number - 1) % len(_ENTITIES)], video)


def _clip_file(name: str) -> Traversable:
    return resources.files("pulsetui.demo").joinpath("clips", name)


def _fill(target: OutputContainer, video: Video) -> None:
    """Write both streams, in the order of time."""
    with _clip_file(f"{video.clip}.opus").open("rb") as file, av.open(file, "r") as source:
        spoken = source.streams.audio[0]
        packets = [packet for packet in source.demux(spoken) if packet.size]
        sound = target.add_stream_from_template(spoken)
        picture = target.add_stream("mjpeg", rate=25)
        picture.width, picture.height, picture.pix_fmt = _WIDTH, _HEIGHT, "yuvj420p"
        picture.codec_context.qmin = picture.codec_context.qmax = 2
        duration_s = float(sum(cast(int, packet.duration) for packet in packets) * cast(Fraction, spoken.time_base))
        room_bytes = video.size_bytes - sum(packet.size for packet in packets)
        streams = (_sound(packets, sound), _pictures(picture, duration_s, room_bytes, video.seed))
        for packet in heapq.merge(*streams, key=_time_s):
            target.mux_one(packet)


def _sound(packets: Sequence[Packet[Any]], stream: AudioStream) -> Iterator[Packet[Any]]:
    for packet in packets:
        packet.stream = stream
        yield packet


def _pictures(stream: VideoStream, duration_s: float, room_bytes: int, seed: int) -> Iterator[Packet[Any]]:
    """Repeat a few frames of noise, spread over the duration, until they fill the room.

    JPEG frames stand alone, so the same bytes may come again: that makes a video in a tenth of the time of encoding it.
    """
    frames = [bytes(packet) for frame in _noise(seed) for packet in stream.encode(frame)]
    count = round(room_bytes / (sum(map(len, frames)) / len(frames)))
    for index, data in enumerate(itertools.islice(itertools.cycle(frames), count)):
        packet = Packet(data)
        packet.stream, packet.time_base, packet.is_keyframe = stream, _VIDEO_TICK, True
        packet.pts = packet.dts = round(index * duration_s / count / _VIDEO_TICK)
        yield packet


def _noise(seed: int) -> Iterator[av.VideoFrame]:
    chance = random.Random(seed)
    for index in range(_DISTINCT_FRAMES):
        frame = av.VideoFrame(_WIDTH, _HEIGHT, "yuvj420p")
        for plane in frame.planes:
            plane.update(chance.randbytes(plane.buffer_size))
        frame.pts, frame.time_base = index, Fraction(1, 25)
        yield frame


def _time_s(packet: Packet[Any]) -> float:
    return float(cast(int, packet.pts) * packet.time_base)
