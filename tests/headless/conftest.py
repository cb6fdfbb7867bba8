from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.box import Box
from tests.cli.web import Site, site

LOOPBACK = {"PULSETUI_DOWNLOADS__ALLOW_HTTP": "true", "PULSETUI_DOWNLOADS__ALLOW_PRIVATE_ADDRESSES": "true"}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """An empty home that may download from loopback, on a disk that may be nearly full."""
    return Box(tmp_path, {**LOOPBACK, "PULSETUI_DISK_MANAGEMENT__FREE_SPACE_FLOOR": "1 MB"})


@pytest.fixture(scope="module")
def web() -> Iterator[Site]:
    """A web server on loopback."""
    with site() as server:
        yield server
