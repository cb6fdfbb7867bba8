from __future__ import annotations

from dataclasses import replace

import pytest

from pulsetui.tui.keys import ACTIONS
from tests.tui.fakes import EMPTY, PULSE, FakeSource
from tests.tui.looking import gone, opened, press, seen, text_of, until


async def test_a_adds_what_was_typed_without_the_blanks_around_it() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        await press(pilot, "a")
        await seen(pilot, "Add an episode")
        await press(pilot, "space", *"/media/a.mp4", "space", "enter")
        await seen(pilot, "jobs.add done")

    assert source.orders == [("jobs.add", {"episodes": [{"source": "/media/a.mp4"}]})]


async def test_nothing_typed_adds_nothing_and_says_so() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        await press(pilot, "a", "enter")
        await seen(pilot, "Type a URL or a path first.")
        await press(pilot, "escape")
        await gone(pilot, "Add an episode")

    assert source.orders == []


async def test_where_the_work_ends_with_the_screen_the_question_says_so() -> None:
    async with opened() as pilot:  # as a demo, without a way to drain
        await press(pilot, "q")
        await seen(pilot, "5 downloads and 2 transcriptions run, 1,204 jobs wait.")
        await seen(pilot, "All of this ends here, unfinished.")
        assert "Go on without a screen" not in text_of(pilot)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: pilot.app.return_value is not None)

    assert pilot.app.return_value == "drain"


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_the_safe_answer_to_leaving_is_to_stay(key: str) -> None:
    async with opened() as pilot:
        await press(pilot, "q")
        await seen(pilot, "Leave pulsetui?")
        await press(pilot, key)
        await gone(pilot, "Leave pulsetui?")
        assert pilot.app.return_value is None
        assert pilot.app.is_running


@pytest.mark.parametrize("view", [EMPTY, replace(PULSE, attached=True)], ids=["idle", "attached"])
async def test_leaving_is_not_asked_about_where_nothing_stops_by_it(view: object) -> None:
    async with opened(FakeSource(view), shows="gate OPEN") as pilot:  # type: ignore[arg-type]
        await press(pilot, "q")
        await until(pilot, lambda: pilot.app.return_value is not None)

    assert pilot.app.return_value == "drain"


async def test_the_help_opens_scrolls_and_closes() -> None:
    async with opened(size=(80, 24)) as pilot:
        await press(pilot, "question_mark")
        await seen(pilot, "Everywhere")
        assert ACTIONS[0].help in text_of(pilot)
        for _ in ACTIONS:
            if "Cancel a job, after a question." not in text_of(pilot):
                await press(pilot, "j")
        await seen(pilot, "Cancel a job, after a question.")
        await press(pilot, "escape")
        await gone(pilot, "Cancel a job, after a question.")


async def test_figures_behind_a_dialog_stay_fresh() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        await press(pilot, "a")
        await seen(pilot, "Add an episode")
        source.view = replace(PULSE, gate=replace(PULSE.gate, operator_paused=True))
        source.changed()
        await seen(pilot, "gate PAUSED")
