"""A small application that shows widgets alone, with themes, tokens and keys as the real one has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.filter import LineFilter
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from pulsetui.storage.views import StorageView
from pulsetui.tui import theme
from pulsetui.tui.glyphs import AsciiFilter
from pulsetui.tui.source import QuitChoice
from tests.tui.storage_fakes import FakeStorage


class ShowApp(App[QuitChoice]):
    """Shows widgets below one another, and keeps the messages of some kinds that they send."""

    CSS = "Screen { background: $background; color: $foreground; }"

    def __init__(self, widgets: Sequence[Widget], kinds: tuple[type[Message], ...], *, ascii_only: bool) -> None:
        super().__init__()
        self._widgets = widgets
        self._kinds = kinds
        self._ascii_only = ascii_only
        self.heard: list[Message] = []
        for own in theme.THEMES:
            self.register_theme(own)
        self.theme = theme.DEFAULT_THEME

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.defaults(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *([AsciiFilter()] if self._ascii_only else [])]

    def compose(self) -> ComposeResult:
        yield from self._widgets

    async def _dispatch_message(self, message: Message) -> None:
        if isinstance(message, self._kinds):
            self.heard.append(message)
        await super()._dispatch_message(message)


@asynccontextmanager
async def shown(
    *widgets: Widget,
    size: tuple[int, int] = (80, 24),
    kinds: tuple[type[Message], ...] = (),
    ascii_only: bool = False,
) -> AsyncIterator[Pilot[QuitChoice]]:
    """Run the widgets, the first one with the focus."""
    app = ShowApp(widgets, kinds, ascii_only=ascii_only)
    async with app.run_test(size=size) as pilot:
        widgets[0].focus()
        await pilot.pause()
        yield pilot


def heard(pilot: Pilot[QuitChoice]) -> list[Message]:
    """Return the messages of the kinds that are listened to, oldest first."""
    assert isinstance(pilot.app, ShowApp)
    return pilot.app.heard


def make_view(key: str | None = None, depth: int = 4, **state: object) -> StorageView:
    """Return a view of the library of the fakes; `state` are fields of it."""
    storage = FakeStorage()
    storage.state = state
    return storage.view(key, depth, 3600.0, None)
