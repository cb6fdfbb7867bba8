from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from textual.pilot import Pilot

from pulsetui.errors import DatabaseError
from pulsetui.tui.source import SORTS, STAGES, QuitChoice
from pulsetui.tui.widgets.job_table import WINDOW_ROWS, JobTable
from tests.tui.fakes import PULSE, FakeSource, job, make_jobs
from tests.tui.looking import gone, opened, press, seen, text_of, until


@asynccontextmanager
async def pipeline(source: FakeSource, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[QuitChoice]]:
    async with opened(source, size) as pilot:
        await press(pilot, "3")
        await seen(pilot, "2,038" if len(source.all_jobs) > 2_000 else "Jobs")
        yield pilot


async def test_only_a_window_of_the_jobs_is_read() -> None:
    source = FakeSource()
    async with pipeline(source) as pilot:
        await press(pilot, "G")
        await seen(pilot, "Harbor / Part 81")
        page = pilot.app.screen.query_one(JobTable).page

    assert page is not None
    assert page.total == 2_038
    assert len(page.jobs) <= WINDOW_ROWS
    assert {asked["limit"] for asked in source.asked if "limit" in asked} == {WINDOW_ROWS}


async def test_f_filters_by_each_stage_in_turn() -> None:
    source = FakeSource()
    async with pipeline(source) as pilot:
        for stage in STAGES:
            await press(pilot, "f")
            await seen(pilot, f"{stage} ▾")
            await until(pilot, lambda stage=stage: source.asked[-1]["stage"] == stage)  # type: ignore[misc]
        await press(pilot, "f")
        await seen(pilot, "all stages ▾")


async def test_s_asks_for_each_order_in_turn() -> None:
    source = FakeSource()
    async with pipeline(source) as pilot:
        for sort in (*SORTS[1:], SORTS[0]):
            await press(pilot, "s")
            await until(pilot, lambda sort=sort: source.asked[-1]["sort"] == sort)  # type: ignore[misc]


async def test_a_search_narrows_the_table_and_escape_clears_it() -> None:
    source = FakeSource()
    async with pipeline(source) as pilot:
        await press(pilot, "slash", *"part 1012", "enter")
        await seen(pilot, "· 1 ")
        assert pilot.app.screen.query_one(JobTable).has_focus
        await press(pilot, "escape")
        await seen(pilot, "2,038")


async def test_a_narrow_table_says_below_why_the_job_under_the_cursor_is_stuck() -> None:
    dead = job(1006, "dead", error="media.example answered 404: not found")
    async with pipeline(FakeSource(all_jobs=(job(1012, "downloaded"), dead)), (80, 24)) as pilot:
        assert "media.example" not in text_of(pilot)
        await press(pilot, "j")
        await seen(pilot, "media.example answered 404: not found ─╯")
        await press(pilot, "k")
        await gone(pilot, "media.example")


async def test_the_columns_stand_while_longer_names_come_and_go() -> None:
    source = FakeSource(all_jobs=(job(1, "queued"), job(2, "queued", title="A longer name than others")))
    async with pipeline(source, (200, 50)) as pilot:
        await seen(pilot, "A longer name than others")
        before = next(row for row in text_of(pilot).splitlines() if "age  note" in row).index("note")
        source.all_jobs = source.all_jobs[:1]
        source.changed()
        await gone(pilot, "A longer name")
        assert next(row for row in text_of(pilot).splitlines() if "age  note" in row).index("note") == before


async def test_a_filter_without_a_match_says_so() -> None:
    async with pipeline(FakeSource(all_jobs=(job(1, "queued"),))) as pilot:
        await press(pilot, "f", "f")
        await seen(pilot, "No job is like that.")
        await press(pilot, "escape")
        await seen(pilot, "Part 1")


async def test_the_cursor_stays_on_its_job_when_others_come_in_above() -> None:
    source = FakeSource(all_jobs=make_jobs(40)[:60])
    async with pipeline(source) as pilot:
        table = pilot.app.screen.query_one(JobTable)
        await press(pilot, "j", "j", "j")
        assert table.selected is not None
        held = table.selected.id
        source.all_jobs = (job(5_000, "downloading"), job(5_001, "downloading"), *source.all_jobs)
        source.changed()
        await seen(pilot, "Part 5000")
        await until(pilot, lambda: table.cursor == 5)

        assert table.selected is not None
        assert table.selected.id == held


async def test_enter_opens_the_job_with_receipt_and_transcript() -> None:
    async with pipeline(FakeSource()) as pilot:
        await press(pilot, "G")
        await seen(pilot, "Harbor / Part 81")
        await press(pilot, "enter")
        await seen(pilot, "She counted the lamps along the pier")
        shown = text_of(pilot)

    for text in ("0192f0c1-7a00", "deleted after transcription", "Receipt", "coverage"):
        assert text in shown


async def test_beside_a_wide_table_stand_the_details_of_the_job_under_the_cursor() -> None:
    async with pipeline(FakeSource(), (200, 50)) as pilot:
        await seen(pilot, "https://media.example/northern/1012.mp4")
        await press(pilot, "j")
        await seen(pilot, "https://media.example/glass-coast/1013.mp4")


async def test_r_retries_the_job_under_the_cursor() -> None:
    source = FakeSource()
    async with pipeline(source) as pilot:
        await press(pilot, "r")
        await seen(pilot, "jobs.retry done")

    assert source.orders == [("jobs.retry", {"ids": [1012]})]


async def test_marked_jobs_are_retried_together() -> None:
    source = FakeSource()
    async with pipeline(source) as pilot:
        await press(pilot, "space", "j", "space")
        await seen(pilot, "2 marked")
        await press(pilot, "r")
        await until(pilot, lambda: bool(source.orders))

    assert source.orders == [("jobs.retry", {"ids": [1012, 1014]})]


async def test_cancel_asks_first_and_the_safe_answer_has_the_focus() -> None:
    source = FakeSource()
    async with pipeline(source) as pilot:
        await press(pilot, "c")
        await seen(pilot, "Cancel 1 job?")
        assert "Northern / Part 1012" in text_of(pilot)
        await press(pilot, "enter")
        await gone(pilot, "Cancel 1 job?")
        await press(pilot, "c")
        await seen(pilot, "Cancel 1 job?")
        await press(pilot, "right", "enter")
        await seen(pilot, "jobs.cancel done")

    assert source.orders == [("jobs.cancel", {"ids": [1012]})]


async def test_escape_goes_back_to_pulse_and_the_table_keeps_its_place() -> None:
    async with pipeline(FakeSource()) as pilot:
        await press(pilot, "j", "j", "escape")
        await seen(pilot, "Active tasks")
        await press(pilot, "3")
        await seen(pilot, "Jobs")
        assert pilot.app.screen.query_one(JobTable).cursor == 2


async def test_a_job_that_went_away_leaves_a_clear_message() -> None:
    source = FakeSource(view=replace(PULSE, gate=PULSE.gate))
    async with opened(source) as pilot:
        source.all_jobs = ()
        await press(pilot, "enter")
        await seen(pilot, "no job 1012")


async def test_a_table_that_cannot_be_read_says_so() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        source.error = DatabaseError("the database is locked")
        await press(pilot, "3")
        await seen(pilot, "✗ the database is locked")
        assert "ctrl+r reads again" in text_of(pilot)
