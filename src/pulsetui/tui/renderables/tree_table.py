"""The columns and rows of the tree table, and which rows there are while some are open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from textual.content import Content

from pulsetui.storage.views import StorageNode
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.bars import bar
from pulsetui.tui.renderables.storage import Measure, percent, share, signed
from pulsetui.tui.renderables.text import age, figure, left, line, right
from pulsetui.units import format_size

SORTS: tuple[str, ...] = ("size", "name", "files")
"""What the rows of one node are sorted by: the largest first, by name in natural order, the most files first."""
_DIGITS = re.compile(r"(\d+)")
_INDENT_CELLS = 2
_SIZE_CELLS, _SHARE_CELLS, _FILES_CELLS, _NEWEST_CELLS, _GROWTH_CELLS = 8, 6, 9, 7, 11


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One row: a node, or that the children of one are being read."""

    key: str
    node: StorageNode | None
    """None where the children of the row above aren't here yet."""
    depth: int
    whole_bytes: int
    """The size of what it is in, as measured."""
    open: bool = False


def tree_rows(
    tree: StorageNode, branches: Mapping[str, StorageNode], expanded: Set[str], measure: Measure, sort: str
) -> list[TreeRow]:
    """Return the rows below a tree, those of open nodes below them; `branches` has what the tree doesn't."""
    rows: list[TreeRow] = []
    pending = [(child, 0, measure(tree)) for child in reversed(_sorted(tree, measure, sort))]
    while pending:
        node, depth, whole = pending.pop()
        is_open = node.key in expanded and can_open(node)
        rows.append(TreeRow(node.key, node, depth, whole, is_open))
        if not is_open:
            continue
        filled = with_children(node, branches)
        if not filled.children and filled.has_more:
            rows.append(TreeRow(f"reading:{node.key}", None, depth + 1, 0))
        own = measure(node)
        pending += [(child, depth + 1, own) for child in reversed(_sorted(filled, measure, sort))]
    return rows


def can_open(node: StorageNode) -> bool:
    """Tell whether there is, or may be, something in a node."""
    return bool(node.children) or node.has_more


def with_children(node: StorageNode, branches: Mapping[str, StorageNode]) -> StorageNode:
    """Return a node with its children, if they were read."""
    return node if node.children else branches.get(node.key, node)


def _sorted(node: StorageNode, measure: Measure, sort: str) -> Sequence[StorageNode]:
    """Return the children of a node in order; equal ones by key, so that they never change places."""
    if sort == "size" and measure == Measure():
        return node.children  # in this order already
    if sort == "name":
        return sorted(node.children, key=lambda child: (_natural(child.name), child.key))
    if sort == "files":
        return sorted(node.children, key=lambda child: (-measure.amount(child).file_count, child.key))
    return sorted(node.children, key=lambda child: (-measure(child), child.key))


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return what a name is sorted by: `Part 2` is before `Part 10`, capitals don't matter."""
    parts = _DIGITS.split(name.casefold())
    return [(0, int(part), "") if index % 2 else (1, 0, part) for index, part in enumerate(parts) if part]


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; 0 leaves a column out."""

    name: int
    bar: int
    files: int
    newest: int
    growth: int


def columns(width_cells: int) -> Columns:
    """Share the width: name, size and share always, then files, bar, growth and newest as they fit."""
    rest = width_cells - _SIZE_CELLS - _SHARE_CELLS
    files = _FILES_CELLS if width_cells >= 54 else 0
    growth = _GROWTH_CELLS if width_cells >= 84 else 0
    newest = _NEWEST_CELLS if width_cells >= 72 else 0
    rest -= files + growth + newest
    bar_cells = min(32, rest // 2 - 8) if width_cells >= 64 else 0
    return Columns(max(4, rest - (bar_cells + 1 if bar_cells else 0)), bar_cells, files, newest, growth)


def tree_head(width_cells: int, sort: str) -> Content:
    """Return the column heads, the one that is sorted by marked."""
    width = columns(width_cells)

    def head(text: str, cells: int) -> str:
        return right(text + (glyphs.SORTED if text == sort else ""), cells) if cells else ""

    name = left("name" + (glyphs.SORTED if sort == "name" else ""), width.name)
    share_head = head("share", _SHARE_CELLS) + " " * (width.bar + 1 if width.bar else 0)
    figures = [head("files", width.files), head("newest", width.newest), head("growth", width.growth)]
    return line((name + head("size", _SIZE_CELLS) + share_head + "".join(figures), "$quiet"))


def tree_row(row: TreeRow, measure: Measure, now: datetime, width_cells: int) -> Content:
    """Return one row: sign and name indented, size, share of what it is in, bar, files, newest file, growth."""
    width = columns(width_cells)
    indent = " " * sign_at(row, width_cells)
    node = row.node
    if node is None:
        return line((f"{indent}  reading{glyphs.CUT}", "$quiet"))
    sign = (glyphs.OPENED if row.open else glyphs.CLOSED) if can_open(node) else " "
    amount = measure.amount(node)
    own = measure.of(amount)
    named = left(node.name, max(2, width.name - len(indent) - 2))
    drawn = line(" ", bar(share(own, row.whole_bytes), width.bar)) if width.bar else Content("")
    return line(
        (f"{indent}{sign} ", "$quiet"),
        (named, "$warn" if node.error else "$foreground"),
        figure(format_size(own), _SIZE_CELLS),
        (right(percent(own, row.whole_bytes), _SHARE_CELLS), "$foreground"),
        drawn,
        (right(f"{amount.file_count:,}", width.files) if width.files else "", "$quiet"),
        (right(age(node.newest_at, now) if node.newest_at else "–", width.newest) if width.newest else "", "$quiet"),
        _growth(node, width.growth),
    )


def sign_at(row: TreeRow, width_cells: int) -> int:
    """Return the cell of the sign that says whether a row is open."""
    return min(row.depth * _INDENT_CELLS, max(0, columns(width_cells).name // 2))


def _growth(node: StorageNode, cells: int) -> Content:
    """Return how much a node grew; nothing is a dash."""
    if not cells:
        return Content("")
    if not node.growth_bytes:
        return line((right("–", cells), "$quiet"))
    return line((right(signed(node.growth_bytes), cells), "$foreground"))
