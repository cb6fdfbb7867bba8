"""What one can do on the Storage screen: go places, look otherwise, and have things done with what is selected.

Changes the two plain states, the place and the look, and shows them; reading and wiring are left to `storage`.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from textual.geometry import Offset

from pulsetui.clock import Clock
from pulsetui.storage.views import StorageView
from pulsetui.tui.dialogs.find_node import FindNodeDialog, NodesDialog
from pulsetui.tui.dialogs.menu import MenuDialog
from pulsetui.tui.renderables.place import Spot
from pulsetui.tui.screens.live import LiveScreen
from pulsetui.tui.source import Source
from pulsetui.tui.storage_choices import choices, entity_of, has_page, shell_text
from pulsetui.tui.storage_look import StorageLook
from pulsetui.tui.storage_place import StoragePlace
from pulsetui.tui.widgets.category_chart import CategoryChart
from pulsetui.tui.widgets.history_bar import HistoryBar
from pulsetui.tui.widgets.storage_body import StorageBody


class StorageOrders(LiveScreen):
    """The actions of the Storage screen, over its place and its look."""

    PLACE = "storage"

    def __init__(self, source: Source, clock: Clock, zone: tzinfo | None = None) -> None:
        """Take the seam to the core, the clock and the zone for times."""
        super().__init__(source, clock, zone)
        self.place = StoragePlace()
        self.look = StorageLook()

    @property
    def body(self) -> StorageBody:
        """The map with its side panel."""
        return self.query_one(StorageBody)

    @property
    def picked(self) -> str | None:
        """The key of what orders are about."""
        return self.body.picked(self.place, self.look)

    @property
    def spot(self) -> Spot | None:
        """What orders are about."""
        return self.body.spot(self.picked, self.place, self.look)

    # Going places

    def look_at(self, about: str) -> None:
        """Open a node, from another screen."""
        self.place.go_to(about or None)
        self._moved()

    def open_key(self, key: str) -> None:
        """Open a node; list the small ones that a tile stands for; say what can be done with what has nothing in it."""
        spot = self.body.spot(key, self.place, self.look)
        if spot is None:
            self.place.go_to(key)
            self._moved()
        elif spot.node.entity_type == "others":
            self.call_next(self._list, spot)
        elif self.place.open(key):
            self._moved()
        else:
            self.place.select(key)
            self.call_next(self.offer, key, self.body.middle_of(key, self.look))

    async def _list(self, spot: Spot) -> None:
        """List the small ones of a group."""
        views = [StorageView(node, spot.above, spot.whole, spot.snapshot_at) for node in spot.node.children]
        await self.app.push_screen(NodesDialog(f"{spot.node.name} in {spot.above[-1].name}", views), self._open_found)

    def _open_found(self, view: StorageView | None) -> None:
        """Open what was chosen among the small ones; what has nothing in it is gone to."""
        if view is not None and not self.place.open(view.tree.key):
            self._go_to_found(view)
        self._moved()

    def _go_to_found(self, view: StorageView | None) -> None:
        """Go to where something is, and select it."""
        if view is None:
            return
        above = view.ancestors
        self.place.go_to(above[-1].key if len(above) > 1 else None, view.tree.key if above else None)
        self._moved()

    def _moved(self) -> None:
        """Show what is known of the place, and read it."""
        self.show(self.clock.now())
        self.wake()

    def action_leave(self, levels: int = 1) -> None:
        """Go up."""
        if self.place.leave(levels):
            self._moved()

    def action_root(self) -> None:
        """Go up to everything."""
        self.action_leave(len(self.place.view.ancestors) if self.place.view else 0)

    def action_open(self) -> None:
        """Open what is selected; for clicks on the footer."""
        focused = self.focused
        if focused is not None and hasattr(focused, "action_open"):
            focused.action_open()
        elif key := self.picked:
            self.open_key(key)

    async def action_find(self) -> None:
        """Find something by its name, and go there."""
        await self.app.push_screen(FindNodeDialog(self.source.storage_find), self._go_to_found)

    def action_back(self) -> None:
        """Come back from the past; drop the marks; close the types; with none of it, go back to Pulse."""
        if self.look.at is not None:
            self.show_time(None)
        elif self.look.marked:
            self.look.marked = frozenset()
            self.show(self.clock.now())
        elif self.body.has_class("-aside"):
            self.action_types()
        else:
            self.app.switch_mode("pulse")

    # Looking otherwise

    def show_time(self, at: datetime | None) -> None:
        """Show the tree as it was, or as it is."""
        self.look.at = at
        self.place.forget()
        self._moved()

    def action_earlier(self) -> None:
        """Go back in history."""
        if not self.look.times:
            self.notify("There is no history yet: each refresh adds to it.", markup=False)
        self.query_one(HistoryBar).step(-1)

    def action_later(self) -> None:
        """Go forth in history."""
        self.query_one(HistoryBar).step(1)

    def action_next_view(self) -> None:
        """Change between treemap, sunburst and tree table; what is selected stays so."""
        self.look.next_form()
        self.show(self.clock.now())
        self.body.picture(self.look).focus()

    def action_next_colour(self) -> None:
        """Step through what colours mean."""
        before = self.look.colouring.growth_s
        self.look.next_colouring()
        if self.look.colouring.growth_s != before:
            self.place.forget()
            self.wake()
        self.show(self.clock.now())

    def action_toggle_apparent(self) -> None:
        """Size by apparent bytes, or by allocated ones."""
        self.look.apparent = not self.look.apparent
        self.show(self.clock.now())

    def action_repack(self) -> None:
        """Lay the tiles out anew."""
        self.body.treemap.repack()

    def action_types(self) -> None:
        """Go to the categories, beside the map even where it is narrow, or back from there."""
        chart = self.query_one(CategoryChart)
        if chart.has_focus or self.body.has_class("-aside"):
            self.body.remove_class("-aside")
            self.body.picture(self.look).focus()
        else:
            self.body.add_class("-aside")
            self.call_after_refresh(chart.focus)
        self.call_after_refresh(lambda: self.show(self.clock.now()))

    # Having things done

    def action_refresh_storage(self) -> None:
        """Read all sizes anew."""
        self.order("storage.refresh", {})

    def action_mark(self) -> None:
        """Mark what is selected, or take its mark away."""
        if key := self.picked:
            self.look.marked ^= {key}
            self.show(self.clock.now())

    def action_details(self) -> None:
        """Show the page of what is selected."""
        spot = self.spot
        if spot is not None and has_page(spot.node):
            self.post_message(self.EntityWanted(spot.node.key))

    async def action_menu(self) -> None:
        """Offer what can be done with what is selected."""
        if key := self.picked:
            await self.offer(key, self.body.middle_of(key, self.look))

    async def offer(self, key: str, at: Offset) -> None:
        """Offer what can be done with a node, beside a cell of the screen."""
        spot = self.body.spot(key, self.place, self.look)
        if spot is not None:
            await self.app.push_screen(MenuDialog(spot.node.name, choices(spot, self.look.marked), at), self._do)

    def _do(self, choice: str | None) -> None:
        """Do what was chosen."""
        spot = self.spot
        if choice == "details":
            self.action_details()
        elif choice == "mark":
            self.action_mark()
        elif choice == "jobs" and spot is not None and (entity := entity_of(spot)) is not None:
            self.post_message(self.Wanted("pipeline", entity.name))
        elif choice == "path" and spot is not None and spot.node.path is not None:
            self.app.copy_to_clipboard(shell_text(spot.node.path))
            self.notify("The path is in the clipboard.", markup=False)
