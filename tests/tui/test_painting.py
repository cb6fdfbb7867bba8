"""What goes to the terminal: no more than what changed, and it leaves the terminal as Textual's own painting would."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Region
from textual.pilot import Pilot
from textual.reactive import var
from textual.screen import Screen
from textual.strip import Strip

from pulsetui.tui.painting import SparingCompositor
from pulsetui.tui.widgets.drawn import Drawn
from pulsetui.tui.widgets.lines import differing_cells
from tests.until import until

WIDTH, HEIGHT = 40, 8
_GO_TO = re.compile(r"\x1b\[(\d+);(\d+)H")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Paper(Drawn):
    """Some lines of text."""

    DEFAULT_CSS = "Paper { height: 1fr; }"
    texts: var[Sequence[str]] = var(())

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self.drawn: list[int] = []
        self.set_reactive(Paper.texts, texts)

    def draw(self, width_cells: int) -> Sequence[Content]:  # noqa: ARG002
        return [Content(text) for text in self.texts]

    def strip_of(self, y: int, width_cells: int) -> Strip:
        self.drawn.append(y)
        return super().strip_of(y, width_cells)

    def watch_texts(self) -> None:
        self.changed()


class Sheet(Screen[None]):
    """Two papers, one below the other."""

    def __init__(self, first: Paper, second: Paper) -> None:
        super().__init__()
        self._compositor = SparingCompositor()
        self._papers = first, second

    def compose(self) -> ComposeResult:
        yield from self._papers


class Desk(App[None]):
    """Shows a sheet on a terminal that is a list of lines, and keeps what it was sent."""

    def __init__(self, first: Paper, second: Paper) -> None:
        super().__init__()
        self.sheet = Sheet(first, second)
        self.sent = ""
        self.terminal = [[" "] * WIDTH for _ in range(HEIGHT)]

    def on_mount(self) -> None:
        self.push_screen(self.sheet)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if screen is self.sheet and isinstance(renderable, CompositorUpdate):
            self.sent = renderable.render_segments(self.console)
            self._take(self.sent)
        super()._display(screen, renderable)

    def _take(self, sent: str) -> None:
        """Do what a terminal does with what it is sent."""
        x = y = 0
        for part in re.split(r"(\x1b\[[0-9;]*[A-Za-z]|\n)", sent):
            if found := _GO_TO.fullmatch(part):
                y, x = int(found[1]) - 1, int(found[2]) - 1
            elif part == "\n":
                x, y = 0, y + 1
            elif not _STYLE.fullmatch(part):
                self.terminal[y][x : x + len(part)] = part
                x += len(part)

    @property
    def text(self) -> list[str]:
        """What stands on the terminal."""
        return ["".join(row).rstrip() for row in self.terminal]


async def settled(pilot: Pilot[None], desk: Desk, line: str) -> None:
    """Wait until a line is on the terminal, and nothing is left to be painted."""
    await until(lambda: line in desk.text)
    await pilot.pause()


async def painted(desk: Desk, paper: Paper, texts: Sequence[str], line: str) -> None:
    """Give a paper other texts, and wait until a line of it is on the terminal."""
    desk.sent = ""
    paper.texts = texts
    await until(lambda: line in desk.text)


async def test_of_a_line_the_cells_that_changed_are_sent() -> None:
    first, second = Paper(["the time is 12:00:01 now"]), Paper(["below"])
    desk = Desk(first, second)
    async with desk.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await settled(pilot, desk, "below")
        await painted(desk, first, ["the time is 12:00:02 now"], "the time is 12:00:02 now")

        assert _STYLE.sub("", _GO_TO.sub("", desk.sent)) == "2"
        assert _GO_TO.findall(desk.sent) == [("1", "20")]


async def test_a_widget_without_a_change_isnt_drawn_for_one_that_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Paper(["one", "two"]), Paper(["three"])
    desk = Desk(first, second)
    async with desk.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await settled(pilot, desk, "three")
        rendered: list[Region] = []
        monkeypatch.setattr(second, "render_lines", rendered.append)
        first.drawn.clear()
        await painted(desk, first, ["one", "TWO"], "TWO")

        assert rendered == []
        assert first.drawn == [1]


async def test_the_terminal_shows_what_the_widgets_hold_however_they_change() -> None:
    first, second = Paper(["aaaa bbbb", "", "cc"]), Paper(["dddd"])
    desk = Desk(first, second)
    async with desk.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await settled(pilot, desk, "dddd")
        await painted(desk, second, ["eeee", "a line that is much longer than that"], "eeee")
        await painted(desk, first, ["Aaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbB", "x", ""], "x")
        await painted(desk, first, ["short", "x", "", "y"], "short")

        assert desk.text == [
            *("short", "x", "", "y"),
            *("eeee", "a line that is much longer than that", "", ""),
        ]


BOLD, PLAIN = Style(bold=True), Style()


def strip(*parts: tuple[str, Style]) -> Strip:
    return Strip([Segment(text, style) for text, style in parts])


def test_cells_differ_by_sign_or_style() -> None:
    before = strip(("same ", PLAIN), ("a", PLAIN), (" and some more text ", PLAIN), ("b", PLAIN))
    after = strip(("same ", PLAIN), ("A", PLAIN), (" and some more text ", PLAIN), ("b", BOLD))

    assert differing_cells(before, after) == [(5, 6), (26, 27)]
    assert differing_cells(before, before) == []


def test_changes_close_together_are_one() -> None:
    assert differing_cells(strip(("a23b", PLAIN)), strip(("A23B", PLAIN))) == [(0, 4)]


def test_no_span_begins_inside_a_wide_sign() -> None:
    before, after = strip(("日本 0", PLAIN), ("tail", PLAIN)), strip(("日木 0", PLAIN), ("tail", PLAIN))

    assert differing_cells(before, after) == [(0, 6)]
