"""`pulsetui volumes speedtest`: gives the order, shows how far it is, and stops the test when it is interrupted."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pulsetui.cli.blocking import Ticker
from pulsetui.cli.context import Context
from pulsetui.errors import PulseError
from pulsetui.units import format_duration, format_percent
from pulsetui.volumes.speed_actions import MeasureVolume, StopSpeedTest
from pulsetui.volumes.views import SpeedTestView

if TYPE_CHECKING:
    from pulsetui.core.runtime import Core

_ASK_EVERY_S = 0.5


async def tested(context: Context, action: MeasureVolume) -> dict[str, Any]:
    """Have a volume tested and return the outcome. Cancelled, it stops the test, wherever that runs.

    Raises:
        PulseError: it was refused, failed, or was stopped.
    """
    order = str(uuid.uuid4())
    watched = _Watched(context)
    ordering = asyncio.create_task(context.order(action, on_core=watched.take, order_uuid=order))
    ticker = Ticker(lines_every_s=5.0)
    try:
        while not ordering.done():
            await asyncio.wait({ordering}, timeout=_ASK_EVERY_S)
            if not ordering.done():
                ticker.tell(await watched.how_far())
        return ordering.result()
    finally:
        ticker.end()
        if not ordering.done():
            await _give_up(context, watched, order, ordering)


async def _give_up(context: Context, watched: _Watched, order: str, ordering: asyncio.Task[dict[str, Any]]) -> None:
    """Stop the test, and wait for its end."""
    if watched.core is not None:
        await watched.core.speed_tests.stop(order)
    else:
        with suppress(PulseError):  # the owner is gone, and its test with it
            if await context.live() is not None:
                await context.order(StopSpeedTest(order=order))
    ordering.cancel()
    with suppress(asyncio.CancelledError, PulseError):
        await ordering


class _Watched:
    """How far a test is: known here if it runs in this process, else asked of the owner."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.core: Core | None = None

    def take(self, core: Core) -> None:
        """Take the parts of this process, which does the test."""
        self.core = core

    async def how_far(self) -> str:
        """Return how far it is."""
        test = await self._test()
        if test is None:
            return "the speed test is about to begin"
        return f"{test.step}, {format_percent(test.progress)}, for {format_duration(test.elapsed_s)}"

    async def _test(self) -> SpeedTestView | None:
        if self.core is not None:
            return self.core.speed_tests.view
        with suppress(PulseError):  # an owner that is too busy to answer still does the test
            figures = await self._context.live()
            if figures is not None and figures["volumes"]["testing"] is not None:
                return SpeedTestView(**figures["volumes"]["testing"])
        return None
