"""What the pictures of a tree have in common: the messages, the keys and the mouse, whatever its parts look like.

A picture is a tree of parts, one of which is selected; one walks from part to part, opens one, or leaves the tree. So
the treemap and the sunburst can stand in for each other. Where trees come from, and what is done with a part, is left
to who hears the messages.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.geometry import Offset
from textual.message import Message

from pulsetui.tui import keys
from pulsetui.tui.widgets.node_picture import NodePicture

_RIGHT = 3
"""The right button of the mouse."""


class Walked(NodePicture):
    """A picture that one walks over by keys and mouse. Subclasses say which part is where."""

    BINDINGS = keys.bindings("tiles")

    class _About(Message):
        """Something about one part."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class Selected(_About):
        """Another part is selected."""

    class Opened(_About):
        """The operator opened a part; `others:KEY` stands for the small ones of a node."""

    class Hovered(_About):
        """The mouse is over another part; an empty key is none."""

    class MenuWanted(_About):
        """The operator wants to know what can be done with a part; `at` is the cell of the screen to say it at."""

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
        """Take what the picture takes."""
        super().__init__(**options)
        self._hovered = ""

    def key_at(self, at: Offset) -> str:
        """Return the key of the part at a cell of the content, or empty."""
        raise NotImplementedError

    def action_open(self) -> None:
        """Ask for what is in the selected part."""
        raise NotImplementedError

    def action_leave(self) -> None:
        """Ask for what the tree is in."""
        self.post_message(self.Left())

    def action_root(self) -> None:
        """Ask for everything."""
        self.post_message(self.Left(to_root=True))

    def on_click(self, event: events.Click) -> None:
        """Select a part; a second click opens it, one with the right button asks what can be done with it."""
        key = self._under(event)
        if not key:
            return
        self.select(key)
        if event.button == _RIGHT:
            self.post_message(self.MenuWanted(key, event.screen_offset))
        elif event.chain > 1:
            self.action_open()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell which part the mouse is over."""
        self._hover(self._under(event))

    def on_leave(self) -> None:
        """Tell that the mouse is over none."""
        self._hover("")

    def select(self, key: str) -> None:
        """Select a part and tell of it."""
        self.selected = key
        self.post_message(self.Selected(key))

    def _hover(self, key: str) -> None:
        if key != self._hovered:
            self._hovered = key
            self.post_message(self.Hovered(key))

    def _under(self, event: events.MouseEvent) -> str:
        at = event.get_content_offset(self)
        return self.key_at(at) if at is not None else ""
