"""What screens and commands are shown of volumes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pulsetui.volumes.changes import Look
from pulsetui.volumes.judgement import judge
from pulsetui.volumes.overview import roots_on, view_of
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.views import CapacityPoint, VolumeView
from tests.volumes.sights import GB, MARKER, NOW, record, sight


def shown(detected: list[Detected], records: list[Record], past: dict[int, list[CapacityPoint]]) -> list[VolumeView]:
    return list(view_of(Look(NOW, judge(detected, records)), past, ()))


def test_tracked_ones_come_first_each_in_order_of_name() -> None:
    detected = [sight("b"), sight("c", marker=MARKER), sight("a")]
    names = [one.name for one in shown(detected, [record("c", display_name="Zebra"), record("d", 2)], {})]
    assert names == ["/mnt/d", "Zebra", "/mnt/a", "/mnt/b"]


def test_one_that_is_away_shows_what_was_last_seen() -> None:
    (away,) = shown([], [record()], {1: [CapacityPoint(NOW, 40 * GB, 100 * GB)]})
    assert (away.state, away.mount_points, away.last_mount_point) == ("offline", (), Path("/mnt/archive"))
    assert (away.total_bytes, away.available_bytes, away.used_bytes) == (100 * GB, 60 * GB, 40 * GB)
    assert (away.total_inodes, away.growth_bytes_per_day, away.full_in_s) == (None, None, None)
    assert len(away.history) == 1


def test_one_that_does_not_answer_shows_no_figures_unless_it_is_tracked() -> None:
    silent = sight(is_hanging=True, total_bytes=0, available_bytes=0)
    (unknown,) = shown([silent], [], {})
    assert (unknown.state, unknown.total_bytes, unknown.used_bytes) == ("untracked", None, None)
    (known,) = shown([silent], [record()], {})
    assert (known.state, known.available_bytes) == ("unresponsive", 60 * GB)


def test_growth_and_full_in_follow_from_the_history_that_is_shown() -> None:
    past = [CapacityPoint(NOW - timedelta(hours=ago), (40 - ago) * GB, 100 * GB) for ago in range(24, 0, -1)]
    (one,) = shown([sight(marker=MARKER)], [record()], {1: past})
    assert one.history == (*past, CapacityPoint(NOW, 40 * GB, 100 * GB))
    assert one.growth_bytes_per_day == pytest.approx(24 * GB)
    assert one.full_in_s == pytest.approx(60 * 3600)


def test_a_long_past_is_shown_in_a_bounded_number_of_points_up_to_now() -> None:
    past = [CapacityPoint(NOW - timedelta(hours=ago), ago * GB // 10, 100 * GB) for ago in range(500, 0, -1)]
    (one,) = shown([sight(marker=MARKER)], [record()], {1: past})
    assert len(one.history) == 120
    assert one.history[-1].at == NOW
    assert sorted(one.history, key=lambda point: point.at) == list(one.history)


def test_a_clone_beside_its_volume_is_a_row_of_its_own() -> None:
    tracked, clone = shown([sight(marker=MARKER), sight("archive", "/mnt/clone")], [record()], {})
    assert (tracked.state, clone.state, clone.is_tracked) == ("online", "quarantine", False)
    assert clone.quarantine
    assert tracked.fingerprint == clone.fingerprint


def test_one_that_could_not_be_marked_says_so() -> None:
    (one,) = shown([sight(read_only=True)], [record(marker="")], {})
    assert "could not be marked" in one.warnings[0]
    assert one.is_read_only


def test_a_root_is_on_the_volume_whose_mount_point_is_the_deepest_above_it() -> None:
    roots = [
        ("videos", Path("/mnt/archive/videos")),
        ("inner", Path("/mnt/archive/deep/er/files")),
        ("data", Path("/var/lib")),
    ]
    system, deep = sight("system", "/"), sight("deep", "/mnt/archive/deep")
    here = judge([system, deep, sight(marker=MARKER)], [record()])
    assert [set(names) for names in roots_on(here, roots)] == [{"videos"}, {"data"}, {"inner"}]
    # While it is away its roots are still its own, also when another one is in its place.
    away = judge([system], [record()])
    assert roots_on(away, roots) == [("videos", "inner"), ("data",)]
    swapped = judge([system, sight("new", "/mnt/archive")], [record()])
    assert [set(names) for names in roots_on(swapped, roots)] == [{"videos", "inner"}, {"data"}, {"videos", "inner"}]
