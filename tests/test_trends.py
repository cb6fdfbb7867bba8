"""The past: what is kept of it, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.trends import (
    DAILY_FOR,
    HOURLY_FOR,
    WHOLE_FOR,
    Point,
    growth,
    sampled,
    spaced,
    spans_to_thin,
    superseded,
    trend,
    value_at,
)

NOW = datetime(2026, 11, 20, 12, 45, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def points(*sizes: tuple[timedelta, int]) -> list[Point]:
    """Return points by how long ago they are, oldest first."""
    return [(NOW - ago, size) for ago, size in sizes]


def thinned(times: list[datetime], passes: list[datetime]) -> list[datetime]:
    kept, thinned_at = sorted(set(times)), None
    for now in passes:
        gone = superseded(kept, spans_to_thin(thinned_at, now, first=kept[0]))
        kept = [at for at in kept if at not in gone]
        thinned_at = now
    return kept


ages = st.lists(st.timedeltas(timedelta(), timedelta(days=1200)), min_size=1, max_size=40)
gaps = st.lists(st.timedeltas(timedelta(hours=1), timedelta(days=200)), max_size=4)


@settings(deadline=None, max_examples=50)
@given(ages=ages, gaps=gaps)
def test_each_hour_day_and_month_of_its_age_keeps_its_last_point(ages: list[timedelta], gaps: list[timedelta]) -> None:
    times = sorted({NOW - age for age in ages})
    passes = [NOW - sum(gaps[:count], timedelta()) for count in range(len(gaps), -1, -1)]
    kept = thinned(times, passes)

    def bucket(at: datetime) -> str:
        if at >= (NOW - WHOLE_FOR).replace(minute=0, second=0, microsecond=0):
            return at.isoformat()
        if at >= (NOW - HOURLY_FOR).replace(hour=0, minute=0, second=0, microsecond=0):
            return f"{at:%Y-%m-%dT%H}"
        first_daily = (NOW - DAILY_FOR).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return f"{at:%Y-%m-%d}" if at >= first_daily else f"{at:%Y-%m}"

    last = {bucket(at): at for at in times}
    assert kept == sorted(last.values())


def test_a_year_of_quarter_hours_comes_to_a_point_an_hour_a_day_and_a_month() -> None:
    times = [NOW - timedelta(minutes=15) * step for step in range(4 * 24 * 500)]
    kept = thinned(times, [NOW])
    assert sum(at > NOW - WHOLE_FOR for at in kept) == 8
    assert [at.minute for at in kept if NOW - HOURLY_FOR < at < NOW - 3 * HOUR] == [45] * 44, "the last of each hour"
    daily = [at for at in kept if NOW - DAILY_FOR < at < NOW - HOURLY_FOR - DAY]
    assert [(at.hour, at.minute) for at in daily] == [(23, 45)] * 362
    monthly = [at for at in kept if at < datetime(2025, 11, 1, tzinfo=UTC)]
    assert [(at.month, at.day) for at in monthly] == [(7, 31), (8, 31), (9, 30), (10, 31)]


def test_growth_is_what_was_added_since_the_size_that_held_then() -> None:
    past = points((3 * DAY, 100), (2 * HOUR, 150), (timedelta(minutes=30), 400))
    assert growth(past, NOW, HOUR) == 250
    assert growth(past, NOW, DAY) == 300
    assert growth(past, NOW, 7 * DAY) is None, "nothing is known of then"
    assert value_at(past, NOW - 4 * DAY) is None


def test_a_steady_trend_says_when_the_room_is_used_up() -> None:
    found = trend(points(*[(timedelta(hours=ago), 1000 - 10 * ago) for ago in range(48, -1, -1)]), NOW, room_bytes=480)
    assert found is not None
    assert found.bytes_per_day == pytest.approx(240)
    assert found.full_in == pytest.approx(timedelta(days=2), abs=timedelta(minutes=1))


def test_what_shrinks_or_stands_still_is_never_full() -> None:
    shrinking = trend(points((DAY, 100), (HOUR, 50)), NOW, room_bytes=10)
    still = trend(points((DAY, 100)), NOW, room_bytes=10)
    assert shrinking is not None
    assert still is not None
    assert (shrinking.bytes_per_day < 0, shrinking.full_in) == (True, None)
    assert (still.bytes_per_day, still.full_in) == (0.0, None)


def test_less_than_an_hour_is_no_trend() -> None:
    assert trend(points((timedelta(minutes=50), 1), (timedelta(minutes=1), 10**9)), NOW, room_bytes=1) is None
    assert trend([], NOW, room_bytes=1) is None


def test_many_looks_in_one_hour_weigh_no_more_than_one() -> None:
    steady = [(timedelta(hours=ago), 1000 - 10 * ago) for ago in range(48, 0, -1)]
    busy = [(timedelta(seconds=ago), 990) for ago in range(3000, 0, -10)]
    quiet, looked_at = trend(points(*steady), NOW, room_bytes=1), trend(points(*steady, *busy), NOW, room_bytes=1)
    assert quiet is not None
    assert looked_at is not None
    assert quiet.bytes_per_day == pytest.approx(looked_at.bytes_per_day)


def test_times_to_show_are_apart_and_end_with_the_newest() -> None:
    times = [NOW + timedelta(seconds=10 * step) for step in range(100)]
    shown = spaced(times, timedelta(minutes=5))
    assert shown[-1] == times[-1]
    assert all(later - earlier >= timedelta(minutes=5) for earlier, later in pairwise(shown))
    assert len(shown) == 4


def test_of_many_points_the_last_in_each_of_as_many_spans_is_shown() -> None:
    times = [NOW + number * HOUR for number in range(1000)]
    shown = sampled(times, times, 120)
    assert len(shown) == 120
    assert shown[-1] == times[-1]
    assert all(later - earlier <= 10 * HOUR for earlier, later in pairwise(shown))
    assert sampled(times[:120], times[:120], 120) == times[:120]
    crowded = [NOW, *(NOW + 999 * DAY + number * HOUR for number in range(200))]
    assert sampled(crowded, crowded, 120) == [NOW, crowded[-1]]
