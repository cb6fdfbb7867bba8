"""Every job in a table, paged from the store, with the flow of stages above."""

from __future__ import annotations

from datetime import datetime, tzinfo

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from pulsetui.clock import Clock
from pulsetui.errors import NotFoundError
from pulsetui.pipeline.views import JobDetails, JobsPage
from pulsetui.tui import keys
from pulsetui.tui.screens.live import LiveScreen
from pulsetui.tui.source import SORTS, STAGES, Source
from pulsetui.tui.widgets.find_bar import FindBar
from pulsetui.tui.widgets.footer import KeyLine
from pulsetui.tui.widgets.gate_line import GateLine
from pulsetui.tui.widgets.job_details import JobPanel
from pulsetui.tui.widgets.job_table import WINDOW_ROWS, JobTable
from pulsetui.tui.widgets.row_list import RowList
from pulsetui.tui.widgets.stage_flow import StageFlow


class PipelineScreen(LiveScreen):
    """Wires table, details and orders. The table's window and the job under the cursor are read, nothing more."""

    PLACE = "pipeline"
    BINDINGS = keys.bindings("pipeline")

    def __init__(self, source: Source, clock: Clock, zone: tzinfo | None = None) -> None:
        """Take the seam to the core, the clock and the zone for times."""
        super().__init__(source, clock, zone)
        self._stage: str | None = None
        self._text = ""
        self._sort = SORTS[0]
        self._offset = 0
        self._page: JobsPage | None = None
        self._details: JobDetails | None = None

    def compose(self) -> ComposeResult:
        """Lay out header, flow, table, details and footer."""
        yield GateLine()
        yield StageFlow()
        with Horizontal(id="panels"):
            yield JobTable(id="jobs")
            yield JobPanel(id="details")
        yield FindBar(placeholder="find in names, sources and errors", compact=True)
        yield KeyLine("pipeline", here="pipeline.show")

    def on_mount(self) -> None:
        """Start with the focus on the table."""
        self.query_one(JobTable).focus()

    async def read(self) -> None:
        """Read the table's window, and the job under the cursor where the details are to be seen."""
        page = await self._window()
        if page.total and not page.jobs:
            self._offset = max(0, page.total - WINDOW_ROWS)
            page = await self._window()
        self._page = page
        if not self.display:
            return
        table = self.query_one(JobTable)
        table.page = page
        selected = table.selected
        if selected is None or not self.query_one(JobPanel).display:
            self._details = None
            return
        try:
            self._details = await self.source.job(selected.id)
        except NotFoundError:
            self._details = None

    async def _window(self) -> JobsPage:
        """Read the window at the current offset."""
        return await self.source.jobs(
            stage=self._stage, text=self._text or None, offset=self._offset, limit=WINDOW_ROWS, sort=self._sort
        )

    def show(self, now: datetime) -> None:
        """Push the newest values into the widgets."""
        flow, table, panel = self.query_one(StageFlow), self.query_one(JobTable), self.query_one(JobPanel)
        flow.stages = self.pulse.stages if self.pulse else ()
        flow.chosen = self._stage
        table.stage, table.text, table.sort, table.now = self._stage, self._text, self._sort, now
        table.failure = self.failure
        panel.zone, panel.now, panel.details = self.zone, now, self._details

    @on(JobTable.WindowWanted)
    def _left_window(self, message: JobTable.WindowWanted) -> None:
        """Read where the view is now."""
        self._offset = message.offset
        self.wake()

    @on(RowList.Moved)
    def _moved(self) -> None:
        """Show the details of another job."""
        if self.query_one(JobPanel).display:
            self.wake()

    @on(RowList.Opened)
    def _open_job(self, message: RowList.Opened) -> None:
        """Show a job in full."""
        self.post_message(self.JobWanted(message.job_id))

    @on(FindBar.Searched)
    def _searched(self, message: FindBar.Searched) -> None:
        """Search the jobs."""
        self._text = message.text
        self._restart()

    @on(FindBar.Closed)
    def _search_closed(self) -> None:
        """Go back to the rows."""
        self.query_one(JobTable).focus()

    def look_at(self, about: str) -> None:
        """Show the jobs that have a text in them, of whatever stage."""
        self._stage, self._text = None, about
        with self.prevent(FindBar.Searched, Input.Changed):
            self.query_one(FindBar).value = about
        self._restart()

    def action_find(self) -> None:
        """Open the search."""
        self.query_one(FindBar).open()

    def action_next_filter(self) -> None:
        """Step through the stages."""
        steps = (None, *STAGES)
        self._stage = steps[(steps.index(self._stage) + 1) % len(steps)]
        self._restart()

    def action_next_sort(self) -> None:
        """Step through the orders."""
        self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
        self._restart()

    def action_back(self) -> None:
        """Drop search, filter and marks; with none, go back to Pulse."""
        table = self.query_one(JobTable)
        if not (self._text or self._stage or table.marked):
            self.app.switch_mode("pulse")
            return
        self._stage, self._text, table.marked = None, "", frozenset()
        self.query_one(FindBar).value = ""
        self._restart()

    def action_open(self) -> None:
        """Open the job under the cursor; for clicks on the footer."""
        self.query_one(JobTable).action_open()

    def action_mark(self) -> None:
        """Mark the job under the cursor, or take its mark away, and go on to the next."""
        table = self.query_one(JobTable)
        if table.selected is not None:
            table.marked = table.marked ^ {table.selected.id}
            table.action_cursor(1)

    def action_retry(self) -> None:
        """Retry the marked jobs, else the one under the cursor."""
        if ids := self._chosen():
            self.order("jobs.retry", {"ids": ids})
            self.query_one(JobTable).marked = frozenset()

    async def action_cancel(self) -> None:
        """Ask whether to cancel the marked jobs, else the one under the cursor."""
        ids = self._chosen()
        known = [job for job in (self._page.jobs if self._page else ()) if job.id in ids]
        await self.ask_to_cancel(known, ids)

    def _chosen(self) -> list[int]:
        """Return the ids that an order is about."""
        table = self.query_one(JobTable)
        if table.marked:
            return sorted(table.marked)
        return [table.selected.id] if table.selected else []

    def _restart(self) -> None:
        """Read from the top under the current filter."""
        self._offset = 0
        table = self.query_one(JobTable)
        table.page = None
        table.cursor = 0
        table.scroll_home(animate=False)
        self.show(self.clock.now())
        self.wake()
