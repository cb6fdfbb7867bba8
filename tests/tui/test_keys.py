from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest
from textual.binding import Binding
from textual.content import Content

from pulsetui.tui import keys
from pulsetui.tui.screens.help import help_text
from tests.tui.looking import opened, press, seen, text_of

PLACES = get_args(keys.Place)


def test_ids_are_unique() -> None:
    assert [name for name, number in Counter(action.id for action in keys.ACTIONS).items() if number > 1] == []


@pytest.mark.parametrize(
    ("place", "panel"),
    [
        ("pulse", "list"),
        ("pipeline", "list"),
        ("job", "scroll"),
        ("storage", "tiles"),
        ("storage", "tree"),
        ("entity", "list"),
        ("entity", "types"),
        ("volumes", "list"),
        ("volumes", "scroll"),
    ],
)
def test_no_key_means_two_things_on_one_screen(place: keys.Place, panel: keys.Place) -> None:
    together = {place, "app", panel}
    used = Counter(key for action in keys.ACTIONS if together & set(action.places) for key in action.keys)

    assert [key for key, number in used.items() if number > 1] == []


@pytest.mark.parametrize("place", PLACES)
def test_the_footer_shows_at_most_eight_keys_that_work_there(place: keys.Place) -> None:
    shown = keys.footer(place)

    assert len(shown) <= keys.FOOTER_KEYS
    for action in shown:
        assert {place, "app", "tiles" if place == "storage" else "list"} & set(action.places)


def test_the_help_lists_every_action_with_all_its_keys() -> None:
    text = help_text().plain

    for action in keys.ACTIONS:
        if set(action.places) != {"scroll"}:
            assert f"{action.all_keys_text.ljust(16)}{action.help}" in text


@pytest.mark.parametrize("place", PLACES)
def test_every_action_is_bound_under_its_id(place: keys.Place) -> None:
    bound = {binding.id for binding in keys.bindings(place) if isinstance(binding, Binding)}

    assert bound == {action.id for action in keys.ACTIONS if place in action.places}


@pytest.mark.parametrize(("place", "size"), [("1", (80, 24)), ("3", (80, 24)), ("1", (120, 40)), ("3", (120, 40))])
async def test_the_footer_on_the_screen_is_the_table(place: str, size: tuple[int, int]) -> None:
    async with opened(size=size) as pilot:
        await press(pilot, place)
        await seen(pilot, "Jobs" if place == "3" else "Active tasks")
        foot = text_of(pilot).splitlines()[-1]

    for action in keys.footer("pipeline" if place == "3" else "pulse"):
        assert f"{action.key_text} {action.label}" in foot


async def test_the_palette_offers_what_the_keys_do() -> None:
    async with opened() as pilot:
        await press(pilot, "3")
        await seen(pilot, "Jobs")
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}

    assert {"Retry", "Cancel", "Filter", "Sort", "Add", "Pause", "Quit", "Theme"} <= offered


async def test_a_key_can_be_remapped_by_its_id() -> None:
    async with opened() as pilot:
        pilot.app.set_keymap({"pipeline.show": "x"})
        await press(pilot, "x")
        await seen(pilot, "Jobs")


async def test_a_key_in_the_footer_can_be_clicked() -> None:
    async with opened() as pilot:
        foot = text_of(pilot).splitlines()[-1]
        await pilot.click(offset=(Content(foot[: foot.index("Pipeline")]).cell_length + 1, 39))
        await seen(pilot, "Jobs")
