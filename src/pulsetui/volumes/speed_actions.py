"""What can be ordered of speed tests: one, and the end of it. How it is done is in `speedtest`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from pulsetui.actions.base import Action, ActionContext, Outcome, Right
from pulsetui.volumes.speedtest import SpeedTests
from pulsetui.volumes.views import Method

_LARGEST_BYTES = 2**50
Named = Annotated[str, Field(min_length=1, max_length=4096)]
"""A fingerprint, a prefix of one that is unique, or the path of a mount point."""


class SpeedTested(Outcome):
    """What a speed test found."""

    fingerprint: str
    display_name: str | None
    read_bps: float
    write_bps: float
    tested_at: datetime
    method: Method
    size_bytes: int
    """What each of its rounds wrote and read."""
    beside: str


class MeasureVolume(Action, verb="volumes.speedtest", right=Right.OPERATE):
    """Write and read a file on a tracked volume, and keep how fast that went."""

    fingerprint: Named
    size: Annotated[int, Field(gt=0, le=_LARGEST_BYTES)] | None = None
    """Bytes of each round; None: as the settings say, or a hundredth of what is free if that is less."""

    async def run(self, context: ActionContext) -> SpeedTested:
        """Test it.

        Raises:
            VolumeNotFoundError, UsageError: there is no such volume, or there are several.
            RefusedError: it may not be done now.
            PulseError: it failed, or was stopped.
        """
        tests: SpeedTests = context.services["speed_tests"]
        record, speed = await tests.test(self.fingerprint, self.size, order=context.uuid)
        return SpeedTested(
            fingerprint=record.fingerprint,
            display_name=record.display_name,
            read_bps=speed.read_bps,
            write_bps=speed.write_bps,
            tested_at=speed.tested_at,
            method=speed.method,
            size_bytes=speed.size_bytes,
            beside=speed.beside,
        )


class SpeedTestStopped(Outcome):
    """Whether there was a test to stop."""

    stopped: bool


class StopSpeedTest(Action, verb="volumes.stop_speedtest", right=Right.OPERATE):
    """Stop the speed test that runs."""

    order: Annotated[str, Field(max_length=100)] = ""
    """Only the one of the order with this uuid; empty: whichever runs."""

    async def run(self, context: ActionContext) -> SpeedTestStopped:
        """Stop it, and wait for its end."""
        tests: SpeedTests = context.services["speed_tests"]
        return SpeedTestStopped(stopped=await tests.stop(self.order))
