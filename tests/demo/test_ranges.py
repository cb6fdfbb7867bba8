from __future__ import annotations

import pytest

from pulsetui.demo.ranges import UnsatisfiableError, select, still_holds


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=40-59", (40, 60)),
        ("bytes=99-", (99, 100)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=-", None),
        ("bytes=9-3", None),
        ("bytes=200-150", None),
        ("bytes=0-1,4-5", None),
        ("seconds=0-1", None),
        ("bytes=٠-١", None),
    ],
)
def test_a_range_selects_offsets_and_a_malformed_one_the_whole(
    header: str | None, part: tuple[int, int] | None
) -> None:
    assert select(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_unsatisfiable(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        select(header, 100)


@pytest.mark.parametrize(
    ("if_range", "holds"),
    [
        (None, True),
        ('"v1"', True),
        ("Fri, 20 Nov 2026 12:00:00 GMT", True),
        ('"v2"', False),
        ('W/"v1"', False),
        ("Fri, 20 Nov 2026 12:00:01 GMT", False),
    ],
)
def test_a_range_holds_only_for_the_version_that_if_range_names(if_range: str | None, *, holds: bool) -> None:
    assert still_holds(if_range, etag='"v1"', last_modified="Fri, 20 Nov 2026 12:00:00 GMT") is holds
