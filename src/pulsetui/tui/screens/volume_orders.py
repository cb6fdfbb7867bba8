"""What one can do on the Volumes screen: each is asked about first where it changes something that matters.

The invariant: an order is about the volume that the question was about, wherever the cursor is by then. Reading and
wiring are left to `volumes`.
"""

from __future__ import annotations

from textual.geometry import Offset

from pulsetui.tui import keys
from pulsetui.tui.dialogs.base import Dialog
from pulsetui.tui.dialogs.menu import MenuDialog
from pulsetui.tui.dialogs.volumes import (
    AcceptDialog,
    RenameDialog,
    SpeedTestDialog,
    StopMonitorDialog,
    TrackDialog,
    UntrackDialog,
)
from pulsetui.tui.renderables.volume_figures import record_of
from pulsetui.tui.screens.live import LiveScreen
from pulsetui.tui.volume_choices import choices, refusal, round_bytes, storage_key
from pulsetui.tui.widgets.volume_table import VolumeTable
from pulsetui.units import format_duration
from pulsetui.volumes.views import VolumesView, VolumeView


class VolumeOrders(LiveScreen):
    """The actions of the Volumes screen."""

    PLACE = "volumes"
    view: VolumesView | None = None
    """What was read last, or None before the first read."""

    @property
    def table(self) -> VolumeTable:
        """The table."""
        return self.query_one(VolumeTable)

    async def action_track(self) -> None:
        """Ask for a name and track the volume."""
        volume = self._possible("volume.track")
        if volume is None:
            return

        def on_answer(name: str | None) -> None:
            if name is not None:
                named = {"name": name} if name else {}
                self.order("volumes.track", {"fingerprint": volume.fingerprint, **named})

        await self.app.push_screen(TrackDialog(volume), on_answer)

    async def action_rename(self) -> None:
        """Ask for another name."""
        volume = self._possible("volume.rename")
        if volume is None:
            return

        def on_answer(name: str | None) -> None:
            if name is not None and name != volume.display_name:
                self.order("volumes.rename", {"fingerprint": volume.fingerprint, "name": name})

        await self.app.push_screen(RenameDialog(volume), on_answer)

    async def action_untrack(self) -> None:
        """Untrack the volume if that is the answer."""
        if volume := self._possible("volume.untrack"):
            await self._ask(UntrackDialog(volume), "volumes.untrack", {"fingerprint": volume.fingerprint})

    async def action_accept(self) -> None:
        """Accept what is mounted as the volume if that is the answer."""
        volume = self._possible("volume.accept")
        record = record_of(volume, self.view) if volume is not None and self.view is not None else None
        if volume is not None and record is not None:
            given: dict[str, object] = {"fingerprint": volume.fingerprint, "mount": str(volume.mount_point)}
            await self._ask(AcceptDialog(volume, record), "volumes.accept", given)

    async def action_test(self) -> None:
        """Test the speed of the volume if that is the answer."""
        volume = self._possible("volume.test")
        if volume is not None and self.view is not None:
            tasks = self.pulse.tasks if self.pulse is not None else ()
            dialog = SpeedTestDialog(volume, round_bytes(volume, self.view), tasks)
            await self._ask(dialog, "volumes.speedtest", {"fingerprint": volume.fingerprint})

    def action_stop_test(self) -> None:
        """Stop the speed test that runs."""
        if self.view is not None and self.view.testing is not None:
            self.order("volumes.stop_speedtest", {})
        else:
            self.notify("No speed test runs.", markup=False)

    def action_look(self) -> None:
        """Look at all volumes now."""
        self.order("volumes.refresh", {})

    async def action_toggle_monitor(self) -> None:
        """Start the monitor, or stop it if that is the answer."""
        if self.view is None:
            return
        if self.view.monitor.is_running:
            interval = format_duration(self.view.monitor.interval_s)
            await self._ask(StopMonitorDialog(interval), "volumes.monitor", {"run": False})
        else:
            self.order("volumes.monitor", {"run": True})

    def action_storage(self) -> None:
        """Show what takes the space on the volume."""
        if volume := self._possible("volume.storage"):
            self.post_message(self.Wanted("storage", storage_key(volume)))

    async def action_menu(self) -> None:
        """Offer what can be done with the volume."""
        volume = self.table.selected
        if volume is None or self.view is None:
            return
        at = Offset(self.table.content_region.x + 2, self.table.cursor_line)
        offered = choices(volume, self.view)
        if offered:
            await self.app.push_screen(MenuDialog(volume.name, offered, at), self._do)

    async def action_open(self) -> None:
        """Offer what can be done; for clicks on the footer."""
        await self.action_menu()

    async def _do(self, choice: str | None) -> None:
        """Do what was chosen."""
        if choice is not None:
            await self.run_action(keys.action(choice).click)

    def _possible(self, name: str) -> VolumeView | None:
        """Return the volume under the cursor if the action with an id can be done with it; say why, if it can't."""
        volume = self.table.selected
        if volume is None or self.view is None:
            return None
        if said := refusal(name, volume, self.view):
            self.notify(said, markup=False)
            return None
        return volume

    async def _ask(self, dialog: Dialog[bool], verb: str, arguments: dict[str, object]) -> None:
        """Order something if that is the answer."""

        def on_answer(agreed: bool | None) -> None:
            if agreed:
                self.order(verb, arguments)

        await self.app.push_screen(dialog, on_answer)
