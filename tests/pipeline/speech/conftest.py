"""Real speech: the demo's clips, and media made of them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from pulsetui.demo.videos import clip_text
from pulsetui.pipeline.tasks.extraction import extract
from pulsetui.pipeline.tasks.media import open_media
from tests.pipeline.speech.making import Sound


@pytest.fixture(scope="session")
def clip() -> Path:
    """A clip of about 13 s of speech, as Opus in Ogg."""
    return Path(str(resources.files("pulsetui.demo").joinpath("clips", "01.opus")))


@pytest.fixture(scope="session")
def clip_words() -> str:
    """What is said in `clip`."""
    return clip_text("01")


@pytest.fixture(scope="session")
def wav(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip as the engines get it."""
    path = tmp_path_factory.mktemp("speech").resolve() / "clip.wav"
    with open_media(clip.resolve()) as media:
        extract(media, path, lambda _done_s, _audio_bytes: None)
    return path


@pytest.fixture(scope="session")
def sound(wav: Path) -> Sound:
    """The samples of the clip."""
    return Sound.read(wav)


@pytest.fixture
def events() -> list[dict[str, Any]]:
    """Where a task's events go."""
    return []
