"""Byte ranges of HTTP (RFC 9110 §14), as pure functions for the demo's server: a header and a size in, offsets out."""

from __future__ import annotations

import re

_SINGLE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)


class UnsatisfiableError(ValueError):
    """The range lies wholly behind the end: the answer is 416."""


def select(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Return the offsets (first, past the last) that a Range header asks for, or None for the whole.

    None also where the header is malformed or names several ranges: a server may ignore it then (§14.2).

    Raises:
        UnsatisfiableError: no byte of the range exists.
    """
    match = _SINGLE.fullmatch(header.strip()) if header else None
    if match is None or match.group(0).endswith("=-"):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size_bytes - int(last)), size_bytes
    else:
        start, stop = int(first), min(int(last or size_bytes) + 1, size_bytes)
        if last and int(last) < int(first):
            return None
    if start >= stop:
        raise UnsatisfiableError
    return start, stop


def still_holds(if_range: str | None, *, etag: str, last_modified: str) -> bool:
    """Tell whether a Range header may be followed: its If-Range names this version, or there is none (§13.1.5).

    Weak tags never match, and dates only exactly.
    """
    return if_range is None or if_range in {etag, last_modified}
