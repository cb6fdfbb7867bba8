"""Bytes by category, each of which can be left out of the picture."""

from __future__ import annotations

from typing import Literal

from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageView
from pulsetui.tui import keys
from pulsetui.tui.widgets.lines import Lines
from pulsetui.tui.widgets.panel import Framed, frame_css


class CategoryChart(Lines, Framed, can_focus=True):
    """Shows the selected node's bytes by category as a stacked bar or a pie, with a row of exact figures each."""

    title = "Types"
    DEFAULT_CSS = frame_css("CategoryChart") + "CategoryChart { padding: 0 1; height: auto; }"
    BINDINGS = keys.bindings("types")

    view: var[StorageView | None] = var(None)
    selected: var[str | None] = var(None)
    """Key of the node that is shown; None, or one that isn't in the tree: the tree's root."""
    hidden: var[frozenset[str]] = var(frozenset())
    """Categories that are left out. The screen sets it on each `Toggled`, here and on the treemap."""
    apparent: var[bool] = var(False)
    form: var[Literal["bar", "pie"]] = var("bar")
    cursor: var[int] = var(0)

    class Toggled(Message):
        """The operator left categories out or took them in again: `hidden` is what is to be left out from now on."""

        def __init__(self, hidden: frozenset[str]) -> None:
            """Take what the message says."""
            super().__init__()
            self.hidden = hidden
