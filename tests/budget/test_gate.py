"""The gate as a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulsetui.budget.gate import Cause, Gate, Reading, decide, fullness
from tests.budget.test_ledger import LIMITS, MB

NOW = datetime(2026, 11, 20, 12, 45, tzinfo=UTC)
OPEN = Gate(True, Cause.FLOWING, "", NOW)


def reading(committed_mb: float | None, *, free_mb: float = 500, disk_full: bool = False) -> Reading:
    return Reading(
        committed_bytes=None if committed_mb is None else int(committed_mb * MB),
        usage_bytes=0,
        videos_bytes=70 * MB,
        in_flight_bytes=9 * MB,
        free_bytes=int(free_mb * MB),
        disk_full=disk_full,
        trouble="" if committed_mb is not None else "/data/locked: Permission denied",
    )


def after(gate: Gate, *readings: Reading) -> Gate:
    for number, each in enumerate(readings, start=1):
        gate = decide(gate, each, LIMITS, NOW + timedelta(seconds=number))
    return gate


def test_it_closes_at_pause_and_not_a_byte_before() -> None:
    assert after(OPEN, reading(91.999999)).is_open
    closed = after(OPEN, reading(92))
    assert (closed.is_open, closed.cause) == (False, Cause.BUDGET)
    assert closed.reason == "committed 92.0 MB ≥ 92.0 MB (videos 70.0, in flight 9.0)"


def test_it_opens_at_resume_and_not_a_byte_before() -> None:
    closed = after(OPEN, reading(92))
    assert not after(closed, reading(80.000001)).is_open
    opened = after(closed, reading(80))
    assert (opened.is_open, opened.cause) == (True, Cause.FLOWING)
    assert opened.reason == "committed 80.0 MB ≤ 80.0 MB"


def test_what_changes_nothing_returns_the_same_gate() -> None:
    assert after(OPEN, reading(50)) is OPEN
    closed = after(OPEN, reading(92))
    assert after(closed, reading(95), reading(85)) is closed


def test_unknown_usage_means_closed() -> None:
    closed = after(OPEN, reading(None))
    assert (closed.is_open, closed.cause) == (False, Cause.UNKNOWN)
    assert "/data/locked: Permission denied" in closed.reason


def test_a_gate_that_closed_for_unknown_usage_alone_opens_when_it_is_known() -> None:
    assert after(OPEN, reading(85), reading(None), reading(85)).is_open
    assert not after(OPEN, reading(85), reading(None), reading(92)).is_open


def test_a_moment_of_unknown_usage_does_not_end_a_pause() -> None:
    closed = after(OPEN, reading(92), reading(None), reading(91))
    assert (closed.is_open, closed.cause) == (False, Cause.BUDGET)
    assert not after(closed, reading(80.1)).is_open
    assert after(closed, reading(80)).is_open


def test_the_floor_of_a_disk_closes_it() -> None:
    assert after(OPEN, reading(10, free_mb=5)).is_open
    closed = after(OPEN, reading(10, free_mb=4.9))
    assert (closed.is_open, closed.cause) == (False, Cause.FREE_SPACE)
    assert "4.90 MB" in closed.reason
    assert "5.00 MB" in closed.reason


@pytest.mark.parametrize("cause", [Cause.FREE_SPACE, Cause.DISK_FULL])
def test_after_a_full_disk_it_opens_with_free_space_and_at_resume(cause: Cause) -> None:
    full = reading(85, free_mb=1, disk_full=cause is Cause.DISK_FULL)
    closed = after(OPEN, full)
    assert (closed.is_open, closed.cause) == (False, cause)
    assert not after(closed, reading(80.1)).is_open
    assert not after(closed, reading(80, free_mb=1)).is_open
    assert after(closed, reading(80)).is_open


def test_a_pause_that_goes_on_for_another_cause_is_one_pause() -> None:
    closed = after(OPEN, reading(92))
    other = after(closed, reading(92, disk_full=True))
    assert other.cause is Cause.DISK_FULL
    assert other.since == closed.since


@settings(max_examples=300)
@given(
    st.lists(
        st.builds(
            reading,
            st.sampled_from((None, None, 79, 80, 81, 91, 92, 93)),
            free_mb=st.sampled_from((500, 500, 500, 500, 4.9, -1)),
            disk_full=st.sampled_from((False, False, False, True)),
        ),
        max_size=12,
    )
)
def test_it_never_flaps(readings: list[Reading]) -> None:
    """It closes only at pause, at the floor or unknown, and opens only at resume, or where no byte was the cause."""
    gate, paused_for_bytes = OPEN, False
    for each in readings:
        before, gate = gate, decide(gate, each, LIMITS, NOW)
        committed = each.committed_bytes
        short = each.disk_full or each.free_bytes < LIMITS.floor_bytes
        if committed is None or short or committed >= LIMITS.pause_bytes:
            assert not gate.is_open
        if not gate.is_open and committed is not None and (short or committed >= LIMITS.pause_bytes):
            paused_for_bytes = True
        if before.is_open and not gate.is_open:
            assert committed is None or short or committed >= LIMITS.pause_bytes
        if gate.is_open and not before.is_open:
            assert committed is not None
            assert committed <= LIMITS.resume_bytes or not paused_for_bytes
            paused_for_bytes = False
        assert gate.is_open == (gate.cause is Cause.FLOWING)


def test_a_disk_that_is_away_closes_it_with_that_reason_and_ends_no_pause_for_bytes() -> None:
    gone = replace(reading(None), away="the volume Archive is away")
    closed = after(OPEN, gone)
    assert (closed.is_open, closed.cause, closed.reason) == (False, Cause.AWAY, "the volume Archive is away")
    assert after(closed, reading(85)).is_open, "it was open at 85 before"
    paused = after(OPEN, reading(92))
    assert after(paused, gone) is paused
    assert not after(paused, gone, reading(85)).is_open
    assert after(after(OPEN, reading(None)), gone).cause is Cause.AWAY


def test_fullness_goes_from_resume_to_pause() -> None:
    assert fullness(80 * MB, LIMITS) == 0
    assert fullness(86 * MB, LIMITS) == 0.5
    assert fullness(92 * MB, LIMITS) == 1
    assert fullness(70 * MB, LIMITS) < 0


def test_the_time_of_a_change_is_kept() -> None:
    closed = decide(OPEN, reading(95), LIMITS, NOW + timedelta(minutes=1))
    assert closed.since == NOW + timedelta(minutes=1)
    opened = decide(closed, reading(10), LIMITS, NOW + timedelta(minutes=9))
    assert opened == replace(opened, since=NOW + timedelta(minutes=9))
