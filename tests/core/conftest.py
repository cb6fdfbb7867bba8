from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pulsetui import faults
from pulsetui.settings.load import LoadedSettings, load_settings
from tests.pipeline.speech.plugin import install
from tests.quiet import KNOWN_TYPES, every_type

Configure = Callable[..., LoadedSettings]


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    faults.disarm()


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Make settings for a data directory of the test's own, with engines that answer at once."""
    folder = tmp_path / "engines"
    folder.mkdir()
    install(folder, monkeypatch)

    def made(**flags: Any) -> LoadedSettings:
        wanted = {
            "paths.data_dir": str(tmp_path / "data"),
            "disk_management.hard_limit": "100 MB",
            "disk_management.free_space_floor": "0",
            "downloads.allow_http": True,
            "downloads.allow_private_addresses": True,
            "downloads.retry_base": "10ms",
            "storage.refresh_interval": "0",
            "transcription.engine": "honest",
            "volumes.allow_memory": True,  # the folder for temporary files may be in memory
            "volumes.ignored_types": every_type(),
            **{key.replace("__", "."): value for key, value in flags.items()},
        }
        return load_settings(environment={"HOME": str(tmp_path)}, flags=wanted)

    return made


@pytest.fixture
def watchful(configure: Configure) -> Configure:
    """Make settings as `configure` does, by which the machine's mounts are looked at."""
    return partial(configure, volumes__ignored_types=KNOWN_TYPES)
