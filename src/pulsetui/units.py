"""Sizes, rates, durations and percentages: text to number and back.

Parsing is whole: text that is a number and a unit and nothing else, or a `ValueError` that says what is accepted. GB is
10⁹ bytes and GiB 2³⁰. `format_…` is for people, at three significant digits; `exact_…` is for files, and parses back to
the same value. Where a value comes from and which key it belongs to is left to `settings`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

SIZES = "a whole number of bytes or a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as '250 GB' or '512MiB'"
RATES = "a size a second, such as '10MB/s' or '512 KiB/s'"
DURATIONS = "numbers with w, d, h, m, s or ms, largest first, such as '30s', '15m', '7d' or '1h30m', or '0'"

MAX_BYTES = 2**63 - 1
"""What an SQLite integer holds."""
MAX_DURATION = timedelta(days=36_500)

_DECIMAL_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_BYTES_IN = {
    **{unit.lower(): 1000**power for power, unit in enumerate(_DECIMAL_UNITS)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgtpe", start=1)},
}
_MICROSECONDS_IN = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_SIZE = re.compile(rf"\s*({_NUMBER})\s*([a-z]*)\s*", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(rf"\s*(?:{_NUMBER}\s*(?:ms|w|d|h|m|s)\s*)+", re.ASCII)
_DURATION_PART = re.compile(rf"({_NUMBER})\s*(ms|w|d|h|m|s)", re.ASCII)


def parse_size(given: str | int) -> int:
    """Return the bytes that `given` names; a number without a unit is bytes.

    Raises:
        ValueError: it isn't a size, is negative, or isn't whole bytes.
    """
    text = given if isinstance(given, str) else "" if isinstance(given, bool | float) else str(given)
    match = _SIZE.fullmatch(text)
    scale = _BYTES_IN.get(match[2].lower() or "b") if match else None
    if match is None or scale is None:
        raise ValueError(f"{given!r} is not a size; use {SIZES}")
    size = Fraction(match[1]) * scale
    if size.denominator != 1 or not 0 <= size <= MAX_BYTES:
        raise ValueError(f"{given!r} is not a whole number of bytes from 0 to 9.22 EB; use {SIZES}")
    return int(size)


def parse_rate(given: str | int) -> int:
    """Return the bytes a second that `given` names; a bare number is bytes a second.

    Raises:
        ValueError: it isn't a rate.
    """
    if isinstance(given, int) and not isinstance(given, bool):
        return parse_size(given)
    amount, slash, per = str(given).strip().rpartition("/")
    if not slash or per.strip() != "s":
        raise ValueError(f"{given!r} is not a rate; use {RATES}")
    try:
        return parse_size(amount)
    except ValueError as error:
        raise ValueError(f"{given!r} is not a rate; use {RATES}") from error


def parse_duration(given: str | int) -> timedelta:
    """Return the duration that `given` names. Only 0 may stand without a unit.

    Raises:
        ValueError: it isn't a duration, a unit is repeated or out of order, or it is longer than a century.
    """
    if given in ("0", 0) and not isinstance(given, bool):
        return timedelta(0)
    if not isinstance(given, str) or not _DURATION.fullmatch(given):
        raise ValueError(f"{given!r} is not a duration; use {DURATIONS}")
    parts = _DURATION_PART.findall(given)
    scales = [_MICROSECONDS_IN[unit] for _, unit in parts]
    if any(later >= earlier for earlier, later in pairwise(scales)):
        raise ValueError(f"{given!r} is not a duration; use {DURATIONS}")
    microseconds = sum((Fraction(number) * scale for (number, _), scale in zip(parts, scales, strict=True)), Fraction())
    if microseconds.denominator != 1 or microseconds > MAX_DURATION // timedelta(microseconds=1):
        raise ValueError(f"{given!r} is finer than a microsecond or longer than 36500d; use {DURATIONS}")
    return timedelta(microseconds=int(microseconds))


def format_size(size_bytes: int) -> str:
    """Return bytes at three significant digits in decimal units: `231 GB`, `9.41 MB`, `999 B`, `0 B`."""
    sign, rest = ("-", -size_bytes) if size_bytes < 0 else ("", size_bytes)
    if rest < 1000:
        return f"{sign}{rest} B"
    scale = 1
    for unit in _DECIMAL_UNITS[1:]:
        scale *= 1000
        if (value := _three_digits(rest, scale)) or unit == _DECIMAL_UNITS[-1]:
            return f"{sign}{value or _rounded(rest, scale)} {unit}"
    raise AssertionError("the last unit takes every size")


def format_in_unit_of(size_bytes: int, other_bytes: int) -> str:
    """Return bytes without a unit, in that of another size, at one decimal: 9.2 beside `230 GB`."""
    unit = format_size(other_bytes).rpartition(" ")[2]
    return f"{size_bytes / _BYTES_IN[unit.lower()]:,.1f}"


def format_rate(bytes_per_s: float) -> str:
    """Return a rate at three significant digits: `9.41 MB/s`."""
    return f"{format_size(round(bytes_per_s))}/s"


def format_duration(seconds: float) -> str:
    """Return a finite duration in its two largest units, floored: `12s`, `4m 12s`, `1h 5m`, `3d 4h`."""
    sign, whole = ("-", int(-seconds)) if seconds <= -1 else ("", max(0, int(seconds)))
    for large, small, scale, step in (("d", "h", 86_400, 3_600), ("h", "m", 3_600, 60), ("m", "s", 60, 1)):
        if whole >= scale:
            rest = whole % scale // step
            return f"{sign}{whole // scale}{large}" + (f" {rest}{small}" if rest else "")
    return f"{sign}{whole}s"


def format_age(seconds: float) -> str:
    """Return how long ago in the largest unit, floored: `12s`, `4m`, `3h`, `2d`. A time in the future is `0s`."""
    return format_duration(max(0.0, seconds)).partition(" ")[0]


def format_percent(fraction: float) -> str:
    """Return a fraction as whole percent, floored so that `100 %` means all of it: `63 %`."""
    return f"{int(round(fraction * 100, 9))} %"


def exact_size(size_bytes: int) -> str:
    """Return the shortest text that `parse_size` reads as exactly this many bytes: `250 GB`, `1.5 kB`, `512 MiB`."""
    spellings = [f"{size_bytes} B"]
    for power, unit in enumerate(_DECIMAL_UNITS[1:], start=1):
        if size_bytes >= 1000**power:
            spellings.append(f"{Decimal(size_bytes).scaleb(-3 * power).normalize():f} {unit}")
    for power, letter in enumerate("KMGTPE", start=1):
        if size_bytes and size_bytes % 1024**power == 0:
            spellings.append(f"{size_bytes // 1024**power} {letter}iB")
    return min(spellings, key=len)


def exact_duration(duration: timedelta) -> str:
    """Return text that `parse_duration` reads as exactly this duration, zero or longer: `30s`, `1h30m`, `0s`."""
    rest = duration // timedelta(microseconds=1)
    text = ""
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, _MICROSECONDS_IN[unit])
        text += f"{count}{unit}" if count else ""
    if rest or not text:
        text += f"{Decimal(rest).scaleb(-6).normalize():f}s"
    return text


def _three_digits(number: int, scale: int) -> str:
    """Return `number / scale` rounded to three significant digits, half up, or nothing if it takes more.

    999.6 would become 1000, which belongs to the next unit. In whole numbers: a treemap writes thousands of sizes.
    """
    if (hundredths := _rounded(100 * number, scale)) < 1000:
        return f"{hundredths // 100}.{hundredths % 100:02}"
    if (tenths := _rounded(10 * number, scale)) < 1000:
        return f"{tenths // 10}.{tenths % 10}"
    ones = _rounded(number, scale)
    return str(ones) if ones < 1000 else ""


def _rounded(number: int, scale: int) -> int:
    return (2 * number + scale) // (2 * scale)
