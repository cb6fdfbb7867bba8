from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui import units


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("250 GB", 250_000_000_000),
        ("512MiB", 536_870_912),
        ("20MB", 20_000_000),
        ("1.5 kB", 1_500),
        ("1KB", 1_000),
        (" 3 tib ", 3 * 2**40),
        ("0", 0),
        ("17", 17),
        (4096, 4096),
        ("8 EB", 8 * 10**18),
    ],
)
def test_a_size_is_read_in_decimal_and_binary_units(text: str | int, size_bytes: int) -> None:
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "GB", "20 GB of", "20 G", "-1", -1, "1e3", "1_000", "٣ GB", "0.3 B", "10 EB", "1,5 GB", "20GB\x00"]
)
def test_a_size_with_anything_else_is_refused(text: str | int) -> None:
    with pytest.raises(ValueError, match="such as '250 GB'"):
        units.parse_size(text)


@pytest.mark.parametrize("given_value", [True, 1.5, None, [1]])
def test_a_size_of_another_type_is_refused(given_value: object) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        units.parse_size(given_value)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "rate"), [("10MB/s", 10_000_000), ("512 KiB / s", 524_288), (1_000, 1_000)])
def test_a_rate_is_a_size_a_second(text: str | int, rate: int) -> None:
    assert units.parse_rate(text) == rate


@pytest.mark.parametrize("text", ["10MB", "10MB/m", "/s", "x/s", "10MB/s/s", True])
def test_a_rate_without_a_size_or_per_second_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as '10MB/s'"):
        units.parse_rate(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("15m", 900),
        ("7d", 604_800),
        ("1h30m", 5_400),
        ("1h 30m", 5_400),
        ("0", 0),
        (0, 0),
        ("250ms", 0.25),
        ("2w", 1_209_600),
        ("1.5s", 1.5),
    ],
)
def test_a_duration_is_read_with_its_units(text: str | int, seconds: float) -> None:
    assert units.parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "30", 30, "30x", "30s later", "-5s", "30m1h", "1h1h", "0.0001ms", "99999d", "1 h 30", False, None]
)
def test_a_duration_with_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as '30s'"):
        units.parse_duration(text)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.00 kB"),
        (9_414_000, "9.41 MB"),
        (9_995_000, "10.0 MB"),
        (99_949_999, "99.9 MB"),
        (231_400_000_000, "231 GB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (-1_200_000_000, "-1.20 GB"),
        (12 * 10**21, "12000 EB"),
    ],
)
def test_a_size_is_shown_with_three_significant_digits(size_bytes: int, text: str) -> None:
    assert units.format_size(size_bytes) == text


@given(st.integers(min_value=0, max_value=10**20))
def test_a_shown_size_is_within_half_a_percent(size_bytes: int) -> None:
    number, unit = units.format_size(size_bytes).split(" ")
    shown = float(number) * 1000 ** ("B", "kB", "MB", "GB", "TB", "PB", "EB").index(unit)
    assert abs(shown - size_bytes) <= size_bytes * 0.005
    assert len(number.replace(".", "")) <= 3


@given(st.integers(min_value=0, max_value=units.MAX_BYTES))
def test_an_exact_size_parses_back_to_itself(size_bytes: int) -> None:
    assert units.parse_size(units.exact_size(size_bytes)) == size_bytes


@given(st.timedeltas(min_value=timedelta(0), max_value=units.MAX_DURATION))
def test_an_exact_duration_parses_back_to_itself(duration: timedelta) -> None:
    assert units.parse_duration(units.exact_duration(duration)) == duration


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (250 * 10**9, "250 GB"),
        (2**29, "512 MiB"),
        (0, "0 B"),
        (1_500, "1500 B"),
        (1_500_000, "1.5 MB"),
        (10**18 + 1, "1000000000000000001 B"),
    ],
)
def test_an_exact_size_takes_the_shortest_spelling(size_bytes: int, text: str) -> None:
    assert units.exact_size(size_bytes) == text


@given(st.text(alphabet="xyz!?+-/ \n\0٣", max_size=12))
def test_text_without_digits_is_refused_with_the_text_in_the_message(text: str) -> None:
    for parse in (units.parse_size, units.parse_rate, units.parse_duration):
        with pytest.raises(ValueError, match=re.escape(repr(text))):
            parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.9, "0s"),
        (12, "12s"),
        (252.9, "4m 12s"),
        (240, "4m"),
        (3_900, "1h 5m"),
        (273_600, "3d 4h"),
        (86_400, "1d"),
        (-252, "-4m 12s"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert units.format_duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(12, "12s"), (252, "4m"), (10_900, "3h"), (180_000, "2d"), (-5, "0s")])
def test_an_age_is_shown_in_its_largest_unit(seconds: float, text: str) -> None:
    assert units.format_age(seconds) == text


@pytest.mark.parametrize(("fraction", "text"), [(0.63, "63 %"), (0.29, "29 %"), (0.9999, "99 %"), (1, "100 %")])
def test_a_percentage_reaches_100_only_at_the_end(fraction: float, text: str) -> None:
    assert units.format_percent(fraction) == text


def test_a_rate_is_shown_like_a_size() -> None:
    assert units.format_rate(9_414_000.4) == "9.41 MB/s"
