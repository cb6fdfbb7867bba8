"""Runs the screens and the owner's services side by side in one event loop.

Leaving the screen drains the pipeline, or goes on without a screen if that is what the operator chose. It also goes on
when the terminal is lost, or when the screen fails of a defect: the work never ends because of its screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Awaitable, Callable
from functools import partial

from pulsetui.core.assembly import open_core
from pulsetui.core.runtime import Core
from pulsetui.core.source import CoreSource
from pulsetui.errors import PulseError
from pulsetui.settings.load import LoadedSettings
from pulsetui.tui.app import PulseApp

GoOn = Callable[[Core, asyncio.Task[None], bool], Awaitable[None]]
"""Keeps a running core going without a screen, until it is told to stop, or has been told so already (True)."""

COLLECTOR_THRESHOLDS = (1_000, 20, 100)
"""After so many new objects the youngest are looked through; each 20th time the younger, each 2,000th time all."""
_REPORT = "run it again with --debug, and report what it prints; --no-ui does without the screen"
_log = logging.getLogger("pulsetui.tui")


async def run_tui(loaded: LoadedSettings, *, go_on: GoOn) -> None:
    """Own the data directory and show the screens until the operator leaves.

    `go_on` takes over where the work goes on without a screen.

    Raises:
        OwnedError: another process owns it.
        PulseError: it can't start.
    """
    async with open_core(loaded, front_end="tui") as core:
        running = asyncio.create_task(core.run(), name="core")
        try:
            draining = await _screen(core, running)
            if not running.done():
                await go_on(core, running, draining)
            with contextlib.suppress(asyncio.CancelledError):
                await running
        finally:
            running.cancel()  # only after this may the database be closed
            await asyncio.wait({running})


async def show(core: Core, *, until: Awaitable[None], done: str) -> None:
    """Show the screens on a running core until the operator leaves; say `done` once `until` has come.

    Raises:
        PulseError: the screen failed of a defect.
    """
    reduced = core.settings.dashboard.reduced_motion
    app = PulseApp(CoreSource(core), reduced_motion=reduced, on_first_page=spare_the_collector)

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
    if app.defect is not None:
        raise PulseError(_failed(app.defect), hint=_REPORT) from app.defect


async def _screen(core: Core, running: asyncio.Task[None]) -> bool:
    """Show the screens until they close, for whatever reason; say whether the work is ending by then."""
    settings = core.settings

    def drain() -> None:
        running.cancel()

    app = PulseApp(
        CoreSource(core),
        reduced_motion=settings.dashboard.reduced_motion,
        on_first_page=spare_the_collector,
        drain=drain,
        grace_s=settings.transcription.shutdown_grace.total_seconds(),
    )
    loop = asyncio.get_running_loop()
    # They stay when the screens are gone: a second SIGHUP, as shells send, would meet nobody until others take over.
    loop.add_signal_handler(signal.SIGHUP, app.lose_terminal)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.leave, "drain")
    running.add_done_callback(lambda _: app.exit("drain"))
    await app.run_async()
    if app.defect is not None and not running.done():
        # A moment later, since logging begins without a screen only.
        said = "%s; the pipeline goes on without it, until SIGTERM or ^C"
        loop.call_soon(partial(_log.error, said, _failed(app.defect), exc_info=app.defect))
    return bool(app.leaving)


def _failed(defect: Exception) -> str:
    return f"the screen failed of a defect: {type(defect).__name__}: {defect}"


def spare_the_collector() -> None:
    """Let the garbage collector hold the event loop less.

    What is loaded by now stays until the end, so it need not be looked through again; and of what comes later, mostly
    lines ready to be painted, all is looked through seldom. Before, each look at everything held the loop for up to a
    third of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
