"""What is beside and below the table of volumes: one volume in full, its history, and what goes on with all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, tzinfo

from textual.content import Content
from textual.reactive import var

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.text import age, line
from pulsetui.tui.renderables.volume_details import history_lines, standing, trend, volume_ages, volume_lines
from pulsetui.tui.renderables.volume_notes import volume_notes
from pulsetui.tui.widgets.drawn import Drawn
from pulsetui.tui.widgets.framed_lines import FramedDrawn, FramedText
from pulsetui.tui.widgets.lines import state_of
from pulsetui.tui.widgets.panel import frame_css
from pulsetui.volumes.views import VolumesView, VolumeView

_LONG_AGO = datetime.fromtimestamp(0, UTC)


class VolumeNotes(Drawn):
    """Says which speed test runs, and what is the matter with the monitor; without either it takes no room."""

    view: var[VolumesView | None] = var(None)
    now: var[datetime] = var(_LONG_AGO)

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the lines."""
        return volume_notes(self.view, self.now, width_cells)

    def watch_view(self) -> None:
        """Say what goes on now."""
        self.changed()

    def watch_now(self) -> None:
        """Let ages grow."""
        self.ticked()

    def ages(self) -> Hashable:
        """Return the lines: they are few, and none most of the time."""
        return tuple(state_of(one) for one in volume_notes(self.view, self.now, self.content_size.width))


class VolumePanel(FramedText):
    """Shows state, fullness, identity and speed of one volume, scrolling."""

    title = "Volume"
    DEFAULT_CSS = frame_css("VolumePanel")

    view: var[VolumesView | None] = var(None)
    volume: var[VolumeView | None] = var(None)
    """The one on display, or None while there is none."""
    now: var[datetime] = var(_LONG_AGO)
    zone: var[tzinfo | None] = var(None)
    course: var[bool] = var(False)
    """Whether its history is here in a line, for want of a panel of its own."""

    def figures(self) -> Content:
        """Return the volume's state."""
        return standing(self.volume, self.now) if self.volume is not None else Content("")

    def watch_view(self) -> None:
        """Show what changed beside the volume itself, such as a test that runs."""
        self.changed()

    def watch_volume(self, old: VolumeView | None, new: VolumeView | None) -> None:
        """Show a volume; another one starts at its top."""
        if old and new and old.fingerprint != new.fingerprint:
            self.scroll_home(animate=False)
        self.changed()

    def watch_now(self) -> None:
        """Let the ages grow."""
        self.ticked()

    def ages(self) -> Hashable:
        """Return how long ago all was that the text tells of."""
        return volume_ages(self.volume, self.now) if self.volume is not None else None

    def watch_course(self) -> None:
        """Show the history, or leave it to its panel."""
        self.changed()

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the text's lines."""
        if self.view is None or self.volume is None:
            return [line(("The volume under the cursor will be here.", "$quiet"))]
        return volume_lines(self.volume, self.view, self.now, self.zone, width_cells, course=self.course)


class VolumeHistory(FramedDrawn):
    """Shows how full a volume was over time, and how fast it fills up."""

    title = "History"
    DEFAULT_CSS = frame_css("VolumeHistory") + "VolumeHistory { padding: 0 1; }"

    view: var[VolumesView | None] = var(None)
    volume: var[VolumeView | None] = var(None)
    """The one on display, or None while there is none."""
    now: var[datetime] = var(_LONG_AGO)
    zone: var[tzinfo | None] = var(None)

    def figures(self) -> Content:
        """Return the trend."""
        known = trend(self.volume, self.view) if self.volume is not None and self.view is not None else Content("")
        return known if known.plain else line(("no trend", "$quiet"))

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the picture, as high as the panel."""
        if self.view is None or self.volume is None:
            return [line((f"reading{glyphs.CUT}", "$quiet"))] if self.view is None else []
        return history_lines(self.volume, self.view, self.now, self.zone, width_cells, self.content_size.height)

    def watch_view(self) -> None:
        """Show the newest figures."""
        self.changed()

    def watch_volume(self) -> None:
        """Show another volume."""
        self.changed()

    def watch_now(self) -> None:
        """Let ages grow."""
        self.ticked()

    def ages(self) -> Hashable:
        """Return how long ago the end of the history was."""
        return age(self.view.at, self.now) if self.view is not None else None
