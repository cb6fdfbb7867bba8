"""Times as they are stored and written."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.clock import SystemClock, from_ms, rfc3339, to_ms

MOMENT = datetime(2026, 11, 20, 12, 45, 0, 123_456, tzinfo=UTC)


def test_the_database_holds_whole_milliseconds() -> None:
    assert to_ms(MOMENT) == 1_795_178_700_123
    assert from_ms(1_795_178_700_123) == MOMENT.replace(microsecond=123_000)


@given(st.integers(-(10**12), 10**14))
def test_milliseconds_come_back_as_they_were(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_the_order_of_moments_is_kept(one: datetime, other: datetime) -> None:
    if one <= other:
        assert to_ms(one) <= to_ms(other)


@pytest.mark.parametrize("hours", [-11, 0, 5])
def test_json_has_utc_whatever_the_zone_was(hours: int) -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=hours)))
    assert rfc3339(elsewhere) == "2026-11-20T12:45:00.123Z"
    assert to_ms(elsewhere) == to_ms(MOMENT)


async def test_the_system_s_clock_goes_on() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    began = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - began >= 0.01
    assert abs(clock.monotonic() - time.monotonic()) < 1
