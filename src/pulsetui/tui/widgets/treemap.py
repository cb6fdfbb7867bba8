"""The treemap: a tree of sizes as tiles that one can walk over, open and leave, by keys and by mouse.

Messages and mouse are those of `walked`; how tiles are drawn is left to `tile_picture`.
"""

from __future__ import annotations

from typing import Any

from textual.geometry import Offset

from pulsetui.storage.treemap.moves import Direction, neighbour
from pulsetui.storage.views import StorageNode
from pulsetui.tui.renderables.place import Spot, stand_in
from pulsetui.tui.widgets.tile_picture import TilePicture
from pulsetui.tui.widgets.walked import Walked


class Treemap(Walked, TilePicture, can_focus=True):
    """Shows a frozen tree as tiles, one of them selected."""

    DEFAULT_CSS = """
    Treemap { height: 1fr; width: 1fr; color: $foreground; }
    """

    def __init__(self, **options: Any) -> None:
        """Take what a picture of tiles takes."""
        super().__init__(**options)
        self._back = ""

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
            self.select(there)

    def action_open(self) -> None:
        """Ask for what is in the selected tile."""
        if key := self.shown_key:
            self.post_message(self.Opened(key))

    def key_at(self, at: Offset) -> str:
        """Return the key of the tile at a cell of the content, or empty."""
        tile = self.tiles.tile_at(at.x, at.y) if self.tiles is not None else None
        return tile.key if tile is not None else ""

    def middle_of(self, key: str) -> Offset:
        """Return the cell of the screen in the middle of a tile's top, or of the widget's."""
        layout, at = self.tiles, self.content_region
        tile = layout.by_key.get(key) if layout is not None else None
        return at.offset + (Offset(tile.x + tile.width // 2, tile.y) if tile else Offset(at.width // 2, 0))
