"""The past of a node: which points are kept, how much it grew, when it will be full. Pure; `now` is a parameter.

History is a step function: a point holds until the next one. Thinning keeps the last point of each hour, later of each
day, later of each month, so that what a node had at the end of any of them never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pulsetui.storage.views import HistoryPoint

Unit = Literal["hour", "day", "month"]
WHOLE_FOR = timedelta(hours=2)
"""Every point is kept for so long: growth over an hour needs more than one point an hour."""
HOURLY_FOR = timedelta(days=2)
DAILY_FOR = timedelta(days=365)
_AGES: tuple[tuple[Unit, timedelta], ...] = (("hour", WHOLE_FOR), ("day", HOURLY_FOR), ("month", DAILY_FOR))
GROWTH_WINDOWS = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
TREND_OVER = timedelta(days=7)
_LEAST_TREND = timedelta(hours=1)


def spans_to_thin(
    thinned_at: datetime | None, now: datetime, *, first: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the hours, days and months [begin, end) in which only the last point is to be kept from now on.

    These are the ones that came of age since `thinned_at` (None: never thinned), as far as history goes back to
    `first`. UTC throughout, so each hour lies in one day, and each day in one month.
    """
    for unit, age in _AGES:
        begin = _floor(first if thinned_at is None else max(first, thinned_at - age), unit)
        limit = _floor(now - age, unit)
        while begin < limit:
            end = _next(begin, unit)
            yield begin, end
            begin = end


def growth_bytes(points: Sequence[HistoryPoint], now: datetime, window: timedelta) -> int | None:
    """Return how many allocated bytes were added in the last `window`; None if the points don't reach so far back."""
    before = size_at(points, now - window)
    return None if before is None else points[-1].size.allocated_bytes - before


def size_at(points: Sequence[HistoryPoint], at: datetime) -> int | None:
    """Return the allocated bytes of a time; None before the first point."""
    held = None
    for point in points:
        if point.at > at:
            break
        held = point.size.allocated_bytes
    return held


@dataclass(frozen=True, slots=True)
class Trend:
    """How fast something grows."""

    bytes_per_day: float
    """Negative: it shrinks."""
    full_in: timedelta | None
    """When it takes `room` more at that rate; None if it doesn't grow, or not within a hundred years."""


def trend(points: Sequence[HistoryPoint], now: datetime, *, room_bytes: int) -> Trend | None:
    """Return the trend of the last week, or of as much as is known; None if less than an hour is.

    The slope is that of a straight line by least squares through hourly samples of the step function: taking points as
    they lie would weigh busy hours by how often they were looked at.
    """
    if not points or now - points[0].at < _LEAST_TREND:
        return None
    begin = max(points[0].at, now - TREND_OVER)
    slope = _slope(_samples(points, begin, now))
    full_in = None
    if slope > 0:
        days = max(0, room_bytes) / slope
        full_in = timedelta(days=days) if days < 36_525 else None
    return Trend(slope, full_in)


def spaced(times: Sequence[datetime], apart: timedelta) -> list[datetime]:
    """Return those of the ascending `times` that are at least so far `apart`, the newest always among them."""
    kept: list[datetime] = []
    for at in reversed(times):
        if not kept or kept[-1] - at >= apart:
            kept.append(at)
    return kept[::-1]


def _samples(points: Sequence[HistoryPoint], begin: datetime, end: datetime) -> list[tuple[float, int]]:
    """Return (days since `begin`, allocated bytes) each hour and at the end."""
    samples: list[tuple[float, int]] = []
    index, at = 0, begin
    while True:
        while index + 1 < len(points) and points[index + 1].at <= at:
            index += 1
        samples.append(((at - begin) / timedelta(days=1), points[index].size.allocated_bytes))
        if at >= end:
            return samples
        at = min(end, at + timedelta(hours=1))


def _slope(samples: Sequence[tuple[float, int]]) -> float:
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0


def _floor(at: datetime, unit: Unit) -> datetime:
    at = at.replace(minute=0, second=0, microsecond=0)
    if unit == "hour":
        return at
    return at.replace(hour=0) if unit == "day" else at.replace(day=1, hour=0)


def _next(begin: datetime, unit: Unit) -> datetime:
    if unit == "hour":
        return begin + timedelta(hours=1)
    return begin + timedelta(days=1) if unit == "day" else (begin + timedelta(days=32)).replace(day=1)
