"""The treemap: a tree of sizes as tiles that one can walk over, open and leave, by keys and by mouse.

It takes a frozen tree and sends messages. Where trees come from, and what is done with a tile, is left to who hears
them; how tiles are drawn, to `tile_picture`.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.geometry import Offset
from textual.message import Message

from pulsetui.storage.treemap.moves import Direction, neighbour
from pulsetui.storage.views import StorageNode
from pulsetui.tui import keys
from pulsetui.tui.renderables.place import Spot, stand_in
from pulsetui.tui.widgets.tile_picture import TilePicture

_RIGHT = 3
"""The right button of the mouse."""


class Treemap(TilePicture, can_focus=True):
    """Shows a frozen tree as tiles, one of them selected."""

    DEFAULT_CSS = """
    Treemap { height: 1fr; width: 1fr; color: $foreground; }
    """
    BINDINGS = keys.bindings("tiles")

    class _About(Message):
        """Something about one tile."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class Selected(_About):
        """Another tile is selected."""

    class Opened(_About):
        """The operator opened a tile; `others:KEY` stands for the small ones of a group."""

    class Hovered(_About):
        """The mouse is over another tile; an empty key is none."""

    class MenuWanted(_About):
        """The operator wants to know what can be done with a tile; `at` is the cell of the screen to say it at."""

        def __init__(self, key: str, at: Offset) -> None:
            """Take what the message says."""
            super().__init__(key)
            self.at = at

    class Left(Message):
        """The operator goes up to what the tree is in; `to_root` all the way."""

        def __init__(self, *, to_root: bool = False) -> None:
            """Take what the message says."""
            super().__init__()
            self.to_root = to_root

    def __init__(self, **options: Any) -> None:
        """Take what a picture of tiles takes."""
        super().__init__(**options)
        self._back = ""
        self._hovered = ""

    def spot(self, key: str) -> Spot | None:
        """Return what is said of a tile, or None where there is none of that key."""
        layout, view = self.tiles, self.view
        tile = layout.by_key.get(key) if layout else None
        if view is None or layout is None or tile is None or (node := stand_in(tile)) is None:
            return None
        inside: list[StorageNode] = []
        parent = layout.by_key.get(tile.parent)
        while parent is not None and parent.node is not None:
            inside.insert(0, parent.node)
            parent = layout.by_key.get(parent.parent)
        above = (*view.ancestors, view.tree, *inside)
        return Spot(node, above, view.whole, self.growth_s, view.history_at or view.snapshot_at, self.apparent)

    def on_key(self) -> None:
        """End the animation at any key."""
        self.end_zoom()

    def action_move(self, direction: Direction) -> None:
        """Select the tile that is next in a direction."""
        layout, here = self.tiles, self.shown_key
        if layout is not None and (there := neighbour(layout, here, direction, back=self._back)) != here:
            self._back = here
            self._select(there)

    def action_open(self) -> None:
        """Ask for what is in the selected tile."""
        if key := self.shown_key:
            self.post_message(self.Opened(key))

    def action_leave(self) -> None:
        """Ask for what the tree is in."""
        self.post_message(self.Left())

    def action_root(self) -> None:
        """Ask for everything."""
        self.post_message(self.Left(to_root=True))

    def on_click(self, event: events.Click) -> None:
        """Select a tile; a second click opens it, one with the right button asks what can be done with it."""
        key = self._key_at(event)
        if not key:
            return
        self._select(key)
        if event.button == _RIGHT:
            self.post_message(self.MenuWanted(key, event.screen_offset))
        elif event.chain > 1:
            self.post_message(self.Opened(key))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell which tile the mouse is over."""
        self._hover(self._key_at(event))

    def on_leave(self) -> None:
        """Tell that the mouse is over none."""
        self._hover("")

    def _hover(self, key: str) -> None:
        if key != self._hovered:
            self._hovered = key
            self.post_message(self.Hovered(key))

    def _key_at(self, event: events.MouseEvent) -> str:
        layout, at = self.tiles, event.get_content_offset(self)
        tile = layout.tile_at(at.x, at.y) if layout is not None and at is not None else None
        return tile.key if tile is not None else ""

    def _select(self, key: str) -> None:
        self.selected = key
        self.post_message(self.Selected(key))

    def middle_of(self, key: str) -> Offset:
        """Return the cell of the screen in the middle of a tile's top, or of the widget's."""
        layout, at = self.tiles, self.content_region
        tile = layout.by_key.get(key) if layout is not None else None
        return at.offset + (Offset(tile.x + tile.width // 2, tile.y) if tile else Offset(at.width // 2, 0))
