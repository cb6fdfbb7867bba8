"""Runs the screens and the owner's services side by side in one event loop.

Leaving the screen drains the pipeline, or goes on without a screen if that is what the operator chose; so does a lost
terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable

from pulsetui.core.assembly import open_core
from pulsetui.core.runtime import Core
from pulsetui.core.source import CoreSource
from pulsetui.settings.load import LoadedSettings
from pulsetui.tui.app import PulseApp
from pulsetui.tui.source import QuitChoice

GoOn = Callable[[Core, asyncio.Task[None]], Awaitable[None]]
"""Keeps a running core going without a screen, until it is told to stop."""


COLLECTOR_THRESHOLDS = (1_000, 20, 100)
"""After so many new objects the youngest are looked through; each 20th time the younger, each 2,000th time all."""


async def run_tui(loaded: LoadedSettings, *, go_on: GoOn) -> None:
    """Own the data directory and show the screens until the operator leaves.

    `go_on` takes over if the operator wants the work to go on without a screen, or the terminal is lost.

    Raises:
        OwnedError: another process owns it.
        PulseError: it can't start.
    """
    async with open_core(loaded, front_end="tui") as core:
        running = asyncio.create_task(core.run(), name="core")
        choice = await _screen(core, running)
        if choice == "headless" and not running.done():
            await go_on(core, running)
            return
        await _drained(running)


async def show(core: Core, *, until: Awaitable[None], done: str) -> None:
    """Show the screens on a running core until the operator leaves; say `done` once `until` has come."""
    app = _app(core)

    async def announce() -> None:
        await until
        app.notify(done, timeout=3600, markup=False)

    waiting = asyncio.create_task(announce())
    try:
        await app.run_async()
    finally:
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting


async def _screen(core: Core, running: asyncio.Task[None]) -> QuitChoice:
    """Show the screens until the operator chooses, the terminal is lost, or the core ends."""
    app = _app(core)
    lost: list[QuitChoice] = []

    def on_hangup() -> None:
        lost.append("headless")
        app.exit("headless")

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    loop.add_signal_handler(signal.SIGTERM, app.exit, "drain")
    running.add_done_callback(lambda _: app.exit("drain"))
    try:
        choice = await app.run_async()
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        loop.remove_signal_handler(signal.SIGTERM)
    return lost[0] if lost else choice or "drain"


def _app(core: Core) -> PulseApp:
    reduced = core.settings.dashboard.reduced_motion
    return PulseApp(CoreSource(core), reduced_motion=reduced, on_first_page=spare_the_collector)


def spare_the_collector() -> None:
    """Let the garbage collector hold the event loop less.

    What is loaded by now stays until the end, so it need not be looked through again; and of what comes later, mostly
    lines ready to be painted, all is looked through seldom. Before, each look at everything held the loop for up to a
    third of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


async def _drained(running: asyncio.Task[None]) -> None:
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
