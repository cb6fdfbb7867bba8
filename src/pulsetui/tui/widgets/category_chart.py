"""Bytes by category, each of which can be left out of the picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from typing import Literal

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.storage.treemap.colours import Mode, palette
from pulsetui.storage.views import StorageView
from pulsetui.tui import glyphs, keys
from pulsetui.tui.renderables.category_chart import Part, exact_lines, part_row, pie, stacked_bar
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.storage import Measure, category_totals, index_of
from pulsetui.tui.renderables.text import broken, end_cut, line, size
from pulsetui.tui.theme import SIXTEEN_THEME
from pulsetui.tui.widgets.framed_lines import FramedDrawn
from pulsetui.tui.widgets.panel import frame_css

_PIE_ROWS = 8
_BESIDE_CELLS = 2 * _PIE_ROWS + 2 + 26
"""From here the rows stand beside the pie."""
_CATEGORIES = palette(Mode.CATEGORY, now=datetime.fromtimestamp(0, UTC))


class CategoryChart(FramedDrawn, can_focus=True):
    """Shows the selected node's bytes by category as a stacked bar or a pie, with a row of figures each.

    The rows are those of the whole tree on display, so that they stay where they are while the selection moves.
    """

    title = "Types"
    DEFAULT_CSS = frame_css("CategoryChart") + "CategoryChart { padding: 0; }"
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

    def figures(self) -> Content:
        """Return which sizes these are, and how many categories are left out."""
        kind = line(("apparent" if self.apparent else "on disk", "$quiet"))
        return line(kind, (f" · {len(self.hidden)} off", "$accent")) if self.hidden else kind

    def parts(self) -> list[Part]:
        """Return the categories on display; none while they aren't known."""
        if self.view is None:
            return []
        root = self.view.tree
        node = index_of(root).node(self.selected) or root
        there = {name for name, amount in category_totals(root) if amount.file_count or amount.allocated_bytes}
        measure = Measure(apparent=self.apparent)
        return [
            Part(step, name, measure.of(amount), amount.file_count, name in self.hidden)
            for step, (name, amount) in enumerate(category_totals(node))
            if name in there or name in self.hidden
        ]

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return bar or pie, the rows, and two lines about the row under the cursor or the sum."""
        parts = self.parts()
        width = width_cells - 2
        if not parts:
            return [line(" ", said) for said in self._instead(width)]
        beside = self._is_beside(width)
        paint = Paint(_CATEGORIES, few=self.app.theme == SIXTEEN_THEME, none=self.app.no_color)
        whole = sum(part.size_bytes for part in parts)
        picture = pie(parts, _PIE_ROWS, paint) if self.form == "pie" else [stacked_bar(parts, width, paint)]
        room = width - 2 * _PIE_ROWS - 2 if beside else width
        rows = [line(self._before(index), part_row(part, whole, room, paint)) for index, part in enumerate(parts)]
        if beside:
            rows += [Content("")] * (_PIE_ROWS - len(rows))
            lines = [line(" ", drawn, " ", row) for drawn, row in zip(picture, rows, strict=True)]
        else:
            pad = " " * ((width - 2 * _PIE_ROWS) // 2) if self.form == "pie" else ""
            lines = [*(line(" ", pad, drawn) for drawn in picture), Content(""), *rows]
        return [*lines, Content(""), *(line(" ", said) for said in self._below(parts, whole, width))]

    def line_state(self, y: int) -> Hashable:
        """Return the drawn line, and whether the cursor is on it."""
        return super().line_state(y), self._is_picked(y)

    def draw_line(self, y: int, width_cells: int) -> tuple[Content, str]:
        """Return the drawn line, on a ground of its own under the cursor."""
        return super().draw_line(y, width_cells)[0], "on $picked" if self._is_picked(y) else ""

    def on_mount(self) -> None:
        """Follow the theme, of which the colours depend."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.changed())

    def on_focus(self) -> None:
        """Show the cursor and its exact figures."""
        self.changed()

    def on_blur(self) -> None:
        """Show the sum again."""
        self.changed()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, len(self.parts()) - 1))

    def watch_view(self) -> None:
        """Show the newest figures."""
        self.cursor = self.validate_cursor(self.cursor)
        self.changed()

    def watch_selected(self) -> None:
        """Show another node."""
        self.changed()

    def watch_hidden(self) -> None:
        """Show what is left out."""
        self.changed()

    def watch_apparent(self) -> None:
        """Show the other sizes."""
        self.changed()

    def watch_form(self) -> None:
        """Show bar or pie."""
        self.changed()

    def watch_cursor(self) -> None:
        """Show the exact figures of another row."""
        self.changed()

    def action_cursor(self, step: int) -> None:
        """Move the cursor."""
        self.cursor += step

    def action_toggle_row(self) -> None:
        """Leave out the category under the cursor, or take it in again."""
        parts = self.parts()
        if parts:
            self.post_message(self.Toggled(self.hidden ^ {parts[self.cursor].name}))

    def action_toggle_category(self, name: str) -> None:
        """Leave out a category, or take it in again."""
        if any(part.name == name for part in self.parts()):
            self.post_message(self.Toggled(self.hidden ^ {name}))

    def action_show_all(self) -> None:
        """Take every category in again."""
        if self.hidden:
            self.post_message(self.Toggled(frozenset()))

    def action_next_form(self) -> None:
        """Change between bar and pie."""
        self.form = "pie" if self.form == "bar" else "bar"

    def on_click(self, event: events.Click) -> None:
        """Toggle the category of the row that was clicked."""
        at = event.get_content_offset(self)
        index = at.y - self._first_row() if at is not None else -1
        if 0 <= index < len(self.parts()):
            self.cursor = index
            self.action_toggle_row()

    def _first_row(self) -> int:
        """Return the line of the first row."""
        if self.form == "bar":
            return 2
        return 0 if self._is_beside(self.content_size.width - 2) else _PIE_ROWS + 1

    def _is_beside(self, width_cells: int) -> bool:
        """Tell whether the rows stand beside the pie."""
        return self.form == "pie" and width_cells >= _BESIDE_CELLS

    def _is_picked(self, y: int) -> bool:
        """Tell whether a line is the row under the cursor, and all of it."""
        beside = self._is_beside(self.content_size.width - 2)
        return self.has_focus and not beside and y - self._first_row() == self.cursor and bool(self.parts())

    def _before(self, index: int) -> tuple[str, str]:
        """Return what stands before a row."""
        return (glyphs.CURSOR, "$accent") if self.has_focus and index == self.cursor else (" ", "")

    def _below(self, parts: list[Part], whole: int, width_cells: int) -> list[Content]:
        """Return the exact figures of the row under the cursor, or else the sum of what isn't left out."""
        if self.has_focus:
            return exact_lines(parts[min(self.cursor, len(parts) - 1)], whole, width_cells)
        shown = sum(part.size_bytes for part in parts if not part.hidden)
        of = line((" of ", "$quiet"), size(whole), (" shown", "$quiet")) if self.hidden else line((" in all", "$quiet"))
        off = ", ".join(part.name for part in parts if part.hidden)
        said = end_cut(f"without {off}" if off else "", width_cells)
        return [line(size(shown), of), line((said, "$quiet"))]

    def _instead(self, width_cells: int) -> list[Content]:
        """Return what stands here while there are no categories."""
        if self.view is None:
            said = f"reading{glyphs.CUT}"
        elif self.view.tree.categories:
            said = "Bytes by type will be here."
        else:
            said = "Types aren't known of that time."
        return [line((part, "$quiet")) for part in broken(said, width_cells)]
