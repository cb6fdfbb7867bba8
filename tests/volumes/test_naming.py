"""Which volume an order means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pulsetui.errors import UsageError, VolumeNotFoundError
from pulsetui.volumes.judgement import judge
from pulsetui.volumes.naming import find, name_of
from tests.volumes.sights import MARKER, digits, record, sight


def test_a_fingerprint_its_first_digits_and_a_mount_point_name_a_volume() -> None:
    here = judge([sight("archive", "/mnt/archive", "/srv/a", marker=MARKER), sight("other")], [record()])
    whole = digits("archive")
    for wanted in (whole, whole[:4], whole.upper(), f" {whole[:9]} ", "/mnt/archive", "/srv/a", "/srv/a/"):
        assert find(wanted, here) == whole


def test_one_that_is_away_is_found_by_its_digits_and_where_it_was() -> None:
    away = judge([], [record()])
    assert find(digits("archive")[:6], away) == find("/mnt/archive", away) == digits("archive")
    swapped = judge([sight("new", "/mnt/archive")], [record()])
    assert find("/mnt/archive", swapped) == digits("new")


def test_what_is_unknown_is_not_found_and_what_is_no_fingerprint_is_wrong_usage() -> None:
    here = judge([sight()], [])
    for wanted in ("0000", "/mnt/nowhere", "0" * 32):
        with pytest.raises(VolumeNotFoundError):
            find(wanted, here)
    for wanted in ("archive", "12", digits("archive") + "0", "", "-1"):
        with pytest.raises(UsageError):
            find(wanted, here)


def test_an_ambiguous_prefix_names_what_it_may_be() -> None:
    several = [replace(sight(name), fingerprint=f"b4a1{digits(name)[4:]}") for name in ("one", "two")]
    with pytest.raises(UsageError) as caught:
        find("b4a1", judge(several, []))
    assert all(f"{one.fingerprint} ({one.mount_points[0]})" in str(caught.value) for one in several)
    assert find(several[0].fingerprint, judge(several, [])) == several[0].fingerprint


def test_a_name_from_outside_is_made_harmless() -> None:
    assert name_of(None, sight("x", "/mnt/\x1b[2J\udcff")) == "/mnt/\\x1b[2J\\xff"
    assert name_of(record(display_name="Archive"), sight()) == "Archive"
