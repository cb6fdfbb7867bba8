"""What is selected, in figures."""

from __future__ import annotations

from datetime import datetime

from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageView
from pulsetui.tui.widgets.drawn import Drawn
from pulsetui.tui.widgets.panel import Framed, frame_css


class StorageSummary(Drawn, Framed):
    """Shows the selected node's figures, their age, and how a refresh runs or failed."""

    title = "Summary"
    DEFAULT_CSS = frame_css("StorageSummary") + "StorageSummary { padding: 0 1; }"

    view: var[StorageView | None] = var(None)
    """The tree that is on display, or None before the first read."""
    selected: var[str | None] = var(None)
    """Key of the node that the figures are of; None, or one that isn't in the tree: the tree's root."""
    growth_s: var[float] = var(3600.0)
    """The window of the growth that the view was asked for, in seconds."""
    now: var[datetime | None] = var(None)
    """The time that ages are told by."""
    failure: var[str] = var("")
    """Why the newest read failed, or empty."""

    class RefreshWanted(Message):
        """The operator clicked on the line that offers a refresh."""
