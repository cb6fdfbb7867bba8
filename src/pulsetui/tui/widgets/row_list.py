"""The list with a cursor that most panels are. It draws only the rows in view, so that its length costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pulsetui.tui import glyphs, keys
from pulsetui.tui.renderables.text import line, safe
from pulsetui.tui.widgets.panel import Framed, frame_css, strip


class RowList(ScrollView, Framed, can_focus=True):
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

    cursor: reactive[int] = reactive(0, repaint=False)
    failure: reactive[str] = reactive("")
    now: reactive[datetime | None] = reactive(None, repaint=False)
    """The time that ages are told by."""
    _ages: tuple[str, ...] = ()

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

    def age_at(self, index: int, now: datetime) -> str:  # noqa: ARG002 - for subclasses
        """Return the age that a row shows, so that a second that changes none of them draws nothing."""
        return ""

    @property
    def body_cells(self) -> int:
        """How many lines are there for rows."""
        return max(1, self.scrollable_content_region.height - self.head_cells)

    def reshape(self) -> None:
        """Take note of a change of rows: size, cursor, frame and drawing follow."""
        lines = self.row_count * self.row_cells or 2
        size = Size(self.scrollable_content_region.width, self.head_cells + lines)
        grown = size.height != self.virtual_size.height
        self.virtual_size = size
        self.cursor = self.validate_cursor(self.cursor)
        self.frame()
        self.refresh(layout=grown and self.styles.auto_dimensions)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return the lines that all rows take, for a panel as high as its content."""
        return self.head_cells + (self.row_count * self.row_cells or 2)

    def on_resize(self) -> None:
        """Fit rows and frame to the new size."""
        self.reshape()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, self.row_count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Bring the row under the cursor into view and tell the screen."""
        if old != new:
            self.reveal()
            self.post_message(self.Moved(self, new))
        self.refresh()

    def reveal(self) -> None:
        """Scroll as little as needed to show the row under the cursor."""
        top, cells = self.cursor * self.row_cells, self.row_cells
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True)
        elif top + cells > self.scroll_offset.y + self.body_cells:
            self.scroll_to(y=top + cells - self.body_cells, animate=False, immediate=True)

    def watch_now(self, now: datetime | None) -> None:
        """Draw anew where an age in view changed."""
        if now is None:
            return
        first = self.scroll_offset.y // self.row_cells
        last = min(self.row_count, first + self.body_cells // self.row_cells + 1)
        ages = tuple(self.age_at(index, now) for index in range(first, last))
        if ages != self._ages:
            self._ages = ages
            self.refresh()

    def watch_failure(self) -> None:
        """Show or drop the reason of a failed read."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line: the head, a row's part, or what stands there while there are no rows."""
        width = self.scrollable_content_region.width
        if y < self.head_cells:
            return strip(self, line(" ", self.draw_head(width - 2)), width)
        at = y - self.head_cells + self.scroll_offset.y
        if not self.row_count:
            said = self._instead(width - 2)
            return strip(self, line(" ", said[at]) if at < len(said) else Content(""), width)
        index, part = divmod(at, self.row_cells)
        if index >= self.row_count:
            return strip(self, Content(""), width)
        picked = index == self.cursor and self.has_focus and self.selectable(index)
        edge = (glyphs.CURSOR, "$accent") if picked and part == 0 else " "
        drawn = self.draw_row(index, width - 2)[part]
        return strip(self, line(edge, drawn), width, "on $picked" if picked else "")

    def _instead(self, width_cells: int) -> Sequence[Content]:
        """Return what stands in place of rows."""
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
