"""`pulsetui volumes speedtest`: gives the order, shows how far it is, and stops the test when it is interrupted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pulsetui.cli.context import Context
from pulsetui.cli.following import Followed, follow
from pulsetui.errors import PulseError
from pulsetui.units import format_duration, format_percent
from pulsetui.volumes.speed_actions import MeasureVolume, StopSpeedTest
from pulsetui.volumes.views import SpeedTestView


async def tested(context: Context, action: MeasureVolume) -> dict[str, Any]:
    """Have a volume tested and return the outcome. Cancelled, it stops the test, wherever that runs.

    Raises:
        PulseError: it was refused, failed, or was stopped.
    """
    order = str(uuid.uuid4())
    test = Followed(
        context,
        here=lambda core: _how_far(core.speed_tests.view),
        there=lambda figures: _how_far(_told(figures)),
        beginning="the speed test is about to begin",
    )

    async def stop() -> None:
        if test.core is not None:
            await test.core.speed_tests.stop(order)
        else:
            with suppress(PulseError):  # the owner is gone, and its test with it
                if await context.live() is not None:
                    await context.order(StopSpeedTest(order=order))

    return await follow(test, action, order_uuid=order, give_up=stop)


def _how_far(test: SpeedTestView | None) -> str | None:
    if test is None:
        return None
    return f"{test.step}, {format_percent(test.progress)}, for {format_duration(test.elapsed_s)}"


def _told(figures: Mapping[str, Any]) -> SpeedTestView | None:
    testing = figures["volumes"]["testing"]
    return None if testing is None else SpeedTestView(**testing)
