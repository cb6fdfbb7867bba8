"""The budget and the disks."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import var

from pulsetui.pipeline.views import DiskView, GateView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.disk import disk_lines
from pulsetui.tui.renderables.text import line
from pulsetui.tui.widgets.framed_lines import FramedDrawn
from pulsetui.tui.widgets.panel import frame_css
from pulsetui.units import format_percent


class DiskGauge(FramedDrawn):
    """Shows the budget and each disk's use against its limits; the newest readings are pushed in."""

    title = "Disk"
    DEFAULT_CSS = frame_css("DiskGauge") + "DiskGauge { padding: 0 1; }"

    gate: var[GateView | None] = var(None)
    """The budget's figures, or None before the first read."""
    usage: var[tuple[tuple[str, int], ...]] = var(())
    disks: var[tuple[DiskView, ...]] = var(())
    failure: var[str] = var("")

    def figures(self) -> Content:
        """Return the fullest disk's percentage and state."""
        if not self.disks:
            return Content("")
        fullest = max(self.disks, key=lambda disk: disk.percent)
        word, style = states.level(fullest.level)
        return line((f"{format_percent(fullest.percent / 100)} ", "$quiet"), (word, style))

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return budget and disks."""
        if self.gate is None:
            said = (f"{glyphs.FAILED} not read", "$bad") if self.failure else (f"reading{glyphs.CUT}", "$quiet")
            return [line(said)]
        height = None if self.styles.auto_dimensions else self.content_size.height
        return disk_lines(self.gate, self.usage, self.disks, width_cells, height)

    def watch_failure(self) -> None:
        """Show that nothing could be read."""
        self.changed()

    def watch_gate(self) -> None:
        """Show the newest figures."""
        self.changed()

    def watch_usage(self) -> None:
        """Show the newest bytes by kind."""
        self.changed()

    def watch_disks(self) -> None:
        """Show the newest disks."""
        self.changed()
