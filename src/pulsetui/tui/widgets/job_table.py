"""The table of all jobs, of which only a window is ever in memory."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.pipeline.views import JobsPage, JobView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.jobs import columns, head_row, job_name, job_row, note
from pulsetui.tui.renderables.text import age, end_cut, line, safe
from pulsetui.tui.widgets.row_list import RowList

WINDOW_ROWS = 200
"""Rows that are read at once; at least twice what any terminal shows."""


class JobTable(RowList):
    """Shows the jobs of one window; asks for another one when the view leaves it, and keeps the cursor on its job."""

    title = "Jobs"
    opens_on_click = False
    head_cells = 1

    page: var[JobsPage | None] = var(None)
    """The window on display, or None before the first read."""
    stage: var[str | None] = var(None)
    sort: var[str] = var("queue")
    text: var[str] = var("")
    marked: var[frozenset[int]] = var(frozenset())
    """Ids of the marked jobs."""
    _name_cells = 0
    """What the longest name takes of those that were read since the filter changed."""

    class WindowWanted(Message):
        """The view left the window: one that starts at `offset` is wanted."""

        def __init__(self, offset: int) -> None:
            """Take what the message says."""
            super().__init__()
            self.offset = offset

    @property
    def row_count(self) -> int:
        """How many jobs match, read or not."""
        return self.page.total if self.page else 0

    @property
    def selected(self) -> JobView | None:
        """The job under the cursor, or None while it isn't read."""
        return self._at(self.cursor)

    def figures(self) -> Content:
        """Return filter, order and how many match."""
        stage = self.stage or "all stages"
        parts = [line((f"{stage} {glyphs.SORTED}", "$accent" if self.stage else "$quiet"))]
        if self.text:
            parts.append(line((f"“{safe(self.text)}”", "$accent")))
        if self.marked:
            parts.append(line((f"{len(self.marked):,} marked", "$accent")))
        parts += [line((f"by {self.sort}", "$quiet")), line((f"{self.row_count:,}", "$quiet"))]
        return line((" · ", "$quiet")).join(parts)

    def draw_head(self, width_cells: int) -> Content:
        """Return the column heads."""
        return head_row(width_cells, self.sort, name_cells=self._name_cells)

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return one job's line; one that isn't read yet is a mark of that."""
        job = self._at(index)
        if job is None:
            return (line((f"    {glyphs.CUT}", "$quiet")),)
        marked = job.id in self.marked
        return (job_row(job, self._as_of(job), width_cells, marked=marked, name_cells=self._name_cells),)

    def vacant(self, width_cells: int) -> Sequence[Content]:  # noqa: ARG002
        """Say what will be here, or why nothing is."""
        if self.page is None:
            return [line((f"reading{glyphs.CUT}", "$quiet"))]
        if self.stage or self.text:
            return [line(("No job is like that.", "$quiet")), line("esc", (" shows all again", "$quiet"))]
        return [line(("Every job will be here.", "$quiet")), line("a", (" adds an episode", "$quiet"))]

    def job_at(self, index: int) -> int | None:
        """Return the id of a row's job, or None while it isn't read."""
        job = self._at(index)
        return job.id if job else None

    def row_state(self, index: int) -> Hashable:
        """Return the job, what its row says of the time, and whether it is marked."""
        job = self._at(index)
        if job is None:
            return None
        now = self._as_of(job)
        return job, age(job.submitted_at, now), note(job, now), job.id in self.marked, self._name_cells

    def watch_page(self, old: JobsPage | None, new: JobsPage | None) -> None:
        """Take in a window; the cursor stays on its job, and the view goes along unless it shows the first rows."""
        held = self._find(old, self.cursor)
        # It only grows while one looks at the same jobs: columns that come and go with a name make a row hard to read.
        names = (cell_len(safe(job_name(job))) for job in new.jobs) if new else ()
        self._name_cells = max(names, default=0) if old is None else max(self._name_cells, *names, 0)
        self.repaint()
        self._tell()
        if held is None or new is None or not self.cursor:
            return
        at = next((new.offset + index for index, job in enumerate(new.jobs) if job.id == held.id), None)
        if at is not None and at != self.cursor:
            top = self.scroll_offset.y
            moved = at - self.cursor
            self.set_reactive(RowList.cursor, at)
            if top:
                self.scroll_to(y=max(0, top + moved), animate=False, force=True, immediate=True)
            self.reveal()
            self.changed()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for another window when the view leaves this one."""
        super().watch_scroll_y(old_value, new_value)
        top, bottom = round(new_value), min(self.row_count, round(new_value) + self.body_cells)
        if self.page and (top < self.page.offset or bottom > self.page.offset + len(self.page.jobs)):
            self.post_message(self.WindowWanted(max(0, top - WINDOW_ROWS // 3)))

    def watch_cursor(self, old: int, new: int) -> None:
        """Say of the job under the cursor what its row has no room for."""
        super().watch_cursor(old, new)
        self._tell()

    def on_resize(self) -> None:
        """Fit rows, frame and foot to the new size."""
        super().on_resize()
        self._tell()

    def _tell(self) -> None:
        """Put the note of the job under the cursor into the bottom border, where its column is too narrow for it."""
        job = self.selected
        said = note(job, self._as_of(job)) if job else ""
        width = self.lines_size.width - 2
        fits = cell_len(safe(said)) <= columns(width, self._name_cells).note
        self.foot = "" if fits else end_cut(said, max(0, width - 4))

    def _as_of(self, job: JobView) -> datetime:
        """Return the time that the job's ages are told by."""
        return self.now or job.submitted_at

    def watch_marked(self) -> None:
        """Show the marks and their number."""
        self.changed()

    def watch_stage(self) -> None:
        """Show the filter."""
        self.changed()

    def watch_sort(self) -> None:
        """Show the order."""
        self.changed()

    def watch_text(self) -> None:
        """Show what is searched for."""
        self.changed()

    def _at(self, index: int) -> JobView | None:
        """Return the job of a row, or None while it isn't read."""
        return self._find(self.page, index)

    @staticmethod
    def _find(page: JobsPage | None, index: int) -> JobView | None:
        """Return the job that a window has for a row."""
        at = index - page.offset if page else -1
        return page.jobs[at] if page and 0 <= at < len(page.jobs) else None
