"""The parts of an entity's page that only it has: the head, the history, and the jobs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, tzinfo

from textual.content import Content
from textual.reactive import var

from pulsetui.pipeline.views import JobView
from pulsetui.storage.views import HistoryPoint, StorageView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.entity import head_lines, history_picture, pace
from pulsetui.tui.renderables.jobs import job_row, note
from pulsetui.tui.renderables.storage import Measure
from pulsetui.tui.renderables.text import age, broken, line
from pulsetui.tui.widgets.drawn import Drawn
from pulsetui.tui.widgets.framed_lines import FramedDrawn
from pulsetui.tui.widgets.panel import frame_css
from pulsetui.tui.widgets.row_list import RowList

_PICTURE_CELLS = 8
"""Lines of the history where nothing says how high it is to be."""


class EntityHead(Drawn):
    """Says which entity the page is about, and where it is."""

    DEFAULT_CSS = "EntityHead { height: 2; padding: 0 1; }"

    view: var[StorageView | None] = var(None)

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the two lines."""
        return head_lines(self.view, width_cells) if self.view is not None else [Content(""), Content("")]

    def watch_view(self) -> None:
        """Show another entity."""
        self.changed()


class EntityHistory(FramedDrawn):
    """Shows an entity's size over time, and its growth over an hour, a day and a week."""

    title = "History"
    DEFAULT_CSS = frame_css("EntityHistory") + "EntityHistory { padding: 0 1; }"

    view: var[StorageView | None] = var(None)
    points: var[Sequence[HistoryPoint]] = var(())
    """Its sizes, oldest first."""
    now: var[datetime | None] = var(None)
    zone: var[tzinfo | None] = var(None)

    def figures(self) -> Content:
        """Return how often it was measured."""
        return line((pace(self.points, Measure()), "$quiet"))

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the picture, as high as the panel."""
        if self.view is None or self.now is None:
            return [line((f"reading{glyphs.CUT}", "$quiet"))]
        height = _PICTURE_CELLS if self.styles.auto_dimensions else self.content_size.height
        here = self.view.tree.size.allocated_bytes
        return history_picture(self.points, here, self.now, self.zone, width_cells, height, Measure())

    def watch_view(self) -> None:
        """Show another entity."""
        self.changed()

    def watch_points(self) -> None:
        """Show the newest sizes."""
        self.changed()

    def watch_now(self) -> None:
        """Let ages grow."""
        self.changed()


class EntityJobs(RowList):
    """Lists the jobs of an entity and of what is in it, the newest first."""

    title = "Jobs"

    jobs: var[Sequence[JobView] | None] = var(None)
    """None before the first read."""

    @property
    def row_count(self) -> int:
        """How many jobs there are."""
        return len(self.jobs or ())

    def figures(self) -> Content:
        """Return their number."""
        return line((f"{self.row_count:,}" if self.jobs else "", "$quiet"))

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return one job's line."""
        job = self._at(index)
        return (job_row(job, self.now or datetime.now(UTC), width_cells, marked=False),)

    def row_state(self, index: int) -> Hashable:
        """Return the job, and what of the time shows in its row."""
        job = self._at(index)
        now = self.now or job.submitted_at
        return job, age(job.submitted_at, now), note(job, now)

    def vacant(self, width_cells: int) -> Sequence[Content]:
        """Say what will be here."""
        said = f"reading{glyphs.CUT}" if self.jobs is None else "Jobs that write into it will be here."
        return [line((part, "$quiet")) for part in broken(said, max(8, width_cells))]

    def job_at(self, index: int) -> int | None:
        """Return the id of a row's job."""
        return self._at(index).id

    def watch_jobs(self, old: Sequence[JobView] | None, new: Sequence[JobView] | None) -> None:
        """Show the newest jobs; the cursor stays on its own."""
        held = old[self.cursor].id if old and self.cursor < len(old) else None
        at = next((index for index, job in enumerate(new or ()) if job.id == held), None)
        if at is not None:
            self.set_reactive(RowList.cursor, at)
        self.changed()

    def _at(self, index: int) -> JobView:
        assert self.jobs is not None
        return self.jobs[index]
