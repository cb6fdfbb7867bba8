from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.box import Box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """An empty home."""
    return Box(tmp_path)
