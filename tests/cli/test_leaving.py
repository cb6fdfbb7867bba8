"""How the TUI ends, in a process and on a terminal of its own: by key, by signal, by a lost terminal, by a defect."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from pulsetui.actions.client import ask_live
from pulsetui.db.database import DATABASE_NAME
from tests.cli.box import Box, until
from tests.cli.screen import Screen, opened
from tests.cli.web import Site
from tests.pipeline.speech.making import long_speech

PATIENT = {"PULSETUI_TRANSCRIPTION__SHUTDOWN_GRACE": "10m"}
DEFECTIVE = [
    sys.executable,
    "-c",
    (
        "import sys; from pulsetui.tui.app import PulseApp; PulseApp.action_help = lambda self: 1 / 0; "
        "from pulsetui.cli.main import main; sys.exit(main())"
    ),
]
"""The command, with a defect in what the key for help does."""


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some minutes of speech, which no test waits for."""
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    long_speech(path)
    return path


def works(box: Box) -> bool:
    """Say whether an owner answers, and has work that runs."""
    status = asyncio.run(ask_live(box.data_dir))
    return status is not None and len(status["workers"]["running"]) > 0


def stage(box: Box) -> str:
    with sqlite3.connect(box.data_dir / DATABASE_NAME) as database:
        [[stage]] = database.execute("SELECT stage FROM jobs WHERE id = 1")
    return str(stage)


def download(box: Box, web: Site) -> None:
    """Have something to do that ends at once when it is told to, and never by itself."""
    box.ok("add", web.url("slow.mp4"))
    until(lambda: works(box))


def transcribe(box: Box, speech: Path) -> None:
    """Have something to do that takes its grace."""
    box.ok("add", speech)
    until(lambda: stage(box) == "transcribing")


def drained(box: Box, screen: Screen) -> None:
    """Check that it ended in order, with its transcription given back."""
    assert screen.wait() == 0
    assert "Traceback" not in screen.text
    shown = box.ok("jobs", "show", "1", "--json").json
    assert (shown["stage"], shown["attempts"], shown["error_class"]) == ("downloaded", 0, "shutdown")
    assert asyncio.run(ask_live(box.data_dir)) is None


def test_q_asks_then_drains_with_the_screen_on_and_a_second_q_ends_the_grace(box: Box, speech: Path) -> None:
    with opened(box, env=PATIENT) as screen:
        transcribe(box, speech)
        screen.type("q")
        screen.shows("1 transcription run")
        screen.type("\x1b[C\r")
        screen.shows("ending: transcriptions get up to 10m; q ends them at once")
        assert works(box)
        screen.type("q")
        drained(box, screen)


def test_sigterm_drains_with_the_screen_on_and_a_second_one_ends_the_grace(box: Box, speech: Path) -> None:
    with opened(box, env=PATIENT) as screen:
        transcribe(box, speech)
        screen.signal(signal.SIGTERM)
        screen.shows("ending: transcriptions get up to 10m")
        assert works(box)
        screen.signal(signal.SIGTERM)
        drained(box, screen)


def test_a_terminal_lost_while_the_work_ends_leaves_it_its_grace(box: Box, speech: Path) -> None:
    with opened(box, env=PATIENT) as screen:
        transcribe(box, speech)
        screen.signal(signal.SIGINT)
        screen.shows("ending: transcriptions get up to 10m")
        screen.close()
        assert stage(box) == "transcribing"
        box.ok("pause")  # the owner takes orders still
        assert works(box)
        screen.signal(signal.SIGTERM)
        drained(box, screen)


def test_the_work_goes_on_without_a_screen_if_that_is_wanted(box: Box, web: Site) -> None:
    with opened(box) as screen:
        download(box, web)
        screen.type("q")
        screen.shows("1 download and 0 transcriptions run")
        screen.type("\x1b[C\x1b[C\r")
        screen.shows(f"running on {box.data_dir}")
        assert works(box)
        screen.type("\x03")
        screen.shows("draining, 1 downloads suspend")
        assert screen.wait() == 0
    assert stage(box) == "queued"


@pytest.mark.parametrize("own_session", [True, False], ids=["with SIGHUP", "without"])
def test_the_work_outlives_a_lost_terminal(box: Box, web: Site, own_session: bool) -> None:
    with opened(box, own_session=own_session) as screen:
        download(box, web)
        screen.close()
        begun = len(web.starts)
        box.ok("add", web.url("slow-too.mp4"))  # the owner takes it, and begins it
        until(lambda: len(web.starts) > begun)
        screen.signal(signal.SIGTERM)
        assert screen.wait() == 0
    assert stage(box) == "queued"


def test_the_work_never_waits_for_a_terminal_that_stands_still(box: Box, web: Site) -> None:
    with opened(box) as screen:
        download(box, web)
        screen.stall()
        for columns in (*range(200, 240), 120):  # each is a whole screen to paint, and dozens of them fill any buffer
            screen.resize(columns, 50)
            assert works(box)
        begun, painted = len(web.starts), len(screen.text)
        box.ok("add", web.url("slow-behind.mp4"), "--title", "Added meanwhile")
        until(lambda: len(web.starts) > begun)
        screen.flow()
        screen.shows("Added meanwhile", since=painted)
        screen.stall()
        screen.signal(signal.SIGTERM)
        assert screen.wait() == 0


@pytest.mark.parametrize("debug", [False, True])
def test_the_work_outlives_a_defect_of_the_screen(box: Box, web: Site, debug: bool) -> None:
    with opened(box, *(["--debug"] if debug else []), command=DEFECTIVE) as screen:
        download(box, web)
        screen.type("?")
        screen.shows("the screen failed of a defect: ZeroDivisionError: division by zero; the pipeline goes on without")
        assert works(box)
        assert ("Traceback" in screen.text) is debug
        screen.signal(signal.SIGTERM)
        assert screen.wait() == 0
    assert stage(box) == "queued"
