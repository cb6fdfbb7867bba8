from __future__ import annotations

import resource
import wave
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import SpaceError
from pulsetui.pipeline.tasks.extraction import Extracted, extract
from pulsetui.pipeline.tasks.media import open_media
from pulsetui.processes.task import TaskError
from tests.pipeline.speech.making import Sound, cut, damage, encode


def extracted(media: Path, audio: Path, steps: list[tuple[float, int]] | None = None) -> Extracted:
    told = [] if steps is None else steps
    with open_media(media) as opened:
        return extract(opened, audio, lambda done_s, audio_bytes: told.append((done_s, audio_bytes)))


def stated_s(media: Path, starts_s: float) -> float | None:
    with open_media(media) as opened:
        return opened.stated_s(starts_s)


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return tmp_path / "audio" / "job.wav"


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_any_shape_becomes_16_khz_mono(tmp_path: Path, audio: Path, channels: int, rate_hz: int) -> None:
    media = tmp_path / "media.wav"
    with wave.open(str(media), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(bytes(2 * channels * rate_hz * 2))

    found = extracted(media, audio)

    with wave.open(str(audio)) as made:
        assert (made.getframerate(), made.getnchannels(), made.getsampwidth()) == (16_000, 1, 2)
        assert made.getnframes() / 16_000 == found.decoded_s == pytest.approx(2, abs=0.01)


def test_a_stream_that_changes_its_rate_in_the_middle_goes_on(sound: Sound, tmp_path: Path, audio: Path) -> None:
    first = encode(sound, tmp_path / "first.aac", "aac")
    second = encode(sound, tmp_path / "second.aac", "aac", rate_hz=44_100)
    media = tmp_path / "both.aac"
    media.write_bytes(first.read_bytes() + second.read_bytes())

    found = extracted(media, audio)

    assert found.decoded_s == pytest.approx(2 * sound.seconds, abs=0.3)
    assert found.broken_packets == 0


def test_samples_come_through_unchanged(sound: Sound, tmp_path: Path, audio: Path) -> None:
    extracted(sound.write(tmp_path / "talk.wav"), audio)

    assert Sound.read(audio).samples == sound.samples
    assert audio.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "codec"), [("talk.mp4", "aac"), ("talk.mkv", "libopus"), ("talk.mp3", "libmp3lame"), ("talk.flac", "flac")]
)
def test_whole_media_decode_as_long_as_they_state(
    sound: Sound, tmp_path: Path, audio: Path, name: str, codec: str
) -> None:
    media = encode(sound, tmp_path / name, codec)
    found = extracted(media, audio)

    assert found.decoded_s == pytest.approx(stated_s(media, found.starts_s), abs=0.1)
    assert found.broken_packets == 0


@pytest.mark.parametrize(
    ("name", "codec"), [("talk.mp4", "aac"), ("talk.mkv", "libopus"), ("talk.mp3", "libmp3lame"), ("talk.flac", "flac")]
)
def test_cut_media_decode_shorter_than_they_state(
    sound: Sound, tmp_path: Path, audio: Path, name: str, codec: str
) -> None:
    media = cut(encode(sound, tmp_path / name, codec, options={"movflags": "faststart"}), 0.5)
    found = extracted(media, audio)

    assert found.decoded_s < 0.7 * sound.seconds
    assert stated_s(media, found.starts_s) == pytest.approx(sound.seconds, abs=0.15)


@pytest.mark.parametrize(("name", "codec"), [("talk.mp4", "aac"), ("talk.mkv", "libopus")])
def test_broken_packets_in_the_middle_cost_only_themselves(
    sound: Sound, tmp_path: Path, audio: Path, name: str, codec: str
) -> None:
    long = sound + sound + sound + sound
    media = encode(long, tmp_path / name, codec, options={"movflags": "faststart"})
    found = extracted(damage(media, first=0.4, last=0.42), audio)

    assert 0.85 * long.seconds < found.decoded_s
    assert Sound.read(audio).samples[-32_000:] != bytes(32_000)


def test_broken_packets_are_counted(sound: Sound, tmp_path: Path, audio: Path) -> None:
    media = encode(sound, tmp_path / "talk.mp4", "aac", options={"movflags": "faststart"})

    assert extracted(damage(media, first=0.4, last=0.5), audio).broken_packets > 3


def test_audio_that_starts_late_is_not_taken_for_lost(sound: Sound, tmp_path: Path, audio: Path) -> None:
    media = encode(sound, tmp_path / "late.mkv", "libopus", starts_s=10, picture_s=30)
    found = extracted(media, audio)

    assert found.starts_s == pytest.approx(10, abs=0.1)
    assert stated_s(media, found.starts_s) == pytest.approx(found.decoded_s, abs=0.2)


def test_media_that_cannot_be_decoded_leave_no_file(sound: Sound, tmp_path: Path, audio: Path) -> None:
    media = encode(sound, tmp_path / "talk.mp4", "aac", options={"movflags": "faststart"})
    with pytest.raises(TaskError, match="none of the media's audio") as caught:
        extracted(damage(media, first=0.0, last=1.0), audio)

    assert caught.value.kind == "not-media"
    assert list(audio.parent.iterdir()) == []


def test_progress_is_told_in_seconds_and_in_bytes_on_disk(sound: Sound, tmp_path: Path, audio: Path) -> None:
    steps: list[tuple[float, int]] = []
    long = Sound(sound.samples * 8)
    found = extracted(long.write(tmp_path / "long.wav"), audio, steps)

    assert len(steps) == len(long.samples) >> 20
    assert steps == sorted(steps)
    assert all(audio_bytes >= done_s * 32_000 for done_s, audio_bytes in steps)
    assert found.audio_bytes == audio.stat().st_blocks * 512


def test_what_a_killed_attempt_left_is_replaced_and_not_followed(sound: Sound, tmp_path: Path, audio: Path) -> None:
    elsewhere = tmp_path / "precious"
    elsewhere.write_text("keep me")
    audio.parent.mkdir()
    audio.symlink_to(elsewhere)
    extracted(sound.write(tmp_path / "talk.wav"), audio)
    extracted(tmp_path / "talk.wav", audio)

    assert elsewhere.read_text() == "keep me"
    assert Sound.read(audio).samples == sound.samples


@pytest.mark.parametrize("hit", [1, 2, 3])
def test_a_full_disk_is_told_and_leaves_no_file(sound: Sound, tmp_path: Path, audio: Path, hit: int) -> None:
    media = sound.write(tmp_path / "talk.wav")
    faults.arm(f"files.write@{hit}=ENOSPC")
    try:
        with pytest.raises(SpaceError):
            extracted(media, audio)
    finally:
        faults.disarm()

    assert list(audio.parent.iterdir()) == []


def test_audio_that_outgrows_its_room_is_told_and_leaves_no_file(sound: Sound, tmp_path: Path, audio: Path) -> None:
    media = Sound(sound.samples * 4).write(tmp_path / "talk.wav")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(TaskError, match="longer than stated") as caught:
            extracted(media, audio)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert caught.value.kind == "too-long"
    assert list(audio.parent.iterdir()) == []
