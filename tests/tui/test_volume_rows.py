from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from pulsetui.tui.renderables.volume_details import history_lines, trend, used_over_time, volume_lines
from pulsetui.tui.renderables.volume_figures import level
from pulsetui.tui.renderables.volume_notes import is_stale, volume_notes
from pulsetui.tui.renderables.volumes import columns, longest, volume_head, volume_row
from pulsetui.tui.volume_choices import choices, refusal, round_bytes, storage_key
from pulsetui.volumes.views import VolumeView
from tests.tui.fakes import HOSTILE, NOW
from tests.tui.volume_fakes import (
    AWAY,
    BOUND,
    CARD,
    CLONE,
    GB,
    HANGING,
    MB,
    MEDIA,
    MEMORY,
    MONITOR,
    NAS,
    SYSTEM,
    TESTING,
    VOLUMES,
    growing,
)

HOSTILE_ONE = replace(
    MEDIA,
    name=HOSTILE,
    display_name=HOSTILE,
    mount_points=(Path(HOSTILE),),
    device=HOSTILE,
    identity=HOSTILE,
    trouble=HOSTILE,
    warnings=(HOSTILE,),
    roots=(HOSTILE,),
    fs_type=HOSTILE,
)
EVERY = (*VOLUMES.volumes, HOSTILE_ONE)


def row(volume: VolumeView, width: int) -> str:
    return volume_row(volume, VOLUMES, NOW, width, longest(EVERY)).plain


def details(volume: VolumeView, width: int = 76, *, course: bool = False) -> list[str]:
    return [one.plain for one in volume_lines(volume, VOLUMES, NOW, UTC, width, course=course)]


@pytest.mark.parametrize("width", [60, 68, 76, 91, 92, 104, 111, 112, 116, 130, 149, 150, 170, 196, 240])
def test_head_and_rows_share_their_columns(width: int) -> None:
    needed = longest(EVERY)
    cells = {volume_row(one, VOLUMES, NOW, width, needed).cell_length for one in EVERY}

    assert cells == {volume_head(width, needed).cell_length} == {width}


@pytest.mark.parametrize("width", [30, 44, 56, 76, 110])
@pytest.mark.parametrize("course", [True, False])
def test_every_line_about_a_volume_fits_its_width_and_is_only_text(width: int, course: bool) -> None:
    for one in EVERY:
        for drawn in volume_lines(one, VOLUMES, NOW, UTC, width, course=course):
            assert drawn.cell_length <= width, drawn.plain
            assert drawn.plain.isprintable()


def test_a_narrow_row_keeps_state_name_marks_percent_free_and_full_in() -> None:
    for text in ("online", "Media", "81 %", "58.0 GB", "1d 20h"):
        assert text in row(MEDIA, 76)
    assert "net ro" in row(NAS, 76)
    assert "3d ago" in row(AWAY, 76)


def test_a_wide_row_has_all_columns() -> None:
    for text in ("/mnt/hdd", "ext4", "+ 31.0 GB", "182 MB/s", "164 MB/s", "12s"):
        assert text in row(MEDIA, 196)
    assert "network read-only" in row(NAS, 196)
    assert "~3.10 GB/s" in row(SYSTEM, 196)


def test_names_and_mount_points_get_what_they_need_and_the_bar_the_rest() -> None:
    short, long = columns(196, longest([SYSTEM])), columns(196, longest(EVERY))

    assert short.bar == 40
    assert long.bar == 20
    assert long.name > short.name


def test_what_does_not_answer_has_no_figures() -> None:
    assert "no answer" in volume_row(HANGING, VOLUMES, NOW, 196, longest([HANGING])).plain
    assert "0 B" not in row(HANGING, 196)
    assert "%" not in row(HANGING, 196)


def test_fullness_is_judged_by_the_limits_of_the_dashboard() -> None:
    assert [level(one, VOLUMES) for one in (SYSTEM, MEDIA, BOUND, HANGING)] == ["ok", "warning", "critical", "unknown"]
    assert level(MEDIA, replace(VOLUMES, warn_percent=85.0)) == "ok"


def test_gauge_growth_full_in_and_course_tell_the_same_story() -> None:
    one = growing("Fills", "/mnt/fills", 75 * GB, 100 * GB, 12.5 * GB)
    shown = "\n".join(details(one, course=True))
    sizes = used_over_time(one, VOLUMES)

    for text in ("75 %", "75.0 GB used · 25.0 GB free of 100 GB", "+ 12.5 GB a day · full in 2d"):
        assert text in shown
    assert trend(one, VOLUMES).plain in shown
    assert sizes[-1] == (VOLUMES.at, 75 * GB)
    assert history_lines(one, VOLUMES, NOW, UTC, 60, 9)[0].plain.lstrip().startswith("75.0 GB │")


def test_a_volume_that_empties_is_not_said_to_fill_up() -> None:
    assert trend(NAS, VOLUMES).plain == "− 22.0 GB a day"


def test_one_that_is_away_says_since_when_why_and_how_full_it_was() -> None:
    shown = "\n".join(details(AWAY))

    for text in ("it is not mounted. Mount it anywhere", "as last seen", "was at       /media/backup2", "3d ago"):
        assert text in shown
    assert "growth is known after an hour" not in shown


def test_every_mount_point_of_a_volume_is_named() -> None:
    shown = "\n".join(details(BOUND))

    for point in BOUND.mount_points:
        assert str(point) in shown


def test_a_cache_affected_test_is_told_as_such() -> None:
    assert "cache-affected: some of it was read from memory" in details(SYSTEM)


def test_a_history_that_is_not_kept_names_the_key_that_starts_it() -> None:
    lines = [one.plain for one in history_lines(CARD, VOLUMES, NOW, UTC, 60, 9)]

    assert lines == ["How full it was will be here once it is tracked.", "t tracks it"]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_notes_name_the_trouble_the_age_and_the_key(width: int) -> None:
    failing = replace(VOLUMES, monitor=replace(MONITOR, failure="no such file: " + "x" * 200))
    stopped = replace(VOLUMES, monitor=replace(MONITOR, is_running=False), testing=TESTING)
    failed, (stop, test) = volume_notes(failing, NOW, width), volume_notes(stopped, NOW, width)

    assert all(note.cell_length <= width for note in (*failed, stop, test))
    assert "these figures are 12s old  r looks again" in failed[0].plain
    assert "the monitor is stopped: these figures are 12s old  M starts it" in stop.plain
    assert "Media" in test.plain
    assert "42 %  writing, round 2 of 3 · 12s" in test.plain
    assert test.plain.endswith("x stops it ")
    assert volume_notes(VOLUMES, NOW, width) == []


def test_figures_are_old_once_several_looks_did_not_come() -> None:
    assert not is_stale(MONITOR, NOW + timedelta(seconds=60))
    assert is_stale(MONITOR, NOW + timedelta(seconds=90))


@pytest.mark.parametrize(
    ("volume", "offered"),
    [
        (MEDIA, "volume.test volume.storage volume.rename volume.untrack"),
        (NAS, "volume.rename volume.untrack"),
        (AWAY, "volume.rename volume.untrack"),
        (CLONE, "volume.accept volume.rename volume.untrack"),
        (MEMORY, "volume.track"),
    ],
    ids=lambda value: value.name if isinstance(value, VolumeView) else "",
)
def test_the_menu_offers_what_can_be_done_with_a_volume_as_it_is(volume: VolumeView, offered: str) -> None:
    assert [choice.value for choice in choices(volume, VOLUMES)] == offered.split()


def test_what_cannot_be_done_says_why() -> None:
    assert "x stops that" in refusal("volume.test", SYSTEM, replace(VOLUMES, testing=TESTING))
    assert refusal("volume.test", NAS, VOLUMES) == "It is read-only."
    assert "n renames it" in refusal("volume.track", MEDIA, VOLUMES)
    assert "t tracks it" in refusal("volume.untrack", CARD, VOLUMES)
    assert "isn't mounted" in refusal("volume.accept", replace(CLONE, mount_points=()), VOLUMES)


def test_a_test_takes_a_hundredth_of_what_is_free_at_most() -> None:
    small = replace(MEDIA, available_bytes=1_000 * MB)

    assert round_bytes(MEDIA, VOLUMES) == 256 * MB // 2**20 * 2**20
    assert round_bytes(small, VOLUMES) == 9 * 2**20
    assert "too little free" in refusal("volume.test", replace(small, available_bytes=80 * MB), VOLUMES)


def test_only_trash_has_a_place_of_its_own_in_storage() -> None:
    assert storage_key(MEDIA) == ""
    assert storage_key(replace(MEDIA, roots=("trash:data",))) == "part:4"
