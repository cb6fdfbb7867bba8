"""Pictures of the Volumes screen. Look at them before taking new ones with `pytest --snapshot-update`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from pulsetui.tui import theme
from pulsetui.tui.source import QuitChoice
from tests.tui.fakes import FakeSource
from tests.tui.looking import make_app, press, seen
from tests.tui.volume_fakes import NO_VOLUMES, TESTING, VOLUMES, FakeVolumes

SIZES = [(80, 24), (120, 40), (200, 50)]
Ready = Callable[[Pilot[QuitChoice]], Awaitable[None]]
TO_MEDIA = ("j", "j")
TO_CLONE = ("j", "j", "j")


def after(*keys: str, shows: str) -> Ready:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await press(pilot, "4")
        await seen(pilot, "Archive share")
        await press(pilot, *keys)
        await seen(pilot, shows)

    return ready


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_volumes(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    ready = after(*TO_MEDIA, shows="262 GB used")
    assert snap_compare(make_app(FakeSource()), terminal_size=size, run_before=ready)


def test_volumes_with_a_speed_test(snap_compare: Callable[..., bool]) -> None:
    source = FakeSource(volumes_fake=FakeVolumes(replace(VOLUMES, testing=TESTING)))
    ready = after(shows="writing, round 2 of 3")
    assert snap_compare(make_app(source), terminal_size=(80, 24), run_before=ready)


@pytest.mark.parametrize(
    ("keys", "shows"),
    [
        ((*TO_CLONE, "a"), "Leave in quarantine"),
        ((*TO_MEDIA, "s"), "Test with 256 MB"),
        (("G", "t"), "loses everything at a reboot"),
        ((*TO_MEDIA, "m"), "open in storage"),
    ],
    ids=["accept", "test", "track", "menu"],
)
def test_what_is_asked_of_volumes(snap_compare: Callable[..., bool], keys: tuple[str, ...], shows: str) -> None:
    assert snap_compare(make_app(FakeSource()), terminal_size=(120, 40), run_before=after(*keys, shows=shows))


def test_no_volumes(snap_compare: Callable[..., bool]) -> None:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await press(pilot, "4")
        await seen(pilot, "No file system is mounted")

    source = FakeSource(volumes_fake=FakeVolumes(NO_VOLUMES))
    assert snap_compare(make_app(source), terminal_size=(80, 24), run_before=ready)


def test_volumes_on_an_ascii_terminal(snap_compare: Callable[..., bool]) -> None:
    app = make_app(FakeSource(), ascii_only=True)
    assert snap_compare(app, terminal_size=(120, 40), run_before=after(*TO_MEDIA, shows="262 GB used"))


def test_volumes_in_16_colours(snap_compare: Callable[..., bool]) -> None:
    app = make_app(FakeSource())
    app.theme = theme.SIXTEEN_THEME
    assert snap_compare(app, terminal_size=(120, 40), run_before=after(*TO_CLONE, shows="410 GB used"))


def test_volumes_without_colours(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    ready = after(*TO_MEDIA, shows="262 GB used")
    assert snap_compare(make_app(FakeSource()), terminal_size=(120, 40), run_before=ready)
