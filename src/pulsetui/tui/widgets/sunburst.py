"""A tree of sizes as rings."""

from __future__ import annotations

from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageView
from pulsetui.tui import keys
from pulsetui.tui.widgets.lines import Lines
from pulsetui.tui.widgets.panel import Framed, frame_css


class Sunburst(Lines, Framed, can_focus=True):
    """Shows the tree in two to four rings, with the selected node named in a line of its own. Keys as the treemap."""

    title = "Sunburst"
    DEFAULT_CSS = frame_css("Sunburst") + "Sunburst { padding: 0 1; }"
    BINDINGS = keys.bindings("tiles")

    view: var[StorageView | None] = var(None)
    selected: var[str | None] = var(None)
    hidden: var[frozenset[str]] = var(frozenset())
    apparent: var[bool] = var(False)

    class Selected(Message):
        """Another node is selected."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class Opened(Message):
        """The operator opened the node with this key."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class Left(Message):
        """The operator goes up to what the tree is in; `to_root` all the way."""

        def __init__(self, *, to_root: bool = False) -> None:
            """Take what the message says."""
            super().__init__()
            self.to_root = to_root
