"""The media check with the real probe process, on real media."""

from __future__ import annotations

import fractions
import wave
from pathlib import Path

import av
import pytest

from pulsetui.errors import FailureClass, SourceError
from pulsetui.pipeline.downloader.ingest import check_media
from pulsetui.pipeline.downloader.transfer import Downloader
from pulsetui.settings.models import Downloads
from tests.pipeline.downloader.conftest import Ledger, Place


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Two seconds of silence."""
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 2 * 16_000))
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Two seconds of a black picture, without audio."""
    path = tmp_path / "mute.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(10):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts, frame.time_base = number, fractions.Fraction(1, 5)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


async def test_media_with_sound_is_accepted_with_its_length(sound: Path) -> None:
    media = await check_media(sound, "wav")

    assert (media.extension, media.duration_s) == ("wav", 2.0)
    assert "wav" in media.container


async def test_a_video_without_sound_is_permanent(picture: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await check_media(picture, "mp4")
    assert caught.value.failure is FailureClass.PERMANENT


async def test_what_only_starts_like_media_is_permanent_and_leaves_nothing(place: Place, tmp_path: Path) -> None:
    fake = tmp_path / "fake.mp4"
    fake.write_bytes(b"\0\0\0\x18ftypmp42" + b"not a video " * 10_000)
    downloader = Downloader(Downloads())

    with pytest.raises(SourceError) as caught:
        await downloader.fetch(place.request(str(fake)), Ledger())

    assert caught.value.failure is FailureClass.PERMANENT
    assert place.names() == []
    await downloader.close()


async def test_a_partial_file_is_probed_whatever_its_name(place: Place, sound: Path) -> None:
    downloader = Downloader(Downloads())

    fetched = await downloader.fetch(place.request(str(sound)), Ledger())

    assert (fetched.path.name, fetched.duration_s) == ("job.wav", 2.0)
    await downloader.close()
