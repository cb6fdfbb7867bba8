"""Kills and errors of the owner with a screen, while it paints."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.screen import Screen
from tests.faults.place import Place
from tests.faults.scenes import FETCH, Scene
from tests.faults.test_kills import goes_on_by_itself

_RUN = "import sys; from pulsetui.cli.main import main; sys.exit(main())"


@contextlib.contextmanager
def screen(place: Place, plan: str) -> Iterator[Screen]:
    """Run the TUI on a place for as long as the context lasts."""
    command = [sys.executable, "-c", _RUN, "--data-dir", str(place.data_dir)]
    shown = Screen(command, place.environment(plan), Path(place.root))
    try:
        yield shown
    finally:
        shown.end()


def test_the_owner_is_killed_while_it_paints(scene: Scene) -> None:
    FETCH.prepare(scene)
    for hit in (5, 3, 1):
        with screen(scene.place, f"terminal.write@{hit}=kill") as shown:
            assert shown.wait() == -signal.SIGKILL
        assert scene.place.broken_promises() == []
    goes_on_by_itself(scene, FETCH)


@pytest.mark.parametrize("fault", ["terminal.write@*=EIO", "terminal.write@*=delay:0.5"])
def test_the_work_is_done_whether_or_not_it_can_be_painted(scene: Scene, fault: str) -> None:
    FETCH.prepare(scene)
    with screen(scene.place, fault) as shown:
        shown.until(scene.place.ended)
        shown.signal(signal.SIGTERM)
        assert shown.wait() == 0
    goes_on_by_itself(scene, FETCH)
