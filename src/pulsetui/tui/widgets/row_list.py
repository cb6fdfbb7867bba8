"""The list with a cursor that most panels are. It draws only the rows in view, so that its length costs nothing."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.tui import glyphs, keys
from pulsetui.tui.renderables.text import line, safe
from pulsetui.tui.widgets.lines import ScrollLines, at_or_blank, state_of
from pulsetui.tui.widgets.panel import Framed, frame_css

_MOST_STANDING = 8
"""Lines that may stand in place of rows, in the narrowest panel: what will be here, or what failed, and the key."""


class RowList(ScrollLines, Framed, can_focus=True):
    """A framed list with a cursor. A subclass says how many rows there are and draws one.

    `failure` is why the newest read failed; it is shown where there are no rows to show instead.
    """

    DEFAULT_CSS = (
        frame_css("RowList")
        + """
    RowList {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        padding: 0;
        color: $foreground;
    }
    """
    )
    BINDINGS = keys.bindings("list")

    opens_on_click = True
    head_cells = 0
    """Lines at the top that don't scroll."""

    cursor: var[int] = var(0)
    failure: var[str] = var("")
    now: var[datetime | None] = var(None)
    """The time that ages are told by."""
    _stands: tuple[int, Sequence[Content]] | None = None
    """What stands in place of rows, and the width that it was made for; None where it has to be made anew."""

    class Opened(Message):
        """The operator asked for the job of a row."""

        def __init__(self, job_id: int) -> None:
            """Take what the message says."""
            super().__init__()
            self.job_id = job_id

    class Moved(Message):
        """The cursor is on another row; `index` counts from 0."""

        def __init__(self, sender: RowList, index: int) -> None:
            """Take what the message says."""
            super().__init__()
            self.sender = sender
            self.index = index

        @property
        def control(self) -> RowList:
            """The list whose cursor moved."""
            return self.sender

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    @property
    def row_cells(self) -> int:
        """How many lines a row takes."""
        return 1

    def row_state(self, index: int) -> Hashable:
        """Return what a row is drawn from: its value, and what of the time shows in it."""
        raise NotImplementedError

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return the lines of one row."""
        raise NotImplementedError

    def draw_head(self, width_cells: int) -> Content:
        """Return the line that doesn't scroll."""
        raise NotImplementedError

    def vacant(self, width_cells: int) -> Sequence[Content]:
        """Return what stands in the panel while it has no rows: what will be here, and the key that starts it."""
        raise NotImplementedError

    def job_at(self, index: int) -> int | None:
        """Return the job that a row leads to, or None."""
        raise NotImplementedError

    def selectable(self, index: int) -> bool:  # noqa: ARG002 - for subclasses
        """Tell whether the cursor may rest on a row."""
        return True

    @property
    def body_cells(self) -> int:
        """How many lines are there for rows."""
        return max(1, self.lines_size.height - self.head_cells)

    def repaint(self) -> None:
        """Take in the newest rows: length, cursor, frame, and the lines that changed."""
        self._stands = None
        self.reckon(self.head_cells + (self.row_count * self.row_cells or 2))
        self.cursor = self.validate_cursor(self.cursor)
        self.frame()
        super().repaint()

    def on_resize(self) -> None:
        """Fit rows and frame to the new size."""
        self.repaint()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row that it may rest on; what it may not has such a one below it."""
        rows = self.row_count
        cursor = max(0, min(cursor, rows - 1))
        while cursor + 1 < rows and not self.selectable(cursor):
            cursor += 1
        return cursor

    def watch_cursor(self, old: int, new: int) -> None:
        """Bring the row under the cursor into view and tell the screen."""
        if old != new:
            self.reveal()
            self.post_message(self.Moved(self, new))
        self.changed()

    def reveal(self) -> None:
        """Scroll as little as needed to show the row under the cursor."""
        top, cells = self.cursor * self.row_cells, self.row_cells
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True)
        elif top + cells > self.scroll_offset.y + self.body_cells:
            self.scroll_to(y=top + cells - self.body_cells, animate=False, immediate=True)

    def watch_now(self) -> None:
        """Draw anew where an age in view changed."""
        self.ticked()

    def ages(self) -> Hashable:
        """Return what the rows in view are drawn from, the time among it."""
        if self.now is None:
            return None
        first = self.scroll_offset.y // self.row_cells
        return tuple(self.row_state(index) for index in range(first, min(self.row_count, first + self.size.height)))

    def watch_failure(self) -> None:
        """Show or drop the reason of a failed read."""
        self.changed()

    def on_focus(self) -> None:
        """Show the cursor."""
        self.changed()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.changed()

    def line_state(self, y: int) -> Hashable:
        """Return what a line is drawn from: the head, a row's part, or what stands there while there are no rows."""
        # Asked of every line in view each second, so the width, which is long to find out, only where it matters.
        if y < self.head_cells:
            return state_of(self.draw_head(self.lines_size.width - 2))
        rows = self.row_count
        if not rows and y - self.head_cells >= _MOST_STANDING:
            return None
        at = y - self.head_cells + self.scroll_offset.y
        if not rows:
            return state_of(at_or_blank(self._instead(self.lines_size.width - 2), at))
        index, part = divmod(at, self.row_cells)
        if index >= rows:
            return None
        return self.row_state(index), self.row_cells, part, self._is_picked(index)

    def draw_line(self, y: int, width_cells: int) -> tuple[Content, str]:
        """Draw one line, a blank at each side of it."""
        width = width_cells - 2
        if y < self.head_cells:
            return line(" ", self.draw_head(width)), ""
        at = y - self.head_cells + self.scroll_offset.y
        if not self.row_count:
            return line(" ", at_or_blank(self._instead(width), at)), ""
        index, part = divmod(at, self.row_cells)
        if index >= self.row_count:
            return Content(""), ""
        picked = self._is_picked(index)
        edge = (glyphs.CURSOR, "$accent") if picked and part == 0 else " "
        return line(edge, self.draw_row(index, width)[part]), "on $picked" if picked else ""

    def _is_picked(self, index: int) -> bool:
        """Tell whether a row is drawn as the one under the cursor."""
        return index == self.cursor and self.has_focus and self.selectable(index)

    def _instead(self, width_cells: int) -> Sequence[Content]:
        """Return what stands in place of rows; made once for all lines of a panel, as an idle screen has many."""
        if self._stands is None or self._stands[0] != width_cells:
            self._stands = width_cells, self._standing(width_cells)
        return self._stands[1]

    def _standing(self, width_cells: int) -> Sequence[Content]:
        """Make what stands in place of rows."""
        if self.failure:
            said = line((f"{glyphs.FAILED} {safe(self.failure)}", "$bad"))
            return [said.truncate(width_cells, ellipsis=True), line(("ctrl+r reads again", "$quiet"))]
        return self.vacant(width_cells)

    def action_cursor(self, step: int) -> None:
        """Move the cursor over rows that it may rest on."""
        index = self.cursor + step
        while 0 <= index < self.row_count and not self.selectable(index):
            index += step
        if 0 <= index < self.row_count:
            self.cursor = index

    def action_page(self, pages: int) -> None:
        """Move the cursor by what the panel shows at once."""
        self.cursor += pages * max(1, self.body_cells // self.row_cells - 1)

    def action_edge(self, edge: int) -> None:
        """Move the cursor to the first or last row."""
        self.cursor = 0 if edge < 0 else self.row_count - 1

    def action_open(self) -> None:
        """Ask for the job under the cursor."""
        job_id = self.job_at(self.cursor) if self.row_count else None
        if job_id is not None:
            self.post_message(self.Opened(job_id))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse clicked; open the row where that is what a click does."""
        at = event.get_content_offset(self)
        if at is None or at.y < self.head_cells or not self.row_count:
            return
        index = (at.y - self.head_cells + self.scroll_offset.y) // self.row_cells
        if index < self.row_count and self.selectable(index):
            self.cursor = index
            if self.opens_on_click or event.chain > 1:
                self.action_open()
