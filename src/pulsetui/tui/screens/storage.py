"""Where every byte is: the tree of sizes as a map that one walks over, with what is said of it beside."""

from __future__ import annotations

from datetime import datetime, tzinfo

from textual import on, work
from textual.app import ComposeResult

from pulsetui.clock import Clock
from pulsetui.errors import NotFoundError, PulseError
from pulsetui.storage.views import StorageView
from pulsetui.tui import keys
from pulsetui.tui.renderables.place import tooltip
from pulsetui.tui.renderables.text import safe
from pulsetui.tui.screens.storage_orders import StorageOrders
from pulsetui.tui.source import Source
from pulsetui.tui.widgets.category_chart import CategoryChart
from pulsetui.tui.widgets.children_list import ChildrenList
from pulsetui.tui.widgets.footer import KeyLine
from pulsetui.tui.widgets.gate_line import GateLine
from pulsetui.tui.widgets.history_bar import HistoryBar
from pulsetui.tui.widgets.storage_body import StorageBody
from pulsetui.tui.widgets.storage_lines import CrumbLine, FocusLine, LegendLine
from pulsetui.tui.widgets.storage_summary import StorageSummary
from pulsetui.tui.widgets.tree_table import TreeTable
from pulsetui.tui.widgets.treemap import Treemap
from pulsetui.tui.widgets.walked import Walked

DEPTH = 4
"""Levels that are read at once: the rings of the sunburst, and one more than the treemap shows."""
REFRESH_PAUSE_S = 0.25
"""Between two reads while a refresh runs."""


class StorageScreen(StorageOrders):
    """Wires the map, the panels beside it and the lines around it to the read model."""

    BINDINGS = keys.bindings("storage")

    def __init__(self, source: Source, clock: Clock, zone: tzinfo | None = None) -> None:
        """Take the seam to the core, the clock and the zone for times."""
        super().__init__(source, clock, zone)
        self._times_of: datetime | None = None

    def compose(self) -> ComposeResult:
        """Lay out header, breadcrumbs, map with side panel, the lines below and the footer."""
        yield GateLine()
        yield CrumbLine()
        yield StorageBody()
        yield FocusLine()
        yield HistoryBar()
        yield LegendLine()
        yield KeyLine("storage", here="storage.show")

    def on_mount(self) -> None:
        """Start with the focus on the map."""
        treemap = self.query_one(Treemap)
        treemap.ascii_only = getattr(self.app, "ascii_only", False)
        treemap.focus()

    async def read(self) -> None:
        """Read the tree of what is open, and the times of the past when they may have changed."""
        key, look = self.place.key, self.look
        growth_s, at = look.colouring.growth_s, look.at
        try:
            view = await self.source.storage(key, depth=DEPTH, growth_s=growth_s, history_at=at)
        except NotFoundError:
            if key is None:
                raise
            self.place.lost()
            self.wake()
            return
        times, points = look.times, look.points
        if view.snapshot_at != self._times_of or not times:
            times = await self.source.storage_times()
        if at is not None:
            points = await self.source.storage_history(view.tree.key)
        if (growth_s, at) == (look.colouring.growth_s, look.at):
            self.place.take(key, view)
            look.times, look.points, self._times_of = times, points, view.snapshot_at
        if view.refreshing is not None:
            self.set_timer(REFRESH_PAUSE_S, self.wake)

    def show(self, now: datetime) -> None:
        """Push the newest values into the widgets."""
        place, look, body = self.place, self.look, self.query_one(StorageBody)
        body.show(place, look, now, self.failure)
        line, focus = self.query_one(CrumbLine), self.query_one(FocusLine)
        line.view, line.now = place.view, now
        focus.spot, focus.now = body.spot(self.picked, place, look), now
        history = self.query_one(HistoryBar)
        history.display = look.at is not None
        history.times, history.at, history.apparent = look.times, look.at, look.apparent
        if look.at is not None:
            history.view, history.points, history.now = place.view, look.points, now
        legend = self.query_one(LegendLine)
        legend.mode = None if look.form == "tree" else look.colouring.mode
        legend.words, legend.steps = self._words(), body.treemap.steps

    def tell_time(self, now: datetime) -> None:
        """Let the ages grow."""
        self.query_one(CrumbLine).now = self.query_one(FocusLine).now = now
        self.body.tell_time(now, self.look)
        if self.look.at is not None:
            self.query_one(HistoryBar).now = now

    def _words(self) -> tuple[tuple[str, str], ...]:
        """Return what the legend says beside the scale."""
        look = self.look
        off = f" ({len(look.hidden)} off)" if look.hidden else ""
        return (
            ("storage.colour", f"by {look.colouring.label}"),
            ("storage.view", look.form),
            ("storage.apparent", "apparent" if look.apparent else "allocated"),
            ("storage.types", f"types{off}"),
            ("storage.earlier", "history"),
        )

    @on(Walked.Selected)
    @on(TreeTable.Selected)
    def _selected(self, message: Walked.Selected | TreeTable.Selected) -> None:
        """Say what is under the cursor now."""
        self.place.select(message.key)
        self.show(self.clock.now())

    @on(Walked.Opened)
    @on(TreeTable.EntityWanted)
    @on(ChildrenList.EntityWanted)
    def _opened(self, message: Walked.Opened | TreeTable.EntityWanted) -> None:
        """Open what was asked for."""
        self.open_key(message.key)

    @on(Walked.Left)
    def _left(self, message: Walked.Left) -> None:
        """Go up."""
        self.action_root() if message.to_root else self.action_leave()

    @on(Walked.MenuWanted)
    def _menu_wanted(self, message: Walked.MenuWanted) -> None:
        """Offer what can be done with a tile."""
        self.call_next(self.offer, message.key, message.at)

    @on(Walked.Hovered)
    def _hovered(self, message: Walked.Hovered) -> None:
        """Say what is under the mouse."""
        spot = self.body.spot(message.key, self.place, self.look) if message.key else None
        self.body.picture(self.look).tooltip = tooltip(spot, self.clock.now()) if spot is not None else None

    @on(CategoryChart.Toggled)
    def _toggled(self, message: CategoryChart.Toggled) -> None:
        """Leave categories out of the picture."""
        self.look.hidden = message.hidden
        self.show(self.clock.now())

    @on(StorageSummary.RefreshWanted)
    def _refresh_wanted(self) -> None:
        """Read all sizes anew."""
        self.action_refresh_storage()

    @on(HistoryBar.Scrubbed)
    def _scrubbed(self, message: HistoryBar.Scrubbed) -> None:
        """Show another time."""
        self.show_time(message.at)

    @on(TreeTable.Expanded)
    def _expanded(self, message: TreeTable.Expanded) -> None:
        """Read what is in a row that opened."""
        self._read_branch(message.key)

    @work(group="branches")
    async def _read_branch(self, key: str) -> None:
        """Read what is in a node that has more."""
        look = self.look
        try:
            view: StorageView = await self.source.storage(
                key, depth=1, growth_s=look.colouring.growth_s, history_at=look.at
            )
        except PulseError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return
        self.place.graft(view.tree)
        self.show(self.clock.now())
