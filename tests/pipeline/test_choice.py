"""Which of the ready jobs goes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pulsetui.pipeline.choice import (
    AGED,
    HOLD_THE_LINE_AFTER,
    download_order,
    holds_the_line,
    parts_to_transcribe,
    percentile_99,
    rank_of,
    to_give_up,
    transcription_order,
)
from pulsetui.pipeline.jobs import Job
from tests.pipeline.test_states import JOB, NOW, VIDEO, WAITING

MB = 10**6


def queued(number: int, *, size: int | None = None, priority: int = 0) -> Job:
    return replace(JOB, id=number, declared_bytes=size, priority=priority)


def downloaded(number: int, *, mb: int, minutes: float, priority: int = 0, waited: timedelta = timedelta(0)) -> Job:
    return replace(
        WAITING,
        id=number,
        video=replace(VIDEO, allocated_bytes=mb * MB),
        duration_s=minutes * 60,
        priority=priority,
        stage_since=NOW - waited,
    )


def ids(jobs: list[Job]) -> list[int]:
    return [job.id for job in jobs]


def test_while_there_is_room_the_claim_order_stands() -> None:
    jobs = [queued(1, size=900), queued(2, size=10), queued(3)]
    assert ids(download_order(jobs, fullness=0.5)) == [1, 2, 3]
    assert ids(download_order(jobs, fullness=-3)) == [1, 2, 3]


def test_past_half_full_small_ones_come_first_and_unknown_ones_last() -> None:
    jobs = [queued(1, size=900), queued(2), queued(3, size=10)]
    assert ids(download_order(jobs, fullness=0.51)) == [3, 1, 2]


def test_a_smaller_one_of_lower_priority_does_not_overtake() -> None:
    jobs = [queued(1, size=900, priority=5), queued(2, size=10), queued(3, size=20, priority=5)]
    assert ids(download_order(jobs, fullness=2)) == [3, 1, 2]


def test_the_transcription_that_frees_most_per_minute_goes_first() -> None:
    jobs = [
        downloaded(1, mb=100, minutes=10),
        downloaded(2, mb=100, minutes=5),
        downloaded(3, mb=900, minutes=60),
    ]
    assert ids(transcription_order(jobs, NOW)) == [2, 3, 1]


def test_priority_goes_before_what_is_freed() -> None:
    jobs = [downloaded(1, mb=900, minutes=1), downloaded(2, mb=1, minutes=60, priority=1)]
    assert ids(transcription_order(jobs, NOW)) == [2, 1]


def test_what_waited_an_hour_goes_before_what_frees_more() -> None:
    jobs = [
        downloaded(1, mb=900, minutes=1),
        downloaded(2, mb=1, minutes=60, waited=AGED),
        downloaded(3, mb=1, minutes=60, waited=AGED * 2),
        downloaded(4, mb=2, minutes=60, waited=AGED - timedelta(seconds=1)),
    ]
    assert ids(transcription_order(jobs, NOW)) == [3, 2, 1, 4]


def test_media_of_unknown_duration_does_not_break_the_order() -> None:
    unknown = replace(downloaded(1, mb=5, minutes=1), duration_s=None)
    assert ids(transcription_order([downloaded(2, mb=1, minutes=60), unknown], NOW)) == [1, 2]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 9)), max_size=20),
    st.floats(-1, 2),
)
def test_an_order_leaves_nobody_out(drawn: list[tuple[int, int | None]], fullness: float) -> None:
    jobs = [queued(number, size=size, priority=priority) for number, (priority, size) in enumerate(drawn)]
    assert sorted(ids(download_order(jobs, fullness=fullness))) == ids(jobs)
    assert sorted(ids(transcription_order(jobs, NOW))) == ids(jobs)


def test_what_did_not_fit_for_ten_minutes_holds_the_line() -> None:
    assert not holds_the_line(None, NOW)
    assert not holds_the_line(NOW - HOLD_THE_LINE_AFTER + timedelta(seconds=1), NOW)
    assert holds_the_line(NOW - HOLD_THE_LINE_AFTER, NOW)


def test_an_hour_of_waiting_weighs_as_much_as_a_step_of_priority() -> None:
    hour = timedelta(hours=1)
    assert rank_of(NOW, 1) == rank_of(NOW - hour, 0)
    assert rank_of(NOW, 3) < rank_of(NOW, 2)
    assert rank_of(NOW - hour, 0) < rank_of(NOW, 0)


def test_the_least_urgent_partial_file_is_given_up_first() -> None:
    jobs = [queued(1), queued(2, priority=9), queued(3)]
    chosen = to_give_up(jobs)
    assert chosen is not None
    assert chosen.id == 3
    assert to_give_up([]) is None


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300))
def test_the_percentile_is_one_of_the_sizes_that_99_of_100_stay_within(sizes: list[int]) -> None:
    found = percentile_99(sizes)
    assert found in sizes
    assert sum(size <= found for size in sizes) >= 0.99 * len(sizes)


def test_the_percentile_leaves_one_in_a_hundred_out() -> None:
    assert percentile_99(range(1, 101)) == 99
    assert percentile_99(range(1, 201)) == 198
    assert percentile_99([7]) == 7
    assert percentile_99([]) is None


def test_transcribing_is_reserved_by_duration_or_else_by_size() -> None:
    known = parts_to_transcribe(downloaded(1, mb=100, minutes=10))
    assert known.video == 0
    assert 600 * 32_000 <= known.audio <= 601 * 32_000 + 100_000
    unknown = parts_to_transcribe(replace(WAITING, duration_s=None, video=replace(VIDEO, size_bytes=100 * MB)))
    assert unknown.video == 0
    assert unknown.audio >= 10 * MB
