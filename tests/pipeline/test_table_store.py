"""The job table's pages: what they hold, in which order, and that they don't cost a look at every row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pulsetui.db.database import Reader
from pulsetui.errors import NotFoundError, UsageError
from pulsetui.pipeline import states, table_store, view_store
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.views import JobsPage
from tests.pipeline.house import House
from tests.pipeline.test_store import Recording


async def page(house: House, **wanted: Any) -> JobsPage:
    return await house.database.read(lambda reader: table_store.page(reader, now=house.clock.now(), **wanted))


async def titles(house: House, **wanted: Any) -> list[str]:
    return [job.title for job in (await page(house, **wanted)).jobs]


async def titled(house: House, title: str, job: Job) -> Job:
    await house.do("UPDATE jobs SET title = ? WHERE id = ?", title, job.id)
    return job


async def some_of_each_stage(house: House) -> None:
    """Add jobs whose titles say their stage."""
    await titled(house, "queued 1", await house.queue())
    house.clock.advance(60)
    await titled(house, "downloaded", await house.downloaded(size=300_000))
    await titled(house, "cancelled", await house.step(await house.queue(), states.Cancelled()))
    house.clock.advance(60)
    await titled(house, "downloading", await house.downloading())
    await titled(house, "transcribed", await house.transcribed(size=200_000))
    await titled(house, "Queued 2", await house.queue())


IN_ORDER = {
    "queue": ["downloading", "downloaded", "queued 1", "Queued 2", "transcribed", "cancelled"],
    "newest": ["Queued 2", "transcribed", "downloading", "cancelled", "downloaded", "queued 1"],
    "title": ["cancelled", "downloaded", "downloading", "queued 1", "Queued 2", "transcribed"],
    "size": ["downloaded", "transcribed", "Queued 2", "downloading", "cancelled", "queued 1"],
}


@pytest.mark.parametrize("sort", IN_ORDER)
async def test_pages_follow_one_another_in_the_order_that_was_asked_for(house: House, sort: str) -> None:
    await some_of_each_stage(house)
    assert await titles(house, sort=sort) == IN_ORDER[sort]
    assert await titles(house, sort=sort, limit=2, offset=2) == IN_ORDER[sort][2:4]
    assert (await page(house, sort=sort, limit=2, offset=2)).total == 6


async def test_the_most_tried_come_first_by_attempts(house: House) -> None:
    await titled(house, "never tried", await house.queue())
    await titled(house, "tried", await house.downloading())
    assert await titles(house, sort="attempts") == ["tried", "never tried"]


@pytest.mark.parametrize("sort", table_store.SORTS)
async def test_a_stage_holds_its_own_jobs_alone_and_their_number(house: House, sort: str) -> None:
    await some_of_each_stage(house)
    found = await page(house, stage="queued", sort=sort)
    assert {job.title for job in found.jobs} == {"queued 1", "Queued 2"}
    assert found.total == 2
    assert await titles(house, stage="transcribed", sort=sort) == ["transcribed"]


@pytest.mark.parametrize(
    "text",
    ["part 12", "PART 12", "harbor", "Harbor / Cast / Part", "harbor / cast", "/12.mp4", "100%_sure", "12"],
)
async def test_a_text_is_found_in_name_source_and_error(house: House, text: str) -> None:
    wanted = await house.downloading(entity="Harbor/Cast", source="https://a.example/12.mp4")
    await titled(house, "Part 12 100%_sure", wanted)
    await titled(house, "other", await house.queue(entity="Northern", source="https://a.example/100 or sure.mp4"))
    found = await page(house, text=text)
    assert [job.id for job in found.jobs] == [wanted.id]
    assert found.total == 1


async def test_a_text_that_nothing_holds_gives_an_empty_page(house: House) -> None:
    await some_of_each_stage(house)
    assert await page(house, text="xyzzy") == JobsPage((), 0, 0)
    assert (await page(house, text="queued", offset=10)).total == 2


async def test_filters_narrow_each_other(house: House) -> None:
    await some_of_each_stage(house)
    assert await titles(house, stage="queued", text="ued 2") == ["Queued 2"]
    assert (await page(house, stage="queued", text="e", sort="queue")).total == 2


async def test_positions_count_the_queue_whatever_the_order_of_the_page(house: House) -> None:
    # No hexadecimal digits: the text is found in URLs too, and those hold the uuid.
    first, second = await titled(house, "zz", await house.queue()), await titled(house, "yy", await house.queue())
    found = await page(house, sort="title")
    assert {job.id: job.queue_position for job in found.jobs} == {first.id: 1, second.id: 2}
    assert (await page(house, text="yy")).jobs[0].queue_position == 2


async def test_one_job_is_what_its_row_in_the_table_is(house: House) -> None:
    job = await house.transcribing()
    view = await house.database.read(lambda reader: table_store.one(reader, job, now=house.clock.now()))
    assert (view,) == (await page(house)).jobs
    assert view.elapsed_s == 0.0


async def test_a_job_that_went_is_not_found(house: House) -> None:
    job = await house.queue()
    await house.do("DELETE FROM jobs")
    with pytest.raises(NotFoundError):
        await house.database.read(lambda reader: table_store.one(reader, job, now=house.clock.now()))


async def test_an_unknown_stage_or_order_is_refused(house: House) -> None:
    with pytest.raises(UsageError, match="no stage"):
        await page(house, stage="nowhere")
    with pytest.raises(UsageError, match="no order"):
        await page(house, sort="backwards")


CHEAP: dict[str, Callable[[House, Reader], Awaitable[object]]] = {
    **{
        f"by {sort}": lambda house, reader, sort=sort: table_store.page(reader, now=house.clock.now(), sort=sort)  # type: ignore[misc]
        for sort in table_store.SORTS
    },
    **{
        f"of {stage}": lambda house, reader, stage=stage: table_store.page(reader, now=house.clock.now(), stage=stage)  # type: ignore[misc]
        for stage in Stage
    },
    "lately ended": lambda _, reader: view_store.ended(reader, limit=10),
    "next": lambda _, reader: view_store.queued(reader, limit=10),
}


@pytest.mark.parametrize("asked", CHEAP.values(), ids=CHEAP.keys())
async def test_no_page_sorts_the_table(house: House, asked: Callable[[House, Reader], Awaitable[object]]) -> None:
    await some_of_each_stage(house)

    async def explained(reader: Reader) -> list[str]:
        recording = Recording(reader)
        await asked(house, recording)
        return await recording.plans()

    plans = await house.database.read(explained)
    # The last step of `ended` sorts the few rows that it found.
    assert not [plan for plan in plans if "TEMP B-TREE" in plan and "jobs_ended" not in plan], plans


async def test_the_latest_end_comes_first(house: House) -> None:
    for title in ("first", "second"):
        house.clock.advance(5)
        await titled(house, title, await house.step(await house.queue(), states.Cancelled()))
    assert [done.name for done in await house.database.read(lambda reader: view_store.ended(reader, limit=10))] == [
        "second",
        "first",
    ]
