"""Pictures of both screens at the three sizes. Look at them before taking new ones with `pytest --snapshot-update`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from pulsetui.tui.source import QuitChoice
from tests.tui.fakes import CLOSED, EMPTY, PULSE, FakeSource
from tests.tui.looking import make_app, seen

SIZES = [(80, 24), (120, 40), (200, 50)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_pulse(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await seen(pilot, "Part 11 transcribed, 487")

    assert snap_compare(make_app(FakeSource()), terminal_size=size, run_before=ready)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_pipeline(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await pilot.press("3")
        await seen(pilot, "2,038")
        if size[0] >= 160:
            await seen(pilot, "https://media.example/northern/1012.mp4")

    assert snap_compare(make_app(FakeSource()), terminal_size=size, run_before=ready)


def test_a_closed_gate(snap_compare: Callable[..., bool]) -> None:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await seen(pilot, "closed 4m")

    app = make_app(FakeSource(replace(PULSE, gate=CLOSED)))
    assert snap_compare(app, terminal_size=(80, 24), run_before=ready)


def test_an_empty_pipeline(snap_compare: Callable[..., bool]) -> None:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await seen(pilot, "What happens will be here.")

    assert snap_compare(make_app(FakeSource(EMPTY, ())), terminal_size=(80, 24), run_before=ready)


def test_an_ascii_terminal(snap_compare: Callable[..., bool]) -> None:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await seen(pilot, "Part 11 transcribed, 487")

    assert snap_compare(make_app(FakeSource(), ascii_only=True), terminal_size=(120, 40), run_before=ready)
