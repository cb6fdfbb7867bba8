"""A tree of sizes as a table whose rows open."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageNode, StorageView
from pulsetui.tui import keys
from pulsetui.tui.widgets.row_list import RowList

SORTS: tuple[str, ...] = ("size", "name", "files")


class TreeTable(RowList):
    """Shows the tree in rows that open; what isn't in the tree yet is asked for when its row opens."""

    title = "Tree"
    opens_on_click = False
    head_cells = 1
    BINDINGS = keys.bindings("tree")

    view: var[StorageView | None] = var(None)
    branches: var[Mapping[str, StorageNode]] = var(MappingProxyType({}))
    """What was read for `Expanded`, by key: the same node, with children. Set anew on each answer."""
    selected: var[str | None] = var(None)
    """Key of the node under the cursor."""
    hidden: var[frozenset[str]] = var(frozenset())
    apparent: var[bool] = var(False)
    sort: var[str] = var(SORTS[0])

    class Selected(Message):
        """The cursor is on another node."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class Expanded(Message):
        """A row opened whose children aren't here: the tree of this key is wanted in `branches`."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class EntityWanted(Message):
        """The operator opened the node with this key."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key
