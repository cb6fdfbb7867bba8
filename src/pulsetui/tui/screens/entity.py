"""One entity of storage on a page of its own: where it is, what it takes, how it grew, what is in it, and its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from pulsetui.clock import Clock
from pulsetui.pipeline.views import JobView
from pulsetui.storage.views import HistoryPoint, StorageView
from pulsetui.tui import keys
from pulsetui.tui.screens.live import LiveScreen
from pulsetui.tui.source import Source
from pulsetui.tui.widgets.category_chart import CategoryChart
from pulsetui.tui.widgets.children_list import ChildrenList
from pulsetui.tui.widgets.entity_panels import EntityHead, EntityHistory, EntityJobs
from pulsetui.tui.widgets.footer import KeyLine
from pulsetui.tui.widgets.gate_line import GateLine
from pulsetui.tui.widgets.row_list import RowList
from pulsetui.tui.widgets.storage_summary import StorageSummary

JOBS_SHOWN = 100
"""Jobs that are read, the newest ones."""
GROWTH_S = 86_400.0
"""The window of growth in the summary; the history has others."""


class EntityScreen(LiveScreen):
    """Shows one entity; opening a child shows that one, and going back leads through the same entities again."""

    PLACE = "entity"
    BINDINGS = keys.bindings("entity")

    def __init__(self, source: Source, clock: Clock, key: str, zone: tzinfo | None = None) -> None:
        """Take the seam to the core, the clock, the entity's key and the zone for times."""
        super().__init__(source, clock, zone)
        self._trail: list[str] = [key]
        """The entities that were opened one from the other; the last one is on display."""
        self._came_from: dict[str, int] = {}
        """Where the cursor was in the children of those."""
        self._view: StorageView | None = None
        self._points: Sequence[HistoryPoint] = ()
        self._jobs: Sequence[JobView] | None = None
        self._hidden: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Lay out header, what it is, figures beside history and lists, and footer."""
        yield GateLine()
        yield EntityHead()
        with Container(id="panels"):
            with Vertical(id="figures"):
                yield StorageSummary()
                yield CategoryChart()
            with Vertical(id="lists"):
                yield EntityHistory()
                yield ChildrenList()
                yield EntityJobs()
        yield KeyLine("entity")

    def on_mount(self) -> None:
        """Start with the focus on what is in it."""
        self.query_one(ChildrenList).focus()

    async def read(self) -> None:
        """Read the entity, its history and its jobs; an answer that comes after another one was opened is dropped."""
        key = self._trail[-1]
        view = await self.source.storage(key, depth=1, growth_s=GROWTH_S)
        points = await self.source.storage_history(key)
        jobs = await self.source.storage_jobs(key, JOBS_SHOWN)
        if key == self._trail[-1]:
            self._view, self._points, self._jobs = view, points, jobs

    def show(self, now: datetime) -> None:
        """Push the newest values into the panels."""
        summary, chart = self.query_one(StorageSummary), self.query_one(CategoryChart)
        head, history = self.query_one(EntityHead), self.query_one(EntityHistory)
        children, jobs = self.query_one(ChildrenList), self.query_one(EntityJobs)
        head.view = chart.view = history.view = self._view
        summary.growth_s, summary.now, summary.failure, summary.view = GROWTH_S, now, self.failure, self._view
        chart.hidden = children.hidden = self._hidden
        history.points, history.now, history.zone = self._points, now, self.zone
        jobs.jobs, jobs.now = self._jobs, now
        if children.view is not self._view:
            children.view = self._view
            cursor = self._came_from.pop(self._trail[-1], None) if self._view is not None else None
            if cursor is not None:
                children.cursor = cursor

    @on(ChildrenList.EntityWanted)
    def _open_child(self, message: ChildrenList.EntityWanted) -> None:
        """Show what is in a child."""
        self._came_from[self._trail[-1]] = self.query_one(ChildrenList).cursor
        self._trail.append(message.key)
        self._restart()

    @on(RowList.Opened)
    def _open_job(self, message: RowList.Opened) -> None:
        """Show a job in full."""
        self.post_message(self.JobWanted(message.job_id))

    @on(CategoryChart.Toggled)
    def _toggled(self, message: CategoryChart.Toggled) -> None:
        """Leave categories out of the list."""
        self._hidden = message.hidden
        self.show(self.clock.now())

    @on(StorageSummary.RefreshWanted)
    def action_refresh_storage(self) -> None:
        """Read all sizes anew."""
        self.order("storage.refresh", {})

    def action_open(self) -> None:
        """Open what is under the cursor; for clicks on the footer."""
        focused = self.focused
        if isinstance(focused, RowList):
            focused.action_open()

    def action_back(self) -> None:
        """Go back to the entity that this one was opened from, or to where one was."""
        if len(self._trail) == 1:
            self.dismiss(None)
            return
        self._trail.pop()
        self._restart()

    def _restart(self) -> None:
        """Show another entity as soon as it is read."""
        self._view, self._points, self._jobs = None, (), None
        self.show(self.clock.now())
        self.wake()
