from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pulsetui.pipeline.downloader.pacing import SlowWatch, Spacing, TokenBucket

TAKES = st.lists(st.tuples(st.integers(1, 2_000_000), st.floats(0, 5, allow_nan=False)), min_size=1, max_size=60)


@given(takes=TAKES, rate=st.integers(1_000, 10_000_000))
def test_a_client_that_waits_as_told_never_passes_the_rate(takes: list[tuple[int, float]], rate: int) -> None:
    bucket = TokenBucket(rate)
    now, taken = 100.0, 0
    for size, pause_s in takes:
        now += pause_s
        now += bucket.take(size, now)
        taken += size
        assert taken <= rate * (now - 100.0 + 1.0) * (1 + 1e-9) + 1


@given(size=st.integers(1, 10_000_000), rate=st.integers(1_000, 1_000_000))
def test_the_wait_is_no_longer_than_the_rate_asks_for(size: int, rate: int) -> None:
    bucket = TokenBucket(rate)
    assert bucket.take(size, 5.0) == max(0.0, (size - rate) / rate)


def test_two_downloads_share_one_limit() -> None:
    bucket = TokenBucket(1_000)
    bucket.take(1_000, 0.0)
    assert bucket.take(1_000, 0.0) == 1.0
    assert bucket.take(1_000, 0.0) == 2.0


def test_without_a_limit_nothing_waits() -> None:
    assert TokenBucket(None).take(10**12, 0.0) == 0.0


@given(st.lists(st.floats(0, 3, allow_nan=False), min_size=2, max_size=40), st.floats(0.5, 50))
def test_requests_to_a_host_are_spaced_and_no_more(pauses: list[float], per_second: float) -> None:
    spacing, now, starts = Spacing(per_second), 0.0, []
    for pause_s in pauses:
        now += pause_s
        starts.append(now + spacing.reserve("host", now))
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    assert all(gap >= 1 / per_second - 1e-6 for gap in gaps)
    assert starts[0] == pauses[0]


def test_another_host_does_not_wait() -> None:
    spacing = Spacing(1.0)
    spacing.reserve("one", 0.0)
    assert spacing.reserve("one", 0.0) == 1.0
    assert spacing.reserve("two", 0.0) == 0.0


def test_many_hosts_are_forgotten_again_but_not_those_that_wait() -> None:
    spacing = Spacing(1.0)
    for number in range(5_000):
        spacing.reserve(str(number), float(number))
    spacing.reserve("busy", 5_000.0)
    for number in range(5_000, 5_900):
        spacing.reserve(str(number), 5_000.0)
    assert spacing.reserve("busy", 5_000.0) == 1.0
    assert len(spacing._next) < 2_000


def test_a_trickle_is_too_slow_at_the_end_of_its_window() -> None:
    watch = SlowWatch(1_000, 60)
    assert not watch.note(10, 29)
    assert not watch.note(10, 29)
    assert watch.note(10, 29)


def test_each_window_is_measured_by_itself() -> None:
    watch = SlowWatch(1_000, 60)
    assert not watch.note(10**9, 60)
    assert watch.note(59_999, 60)
    assert not watch.note(60_000, 60)


def test_time_that_was_not_waited_for_the_source_does_not_count() -> None:
    watch = SlowWatch(1_000, 60)
    assert not any(watch.note(1, 0.0) for _ in range(1_000))


def test_zero_is_never_too_slow() -> None:
    assert not SlowWatch(0, 1).note(0, 100)
