"""Pictures of the Storage screen. Look at them before taking new ones with `pytest --snapshot-update`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from pulsetui.tui import theme
from pulsetui.tui.source import QuitChoice
from tests.tui.fakes import FakeSource
from tests.tui.looking import make_app, press, seen
from tests.tui.storage_fakes import EMPTY_LIBRARY, FakeStorage

SIZES = [(80, 24), (120, 40), (200, 50)]
Ready = Callable[[Pilot[QuitChoice]], Awaitable[None]]


def after(*keys: str, shows: str = "1.58 TB · 43 %") -> Ready:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await press(pilot, "2")
        await seen(pilot, "1.58 TB")
        await press(pilot, *keys)
        await seen(pilot, shows)

    return ready


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_storage(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(make_app(FakeSource()), terminal_size=size, run_before=after())


@pytest.mark.parametrize(
    ("keys", "shows"),
    [
        (("enter",), "1.09 TB · 68 %"),
        (("o", "o", "o", "space"), "growth over 1 h"),
        (("m",), "open the jobs"),
    ],
    ids=["opened", "marked", "menu"],
)
def test_storage_at_work(snap_compare: Callable[..., bool], keys: tuple[str, ...], shows: str) -> None:
    assert snap_compare(make_app(FakeSource()), terminal_size=(120, 40), run_before=after(*keys, shows=shows))


def test_storage_of_the_past(snap_compare: Callable[..., bool]) -> None:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await after("left_square_bracket", shows="GB since")(pilot)
        # Cuts follow from all that was shown before, also from whether the line of the past came first.
        await press(pilot, "equals_sign")
        await pilot.pause()

    assert snap_compare(make_app(FakeSource()), terminal_size=(120, 40), run_before=ready)


def test_storage_before_the_first_refresh(snap_compare: Callable[..., bool]) -> None:
    async def ready(pilot: Pilot[QuitChoice]) -> None:
        await press(pilot, "2")
        await seen(pilot, "r reads all sizes for the first time")

    source = FakeSource(storage_fake=FakeStorage(EMPTY_LIBRARY, None))
    assert snap_compare(make_app(source), terminal_size=(80, 24), run_before=ready)


def test_storage_on_an_ascii_terminal(snap_compare: Callable[..., bool]) -> None:
    app = make_app(FakeSource(), ascii_only=True)
    assert snap_compare(app, terminal_size=(120, 40), run_before=after(shows="1.58 TB - 43 %"))


def test_storage_in_16_colours(snap_compare: Callable[..., bool]) -> None:
    app = make_app(FakeSource())
    app.theme = theme.SIXTEEN_THEME
    assert snap_compare(app, terminal_size=(120, 40), run_before=after())


def test_storage_without_colours(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(make_app(FakeSource()), terminal_size=(120, 40), run_before=after(shows="43 %"))
