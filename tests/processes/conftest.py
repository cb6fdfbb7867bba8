from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
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


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that is dead but not reaped by its own parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.01)
