from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from pulsetui.errors import RefusedError
from pulsetui.pipeline.tasks import probe
from pulsetui.pipeline.tasks.media import open_media
from pulsetui.processes.task import TaskError
from tests.pipeline.speech.making import Sound, cut, damage, encode, mute


def probed(path: Path) -> dict[str, Any]:
    return probe({"path": str(path)}, lambda _event: None)


def failure(path: Path) -> str:
    with pytest.raises(TaskError) as caught:
        probed(path)
    assert "/proc" not in str(caught.value)
    return caught.value.kind


STATED = [
    ("talk.mp4", "aac", {}),
    ("talk.m4a", "aac", {"movflags": "faststart"}),
    ("talk.mkv", "libopus", {}),
    ("talk.webm", "libopus", {}),
    ("talk.opus", "libopus", {}),
    ("talk.mp3", "libmp3lame", {}),
    ("talk.flac", "flac", {}),
    ("talk.wav", "pcm_s16le", {}),
]
UNSTATED = [
    ("talk.aac", "aac", {}),
    ("streamed.webm", "libopus", {"live": "1"}),
    ("bare.mp3", "libmp3lame", {"write_xing": "0"}),
    ("talk.ts", "aac", {}),
]


@pytest.mark.parametrize(("name", "codec", "options"), STATED)
def test_a_container_states_the_length_of_its_audio(
    sound: Sound, tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    found = probed(encode(sound, tmp_path / name, codec, options=options))

    assert found["duration_s"] == pytest.approx(sound.seconds, abs=0.15)
    assert (found["duration_stated"], found["audio_streams"]) == (True, 1)


@pytest.mark.parametrize(("name", "codec", "options"), UNSTATED)
def test_a_length_that_is_not_stated_is_counted_and_no_promise(
    sound: Sound, tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = encode(sound, tmp_path / name, codec, options=options)

    for _ in range(2):  # FFmpeg says only once in a row that it made the length up
        found = probed(path)
        assert found["duration_s"] == pytest.approx(sound.seconds, abs=0.15)
        assert found["duration_stated"] is False


@pytest.mark.parametrize("name", ["talk.mp4", "talk.mkv"])
def test_the_length_is_that_of_the_audio_not_of_the_picture(sound: Sound, tmp_path: Path, name: str) -> None:
    codec = "aac" if name.endswith("mp4") else "libopus"

    assert probed(encode(sound, tmp_path / name, codec, picture_s=30))["duration_s"] < sound.seconds + 1


def test_a_cut_video_states_its_whole_length(sound: Sound, tmp_path: Path) -> None:
    path = cut(encode(sound, tmp_path / "talk.mkv", "libopus"), 0.5)

    assert probed(path)["duration_s"] == pytest.approx(sound.seconds, abs=0.1)


def test_a_video_without_sound_has_no_audio(tmp_path: Path) -> None:
    assert failure(mute(tmp_path / "mute.mp4")) == "no-audio"


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>log in</html>" * 500, random.Random(1).randbytes(100_000), b"\x00" * 5000],
    ids=["empty", "page", "noise", "zeros"],
)
def test_what_is_no_media_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "page\x1b[2J.mp4"
    path.write_bytes(content)

    with pytest.raises(TaskError) as caught:
        probed(path)
    assert caught.value.kind == "not-media"
    assert str(caught.value).isprintable()


def test_media_whose_audio_is_all_broken_is_refused(sound: Sound, tmp_path: Path) -> None:
    path = encode(sound, tmp_path / "talk.mp4", "aac", options={"movflags": "faststart"})

    assert failure(damage(path, first=0.0, last=1.0)) == "not-media"


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:14,\nfile://{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{target}'\n",
    ],
    ids=["hls", "concat"],
)
@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8"])
def test_a_playlist_cannot_lead_to_another_file(wav: Path, tmp_path: Path, playlist: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(playlist.format(target=wav))

    assert failure(path) == "not-media"


def test_a_file_that_is_gone_is_missing(tmp_path: Path) -> None:
    assert failure(tmp_path / "gone.mp4") == "missing"


def test_links_and_pipes_are_not_opened(wav: Path, tmp_path: Path) -> None:
    (tmp_path / "link.wav").symlink_to(wav)
    os.mkfifo(tmp_path / "pipe.wav")

    for name in ("link.wav", "pipe.wav"):
        with pytest.raises(RefusedError, match=name):
            probed(tmp_path / name)


def test_names_and_tags_in_other_encodings_do_no_harm(sound: Sound, tmp_path: Path) -> None:
    path = sound.write(tmp_path / "talk.wav")
    tagged = path.read_bytes() + b"LIST\x14\x00\x00\x00INFOINAM\x08\x00\x00\x00caf\xe9\xff\xfe\x00\x00"
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    strange.write_bytes(tagged)

    assert probed(strange)["audio_streams"] == 1


def test_no_descriptor_stays_open(wav: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - of a folder that changes as one looks
    with open_media(wav):
        pass

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
