from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

import pytest
from textual.pilot import Pilot

from pulsetui.errors import DatabaseError
from pulsetui.tui.screens.entity import EntityScreen
from pulsetui.tui.source import QuitChoice
from pulsetui.tui.widgets.children_list import ChildrenList
from tests.tui.fakes import FakeSource, FixedClock
from tests.tui.looking import gone, opened, press, seen, text_of, until


@asynccontextmanager
async def page(
    source: FakeSource, key: str = "project:1", size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Pilot[QuitChoice]]:
    """Open the page of an entity above Pulse."""
    async with opened(source, size) as pilot:
        await pilot.app.push_screen(EntityScreen(source, FixedClock(), key, UTC))
        yield pilot


async def test_the_page_shows_where_what_how_it_grew_what_is_in_it_and_its_jobs() -> None:
    async with page(FakeSource()) as pilot:
        await seen(pilot, "Narration")
        await seen(pilot, "Part 1012")
        text = text_of(pilot)

    for said in (
        "Northern",
        "project 1",
        "441 GB in 461 files",
        "■ video",
        "9 times",
        "24h + ",
        "7d –",
        "Crew",
        "Jobs",
    ):
        assert said in text


async def test_the_path_and_what_it_is_in_stand_above() -> None:
    async with page(FakeSource(), "segment:2095") as pilot:
        await seen(pilot, "segment 2095 · /mnt/hdd/videos/")
        head = text_of(pilot).splitlines()[1]

    assert head.split("▸")[0].strip() == "Glass Coast"


async def test_a_child_opens_and_back_leads_to_the_same_place() -> None:
    source = FakeSource()
    async with page(source) as pilot:
        await seen(pilot, "Narration")
        await press(pilot, "j", "enter")
        await seen(pilot, "Northern ▸ Crew")
        await press(pilot, "escape")
        await seen(pilot, "project 1")
        children = pilot.app.screen.query_one(ChildrenList)
        await until(pilot, lambda: children.pointed is not None and children.pointed.name == "Crew")
        await press(pilot, "escape")
        await seen(pilot, "Active tasks")


async def test_r_orders_a_refresh_and_a_job_opens() -> None:
    source = FakeSource()
    async with page(source) as pilot:
        await seen(pilot, "Part 1012")
        await press(pilot, "r")
        await until(pilot, lambda: source.orders == [("storage.refresh", {})])
        await press(pilot, "tab", "enter")
        await seen(pilot, "https://media.example/northern/1012.mp4")


async def test_a_category_left_out_leaves_the_list_of_children_too() -> None:
    async with page(FakeSource()) as pilot:
        await seen(pilot, "303 GB")
        await press(pilot, "shift+tab", "space")
        await seen(pilot, "□ video")
        await gone(pilot, "303 GB")


async def test_what_went_away_or_cannot_be_read_says_so() -> None:
    source = FakeSource()
    async with page(source, "project:77") as pilot:
        await seen(pilot, "✗ no project:77 in storage")
        source.error = DatabaseError("the database is locked")
        await press(pilot, "ctrl+r")
        await seen(pilot, "the database is locked")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_every_line_keeps_the_width_of_the_screen(size: tuple[int, int]) -> None:
    async with page(FakeSource(), size=size) as pilot:
        await seen(pilot, "441 GB")
        strips = pilot.app.screen._compositor.render_strips()

    assert {strip.cell_length for strip in strips} == {size[0]}
