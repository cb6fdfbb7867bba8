"""The treemap, small: what takes the space, at a glance. Opening a tile is asked for, and happens elsewhere."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.place import state
from pulsetui.tui.renderables.text import line, size
from pulsetui.tui.widgets.drawn import Drawn
from pulsetui.tui.widgets.lines import state_of
from pulsetui.tui.widgets.treemap import Treemap

_DEPTH = 2


class MapHead(Drawn):
    """The line above the tiles, as the top border of other panels is; a second frame would only cost room."""

    DEFAULT_CSS = "MapHead { height: 1; }"

    view: var[StorageView | None] = var(None)
    now: var[datetime | None] = var(None)
    lit: var[bool] = var(False)
    """The tiles below have the focus."""

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return title, rule and figures."""
        style = ("bold reverse" if self.app.no_color else "bold $accent") if self.lit else "bold $foreground"
        title, figures = line(("Storage", style)), self._figures()
        rule = glyphs.RULE * (width_cells - title.cell_length - figures.cell_length - 6)
        border = "$accent" if self.lit else "$rule"
        return [line((glyphs.RULE * 2, border), " ", title, " ", (rule, border), " ", figures, " ")]

    def _figures(self) -> Content:
        if self.view is None or self.now is None or self.view.snapshot_at is None:
            return Content("")
        return line(size(self.view.tree.size.allocated_bytes), (" · ", "$rule"), state(self.view, self.now))

    def watch_view(self) -> None:
        """Show the newest figures."""
        self.changed()

    def watch_now(self) -> None:
        """Let the age grow."""
        self.ticked()

    def ages(self) -> Hashable:
        """Return the age of the sizes."""
        return state_of(state(self.view, self.now)) if self.view is not None and self.now is not None else None

    def watch_lit(self) -> None:
        """Show the focus."""
        self.changed()


class StorageMap(Vertical):
    """Shows the whole library in two levels; one tile is selected, and can be asked for."""

    DEFAULT_CSS = """
    StorageMap { height: 1fr; }
    """

    view: var[StorageView | None] = var(None)
    now: var[datetime | None] = var(None)
    failure: var[str] = var("")

    class Wanted(Message):
        """The operator wants to see what is in the node of this key; an empty key is everything."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    def compose(self) -> ComposeResult:
        """Lay out head and tiles."""
        yield MapHead()
        yield Treemap(depth=_DEPTH)

    def on_mount(self) -> None:
        """Draw with what the terminal can show."""
        self.query_one(Treemap).ascii_only = getattr(self.app, "ascii_only", False)

    @on(Treemap.Opened)
    def _opened(self, message: Treemap.Opened) -> None:
        """Ask for what was opened; of the small ones of a group, for the group."""
        message.stop()
        key = message.key.removeprefix("others:").removeprefix("ghost:")
        self.post_message(self.Wanted("" if self.view is None or key == self.view.tree.key else key))

    @on(Treemap.MenuWanted)
    @on(Treemap.Left)
    @on(Treemap.Selected)
    @on(Treemap.Hovered)
    def _held(self, message: Message) -> None:
        """Keep to oneself what concerns the small map alone."""
        message.stop()

    def on_descendant_focus(self) -> None:
        """Show the focus."""
        self.query_one(MapHead).lit = True

    def on_descendant_blur(self) -> None:
        """Drop the focus."""
        self.query_one(MapHead).lit = False

    def watch_view(self, view: StorageView | None) -> None:
        """Show the newest tree."""
        if self.is_mounted:
            self.query_one(MapHead).view = self.query_one(Treemap).view = view

    def watch_now(self, now: datetime | None) -> None:
        """Let the age grow."""
        if self.is_mounted:
            self.query_one(MapHead).now = now

    def watch_failure(self, failure: str) -> None:
        """Show or drop the failure."""
        if self.is_mounted:
            self.query_one(Treemap).failure = failure
