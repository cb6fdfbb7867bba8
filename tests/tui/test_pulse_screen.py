from __future__ import annotations

from dataclasses import replace

import pytest

from pulsetui.errors import DatabaseError, RefusedError
from pulsetui.tui.screens.live import STALE_AFTER_S
from pulsetui.tui.widgets.active_tasks import ActiveTasks
from pulsetui.tui.widgets.activity_feed import ActivityFeed
from tests.tui.fakes import CLOSED, EMPTY, GATE, PULSE, FakeSource, FixedClock, event
from tests.tui.looking import gone, opened, press, seen, text_of, until


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_nothing_that_matters_is_cut(size: tuple[int, int]) -> None:
    async with opened(FakeSource(replace(PULSE, gate=CLOSED)), size) as pilot:
        shown = text_of(pilot)

    for text in (
        "gate CLOSED",
        "committed 232 GB of 250 GB",
        "committed 232 GB ≥ 230 GB",
        "Harbor / Part 12",
        "Northern / Ep 4",
        "/mnt/hdd",
        "81 %",
        "58.0 GB free",
        "Part 11 transcribed, 487 MB freed",
        "? keys",
    ):
        assert text in shown


async def test_a_change_is_on_the_screen_at_once() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        source.view = replace(PULSE, gate=CLOSED)
        source.changed()
        await seen(pilot, "gate CLOSED")


async def test_many_changes_at_once_are_read_together() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        before = source.reads.count("pulse")
        source.view = replace(PULSE, gate=CLOSED)
        for _ in range(50):
            source.changed()
        await seen(pilot, "gate CLOSED")

    assert source.reads.count("pulse") - before <= 4


async def test_a_screen_that_is_not_on_display_does_not_read() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        await press(pilot, "3")
        await seen(pilot, "Jobs")
        await until(pilot, lambda: "jobs" in source.reads)
        source.reads.clear()
        source.changed()
        await until(pilot, lambda: source.reads.count("jobs") >= 1)

    assert source.reads.count("pulse") == source.reads.count("jobs")


async def test_old_figures_are_marked_with_their_age() -> None:
    clock = FixedClock()
    source = FakeSource()
    async with opened(source, clock=clock) as pilot:
        source.error = DatabaseError("the database is locked", hint="wait")
        clock.advance(STALE_AFTER_S + 60)
        await press(pilot, "ctrl+r")
        await seen(pilot, "these figures are 1m old")
        shown = text_of(pilot)

    assert "can't read the pipeline: the database is locked" in shown
    assert "ctrl+r reads again" in shown
    assert "Harbor / Part 12" in shown


async def test_a_first_read_that_fails_says_what_failed_and_the_key_that_retries() -> None:
    source = FakeSource(error=DatabaseError("the database is locked"))
    async with opened(source, shows="the database is locked") as pilot:
        assert text_of(pilot).count("ctrl+r reads again") >= 4
        source.error = None
        await press(pilot, "ctrl+r")
        await seen(pilot, "Harbor / Part 12")
        assert "the database is locked" not in text_of(pilot)


async def test_an_empty_pipeline_says_what_will_be_here_and_the_key_that_starts_it() -> None:
    async with opened(FakeSource(EMPTY, ()), shows="Downloads and transcriptions will be here.") as pilot:
        assert text_of(pilot).count("a adds an episode") == 3


async def test_p_pauses_and_p_resumes() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        await press(pilot, "p")
        await seen(pilot, "pipeline.pause done")
        source.view = replace(PULSE, gate=replace(GATE, operator_paused=True))
        source.changed()
        await seen(pilot, "gate PAUSED")
        await press(pilot, "p")
        await until(pilot, lambda: len(source.orders) == 2)

    assert [verb for verb, _ in source.orders] == ["pipeline.pause", "pipeline.resume"]


async def test_a_refused_order_says_why_and_what_to_do() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        source.error = RefusedError("not now", hint="wait for the gate")
        await press(pilot, "p")
        await seen(pilot, "wait for the gate")
        assert "not now" in text_of(pilot)


async def test_enter_opens_the_task_and_escape_comes_back_to_it() -> None:
    async with opened() as pilot:
        await press(pilot, "j", "j", "enter")
        await seen(pilot, "https://media.example/harbor/1014.mp4")
        await press(pilot, "escape")
        await seen(pilot, "Active tasks")
        assert pilot.app.screen.query_one(ActiveTasks).cursor == 2


async def test_a_click_on_a_task_leads_to_its_job() -> None:
    async with opened() as pilot:
        await pilot.click(ActiveTasks, offset=(8, 3))
        await seen(pilot, "https://media.example/glass-coast/1013.mp4")


async def test_new_events_do_not_move_the_one_being_read() -> None:
    source = FakeSource()
    async with opened(source, (80, 24)) as pilot:
        feed = pilot.app.screen.query_one(ActivityFeed)
        feed.focus()
        await press(pilot, "j", "j")
        await seen(pilot, "2026-11-20 14:01:07")
        row = next(at for at, text in enumerate(text_of(pilot).splitlines()) if "gate opened" in text)
        source.view = replace(
            PULSE, events=(event(9_100, 1, "job", "info", "job.queued", "brand new", None, 1), *PULSE.events)
        )
        source.changed()
        await seen(pilot, "1 new")
        lines = text_of(pilot).splitlines()

        assert "gate opened" in lines[row]
        await press(pilot, "g")
        await seen(pilot, "brand new")
        assert "1 new" not in text_of(pilot)


async def test_at_the_top_new_events_come_in_at_once() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        source.view = replace(
            PULSE, events=(event(9_100, 1, "job", "info", "job.queued", "brand new", None, 1), *PULSE.events)
        )
        source.changed()
        await seen(pilot, "brand new")
        assert "1 new" not in text_of(pilot)


async def test_scrolling_to_the_end_reads_older_events() -> None:
    older = tuple(
        event(100 - at, 900_000 + at, "job", "info", "job.cancelled", f"older {at}", None, at) for at in range(60)
    )
    source = FakeSource(older=older)
    async with opened(source) as pilot:
        pilot.app.screen.query_one(ActivityFeed).focus()
        await press(pilot, "G")
        await until(pilot, lambda: any(asked.get("before") for asked in source.asked))
        await press(pilot, "G")
        await seen(pilot, "older 59")


async def test_f_steps_through_the_kinds_of_events_and_escape_shows_all() -> None:
    async with opened() as pilot:
        await press(pilot, "f")
        await seen(pilot, "problems ▾")
        await gone(pilot, "Part 11 transcribed, 487")
        assert "Glass Coast / Ep 6 is dead" in text_of(pilot)
        await press(pilot, "escape")
        await seen(pilot, "Part 11 transcribed, 487")


async def test_a_search_finds_and_can_end_in_nothing() -> None:
    async with opened() as pilot:
        await press(pilot, "slash", *"503")
        await gone(pilot, "Part 11 transcribed, 487")
        await seen(pilot, "http 503 from media.example")
        await press(pilot, "x")
        await seen(pilot, "Nothing like that happened.")
        await press(pilot, "escape")
        await seen(pilot, "Part 11 transcribed, 487")


async def test_keys_typed_into_a_search_are_only_text() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        await press(pilot, "slash", *"paq3")
        await seen(pilot, "“paq3”")

    assert source.orders == []


async def test_ages_grow_without_a_read() -> None:
    clock = FixedClock()
    source = FakeSource(EMPTY, ())
    source.view = replace(EMPTY, events=PULSE.events[:1])
    async with opened(source, clock=clock) as pilot:
        await seen(pilot, "12s  ✓")
        clock.advance(5)
        await seen(pilot, "17s  ✓")
