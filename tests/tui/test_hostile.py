from __future__ import annotations

import pytest

from pulsetui.errors import DatabaseError
from tests.tui.fakes import HOSTILE, FakeSource, hostile
from tests.tui.looking import opened, press, seen, text_of

_SHOWN = "\\x1b["


def _is_calm(text: str) -> bool:
    return all(character.isprintable() for line in text.splitlines() for character in line)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_hostile_text_is_only_text_on_every_screen(size: tuple[int, int]) -> None:
    async with opened(hostile(), size, shows=_SHOWN) as pilot:
        screens = [text_of(pilot)]
        await press(pilot, "tab", "tab", "j")
        screens.append(text_of(pilot))
        await press(pilot, "3")
        await seen(pilot, "Jobs")
        await seen(pilot, f"downloading   {_SHOWN}" if size[0] < 90 else "1012")
        screens.append(text_of(pilot))
        await press(pilot, "c")
        await seen(pilot, "Cancel 1 job?")
        screens.append(text_of(pilot))
        await press(pilot, "escape", "enter")
        await seen(pilot, "source")
        screens.append(text_of(pilot))

    for shown in screens:
        assert _SHOWN in shown
        assert _is_calm(shown)
        assert len({len(line.rstrip("\n")) > 0 for line in shown.splitlines()}) == 1


async def test_hostile_errors_and_answers_are_only_text() -> None:
    source = FakeSource()
    async with opened(source) as pilot:
        source.error = DatabaseError(HOSTILE, hint=HOSTILE)
        await press(pilot, "p", "ctrl+r")
        await seen(pilot, "can't read the pipeline: \\x1b[31mred")
        shown = text_of(pilot)

    assert _is_calm(shown)
    assert "[bold red]markup[/]" in shown


async def test_every_line_keeps_the_width_of_the_screen_under_hostile_names() -> None:
    async with opened(hostile(), shows=_SHOWN) as pilot:
        strips = pilot.app.screen._compositor.render_strips()

    assert {strip.cell_length for strip in strips} == {120}
