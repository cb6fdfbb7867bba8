from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from pulsetui.errors import DatabaseError
from pulsetui.pipeline.views import PulseView
from pulsetui.tui.app import PulseApp
from pulsetui.tui.dialogs.quit import QuitDialog
from pulsetui.tui.source import QuitChoice
from pulsetui.tui.terminal import TerminalLost
from tests.tui.fakes import EMPTY, PULSE, FakeSource, FixedClock
from tests.tui.looking import DEADLINE_S, gone, press, seen, text_of, until


class Work:
    """What a drain ends: counts how often it was told to."""

    def __init__(self) -> None:
        self.told = 0

    def drain(self) -> None:
        self.told += 1


def make_app(work: Work, source: FakeSource | None = None) -> PulseApp:
    """Return the application as the owner runs it, who closes it once the work has ended."""
    return PulseApp(
        source or FakeSource(),
        clock=FixedClock(),
        zone=UTC,
        ascii_only=False,
        reduced_motion=True,
        drain=work.drain,
        grace_s=60.0,
    )


@asynccontextmanager
async def owning(work: Work, source: FakeSource | None = None) -> AsyncIterator[Pilot[QuitChoice]]:
    """Run the application until its first figures are on the screen."""
    app = make_app(work, source)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await seen(pilot, "gate OPEN")
        yield pilot


async def closed(app: App[QuitChoice]) -> None:
    """Wait until it runs no more."""
    give_up_at = time.monotonic() + DEADLINE_S
    while app.is_running:
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.01)


def questions(pilot: Pilot[QuitChoice]) -> int:
    return sum(isinstance(screen, QuitDialog) for screen in pilot.app.screen_stack)


async def test_the_screen_stays_on_while_the_work_ends_and_says_so() -> None:
    work = Work()
    async with owning(work) as pilot:
        await press(pilot, "q", "right", "enter")
        await seen(pilot, "ending: transcriptions get up to 1m; q ends them at once")
        assert (work.told, pilot.app.is_running, pilot.app.return_value) == (1, True, None)
        await press(pilot, "3")
        await seen(pilot, "Jobs")
        await seen(pilot, "ending: transcriptions get up to 1m")


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_again_while_the_work_ends_ends_its_grace_without_a_question(key: str) -> None:
    work = Work()
    async with owning(work) as pilot:
        await press(pilot, "q", "right", "enter")
        await seen(pilot, "ending:")
        await press(pilot, key)
        await until(pilot, lambda: work.told == 2)
        assert questions(pilot) == 0


async def test_to_stay_and_to_go_on_without_a_screen_end_no_work() -> None:
    work = Work()
    async with owning(work) as pilot:
        await press(pilot, "q", "enter")
        await gone(pilot, "Leave pulsetui?")
        assert pilot.app.is_running
        await press(pilot, "q", "right", "right", "enter")
        await until(pilot, lambda: pilot.app.return_value is not None)

    assert (pilot.app.return_value, work.told) == ("headless", 0)


async def test_with_nothing_to_do_the_owner_leaves_without_a_question() -> None:
    work = Work()
    async with owning(work, FakeSource(EMPTY)) as pilot:
        await press(pilot, "q")
        await until(pilot, lambda: work.told == 1)
        assert questions(pilot) == 0


@pytest.mark.parametrize("keys", [("q", "q"), ("q", "ctrl+q"), ("q", "q", "ctrl+q", "q")])
async def test_however_often_one_asks_to_leave_there_is_one_question(keys: tuple[str, ...]) -> None:
    work = Work()
    async with owning(work) as pilot:
        await press(pilot, *keys)
        assert questions(pilot) == 1
        await press(pilot, "escape")
        await gone(pilot, "Leave pulsetui?")
        assert work.told == 0


async def test_the_question_is_about_the_work_as_of_now() -> None:
    source = FakeSource()
    async with owning(Work(), source) as pilot:
        source.view = replace(PULSE, tasks=PULSE.tasks[-1:])
        await press(pilot, "q")
        await seen(pilot, "0 downloads and 1 transcription run")


async def test_work_that_no_screen_has_read_yet_is_asked_about() -> None:
    source = FakeSource()
    work = Work()
    async with owning(work, source) as pilot:
        await pilot.app.push_screen(Screen())  # knows no figures, as a screen that has just opened
        await press(pilot, "q")
        assert questions(pilot) == 1
        assert work.told == 0


@pytest.mark.parametrize("trouble", ["an error", "a wait"])
async def test_where_figures_can_not_be_read_those_on_display_decide(
    trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulsetui.tui.leaving.PATIENCE_S", 0.05)
    source = Stuck()
    work = Work()
    async with owning(work, source) as pilot:
        source.error = DatabaseError("the database is locked") if trouble == "an error" else None
        source.stuck = trouble == "a wait"
        await press(pilot, "q")
        await seen(pilot, "5 downloads and 2 transcriptions run")
        assert work.told == 0


async def test_a_lost_terminal_ends_no_work() -> None:
    work = Work()
    async with owning(work) as pilot:
        pilot.app.post_message(TerminalLost())
        await until(pilot, lambda: pilot.app.return_value is not None)

    assert (pilot.app.return_value, work.told) == ("headless", 0)


async def test_a_defect_closes_the_screen_without_a_word_and_ends_no_work(capfd: pytest.CaptureFixture[str]) -> None:
    work = Work()
    app = make_app(work)

    async def fail() -> None:
        async with app.run_test() as pilot:
            pilot.app.call_later(lambda: 1 / 0)
            await closed(app)

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert isinstance(app.defect, ZeroDivisionError)
    assert (work.told, capfd.readouterr()) == (0, ("", ""))


async def test_keys_that_can_not_be_read_close_the_screen_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    work = Work()
    async with owning(work) as pilot:
        pilot.app.panic("a traceback")  # as Textual does it
        await closed(pilot.app)
    assert (work.told, pilot.app.return_value, capfd.readouterr()) == (0, None, ("", ""))


async def test_a_dialog_takes_one_answer_however_many_keys_are_typed_ahead() -> None:
    work = Work()
    async with owning(work) as pilot:
        await press(pilot, "q", "right")
        for _ in range(3):
            pilot.app.simulate_key("enter")
        await seen(pilot, "ending:")
        assert work.told == 1
        assert "Leave pulsetui?" not in text_of(pilot)


class Stuck(FakeSource):
    """A source whose reads never come back, once it is stuck."""

    stuck = False

    async def pulse(self) -> PulseView:
        if self.stuck:
            await asyncio.Event().wait()
        return await super().pulse()
