from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from tests.cli.box import Box
from tests.cli.web import Site, site

LOOPBACK = {
    "PULSETUI_DOWNLOADS__ALLOW_HTTP": "true",
    "PULSETUI_DOWNLOADS__ALLOW_PRIVATE_ADDRESSES": "true",
    "PULSETUI_DISK_MANAGEMENT__FREE_SPACE_FLOOR": "1 MB",
}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """An empty home."""
    return Box(tmp_path, dict(LOOPBACK))


@pytest.fixture(scope="session")
def web() -> Iterator[Site]:
    """A web server on loopback."""
    with site() as server:
        yield server


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory, web: Site) -> Box:
    """A home that has been used, with no owner now: don't change it.

    Job 1 is transcribed, 2 is dead of a 404, 3 and 4 wait (4 before 3), 5 was cancelled.
    """
    box = Box(tmp_path_factory.mktemp("used"), dict(LOOPBACK))
    clip = Path(str(resources.files("pulsetui.demo").joinpath("clips", "01.opus"))).resolve()
    box.ok("add", "--from", "-", stdin=_rows({"source": str(clip), "entity": "Harbor/Cast", "title": "Part 1"}))
    box.ok("add", web.url("missing.mp4"))
    with box.owner("--log-format", "json") as owner:
        owner.wait_for('"storage.freed"')
        owner.wait_for('"job.dead"')
    box.ok(
        *("add", "--from", "-"),
        stdin=_rows(
            {"source": "https://example.com/c.mp4", "entity": "Harbor/Cast/Scene 1"},
            {"source": "https://example.com/d.mp4", "entity": "Lagoon", "priority": 9},
            {"source": "https://example.com/e.mp4"},
        ),
    )
    box.ok("jobs", "cancel", "5")
    return box


@pytest.fixture
def copied(used: Box, tmp_path: Path) -> Box:
    """A copy of the used home, to be changed."""
    shutil.copytree(used.home, tmp_path / "home")
    return Box(tmp_path / "home", dict(used.settings))


def _rows(*rows: dict[str, object]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()
