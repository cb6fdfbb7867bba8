"""The sunburst: a tree of sizes as rings that one can walk along, open and leave, by the keys of the treemap.

It takes a frozen tree and sends messages, as the treemap does, so that one can stand in for the other. How rings are
laid out and drawn is left to `ring_picture`.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.geometry import Offset
from textual.message import Message

from pulsetui.tui import keys
from pulsetui.tui.widgets.ring_picture import RingPicture

_RIGHT = 3
"""The right button of the mouse."""


class Sunburst(RingPicture, can_focus=True):
    """Shows a frozen tree in rings, one arc selected."""

    DEFAULT_CSS = """
    Sunburst { height: 1fr; width: 1fr; color: $foreground; }
    """
    BINDINGS = keys.bindings("tiles")

    class _About(Message):
        """Something about one arc."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class Selected(_About):
        """Another arc is selected."""

    class Opened(_About):
        """The operator opened an arc; `others:KEY` stands for the small ones of a node."""

    class Hovered(_About):
        """The mouse is over another arc; an empty key is none."""

    class MenuWanted(_About):
        """The operator wants to know what can be done with an arc; `at` is the cell of the screen to say it at."""

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
        """Take what a picture of rings takes."""
        super().__init__(**options)
        self._hovered = ""

    def action_move(self, direction: str) -> None:
        """Select the next arc along the ring, out, or in."""
        picture = self.picture
        if picture is not None and (key := picture.rings.neighbour(self.shown_key, direction)) is not None:
            self._select(key)

    def action_open(self) -> None:
        """Ask for what is in the selected arc; the middle leads up."""
        key = self.shown_key
        if self.view is not None and key == self.view.tree.key:
            self.post_message(self.Left())
        elif key:
            self.post_message(self.Opened(key))

    def action_leave(self) -> None:
        """Ask for what the tree is in."""
        self.post_message(self.Left())

    def action_root(self) -> None:
        """Ask for everything."""
        self.post_message(self.Left(to_root=True))

    def on_click(self, event: events.Click) -> None:
        """Select an arc; a second click opens it, one with the right button asks what can be done with it."""
        key = self._key_at(event)
        if not key:
            return
        self._select(key)
        if event.button == _RIGHT:
            self.post_message(self.MenuWanted(key, event.screen_offset))
        elif event.chain > 1:
            self.action_open()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell which arc the mouse is over."""
        self._hover(self._key_at(event))

    def on_leave(self) -> None:
        """Tell that the mouse is over none."""
        self._hover("")

    def _key_at(self, event: events.MouseEvent) -> str:
        picture, at = self.picture, event.get_content_offset(self)
        if picture is None or at is None:
            return ""
        left, top = self._offset(picture)
        arc = picture.arc_at(at.x - left, at.y - top)
        return arc.key if arc is not None else ""

    def _hover(self, key: str) -> None:
        if key != self._hovered:
            self._hovered = key
            self.post_message(self.Hovered(key))

    def _select(self, key: str) -> None:
        self.selected = key
        self.post_message(self.Selected(key))
