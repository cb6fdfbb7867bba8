"""What HTTP says about a part of a body: which validators are strong, what an answer means, when to come back.

Pure rules over header texts, after RFC 9110. The invariant: bytes are only ever added to a partial file when the
server proved, by a strong validator, that they belong to the same representation, and that they start exactly where
it ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto

_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_DIGITS = r"[0-9]{1,18}"
_CONTENT_RANGE = re.compile(rf"bytes ({_DIGITS})-({_DIGITS})/({_DIGITS})", re.ASCII | re.IGNORECASE)
_UNSATISFIED = re.compile(rf"bytes \*/({_DIGITS})", re.ASCII | re.IGNORECASE)

_SURE_APART = timedelta(seconds=60)
"""RFC 9110 §8.8.2.2 asks for one second if Date and Last-Modified surely come from one clock, which nobody can know."""
_LONGEST_S = 10**9


@dataclass(frozen=True, slots=True)
class Recorded:
    """A partial file and what was recorded of the source when it was begun."""

    have_bytes: int = 0
    etag: str | None = None
    last_modified: str | None = None
    declared_bytes: int | None = None

    @property
    def validator(self) -> str | None:
        """What goes into `If-Range`: the strong entity tag, else the date, else None (it can't be resumed)."""
        return self.etag or self.last_modified


class Answer(Enum):
    """What to do with the answer to a ranged request."""

    WHOLE = auto()
    """The body is the whole representation: start over."""
    APPEND = auto()
    """The body goes on where the partial file ends."""
    COMPLETE = auto()
    """The partial file is the whole body already."""
    MISMATCH = auto()
    """It fits nothing: ask again without a range."""


def strong_etag(text: str | None) -> str | None:
    """Return an entity tag if it is well-formed and strong (RFC 9110 §8.8.3), else None."""
    return text if text and _STRONG_ETAG.fullmatch(text) else None


def strong_last_modified(last_modified: str | None, date: str | None) -> str | None:
    """Return Last-Modified if it is a strong validator: well before the answer's own Date (RFC 9110 §8.8.2.2)."""
    modified, answered = http_date(last_modified), http_date(date)
    if modified is None or answered is None or answered - modified < _SURE_APART:
        return None
    return last_modified


def http_date(text: str | None) -> datetime | None:
    """Return an HTTP-date as an aware time, or None if it isn't one."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def range_headers(recorded: Recorded) -> dict[str, str]:
    """Return the headers that ask for the rest; none if there is nothing to resume or no strong validator."""
    if recorded.have_bytes <= 0 or recorded.validator is None:
        return {}
    return {"Range": f"bytes={recorded.have_bytes}-", "If-Range": recorded.validator}


def judge(status: int, headers: Mapping[str, str], recorded: Recorded) -> Answer:
    """Say what a 200, 206 or 416 means for the partial file, given that `range_headers(recorded)` were sent."""
    if status == 206:
        return Answer.APPEND if _continues(headers, recorded) else Answer.MISMATCH
    if status == 416:
        total = _UNSATISFIED.fullmatch(headers.get("Content-Range", "").strip())
        complete = total is not None and int(total[1]) == recorded.have_bytes == recorded.declared_bytes
        return Answer.COMPLETE if complete else Answer.MISMATCH
    return Answer.WHOLE


def declared_size(status: int, headers: Mapping[str, str]) -> int | None:
    """Return the size of the whole body that a 200 or a 206 declares, or None."""
    if status == 206:
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        return int(match[3]) if match else None
    length = headers.get("Content-Length", "").strip()
    return int(length) if re.fullmatch(_DIGITS, length, re.ASCII) else None


def retry_after_s(text: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After asks for (RFC 9110 §10.2.3), or None if there is none; not capped."""
    if not text:
        return None
    text = text.strip()
    if re.fullmatch(r"[0-9]+", text, re.ASCII):
        return float(min(int(text[:18]), _LONGEST_S))
    moment = http_date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _continues(headers: Mapping[str, str], recorded: Recorded) -> bool:
    """Check Content-Range exactly, and the validator again, which a 206 repeats (RFC 9110 §15.3.7)."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if match is None:
        return False
    first, last, total = int(match[1]), int(match[2]), int(match[3])
    length = headers.get("Content-Length")
    return (
        0 < recorded.have_bytes == first <= last == total - 1
        and recorded.declared_bytes in {None, total}
        and (length is None or length.strip() == str(last - first + 1))
        and (recorded.etag is None or headers.get("ETag") in {None, recorded.etag})
        and (recorded.last_modified is None or headers.get("Last-Modified") in {None, recorded.last_modified})
    )
