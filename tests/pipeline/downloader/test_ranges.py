from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.pipeline.downloader.ranges import (
    Answer,
    Recorded,
    declared_size,
    http_date,
    judge,
    range_headers,
    retry_after_s,
    strong_etag,
    strong_last_modified,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SIZES = st.integers(min_value=0, max_value=10**15)
MODIFIED = "Mon, 01 Jun 2026 10:00:00 GMT"


@pytest.mark.parametrize("text", ['"abc"', '""', '"\xe9"'])
def test_a_quoted_entity_tag_is_strong(text: str) -> None:
    assert strong_etag(text) == text


@pytest.mark.parametrize("text", ['W/"abc"', "abc", '"abc', '"a"b"', '"a\r\nX: y"', "", None])
def test_a_weak_or_malformed_entity_tag_is_not(text: str | None) -> None:
    assert strong_etag(text) is None


@pytest.mark.parametrize(
    ("date", "strong"),
    [
        ("Mon, 01 Jun 2026 10:01:00 GMT", True),
        ("Mon, 01 Jun 2026 10:00:59 GMT", False),
        (MODIFIED, False),
        ("Mon, 01 Jun 2026 09:00:00 GMT", False),
        (None, False),
        ("yesterday", False),
    ],
)
def test_a_date_is_strong_only_well_before_the_answer(date: str | None, *, strong: bool) -> None:
    assert (strong_last_modified(MODIFIED, date) == MODIFIED) is strong


def test_nothing_is_resumed_without_a_validator_or_without_bytes() -> None:
    assert range_headers(Recorded(10)) == {}
    assert range_headers(Recorded(0, '"a"')) == {}


def test_the_entity_tag_goes_before_the_date() -> None:
    assert range_headers(Recorded(10, '"a"', MODIFIED)) == {"Range": "bytes=10-", "If-Range": '"a"'}
    assert range_headers(Recorded(10, None, MODIFIED)) == {"Range": "bytes=10-", "If-Range": MODIFIED}


@given(have=SIZES, first=SIZES, last=SIZES, total=SIZES, declared=st.none() | SIZES)
def test_bytes_are_appended_only_where_they_belong(
    have: int, first: int, last: int, total: int, declared: int | None
) -> None:
    answer = judge(206, {"Content-Range": f"bytes {first}-{last}/{total}"}, Recorded(have, '"a"', None, declared))

    fits = have == first > 0 and first <= last == total - 1 and declared in {None, total}
    assert (answer is Answer.APPEND) is fits


@given(have=st.integers(1, 10**12), rest=st.integers(1, 10**12))
def test_the_exact_rest_is_appended(have: int, rest: int) -> None:
    total = have + rest
    headers = {"Content-Range": f"bytes {have}-{total - 1}/{total}", "Content-Length": str(rest), "ETag": '"a"'}

    assert judge(206, headers, Recorded(have, '"a"', None, total)) is Answer.APPEND
    assert declared_size(206, headers) == total
    assert judge(206, {**headers, "ETag": '"b"'}, Recorded(have, '"a"', None, total)) is Answer.MISMATCH
    assert judge(206, {**headers, "Content-Length": str(rest + 1)}, Recorded(have, '"a"')) is Answer.MISMATCH


def test_a_range_of_another_date_is_not_appended() -> None:
    headers = {"Content-Range": "bytes 5-9/10", "Last-Modified": "Tue, 02 Jun 2026 10:00:00 GMT"}
    assert judge(206, headers, Recorded(5, None, MODIFIED)) is Answer.MISMATCH


@given(have=SIZES, total=SIZES, declared=st.none() | SIZES)
def test_416_is_complete_only_at_exactly_the_recorded_size(have: int, total: int, declared: int | None) -> None:
    answer = judge(416, {"Content-Range": f"bytes */{total}"}, Recorded(have, '"a"', None, declared))
    assert (answer is Answer.COMPLETE) is (have == total == declared)


@given(size=st.integers(1, 10**15))
def test_416_at_the_recorded_size_is_complete(size: int) -> None:
    assert judge(416, {"Content-Range": f"bytes */{size}"}, Recorded(size, '"a"', None, size)) is Answer.COMPLETE


@given(text=st.text(max_size=40))
def test_no_text_of_a_header_raises(text: str) -> None:
    headers = {"Content-Range": text, "Content-Length": text, "ETag": text}
    assert judge(206, headers, Recorded(7, '"a"')) in set(Answer)
    assert judge(416, headers, Recorded(7, '"a"')) in set(Answer)
    declared = declared_size(200, headers)
    assert declared is None or declared >= 0
    assert http_date(text) is None or http_date(text) is not None
    wait = retry_after_s(text, NOW)
    assert wait is None or wait >= 0


def test_an_answer_that_is_no_range_starts_over() -> None:
    assert judge(200, {}, Recorded(7, '"a"')) is Answer.WHOLE


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "", "1,2", "٣", "9" * 30])
def test_a_length_that_is_no_plain_number_is_unknown(length: str) -> None:
    assert declared_size(200, {"Content-Length": length}) is None


@given(seconds=st.integers(0, 10**7))
def test_retry_after_is_read_as_seconds_and_as_a_date(seconds: int) -> None:
    assert retry_after_s(f" {seconds} ", NOW) == seconds
    at = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s(at, NOW) == seconds


@pytest.mark.parametrize(("text", "wait"), [(None, None), ("soon", None), ("-5", None), ("1.5", None)])
def test_retry_after_that_says_nothing_is_none(text: str | None, wait: float | None) -> None:
    assert retry_after_s(text, NOW) == wait


def test_retry_after_in_the_past_is_now_and_a_huge_one_stays_finite() -> None:
    assert retry_after_s("Mon, 01 Jun 2020 10:00:00 GMT", NOW) == 0
    assert retry_after_s("9" * 400, NOW) == 10**9
