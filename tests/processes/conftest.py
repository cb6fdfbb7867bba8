from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pulsetui import faults

DEADLINE_S = 20.0


@pytest.fixture(autouse=True)
def tasks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The child gets a small environment; PYTHONPATH is in it, and leads it to `tests.processes.tasks`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    yield
    faults.disarm()
