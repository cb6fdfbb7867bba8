"""The largest children of what is selected."""

from __future__ import annotations

from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageView
from pulsetui.tui.widgets.row_list import RowList


class ChildrenList(RowList):
    """Lists the children of the selected node, the largest first, each with bar, size and percent."""

    title = "Largest"

    view: var[StorageView | None] = var(None)
    selected: var[str | None] = var(None)
    """Key of the node whose children are listed; None, or one that isn't in the tree: the tree's root."""
    hidden: var[frozenset[str]] = var(frozenset())
    """Categories that are left out."""
    apparent: var[bool] = var(False)

    class EntityWanted(Message):
        """The operator opened the node with this key."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key
