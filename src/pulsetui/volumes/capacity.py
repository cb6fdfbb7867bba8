"""How full a volume is, was and will be: which points are kept, the trend, and when that is a warning. Pure.

Used is what can't be written any more, total less available, so that a volume is full when nothing is available.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pulsetui import trends
from pulsetui.trends import Trend
from pulsetui.volumes.views import CapacityPoint

POINT_SHARE = 0.001
"""A point is kept when this share of the total was written or freed since the last one,"""
POINT_EVERY = timedelta(hours=1)
"""or so long after it."""
TOLD_SHARE = 0.01
"""A change of what is available is told of when it comes to this share of the total."""
POINTS_SHOWN = 120
_WARNED_UNTIL = 1.25
"""A warning is over when the volume is full no sooner than so many times the time that is warned of: a trend that
hovers about the limit warns once."""


def is_point_due(last: CapacityPoint | None, new: CapacityPoint) -> bool:
    """Say whether `new` is to be kept after `last`."""
    if last is None or new.total_bytes != last.total_bytes or new.at - last.at >= POINT_EVERY:
        return True
    return _is_share(new.used_bytes - last.used_bytes, new.total_bytes, POINT_SHARE)


def is_to_be_told(told_bytes: int, available_bytes: int, total_bytes: int) -> bool:
    """Say whether what is available changed enough since it was told."""
    return _is_share(available_bytes - told_bytes, total_bytes, TOLD_SHARE)


def outlook(past: Sequence[CapacityPoint], now: CapacityPoint) -> Trend | None:
    """Return the trend of the last week up to now, or of as much as is known; None if less than an hour is."""
    points = [(point.at, point.used_bytes) for point in past if point.at < now.at]
    points.append((now.at, now.used_bytes))
    return trends.trend(points, now.at, room_bytes=now.total_bytes - now.used_bytes)


def is_filling(trend: Trend | None, warned_of: timedelta, *, was_filling: bool) -> bool:
    """Say whether a volume is full within `warned_of`, or was and isn't clearly out of it again."""
    if trend is None or trend.full_in is None:
        return False
    return trend.full_in <= warned_of * (_WARNED_UNTIL if was_filling else 1)


def shown(past: Sequence[CapacityPoint]) -> tuple[CapacityPoint, ...]:
    """Return the points of a past that are shown, oldest first."""
    return tuple(trends.sampled(past, [point.at for point in past], POINTS_SHOWN))


def to_thin(past: Sequence[CapacityPoint], thinned_at: datetime | None, now: datetime) -> set[datetime]:
    """Return the times of the points that are not kept any longer."""
    if not past:
        return set()
    spans = trends.spans_to_thin(thinned_at, now, first=past[0].at)
    return trends.superseded([point.at for point in past], spans)


def _is_share(change_bytes: int, total_bytes: int, share: float) -> bool:
    return change_bytes != 0 and abs(change_bytes) >= share * total_bytes
