"""Where in time the tree on display is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import HistoryPoint, StorageView
from pulsetui.tui.renderables.storage import Measure
from pulsetui.tui.renderables.storage_rows import Course, course_cells, history_lines, next_time, time_at
from pulsetui.tui.widgets.drawn import Drawn


class HistoryBar(Drawn):
    """Shows the course of sizes, the time on display, the change since, and what happened then."""

    view: var[StorageView | None] = var(None)
    """The tree on display; its time and that time's events are shown. A time that is asked for counts from `at` on."""
    times: var[Sequence[datetime]] = var(())
    """The times that can be shown, oldest first."""
    points: var[Sequence[HistoryPoint]] = var(())
    """Sizes of the tree's root over time, oldest first."""
    at: var[datetime | None] = var(None)
    """The time that was asked for, or None for the newest."""
    apparent: var[bool] = var(False)
    now: var[datetime | None] = var(None)
    zone: var[tzinfo | None] = var(None)

    class Scrubbed(Message):
        """The operator wants the tree of another time; None is the newest."""

        def __init__(self, at: datetime | None) -> None:
            """Take what the message says."""
            super().__init__()
            self.at = at

    def __init__(self, *, id: str | None = None, rows: int = 1) -> None:  # noqa: A002 - Textual's name
        """Take its height: with two rows, events have one of their own."""
        super().__init__(id=id)
        self._rows = rows

    def step(self, steps: int) -> None:
        """Ask for the time that many steps later, or earlier if negative."""
        there = next_time(self.times, self.at, steps)
        if there != self.at:
            self.post_message(self.Scrubbed(there))

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the lines, a blank at each side."""
        now = self.now or datetime.now(UTC)
        return [one.pad_left(1) for one in history_lines(self._course(), now, self.zone, width_cells - 2, self._rows)]

    def on_click(self, event: events.Click) -> None:
        """Go to the time that was clicked in the course of sizes."""
        at, cells = event.get_content_offset(self), course_cells(self.content_size.width - 2)
        if at is None or at.y or not 0 <= at.x - 1 < cells:
            return
        there = time_at(self._course(), at.x - 1, cells)
        if there != self.at:
            self.post_message(self.Scrubbed(there))

    def _course(self) -> Course:
        """Return what is drawn. Events are those of the tree on display, so none while another one is on its way."""
        view = self.view
        happened = view.history_events if view is not None and view.history_at == self.at else ()
        return Course(self.points, self.times, self.at, happened, Measure(self.apparent))

    def watch_view(self) -> None:
        """Show the events of that time."""
        self.changed()

    def watch_times(self) -> None:
        """Show how many times there are."""
        self.changed()

    def watch_points(self) -> None:
        """Show the course."""
        self.changed()

    def watch_at(self) -> None:
        """Show another time."""
        self.changed()

    def watch_apparent(self) -> None:
        """Show the other sizes."""
        self.changed()

    def watch_now(self) -> None:
        """Let ages grow."""
        self.changed()

    def watch_zone(self) -> None:
        """Tell times in another zone."""
        self.changed()
