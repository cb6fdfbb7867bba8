"""What a past says: which of its points are kept, how much grew, when it will be full. Pure; `now` is a parameter.

A past is a step function: a point holds until the next one, and points are in order of time. Thinning keeps the last
point of each hour, later of each day, later of each month, so that what there was at the end of any of them never
changes. What the values are of, and where they are kept, is left to storage and volumes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, TypeVar

Point: TypeAlias = tuple[datetime, int]
"""A time, and what it was from then on."""
Unit = Literal["hour", "day", "month"]
WHOLE_FOR = timedelta(hours=2)
"""Every point is kept for so long: growth over an hour needs more than one point an hour."""
HOURLY_FOR = timedelta(days=2)
DAILY_FOR = timedelta(days=365)
_AGES: tuple[tuple[Unit, timedelta], ...] = (("hour", WHOLE_FOR), ("day", HOURLY_FOR), ("month", DAILY_FOR))
TREND_OVER = timedelta(days=7)
_LEAST_TREND = timedelta(hours=1)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Trend:
    """How fast something grows."""

    bytes_per_day: float
    """Negative: it shrinks."""
    full_in: timedelta | None
    """When it takes `room` more at that rate; None if it doesn't grow, or not within a hundred years."""


def spans_to_thin(
    thinned_at: datetime | None, now: datetime, *, first: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the hours, days and months [begin, end) in which only the last point is to be kept from now on.

    These are the ones that came of age since `thinned_at` (None: never thinned), as far as the past goes back to
    `first`. UTC throughout, so each hour lies in one day, and each day in one month.
    """
    for unit, age in _AGES:
        begin = _floor(first if thinned_at is None else max(first, thinned_at - age), unit)
        limit = _floor(now - age, unit)
        while begin < limit:
            end = _next(begin, unit)
            yield begin, end
            begin = end


def superseded(times: Sequence[datetime], spans: Iterable[tuple[datetime, datetime]]) -> set[datetime]:
    """Return those of the ascending `times` that are not the last one in one of the spans."""
    dropped: set[datetime] = set()
    for begin, end in spans:
        dropped.update(times[bisect_left(times, begin) : max(0, bisect_left(times, end) - 1)])
    return dropped


def value_at(points: Sequence[Point], at: datetime) -> int | None:
    """Return what it was at a time; None before the first point."""
    held = None
    for since, value in points:
        if since > at:
            break
        held = value
    return held


def growth(points: Sequence[Point], now: datetime, window: timedelta) -> int | None:
    """Return how much was added in the last `window`; None if the points don't reach so far back."""
    before = value_at(points, now - window)
    return None if before is None else points[-1][1] - before


def trend(points: Sequence[Point], now: datetime, *, room_bytes: int) -> Trend | None:
    """Return the trend of the last week, or of as much as is known; None if less than an hour is.

    The slope is that of a straight line by least squares through hourly samples of the step function: taking points as
    they lie would weigh busy hours by how often they were looked at.
    """
    if not points or now - points[0][0] < _LEAST_TREND:
        return None
    begin = max(points[0][0], now - TREND_OVER)
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


def sampled(items: Sequence[_T], times: Sequence[datetime], most: int) -> list[_T]:
    """Return at most `most` of the items, whose ascending times are given: of as many equal spans, the last in each."""
    if len(items) <= most:
        return list(items)
    span = (times[-1] - times[0]) / most
    kept = {min(most - 1, int((at - times[0]) / span)): item for at, item in zip(times, items, strict=True)}
    return list(kept.values())


def _samples(points: Sequence[Point], begin: datetime, end: datetime) -> list[tuple[float, int]]:
    """Return (days since `begin`, value) each hour and at the end."""
    samples: list[tuple[float, int]] = []
    index, at = 0, begin
    while True:
        while index + 1 < len(points) and points[index + 1][0] <= at:
            index += 1
        samples.append(((at - begin) / timedelta(days=1), points[index][1]))
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
