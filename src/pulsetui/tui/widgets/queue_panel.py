"""What comes next and what ended lately."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.content import Content
from textual.reactive import var

from pulsetui.pipeline.views import DoneView, QueuedView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.tasks import done_row, queued_row
from pulsetui.tui.renderables.text import age, heading, line
from pulsetui.tui.widgets.row_list import RowList
from pulsetui.units import format_duration


class QueuePanel(RowList):
    """Shows the next jobs with their position, then the ones that ended lately; each gets its share of the rows."""

    title = "Next and done"

    queued: var[tuple[QueuedView, ...] | None] = var(None)
    done: var[tuple[DoneView, ...]] = var(())
    waiting: var[int] = var(0)
    """How many jobs are queued in all; `queued` holds the first few."""
    finished: var[int] = var(0)
    """How many jobs are transcribed in all."""
    eta_s: var[float | None] = var(None)
    _rows: tuple[QueuedView | DoneView | str, ...] = ()

    def repaint(self) -> None:
        """Share the height between the two lists first."""
        self._rows = self._shared()
        super().repaint()

    def _shared(self) -> tuple[QueuedView | DoneView | str, ...]:
        """Return the rows in order; a text is a heading."""
        queued, done = self.queued or (), self.done
        if not done:
            return queued
        half = max(3, self.body_cells // 2)
        shown = queued[: max(half, self.body_cells - 1 - len(done))]
        return (*shown, "lately done", *done)

    @property
    def row_count(self) -> int:
        """How many rows there are, headings included."""
        return len(self._rows)

    def selectable(self, index: int) -> bool:
        """Headings are passed over."""
        return not isinstance(self._rows[index], str)

    def figures(self) -> Content:
        """Return how many wait and are done, and when all will be."""
        ends = f" · {format_duration(self.eta_s)} left" if self.eta_s is not None else ""
        return line((f"{self.waiting:,} queued · {self.finished:,} done{ends}", "$quiet"))

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return one job's line."""
        row = self._rows[index]
        if isinstance(row, str):
            return (heading(row, width_cells),)
        if isinstance(row, QueuedView):
            return (queued_row(row, width_cells),)
        return (done_row(row, self.now or row.ended_at, width_cells),)

    def vacant(self, width_cells: int) -> Sequence[Content]:  # noqa: ARG002
        """Say what will be here."""
        if self.queued is None:
            return [line((f"reading{glyphs.CUT}", "$quiet"))]
        return [line(("Waiting and finished jobs will be here.", "$quiet")), line("a", (" adds an episode", "$quiet"))]

    def job_at(self, index: int) -> int | None:
        """Return the row's job; a heading has none."""
        row = self._rows[index]
        return None if isinstance(row, str) else row.job_id

    def row_state(self, index: int) -> Hashable:
        """Return the row, and how long ago its job ended."""
        row = self._rows[index]
        return row, age(row.ended_at, self.now or row.ended_at) if isinstance(row, DoneView) else ""

    def watch_queued(self) -> None:
        """Take in the newest queue."""
        self.changed()

    def watch_done(self) -> None:
        """Take in what ended."""
        self.changed()

    def watch_waiting(self) -> None:
        """Show the newest count."""
        self.changed()

    def watch_finished(self) -> None:
        """Show the newest count."""
        self.changed()

    def watch_eta_s(self) -> None:
        """Show the newest estimate."""
        self.changed()
