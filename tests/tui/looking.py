"""How tests look at the screen: its text, and waiting for a condition with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC

from textual.pilot import Pilot

from pulsetui.tui.app import PulseApp
from pulsetui.tui.source import QuitChoice
from tests.tui.fakes import FakeSource, FixedClock

DEADLINE_S = 30.0


def make_app(source: FakeSource, clock: FixedClock | None = None, *, ascii_only: bool = False) -> PulseApp:
    """Return the application on fixed values, clock and zone."""
    return PulseApp(source, clock=clock or FixedClock(), zone=UTC, ascii_only=ascii_only, reduced_motion=True)


@asynccontextmanager
async def opened(
    source: FakeSource | None = None,
    size: tuple[int, int] = (120, 40),
    *,
    clock: FixedClock | None = None,
    ascii_only: bool = False,
    shows: str = "Part 11 transcribed",
) -> AsyncIterator[Pilot[QuitChoice]]:
    """Run the application until its first figures are on the screen."""
    app = make_app(source or FakeSource(), clock, ascii_only=ascii_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        await seen(pilot, shows)
        yield pilot


def text_of(pilot: Pilot[QuitChoice]) -> str:
    """Return what the screen shows, line by line."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def until(pilot: Pilot[QuitChoice], condition: Callable[[], bool]) -> None:
    """Wait for a condition; fail with the screen's text when it doesn't come."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain; the screen shows\n{text_of(pilot)}"
        await pilot.pause()
        await asyncio.sleep(0.01)


async def seen(pilot: Pilot[QuitChoice], text: str) -> None:
    """Wait until the screen shows a text."""
    await until(pilot, lambda: text in text_of(pilot))


async def gone(pilot: Pilot[QuitChoice], text: str) -> None:
    """Wait until the screen no longer shows a text."""
    await until(pilot, lambda: text not in text_of(pilot))


async def press(pilot: Pilot[QuitChoice], *keys: str) -> None:
    """Press keys one after another."""
    for key in keys:
        await pilot.press(key)
