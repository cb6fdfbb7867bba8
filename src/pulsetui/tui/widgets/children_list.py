"""The largest children of what is selected."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageNode, StorageView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.storage import Measure, index_of, largest_first
from pulsetui.tui.renderables.storage_rows import child_row
from pulsetui.tui.renderables.text import broken, line
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

    _above: StorageNode | None = None
    _listed: Sequence[StorageNode] = ()

    @property
    def row_count(self) -> int:
        """How many children there are."""
        return len(self._listed)

    @property
    def pointed(self) -> StorageNode | None:
        """The child under the cursor, or None while there is none."""
        return self._listed[self.cursor] if self._listed else None

    def figures(self) -> Content:
        """Return their number."""
        return line((f"{self.row_count:,}" if self._listed else "", "$quiet"))

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return one child's line."""
        measure = Measure(self.apparent, self.hidden)
        whole = measure(self._above) if self._above is not None else 0
        return (child_row(self._listed[index], measure, whole, width_cells),)

    def row_state(self, index: int) -> Hashable:
        """Return what a row is drawn from."""
        node, measure = self._listed[index], Measure(self.apparent, self.hidden)
        return node.name, measure(node), measure(self._above) if self._above is not None else 0

    def vacant(self, width_cells: int) -> Sequence[Content]:
        """Say what will be here, or why nothing is."""
        if self._above is None:
            said = f"reading{glyphs.CUT}"
        elif self._above.has_more:
            said = "What is in it comes when it is opened."
        else:
            said = "There is nothing in it."
        return [line((part, "$quiet")) for part in broken(said, max(8, width_cells))]

    def job_at(self, index: int) -> int | None:  # noqa: ARG002 - rows are no jobs
        """Return None: rows are nodes."""
        return None

    def watch_view(self) -> None:
        """Show the newest sizes."""
        self._refill()

    def watch_selected(self) -> None:
        """Show another node's children, from the largest on."""
        self._refill()

    def watch_hidden(self) -> None:
        """Leave categories out."""
        self._refill()

    def watch_apparent(self) -> None:
        """Show other sizes."""
        self._refill()

    def _refill(self) -> None:
        """List the children anew; the cursor stays on its child."""
        held, before = self.pointed, self._above
        tree = self.view.tree if self.view is not None else None
        self._above = (index_of(tree).node(self.selected) or tree) if tree is not None else None
        measure = Measure(self.apparent, self.hidden)
        found = largest_first(self._above.children, measure) if self._above is not None else []
        self._listed = [node for node in found if measure(node) > 0 or not self.hidden]
        same = before is not None and self._above is not None and before.key == self._above.key
        at = self.cursor if same else 0
        if same and held is not None:
            at = next((index for index, node in enumerate(self._listed) if node.key == held.key), at)
        if not same and self.is_attached:
            self.scroll_home(animate=False)
        self.set_reactive(RowList.cursor, self.validate_cursor(at))
        self.changed()

    def action_open(self) -> None:
        """Ask for the child under the cursor."""
        if self.pointed is not None:
            self.post_message(self.EntityWanted(self.pointed.key))
