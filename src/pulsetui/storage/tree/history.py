"""The past of a node, in allocated bytes: how much it grew, when it will be full. Pure; how that is found: `trends`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pulsetui import trends
from pulsetui.storage.views import HistoryPoint
from pulsetui.trends import Trend


def growth_bytes(points: Sequence[HistoryPoint], now: datetime, window: timedelta) -> int | None:
    """Return how many allocated bytes were added in the last `window`; None if the points don't reach so far back."""
    return trends.growth(_steps(points), now, window)


def trend(points: Sequence[HistoryPoint], now: datetime, *, room_bytes: int) -> Trend | None:
    """Return the trend of the last week, or of as much as is known; None if less than an hour is."""
    return trends.trend(_steps(points), now, room_bytes=room_bytes)


def _steps(points: Sequence[HistoryPoint]) -> list[trends.Point]:
    return [(point.at, point.size.allocated_bytes) for point in points]
