"""The header of every screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual.content import Content
from textual.reactive import var

from pulsetui.pipeline.views import PulseView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.gate import header, notice
from pulsetui.tui.renderables.text import line
from pulsetui.tui.widgets.drawn import Drawn


class GateLine(Drawn):
    """Shows data directory, owner, gate with its budget bar and the time; below, what needs saying now."""

    DEFAULT_CSS = """
    GateLine { dock: top; }
    """

    view: var[PulseView | None] = var(None)
    """The newest reading, or None before the first one."""
    now: var[datetime | None] = var(None)
    zone: var[tzinfo | None] = var(None)
    failure: var[str] = var("")
    """Why the newest read failed, or empty."""
    stale_s: var[float | None] = var(None)
    """How old the reading is where that is older than it should be, else None."""
    leaving: var[str] = var("")
    """What is said while the work ends, or empty."""

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the header's lines."""
        if self.now is None:
            return [line("")]
        clock = f"{self.now.astimezone(self.zone):%H:%M:%S}"
        lines = header(self.view, self.now, clock, width_cells)
        if self.leaving:
            return [*lines, line((f" {glyphs.GATE} {self.leaving}", "$warn"))]
        said = notice(self.view, self.failure, self.stale_s, self.now, width_cells)
        return [*lines, said] if said is not None else lines

    def watch_view(self) -> None:
        """Show the newest reading."""
        self.changed()

    def watch_now(self) -> None:
        """Show the time."""
        self.changed()

    def watch_failure(self) -> None:
        """Show or drop the failure."""
        self.changed()

    def watch_stale_s(self) -> None:
        """Show or drop the age."""
        self.changed()

    def watch_leaving(self) -> None:
        """Say that the work ends."""
        self.changed()
