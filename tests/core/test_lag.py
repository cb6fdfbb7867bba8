"""The probe of the event loop's lag."""

from __future__ import annotations

import asyncio

from pulsetui.clock import SystemClock
from pulsetui.core.lag import LagProbe
from tests.db.tools import FakeClock
from tests.until import until


class Late(FakeClock):
    """A clock whose sleeps end later than they should."""

    def __init__(self, *late_s: float) -> None:
        super().__init__()
        self.late_s = list(late_s)

    async def sleep(self, seconds: float) -> None:
        if not self.late_s:
            await asyncio.Event().wait()
        await super().sleep(seconds + self.late_s.pop(0))


async def probed(*late_s: float) -> LagProbe:
    clock = Late(*late_s)
    probe = LagProbe(clock)
    running = asyncio.create_task(probe.run())
    await until(lambda: not clock.late_s)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    return probe


async def test_without_a_probe_nothing_is_known() -> None:
    assert LagProbe(SystemClock()).p99_ms() is None


async def test_the_99th_percentile_leaves_one_in_a_hundred_out() -> None:
    probe = await probed(*[0.002] * 98, 0.015, 0.5, 0.002)
    p99 = probe.p99_ms()
    assert p99 is not None
    assert round(p99) == 15
    assert round(probe.worst_ms) == 500


async def test_a_clock_that_wakes_early_is_no_negative_lag() -> None:
    probe = await probed(-0.01, -0.01)
    assert probe.p99_ms() == 0.0


async def test_only_the_last_two_minutes_count() -> None:
    probe = await probed(0.5, *[0.001] * 1200)
    p99 = probe.p99_ms()
    assert p99 is not None
    assert round(p99) == 1
    assert round(probe.worst_ms) == 500
