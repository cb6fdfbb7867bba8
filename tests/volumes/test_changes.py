"""What a look changed is told once, and a look that finds everything as it was tells nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pulsetui.events.base import Event
from pulsetui.volumes.changes import Look, look
from pulsetui.volumes.events import (
    VolumeAdded,
    VolumeError,
    VolumeFilling,
    VolumeMountChanged,
    VolumeRemoved,
    VolumeUpdated,
)
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.views import CapacityPoint
from tests.volumes.sights import GB, MARKER, NOW, record, sight

STEP = timedelta(seconds=30)
HOUR = timedelta(hours=1)


class Eyes:
    """Looks again and again, and keeps what a look makes of the records, as the monitor does."""

    def __init__(self, *records: Record) -> None:
        self.records: tuple[Record, ...] = records
        self.past: dict[int, list[CapacityPoint]] = {}
        self.now = NOW
        self.before: Look | None = None

    def see(self, *detected: Detected, after: timedelta = STEP) -> tuple[Event, ...]:
        self.now += after
        warning = timedelta(hours=48)
        self.before, told = look(self.before, detected, self.records, self.past, now=self.now, full_warning=warning)
        self.records = self.before.records
        return told


def kinds(events: tuple[Event, ...]) -> list[type[Event]]:
    return [type(event) for event in events]


def test_the_first_look_of_an_owner_tells_nothing_that_the_records_have() -> None:
    eyes = Eyes(record())
    assert eyes.see(sight(marker=MARKER), sight("stranger")) == ()
    assert eyes.records[0].last_seen_at == eyes.now
    assert eyes.see(sight(marker=MARKER), sight("stranger")) == ()


def test_a_volume_that_goes_and_comes_back_is_told_of_once_each() -> None:
    eyes = Eyes(record(display_name="Archive"))
    eyes.see(sight(marker=MARKER))
    (gone,) = eyes.see()
    assert isinstance(gone, VolumeRemoved)
    assert (gone.tracked, gone.mount_point, gone.in_its_place) == (True, "/mnt/archive", "")
    assert eyes.see(after=HOUR) == ()
    assert not eyes.records[0].is_online
    assert eyes.records[0].last_seen_at == NOW + STEP
    (back,) = eyes.see(sight("archive", "/media/usb", marker=MARKER))
    assert isinstance(back, VolumeAdded)
    assert back.away_s == (HOUR + 2 * STEP).total_seconds()
    assert back.text() == "volume Archive is online at /media/usb after 1h 1m"
    assert eyes.records[0].mount_point == Path("/media/usb")


def test_what_came_in_its_place_is_said_and_its_record_stays_as_it_was() -> None:
    eyes = Eyes(record())
    eyes.see(sight(marker=MARKER))
    before = eyes.records[0]
    gone, new = eyes.see(sight("new", "/mnt/archive", available_bytes=5))
    assert isinstance(gone, VolumeRemoved)
    assert gone.in_its_place == "UUID new"
    assert isinstance(new, VolumeAdded)
    assert not new.tracked
    assert eyes.records == (replace(before, is_online=False),)


def test_a_clone_changes_nothing_of_the_record_but_its_state() -> None:
    eyes = Eyes(record())
    eyes.see(sight(marker=MARKER))
    before = eyes.records[0]
    (told,) = eyes.see(sight("archive", "/mnt/clone", available_bytes=1))
    assert isinstance(told, VolumeError)
    assert told.state == "quarantine"
    assert eyes.records == (replace(before, is_online=False, quarantine=told.error),)
    assert eyes.see(sight("archive", "/mnt/clone", available_bytes=1)) == ()


def test_a_quarantine_that_needs_a_human_outlives_the_mounts_and_a_restart() -> None:
    eyes = Eyes(record())
    eyes.see(sight(marker=MARKER), sight("archive", "/mnt/clone", marker=MARKER))
    (asked,) = eyes.records
    assert asked.needs_decision
    again = Eyes(asked)
    assert again.see(sight("archive", "/mnt/clone", marker=MARKER)) == ()
    assert again.records[0].quarantine == asked.quarantine
    assert kinds(again.see()) == [VolumeRemoved]
    assert again.records[0].needs_decision
    assert kinds(again.see(sight(marker=MARKER))) == [VolumeError]


def test_one_that_stops_answering_is_an_error_once_and_back_when_it_answers() -> None:
    eyes = Eyes(record())
    eyes.see(sight(marker=MARKER))
    assert kinds(eyes.see(sight(is_hanging=True))) == [VolumeError]
    assert eyes.see(sight(is_hanging=True)) == ()
    assert eyes.records[0].available_bytes == 60 * GB
    assert kinds(eyes.see(sight(marker=MARKER))) == [VolumeAdded]


@pytest.mark.parametrize(
    "moved",
    [
        sight("archive", "/mnt/archive", "/srv/a", marker=MARKER),
        sight("archive", "/srv/a", marker=MARKER),
        sight(read_only=True, marker=MARKER),
    ],
)
def test_other_mount_points_and_other_rights_are_told(moved: Detected) -> None:
    eyes = Eyes(record())
    eyes.see(sight(marker=MARKER))
    (told,) = eyes.see(moved)
    assert isinstance(told, VolumeMountChanged)
    assert told.before == ("/mnt/archive",)
    assert told.read_only == moved.is_read_only
    assert eyes.see(moved) == ()


def test_a_restart_knows_one_mount_point_only_and_doubts_no_other() -> None:
    both = sight("archive", "/srv/a", "/mnt/archive", marker=MARKER)
    assert Eyes(record()).see(both) == ()
    assert kinds(Eyes(record()).see(sight("archive", "/srv/a", marker=MARKER))) == [VolumeMountChanged]
    assert kinds(Eyes(record()).see(sight(read_only=True, marker=MARKER))) == [VolumeMountChanged]


def test_capacity_is_told_when_it_comes_to_a_hundredth_since_it_was_told() -> None:
    eyes = Eyes(record())
    told = [eyes.see(sight(marker=MARKER, available_bytes=60 * GB - step * GB * 4 // 10)) for step in range(6)]
    assert [len(events) for events in told] == [0, 0, 0, 1, 0, 0]
    (event,) = told[3]
    assert isinstance(event, VolumeUpdated)
    assert event.text() == "volume /mnt/archive: 58.8 GB of 100 GB free, 1.20 GB less"
    assert eyes.records[0].available_bytes == 58 * GB
    assert kinds(eyes.see(sight(marker=MARKER, available_bytes=58 * GB, total_bytes=101 * GB))) == [VolumeUpdated]


def test_of_strangers_disks_and_shares_are_told_of_and_containers_not() -> None:
    eyes = Eyes()
    eyes.see()
    share, layer = sight("nas", kind="network"), sight("layer", kind="overlay")
    assert kinds(eyes.see(sight(), share, layer, sight("tmp", kind="memory"))) == [VolumeAdded, VolumeAdded]
    assert kinds(eyes.see(sight("archive", "/srv/a"), share)) == [VolumeMountChanged]
    assert kinds(eyes.see(share)) == [VolumeRemoved]


def test_tracking_and_untracking_are_no_coming_and_going() -> None:
    eyes = Eyes()
    eyes.see(sight())
    eyes.records = (record(),)
    assert eyes.see(sight(marker=MARKER)) == ()
    eyes.records = ()
    assert eyes.see(sight(marker=MARKER)) == ()


def filling(eyes: Eyes, hours: int, gb_per_hour: float) -> list[Event]:
    """Fill a volume, or empty it, and return the warnings."""
    told: list[Event] = []
    for _ in range(hours):
        before = eyes.records[0].available_bytes
        told += eyes.see(sight(marker=MARKER, available_bytes=before - int(gb_per_hour * GB)), after=HOUR)
        (now,) = eyes.records
        eyes.past.setdefault(now.id, []).append(
            CapacityPoint(eyes.now, now.total_bytes - now.available_bytes, now.total_bytes)
        )
    return [event for event in told if isinstance(event, VolumeFilling)]


def test_a_volume_that_fills_up_is_warned_of_once_on_the_edge_and_with_the_time() -> None:
    eyes = Eyes(record(told_bytes=0))
    (warning,) = filling(eyes, 20, 1.0)
    assert isinstance(warning, VolumeFilling)
    assert 46 * 3600 < warning.full_in_s <= 48 * 3600
    at = datetime.fromisoformat(warning.full_at)
    assert warning.text().startswith(f"volume /mnt/archive is full in 2d ({at:%Y-%m-%d %H:%M} UTC): ")
    assert eyes.records[0].is_filling
    restarted = Eyes(*eyes.records)
    restarted.past, restarted.now = eyes.past, eyes.now
    assert filling(restarted, 3, 1.0) == []
    assert filling(restarted, 200, 0.0) == []
    assert not restarted.records[0].is_filling
    assert len(filling(restarted, 40, 1.0)) == 1


def test_a_trend_that_hovers_about_the_limit_warns_once() -> None:
    eyes = Eyes(record())
    warnings = [event for step in range(60) for event in filling(eyes, 1, 1.0 if step < 16 else 0.9 * (step % 3 > 0))]
    assert len(warnings) == 1
