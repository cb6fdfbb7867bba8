from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from pulsetui.errors import DatabaseError, RefusedError
from pulsetui.tui.screens.storage import StorageScreen
from pulsetui.tui.screens.volumes import VolumesScreen
from pulsetui.tui.source import QuitChoice
from pulsetui.tui.widgets.volume_panels import VolumePanel
from pulsetui.tui.widgets.volume_table import VolumeTable
from tests.tui.fakes import HOSTILE, NOW, FakeSource, FixedClock
from tests.tui.looking import gone, opened, press, seen, text_of, until
from tests.tui.volume_fakes import (
    AT,
    CARD,
    CLONE,
    GB,
    HANGING,
    MEDIA,
    MONITOR,
    NO_VOLUMES,
    SYSTEM,
    TESTING,
    VOLUMES,
    FakeVolumes,
    growing,
    volume,
)

TO_MEDIA = ("j", "j")


@asynccontextmanager
async def volumes(
    source: FakeSource | None = None,
    size: tuple[int, int] = (120, 40),
    *,
    clock: FixedClock | None = None,
    shows: str = "Studio NAS",
) -> AsyncIterator[Pilot[QuitChoice]]:
    async with opened(source or FakeSource(), size, clock=clock) as pilot:
        await press(pilot, "4")
        await seen(pilot, shows)
        yield pilot


def fingerprint_of(pilot: Pilot[QuitChoice]) -> str:
    screen = next(one for one in pilot.app.screen_stack if isinstance(one, VolumesScreen))
    selected = screen.query_one(VolumeTable).selected
    assert selected is not None
    return selected.fingerprint


async def test_every_state_is_told_by_a_word() -> None:
    async with volumes() as pilot:
        shown = text_of(pilot)

    for text in ("✓ online", "⊘ offline", "✗ unresponsive", "! quarantine", "· untracked", "looked 12s ago"):
        assert text in shown
    for text in ("network", "net ro", "removable", "3d ago"):
        assert text in shown


async def test_the_volume_under_the_cursor_is_shown_in_full_with_its_history() -> None:
    async with volumes() as pilot:
        await press(pilot, *TO_MEDIA)
        await seen(pilot, "UUID 3f2a7c10-94be-4d6a-8f13-2b7c55e0a941")
        shown = text_of(pilot)

    for text in (
        "+ 31.0 GB a day · full in 1d 20h",
        "262 GB │",
        "182 MB/s reading · 164 MB/s writing",
        "videos, storage",
    ):
        assert text in shown


async def test_a_narrow_screen_has_the_history_in_a_line() -> None:
    async with volumes(size=(80, 24)) as pilot:
        await press(pilot, *TO_MEDIA)
        await seen(pilot, "full in 1d 20h  ")
        row = next(one for one in text_of(pilot).splitlines() if "GB a day" in one)
        assert "History" not in text_of(pilot)

    assert "⣀" in row


async def test_a_volume_that_fills_up_moves_gauge_growth_full_in_and_history_together() -> None:
    source = FakeSource(volumes_fake=FakeVolumes(replace(VOLUMES, volumes=(SYSTEM,))))
    async with volumes(source, shows="61.0 GB used") as pilot:
        for used, rate in ((73.5, 24.5), (85.75, 49.0)):
            full = growing("System", "/", int(used * GB), 98 * GB, rate * GB)
            source.volumes_fake.put(replace(full, fingerprint=SYSTEM.fingerprint))
            source.changed()
            await seen(pilot, f"{used:.1f} GB used · {98 - used:.1f} GB free of 98.0 GB".replace("12.2", "12.3"))
            shown = text_of(pilot)
            assert f"{used / 98:.0%}".replace("%", " %").replace("88 %", "87 %") in shown
            assert f"+ {rate:.1f} GB a day · full in" in shown
            assert f"{used:.1f} GB │" in shown
        assert "full in 6h" in shown
        assert "warn" in shown


async def test_a_tracked_name_is_asked_for_and_ordered() -> None:
    source = FakeSource()
    async with volumes(source) as pilot:
        await press(pilot, "G", "k")
        await press(pilot, "t")
        await seen(pilot, "Track this volume?")
        await press(pilot, *"Films", "enter")
        await seen(pilot, "volumes.track done")
        await press(pilot, "t")
        await seen(pilot, "Track this volume?")
        await press(pilot, "enter")
        await until(pilot, lambda: len(source.orders) == 2)
        picked = fingerprint_of(pilot)

    assert source.orders == [
        ("volumes.track", {"fingerprint": picked, "name": "Films"}),
        ("volumes.track", {"fingerprint": picked}),
    ]


async def test_a_rename_starts_from_the_name_that_it_has() -> None:
    source = FakeSource()
    async with volumes(source) as pilot:
        await press(pilot, *TO_MEDIA, "n")
        await seen(pilot, "Rename this volume")
        await press(pilot, "end", "space", "2", "enter")
        await seen(pilot, "volumes.rename done")
        await press(pilot, "n")
        await seen(pilot, "Rename this volume")
        await press(pilot, "enter")
        await gone(pilot, "Rename this volume")

    assert source.orders == [("volumes.rename", {"fingerprint": MEDIA.fingerprint, "name": "Media 2"})]


@pytest.mark.parametrize(
    ("keys", "asks", "order"),
    [
        ((*TO_MEDIA, "u"), "Untrack this volume?", ("volumes.untrack", {"fingerprint": MEDIA.fingerprint})),
        ((*TO_MEDIA, "s"), "Test the speed of this", ("volumes.speedtest", {"fingerprint": MEDIA.fingerprint})),
        (
            (*TO_MEDIA, "j", "a"),
            "Is it Shuttle disk?",
            ("volumes.accept", {"fingerprint": CLONE.fingerprint, "mount": "/media/shuttle"}),
        ),
        (("M",), "Stop the monitor?", ("volumes.monitor", {"run": False})),
    ],
    ids=["untrack", "speedtest", "accept", "monitor"],
)
async def test_what_matters_is_asked_first_and_the_safe_answer_has_the_focus(
    keys: tuple[str, ...], asks: str, order: tuple[str, dict[str, object]]
) -> None:
    source = FakeSource()
    async with volumes(source) as pilot:
        await press(pilot, *keys)
        await seen(pilot, asks)
        await press(pilot, "enter")
        await gone(pilot, asks)
        assert source.orders == []
        await press(pilot, keys[-1])
        await seen(pilot, asks)
        await press(pilot, "right", "enter")
        await seen(pilot, f"{order[0]} done")

    assert source.orders == [order]


async def test_a_clone_beside_its_original_can_be_said_to_be_the_tracked_one() -> None:
    twin = replace(CLONE, uuid=None, display_name=None, name="/media/copy", mount_points=(Path("/media/copy"),))
    both = replace(VOLUMES, volumes=(replace(CLONE, state="online", quarantine="", trouble=""), twin))
    source = FakeSource(volumes_fake=FakeVolumes(both))
    async with volumes(source, shows="/media/copy") as pilot:
        await press(pilot, "j")
        await seen(pilot, "a decides whether it is Shuttle disk")
        await press(pilot, "a")
        await seen(pilot, "Is it Shuttle disk?")
        assert "/media/shuttle is" in text_of(pilot)
        await press(pilot, "right", "enter")
        await seen(pilot, "volumes.accept done")

    assert source.orders == [("volumes.accept", {"fingerprint": CLONE.fingerprint, "mount": "/media/copy"})]


async def test_the_speed_test_says_how_much_it_writes_and_what_runs_beside_it() -> None:
    async with volumes() as pilot:
        await press(pilot, *TO_MEDIA, "s")
        await seen(pilot, "Writes 256 MB")
        shown = text_of(pilot)

    assert "5 downloads and 2 transcriptions run meanwhile" in shown
    assert "never more than 256 MB" in shown


async def test_a_running_speed_test_shows_its_progress_and_x_stops_it() -> None:
    source = FakeSource(volumes_fake=FakeVolumes(replace(VOLUMES, testing=TESTING)))
    async with volumes(source) as pilot:
        await seen(pilot, "42 %  writing, round 2 of 3 · 12s")
        source.volumes_fake.view = replace(
            VOLUMES, testing=replace(TESTING, progress=0.71, step="reading, round 3 of 3")
        )
        await seen(pilot, "71 %  reading, round 3 of 3")  # without a change told: it is read again by itself
        await press(pilot, *TO_MEDIA, "s")
        await seen(pilot, "Media is being tested; x stops that.")
        await press(pilot, "x")
        await seen(pilot, "volumes.stop_speedtest done")
        source.volumes_fake.view = VOLUMES
        await gone(pilot, "x stops it")

    assert source.orders == [("volumes.stop_speedtest", {})]


async def test_keys_that_cannot_do_anything_say_why_and_order_nothing() -> None:
    source = FakeSource()
    async with volumes(source) as pilot:
        await press(pilot, "j", "s")
        await seen(pilot, "It is offline.")
        await press(pilot, "x")
        await seen(pilot, "No speed test runs.")
        await press(pilot, "o")
        await seen(pilot, "Nothing that pulsetui accounts for lies on it.")
        await press(pilot, "G", "a")
        await seen(pilot, "It is not in quarantine")

    assert source.orders == []


async def test_r_looks_again_and_a_stopped_monitor_is_started_without_a_question() -> None:
    stopped = replace(VOLUMES, monitor=replace(MONITOR, is_running=False))
    source = FakeSource(volumes_fake=FakeVolumes(stopped))
    async with volumes(source) as pilot:
        await seen(pilot, "the monitor is stopped")
        await press(pilot, "r")
        await seen(pilot, "volumes.refresh done")
        await press(pilot, "M")
        await seen(pilot, "volumes.monitor done")

    assert source.orders == [("volumes.refresh", {}), ("volumes.monitor", {"run": True})]


async def test_enter_opens_the_menu_whose_keys_do_what_they_say() -> None:
    source = FakeSource()
    async with volumes(source) as pilot:
        await press(pilot, *TO_MEDIA, "enter")
        await seen(pilot, "speed test                   s")
        await press(pilot, "u")
        await seen(pilot, "Untrack this volume?")


async def test_a_right_click_opens_the_menu_of_what_was_clicked() -> None:
    async with volumes() as pilot:
        await pilot.click(VolumeTable, offset=(20, 5), button=3)
        await seen(pilot, "decide")
        assert fingerprint_of(pilot) == CLONE.fingerprint


async def test_o_shows_what_takes_the_space_on_the_volume() -> None:
    async with volumes() as pilot:
        await press(pilot, *TO_MEDIA, "o")
        await until(pilot, lambda: isinstance(pilot.app.screen, StorageScreen))
        await press(pilot, "4")
        await until(pilot, lambda: isinstance(pilot.app.screen, VolumesScreen))
        assert fingerprint_of(pilot) == MEDIA.fingerprint


async def test_the_cursor_stays_on_its_volume_when_others_are_mounted() -> None:
    source = FakeSource()
    async with volumes(source) as pilot:
        await press(pilot, "G", "k", "k")
        assert fingerprint_of(pilot) == CARD.fingerprint
        newer = (volume("/a", mount_points=(Path("/a"),)), volume("/b", mount_points=(Path("/b"),)))
        source.volumes_fake.view = replace(VOLUMES, volumes=(*VOLUMES.volumes[:6], *newer, *VOLUMES.volumes[6:]))
        source.changed()
        await seen(pilot, "5 untracked")
        assert fingerprint_of(pilot) == CARD.fingerprint


async def test_the_cursor_never_rests_on_the_heading() -> None:
    source = FakeSource(volumes_fake=FakeVolumes(replace(VOLUMES, volumes=(CARD,))))
    async with volumes(source, shows="none is tracked yet · t tracks one") as pilot:
        for key in ("g", "k", "G", "pageup"):
            await press(pilot, key)
            assert fingerprint_of(pilot) == CARD.fingerprint


async def test_a_terminal_that_becomes_smaller_keeps_the_row_under_the_cursor_in_view() -> None:
    async with volumes() as pilot:
        await press(pilot, "G")
        await pilot.resize_terminal(80, 24)
        await seen(pilot, "▸· untracked     /tmp")


async def test_without_volumes_it_says_what_will_be_here_and_the_key() -> None:
    source = FakeSource(volumes_fake=FakeVolumes(replace(NO_VOLUMES, monitor=replace(MONITOR, refreshed_at=None))))
    async with volumes(source, shows="will be here after the first look") as pilot:
        assert "r looks now" in text_of(pilot)


async def test_what_cannot_be_read_says_so_and_keeps_what_was_read() -> None:
    source = FakeSource()
    source.volumes_fake.error = DatabaseError("the database is locked")
    async with volumes(source, shows="✗ the database is locked") as pilot:
        assert "ctrl+r reads again" in text_of(pilot)
        source.volumes_fake.error = None
        await press(pilot, "ctrl+r")
        await seen(pilot, "Studio NAS")
        source.volumes_fake.error = DatabaseError("no volumes today")
        await press(pilot, "ctrl+r")
        await seen(pilot, "no volumes today")
        assert "Studio NAS" in text_of(pilot)


async def test_figures_that_are_old_say_how_old() -> None:
    source = FakeSource()
    late = replace(MONITOR, refreshed_at=AT - timedelta(minutes=9))
    source.volumes_fake.view = replace(VOLUMES, monitor=late)
    async with volumes(source) as pilot:
        await seen(pilot, "the monitor is late: these figures are 9m old  r looks again")
        source.volumes_fake.view = replace(VOLUMES, monitor=replace(MONITOR, failure="mountinfo can't be read"))
        source.changed()
        await seen(pilot, "✗ the last look failed: mountinfo can't be read")


async def test_an_order_that_is_refused_says_why() -> None:
    source = FakeSource()
    async with volumes(source) as pilot:
        source.error = RefusedError("it may not be done", hint="ask an admin")
        await press(pilot, "r")
        await seen(pilot, "ask an admin")


async def test_hostile_names_keep_the_whole_screen_whole() -> None:
    named = tuple(
        replace(
            one, name=HOSTILE, display_name=HOSTILE, device=HOSTILE, identity=HOSTILE, fs_type=HOSTILE,
            trouble=HOSTILE, quarantine=HOSTILE, warnings=(HOSTILE,), roots=(HOSTILE,),
            mount_points=(Path("/" + HOSTILE),) if one.mount_points else (), last_mount_point=Path("/" + HOSTILE),
        )
        for one in VOLUMES.volumes
    )  # fmt: skip
    source = FakeSource(volumes_fake=FakeVolumes(replace(VOLUMES, volumes=named, testing=TESTING)))
    async with volumes(source, shows="\\x1b[31mred") as pilot:
        screens = [text_of(pilot)]
        for keys in (["j", "j", "m"], ["escape", "u"], ["escape", "n"], ["escape", "j", "a"], ["escape", "G", "t"]):
            await press(pilot, *keys)
            await pilot.pause()
            screens.append(text_of(pilot))
        widths = {strip.cell_length for strip in pilot.app.screen._compositor.render_strips()}

    assert widths == {120}
    assert all(character.isprintable() for shown in screens for row in shown.splitlines() for character in row)


async def test_the_details_scroll_and_escape_goes_to_pulse() -> None:
    async with volumes(size=(80, 24)) as pilot:
        await press(pilot, *TO_MEDIA, "tab")
        panel = pilot.app.screen.query_one(VolumePanel)
        await until(pilot, lambda: panel.has_focus)
        for _ in range(20):
            await press(pilot, "j")
        await seen(pilot, "read past the page cache")
        await press(pilot, "escape")
        await seen(pilot, "Active tasks")


async def test_last_seen_grows_by_itself() -> None:
    clock = FixedClock()
    async with volumes(clock=clock) as pilot:
        await seen(pilot, "looked 12s ago")
        clock.time = NOW + timedelta(seconds=20)
        await seen(pilot, "looked 32s ago")
    assert HANGING.last_seen_at is not None
