"""The past of a node is told in allocated bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pulsetui.storage.tree.history import growth_bytes, trend
from pulsetui.storage.views import Amount, HistoryPoint

NOW = datetime(2026, 11, 20, 12, 45, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def test_growth_and_trend_are_of_allocated_bytes() -> None:
    past = [HistoryPoint(NOW - ago * DAY, Amount(7, 4000 - 1000 * ago, 1)) for ago in (3, 2, 1, 0)]
    assert growth_bytes(past, NOW, 2 * DAY) == 2000
    assert growth_bytes(past, NOW, 4 * DAY) is None
    found = trend(past, NOW, room_bytes=10_000)
    assert found is not None
    assert 900 < found.bytes_per_day < 1100
    assert found.full_in == timedelta(days=10_000 / found.bytes_per_day)
