"""The volumes: which file systems there are, which are tracked, how full and how fast they are, what is wrong."""

from __future__ import annotations

from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from pulsetui.tui import keys
from pulsetui.tui.screens.volume_orders import VolumeOrders
from pulsetui.tui.widgets.footer import KeyLine
from pulsetui.tui.widgets.gate_line import GateLine
from pulsetui.tui.widgets.row_list import RowList
from pulsetui.tui.widgets.volume_panels import VolumeHistory, VolumeNotes, VolumePanel
from pulsetui.tui.widgets.volume_table import VolumeTable

TEST_PAUSE_S = 0.25
"""Between two reads while a speed test runs."""


class VolumesScreen(VolumeOrders):
    """Wires the table, the volume under the cursor and its history to the read model."""

    BINDINGS = keys.bindings("volumes")

    def compose(self) -> ComposeResult:
        """Lay out header, table, what goes on, details with history, and footer."""
        yield GateLine()
        yield VolumeTable(id="volumes")
        yield VolumeNotes()
        with Horizontal(id="panels"):
            yield VolumePanel(id="details")
            yield VolumeHistory(id="history")
        yield KeyLine("volumes", here="volumes.show")

    def on_mount(self) -> None:
        """Start with the focus on the table."""
        self.table.focus()

    async def read(self) -> None:
        """Read all volumes; soon again while one is tested."""
        self.view = await self.source.volumes()
        if self.view.testing is not None:
            self.set_timer(TEST_PAUSE_S, self.wake)

    def show(self, now: datetime) -> None:
        """Push the newest values into the widgets."""
        table, notes = self.table, self.query_one(VolumeNotes)
        table.now, table.failure, table.view = now, self.failure, self.view
        notes.now, notes.view = now, self.view
        self._show_selected(now)

    def _show_selected(self, now: datetime) -> None:
        """Show the volume under the cursor in full."""
        panel, history = self.query_one(VolumePanel), self.query_one(VolumeHistory)
        panel.now, panel.zone, panel.course = now, self.zone, not history.display
        panel.view, panel.volume = self.view, self.table.selected
        if history.display:
            history.now, history.zone = now, self.zone
            history.view, history.volume = self.view, self.table.selected

    @on(RowList.Moved)
    def _moved(self) -> None:
        """Show another volume."""
        self._show_selected(self.clock.now())

    @on(VolumeTable.MenuWanted)
    async def _menu_wanted(self) -> None:
        """Offer what can be done with a volume."""
        await self.action_menu()

    def on_resize(self) -> None:
        """Show the history where it has its place now."""
        self.call_after_refresh(self._show_selected, self.clock.now())

    def action_back(self) -> None:
        """Go back to Pulse."""
        self.app.switch_mode("pulse")
