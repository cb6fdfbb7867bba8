"""The landing page: what runs, what comes next, the disks, what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container

from pulsetui.clock import Clock
from pulsetui.errors import PulseError
from pulsetui.pipeline.views import EventView, PulseView
from pulsetui.storage.views import StorageView
from pulsetui.tui import keys
from pulsetui.tui.renderables.text import safe
from pulsetui.tui.screens.live import LiveScreen
from pulsetui.tui.source import EVENT_FILTERS, Source
from pulsetui.tui.widgets.active_tasks import ActiveTasks
from pulsetui.tui.widgets.activity_feed import ActivityFeed
from pulsetui.tui.widgets.disk_gauge import DiskGauge
from pulsetui.tui.widgets.find_bar import FindBar
from pulsetui.tui.widgets.footer import KeyLine
from pulsetui.tui.widgets.gate_line import GateLine
from pulsetui.tui.widgets.queue_panel import QueuePanel
from pulsetui.tui.widgets.row_list import RowList
from pulsetui.tui.widgets.storage_map import StorageMap
from pulsetui.tui.widgets.treemap import Treemap

EVENTS_AT_ONCE = 50
STORAGE_PAUSE_S = 1.0
"""Between two reads of the sizes. What is to come changes with every byte that comes in."""
MOST_EVENTS = 2_000
"""What is kept for scrolling back; more would be read again."""


class PulseScreen(LiveScreen):
    """Wires the dashboard's widgets to the read model."""

    PLACE = "pulse"
    BINDINGS = keys.bindings("pulse")

    def __init__(self, source: Source, clock: Clock, zone: tzinfo | None = None) -> None:
        """Take the seam to the core, the clock and the zone for times."""
        super().__init__(source, clock, zone)
        self._seen: tuple[EventView, ...] = ()
        self._filter = EVENT_FILTERS[0]
        self._text = ""
        self._sizes: StorageView | None = None
        self._sizes_failure = ""
        self._sizes_read_s = float("-inf")
        self._sizes_due = False

    def compose(self) -> ComposeResult:
        """Lay out header, panels and footer."""
        yield GateLine()
        with Container(id="panels"):
            yield ActiveTasks(id="tasks")
            yield QueuePanel(id="queue")
            yield DiskGauge(id="disk")
            yield StorageMap(id="storage")
            yield ActivityFeed(id="activity")
        yield FindBar(placeholder="find in the activity", compact=True)
        yield KeyLine("pulse", here="pulse.show")

    async def read(self) -> None:
        """Read the events where they are filtered; else the read model brought them."""
        if self._filtered:
            self._take(await self._events(None))
        elif self.pulse is not None:
            self._take(self.pulse.events)
        if self.display and self.query_one(StorageMap).display:
            await self._read_sizes()

    async def _read_sizes(self) -> None:
        """Read what the small treemap shows; that it can't be read concerns no other panel."""
        now_s = asyncio.get_running_loop().time()
        wait_s = self._sizes_read_s + STORAGE_PAUSE_S - now_s
        if wait_s > 0:
            if not self._sizes_due:
                self._sizes_due = True
                self.set_timer(wait_s, self.wake)
            return
        self._sizes_read_s, self._sizes_due = now_s, False
        try:
            self._sizes, self._sizes_failure = await self.source.storage(None, depth=2), ""
        except PulseError as error:
            self._sizes_failure = str(error)

    def show(self, now: datetime) -> None:
        """Push the newest values into the widgets."""
        feed = self.query_one(ActivityFeed)
        feed.zone, feed.now = self.zone, now
        tasks, queue, disk = self.query_one(ActiveTasks), self.query_one(QueuePanel), self.query_one(DiskGauge)
        queue.now = now
        tasks.compact = self.has_class("-narrow")
        for panel in (tasks, queue, disk, feed):
            panel.failure = self.failure
        sizes = self.query_one(StorageMap)
        sizes.now, sizes.failure, sizes.view = now, self._sizes_failure, self._sizes
        if self.pulse is not None:
            self._show_pulse(self.pulse, tasks, queue, disk)
            feed.events = self._seen

    def tell_time(self, now: datetime) -> None:
        """Let the ages grow."""
        self.query_one(ActivityFeed).now = self.query_one(QueuePanel).now = self.query_one(StorageMap).now = now

    def _show_pulse(self, view: PulseView, tasks: ActiveTasks, queue: QueuePanel, disk: DiskGauge) -> None:
        """Push one reading into the three panels of figures."""
        stages = dict(view.stages)
        waiting = stages.get("queued", len(view.queued))
        tasks.tasks, tasks.waiting = view.tasks, waiting
        queue.queued, queue.done, queue.eta_s = view.queued, view.done, view.eta_s
        queue.waiting, queue.finished = waiting, stages.get("transcribed", 0)
        disk.gate, disk.usage, disk.disks = view.gate, view.usage, view.disks

    @property
    def _filtered(self) -> bool:
        """Whether the feed leaves something out."""
        return bool(self._text) or self._filter is not EVENT_FILTERS[0]

    async def _events(self, before: int | None) -> Sequence[EventView]:
        """Read events that pass the filter, newest first."""
        return await self.source.events(
            before=before,
            category=self._filter.category,
            severity=self._filter.severity,
            text=self._text or None,
            limit=EVENTS_AT_ONCE,
        )

    def _take(self, newest: Sequence[EventView]) -> None:
        """Put the newest events above those read before; a gap between them starts the list anew."""
        ids = {event.id for event in newest}
        known = bool(ids & {event.id for event in self._seen})
        older = [event for event in self._seen if event.id not in ids] if known else []
        self._seen = tuple([*newest, *older][:MOST_EVENTS])

    @on(ActivityFeed.MoreWanted)
    def _scrolled_to_end(self, message: ActivityFeed.MoreWanted) -> None:
        """Read further back."""
        if len(self._seen) < MOST_EVENTS:
            self._read_older(message.before)

    @work(group="older", exclusive=True)
    async def _read_older(self, before: int) -> None:
        """Read older events to the end of the list."""
        try:
            older = await self._events(before)
        except PulseError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return
        known = {event.id for event in self._seen}
        self._seen += tuple(event for event in older if event.id not in known)
        if self.display:
            self.query_one(ActivityFeed).events = self._seen

    @on(RowList.Opened)
    def _open_job(self, message: RowList.Opened) -> None:
        """Show the job that a row leads to."""
        self.post_message(self.JobWanted(message.job_id))

    @on(StorageMap.Wanted)
    def _open_storage(self, message: StorageMap.Wanted) -> None:
        """Show what takes the space, where the small map was opened."""
        self.post_message(self.Wanted("storage", message.key))

    @on(FindBar.Searched)
    def _searched(self, message: FindBar.Searched) -> None:
        """Search the activity."""
        self._text = message.text
        self._refilter()

    @on(FindBar.Closed)
    def _search_closed(self) -> None:
        """Go back to the rows."""
        self.query_one(ActivityFeed).focus()

    def action_find(self) -> None:
        """Open the search."""
        self.query_one(FindBar).open()

    def action_next_filter(self) -> None:
        """Step through the kinds of events."""
        self._filter = EVENT_FILTERS[(EVENT_FILTERS.index(self._filter) + 1) % len(EVENT_FILTERS)]
        self._refilter()

    def action_back(self) -> None:
        """Drop search and filter."""
        self._filter = EVENT_FILTERS[0]
        self.query_one(FindBar).value = ""
        self._text = ""
        self._refilter()

    def action_open(self) -> None:
        """Open the row that has the focus; for clicks on the footer."""
        if isinstance(self.focused, RowList | Treemap):
            self.focused.action_open()

    def _refilter(self) -> None:
        """Start the feed anew under the current filter."""
        feed = self.query_one(ActivityFeed)
        feed.kinds, feed.text = self._filter.label, self._text
        self._seen = ()
        self.wake()
