"""The sunburst: a tree of sizes as rings that one can walk along, open and leave, by the keys of the treemap.

It takes a frozen tree and sends messages, as the treemap does, so that one can stand in for the other. How rings are
laid out and drawn is left to `ring_picture`.
"""

from __future__ import annotations

from textual.geometry import Offset

from pulsetui.tui.widgets.ring_picture import RingPicture
from pulsetui.tui.widgets.walked import Walked


class Sunburst(Walked, RingPicture, can_focus=True):
    """Shows a frozen tree in rings, one arc selected."""

    DEFAULT_CSS = """
    Sunburst { height: 1fr; width: 1fr; color: $foreground; }
    """

    def action_move(self, direction: str) -> None:
        """Select the next arc along the ring, out, or in."""
        picture = self.picture
        if picture is not None and (key := picture.rings.neighbour(self.shown_key, direction)) is not None:
            self.select(key)

    def action_open(self) -> None:
        """Ask for what is in the selected arc; the middle leads up."""
        key = self.shown_key
        if self.view is not None and key == self.view.tree.key:
            self.post_message(self.Left())
        elif key:
            self.post_message(self.Opened(key))

    def key_at(self, at: Offset) -> str:
        """Return the key of the arc at a cell of the content, or empty."""
        picture = self.picture
        if picture is None:
            return ""
        left, top = self._offset(picture)
        arc = picture.arc_at(at.x - left, at.y - top)
        return arc.key if arc is not None else ""
