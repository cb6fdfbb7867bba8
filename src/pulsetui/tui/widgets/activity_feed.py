"""What happened, newest first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import tzinfo

from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.pipeline.views import EventView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.events import Folded, event_foot, event_row, fold
from pulsetui.tui.renderables.text import age, line, safe
from pulsetui.tui.widgets.row_list import RowList


class ActivityFeed(RowList):
    """Shows events; new ones come in above and never move the one that is being read."""

    title = "Activity"

    events: var[tuple[EventView, ...] | None] = var(None)
    """All events on display, newest first, or None before the first read."""
    zone: var[tzinfo | None] = var(None)
    """Where exact times are shown for; None is the machine's own zone."""
    kinds: var[str] = var("all")
    """The name of the filter."""
    text: var[str] = var("")
    """What is searched for."""

    class MoreWanted(Message):
        """The reader has come to the end: events older than id `before` are wanted."""

        def __init__(self, before: int) -> None:
            """Take what the message says."""
            super().__init__()
            self.before = before

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Start empty."""
        super().__init__(id=id)
        self._rows: tuple[Folded, ...] = ()
        self._unseen = 0
        self._filled_from: int | None = None

    @property
    def row_count(self) -> int:
        """How many folded rows there are."""
        return len(self._rows)

    def figures(self) -> Content:
        """Return the filters, and how many came in above what is being read."""
        parts = [line((f"{glyphs.NEWER} {self._unseen:,} new  ", "$accent"))] if self._unseen else []
        parts.append(line((f"{self.kinds} {glyphs.SORTED}", "$quiet")))
        if self.text:
            parts.append(line((f" · “{safe(self.text)}”", "$accent")))
        return Content("").join(parts)

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return one event's line."""
        row = self._rows[index]
        return (event_row(row, self.now or row.event.at, width_cells),)

    def vacant(self, width_cells: int) -> Sequence[Content]:  # noqa: ARG002
        """Say what will be here, or why nothing is."""
        if self.events is None:
            return [line((f"reading{glyphs.CUT}", "$quiet"))]
        if self.text or self.kinds != "all":
            return [line(("Nothing like that happened.", "$quiet")), line("esc", (" shows all again", "$quiet"))]
        return [line(("What happens will be here.", "$quiet")), line("a", (" adds an episode", "$quiet"))]

    def job_at(self, index: int) -> int | None:
        """Return the job that an event is about, or None."""
        return self._rows[index].event.job_id

    def row_state(self, index: int) -> Hashable:
        """Return the row, and how long ago it happened."""
        row = self._rows[index]
        return row, age(row.event.at, self.now or row.event.at)

    def watch_events(self, events: tuple[EventView, ...] | None) -> None:
        """Take in the newest events; the cursor and what is in view stay on the event that they are on."""
        reading = self._rows[self.cursor].event if self._rows and (self.cursor or self.scroll_offset.y) else None
        before = len(self._rows)
        self._rows = fold(events or ())
        if reading is None:
            self._unseen = 0
            self.changed()
        else:
            self._hold(reading, before)
        self._foot()

    def _hold(self, reading: EventView, before: int) -> None:
        """Keep the cursor on `reading`, and the rows around it where they are."""
        at = next((index for index, row in enumerate(self._rows) if row.event.id <= reading.id), 0)
        moved = at - self.cursor
        top = self.scroll_offset.y
        self._unseen = self._unseen + moved if moved > 0 and before else min(self._unseen, at)
        if moved:
            self.set_reactive(RowList.cursor, at)
        self.repaint()
        if moved:
            self.scroll_to(y=max(0, top + moved), animate=False, force=True, immediate=True)

    def repaint(self) -> None:
        """Take in the newest rows; what folds into few leaves room for older ones, once for each end of the list."""
        super().repaint()
        if self.events and self.row_count < self.body_cells and self._filled_from != self.events[-1].id:
            self._filled_from = self.events[-1].id
            self.post_message(self.MoreWanted(self._filled_from))

    def watch_cursor(self, old: int, new: int) -> None:
        """Show the exact time of the event under the cursor; ask for more near the end."""
        super().watch_cursor(old, new)
        self._unseen = min(self._unseen, new)
        self._foot()
        self._ask_for_more(new)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for more when the wheel comes near the end."""
        super().watch_scroll_y(old_value, new_value)
        if new_value > old_value:
            self._ask_for_more(round(new_value) + self.body_cells)

    def _ask_for_more(self, index: int) -> None:
        """Ask for older events once the last row is near."""
        if self.events and index >= self.row_count - 2:
            self.post_message(self.MoreWanted(self.events[-1].id))

    def _foot(self) -> None:
        """Say when exactly the event under the cursor happened, while the feed has the focus."""
        shown = self._rows and self.has_focus
        self.foot = event_foot(self._rows[self.cursor].event, self.zone, self.outer_size.width - 6) if shown else ""

    def on_focus(self) -> None:
        """Show the exact time."""
        self._foot()

    def on_blur(self) -> None:
        """Drop the exact time."""
        self._foot()

    def watch_kinds(self) -> None:
        """Show the filter's name."""
        self.changed()

    def watch_text(self) -> None:
        """Show what is searched for."""
        self.changed()
