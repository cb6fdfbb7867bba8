from __future__ import annotations

import itertools
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.demo.videos import (
    LARGEST_BYTES,
    SMALLEST_BYTES,
    VIDEOS_AT_MOST,
    Video,
    clip_text,
    clips,
    make_video,
    make_videos,
    plan,
)
from pulsetui.files.folders import Folder

CLIPS = Path(__file__).parents[2] / "src" / "pulsetui" / "demo" / "clips"
MP4 = Video("one.mp4", "01", 400_000, seed=1)
MKV = Video("two.mkv", "02", 400_000, seed=2)


def made(folder: Path, video: Video) -> Path:
    with Folder.open(folder) as opened:
        make_video(opened, video)
    return folder / video.name


def audio_s(path: Path) -> float:
    """Seconds of sound that decode."""
    with av.open(str(path), "r") as media:
        return sum(frame.samples / frame.sample_rate for frame in media.decode(audio=0))


def test_the_clips_with_their_texts_are_small_and_free_of_digits() -> None:
    assert sum(file.stat().st_size for file in CLIPS.iterdir()) < 500_000
    assert sorted(file.stem for file in CLIPS.glob("*.opus")) == sorted(clips())
    assert all(clip_text(clip).strip() and not any(map(str.isdigit, clip_text(clip))) for clip in clips())


@pytest.mark.parametrize("clip", clips())
def test_each_clip_is_a_quarter_of_a_minute_of_sound(clip: str) -> None:
    assert 12 <= audio_s(CLIPS / f"{clip}.opus") <= 25


@pytest.mark.parametrize(("video", "container"), [(MP4, "mp4"), (MKV, "matroska")])
def test_a_video_plays_the_whole_clip_beside_a_picture(tmp_path: Path, video: Video, container: str) -> None:
    path = made(tmp_path, video)

    spoken_s = audio_s(CLIPS / f"{video.clip}.opus")
    with av.open(str(path), "r") as media:
        assert container in media.format.name
        assert media.duration is not None
        assert media.duration / av.time_base == pytest.approx(spoken_s, abs=0.1)
        pictures = [frame.time for frame in media.decode(video=0)]
    assert audio_s(path) == pytest.approx(spoken_s, abs=0.05)
    assert len(pictures) > 5
    assert pictures == sorted(pictures)
    assert pictures[-1] == pytest.approx(spoken_s, rel=0.2)


def test_sound_and_picture_lie_side_by_side_so_that_a_cut_off_download_has_both(tmp_path: Path) -> None:
    with av.open(str(made(tmp_path, MKV)), "r") as media:
        times_s = [float(packet.pts * packet.time_base) for packet in media.demux() if packet.pts is not None]

    furthest_s = itertools.accumulate(times_s, max)
    assert max(furthest - time for furthest, time in zip(furthest_s, times_s, strict=True)) < 0.5


@pytest.mark.parametrize("size_bytes", [250_000, 1_000_000, 5_000_000, 10_000_000])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_video_is_as_large_as_asked(tmp_path: Path, name: str, size_bytes: int) -> None:
    path = made(tmp_path, Video(name, "12", size_bytes, seed=7))

    assert path.stat().st_size == pytest.approx(size_bytes, rel=0.1)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_the_same_plan_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    contents = []
    for folder, seed in (("one", 5), ("two", 5), ("three", 6)):
        (tmp_path / folder).mkdir()
        contents.append(made(tmp_path / folder, Video(name, "03", 300_000, seed)).read_bytes())

    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_a_video_that_is_there_stays_the_same_file(tmp_path: Path) -> None:
    before = made(tmp_path, MP4).stat()

    after = made(tmp_path, MP4).stat()

    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_a_killed_demo_left_unfinished_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / f"{MP4.name}.unfinished").write_bytes(b"half")

    path = made(tmp_path, MP4)

    assert audio_s(path) > 12
    assert [file.name for file in tmp_path.iterdir()] == [MP4.name]


async def test_videos_are_made_in_another_process_that_reports_each(tmp_path: Path) -> None:
    reported: list[str] = []

    total_bytes = await make_videos(tmp_path, [MP4, MKV], reported.append)

    assert reported == [MP4.name, MKV.name]
    assert total_bytes == (tmp_path / MP4.name).stat().st_size + (tmp_path / MKV.name).stat().st_size


@given(count=st.integers(0, 200), seed=st.integers(0, 10))
def test_no_two_episodes_share_title_or_location_and_sizes_are_in_bounds(count: int, seed: int) -> None:
    episodes = plan(count, seed=seed)

    assert [episode.number for episode in episodes] == list(range(1, count + 1))
    assert len({episode.title for episode in episodes}) == count
    assert len({episode.location for episode in episodes}) == count
    assert len({episode.video for episode in episodes}) == min(count, VIDEOS_AT_MOST)
    assert all(SMALLEST_BYTES <= episode.video.size_bytes <= LARGEST_BYTES for episode in episodes)


def test_a_longer_plan_begins_with_the_shorter_one() -> None:
    assert plan(60)[:12] == plan(12)


def test_the_first_twelve_episodes_say_twelve_different_things_in_both_containers() -> None:
    episodes = plan(12)

    assert len({episode.text for episode in episodes}) == 12
    assert {Path(episode.video.name).suffix for episode in episodes} == {".mp4", ".mkv"}
