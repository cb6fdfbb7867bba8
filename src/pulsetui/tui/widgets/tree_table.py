"""A tree of sizes as a table whose rows open."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageNode, StorageView
from pulsetui.tui import keys
from pulsetui.tui.renderables.storage import Measure, index_of
from pulsetui.tui.renderables.text import age, count, line
from pulsetui.tui.renderables.tree_table import (
    SORTS,
    TreeRow,
    can_open,
    sign_at,
    tree_head,
    tree_row,
    tree_rows,
    with_children,
)
from pulsetui.tui.renderables.vacant import vacant_lines
from pulsetui.tui.widgets.row_list import RowList


class TreeTable(RowList):
    """Shows the tree in rows that open; what isn't in the tree yet is asked for when its row opens.

    The cursor stays on its node when rows come, go or change places.
    """

    title = "Tree"
    opens_on_click = False
    head_cells = 1
    BINDINGS = keys.bindings("tree")

    view: var[StorageView | None] = var(None)
    branches: var[Mapping[str, StorageNode]] = var(MappingProxyType({}))
    """What was read for `Expanded`, by key: the same node, with children. Set anew on each answer."""
    selected: var[str | None] = var(None)
    """Key of the node under the cursor. Set from outside, the rows above it open."""
    hidden: var[frozenset[str]] = var(frozenset())
    """Categories that are left out."""
    apparent: var[bool] = var(False)
    sort: var[str] = var(SORTS[0])
    """One of `SORTS`."""
    expanded: var[frozenset[str]] = var(frozenset())
    """Keys of the open nodes, on display or not."""

    class _About(Message):
        """Something about one node."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class Selected(_About):
        """The cursor is on another node."""

    class Expanded(_About):
        """A row opened whose children aren't here: the tree of this key is wanted in `branches`."""

    class EntityWanted(_About):
        """The operator opened the node with this key."""

    _made: Sequence[TreeRow] = ()
    _made_of: tuple[StorageNode | None, Mapping[str, StorageNode] | None, Hashable] = (None, None, None)

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def node(self) -> StorageNode | None:
        """The node under the cursor, or None while there is none."""
        return self.rows[self.cursor].node if self.rows else None

    def figures(self) -> Content:
        """Return order and number of rows."""
        kind = "apparent" if self.apparent else "on disk"
        off = f" · {count(len(self.hidden), 'type')} off" if self.hidden else ""
        return line((f"by {self.sort} · {kind}", "$quiet"), (off, "$accent"), (f" · {self.row_count:,}", "$quiet"))

    def draw_head(self, width_cells: int) -> Content:
        """Return the column heads."""
        return tree_head(width_cells, self.sort)

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return one node's line."""
        now = self.now or datetime.now(UTC)
        return (tree_row(self.rows[index], self._measure, now, width_cells),)

    def row_state(self, index: int) -> Hashable:
        """Return what a row is drawn from; a node's children don't show in it, and comparing them would cost much."""
        row, node = self.rows[index], self.rows[index].node
        if node is None or self.now is None:
            return row.key, row.depth
        newest = age(node.newest_at, self.now) if node.newest_at else ""
        figures = (self._measure.amount(node), node.growth_bytes, newest, self.apparent)
        return row.key, node.name, row.depth, row.whole_bytes, row.open, can_open(node), node.error, figures

    def vacant(self, width_cells: int) -> Sequence[Content]:
        """Say what will be here, or why nothing is."""
        return vacant_lines(self.view, "", width_cells)

    def job_at(self, index: int) -> int | None:  # noqa: ARG002 - rows are no jobs
        """Return None: rows are nodes."""
        return None

    def selectable(self, index: int) -> bool:
        """Tell whether a row is a node."""
        return self.rows[index].node is not None

    @property
    def _measure(self) -> Measure:
        return Measure(self.apparent, self.hidden)

    def watch_view(self, old: StorageView | None, new: StorageView | None) -> None:
        """Show another tree; of the same one, the view stays where it was."""
        if old is not None and new is not None and old.tree.key != new.tree.key:
            self.scroll_home(animate=False)
        self._refill()

    def watch_branches(self) -> None:
        """Show what was read."""
        self._refill()

    def watch_hidden(self) -> None:
        """Leave categories out."""
        self._refill()

    def watch_apparent(self) -> None:
        """Show other sizes."""
        self._refill()

    def watch_sort(self) -> None:
        """Show another order."""
        self._refill()
        self.reveal()

    def watch_expanded(self) -> None:
        """Show what is in open nodes."""
        self._refill()

    def watch_selected(self) -> None:
        """Put the cursor on a node; what it is in opens."""
        if self.selected is None or self.view is None or (self.node is not None and self.node.key == self.selected):
            return
        above = index_of(self.view.tree).path(self.selected)[1:-1]
        self.expanded |= {node.key for node in above}
        self._refill()
        self.reveal()

    def watch_cursor(self, old: int, new: int) -> None:
        """Bring the row under the cursor into view, and tell which node it is."""
        super().watch_cursor(old, new)
        node = self.node
        if old != new and node is not None and node.key != self.selected:
            self.set_reactive(TreeTable.selected, node.key)
            self.post_message(self.Selected(node.key))

    @property
    def rows(self) -> Sequence[TreeRow]:
        """The rows, made anew only when what they are made of changed."""
        tree = self.view.tree if self.view is not None and self.view.snapshot_at is not None else None
        how = (self.expanded, self._measure, self.sort)
        if self._made_of[0] is not tree or self._made_of[1] is not self.branches or self._made_of[2] != how:
            self._made_of = tree, self.branches, how
            self._made = tree_rows(tree, self.branches, self.expanded, self._measure, self.sort) if tree else ()
        return self._made

    def _refill(self) -> None:
        """Make the rows anew, as soon as may be; the cursor stays on its node, or where that was."""
        if self.is_attached:
            self._find_cursor()
            self.changed()

    def on_mount(self) -> None:
        """Put the cursor on what is selected."""
        self._find_cursor()

    def _find_cursor(self) -> None:
        """Put the cursor on what is selected, if it has a row; else leave it where it is."""
        wanted, rows = self.selected, self.rows
        if not (self.cursor < len(rows) and rows[self.cursor].key == wanted):
            at = next((index for index, row in enumerate(rows) if row.key == wanted), self.cursor)
            self.set_reactive(RowList.cursor, self.validate_cursor(at))

    def action_expand(self) -> None:
        """Open the row under the cursor; go to the first in it if it is open."""
        node = self.node
        if node is None or not can_open(node):
            return
        if node.key in self.expanded:
            self.action_cursor(1)
            return
        self.expanded |= {node.key}
        if not with_children(node, self.branches).children:
            self.post_message(self.Expanded(node.key))

    def action_collapse(self) -> None:
        """Close the row under the cursor; go to what it is in if it is closed."""
        if not self.rows:
            return
        row = self.rows[self.cursor]
        if row.open:
            self.expanded -= {row.key}
            return
        above = (at for at in reversed(range(self.cursor)) if self.rows[at].depth < row.depth)
        self.cursor = next(above, self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Open or close the row whose sign was clicked; else put the cursor there, and open the node at the second."""
        at = event.get_content_offset(self)
        index = at.y - self.head_cells + self.scroll_offset.y if at is not None else -1
        if at is None or at.y < self.head_cells or not 0 <= index < len(self.rows):
            return
        row, sign = self.rows[index], 1 + sign_at(self.rows[index], self.lines_size.width - 2)
        if not (row.node is not None and sign <= at.x <= sign + 1):
            return
        event.prevent_default()  # Textual runs the base class's handler after this one: the cursor, and opening
        self.cursor = index
        self.action_collapse() if row.open else self.action_expand()

    def action_next_sort(self) -> None:
        """Step through the orders."""
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]

    def action_open(self) -> None:
        """Ask for the node under the cursor."""
        if self.node is not None:
            self.post_message(self.EntityWanted(self.node.key))

    def open_keys(self) -> frozenset[str]:
        """Return the open nodes whose children came through `branches`: to be read again after a refresh."""
        rows = (row for row in self.rows if row.open and row.node is not None and not row.node.children)
        return frozenset(row.key for row in rows)
