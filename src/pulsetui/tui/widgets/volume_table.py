"""The table of volumes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.text import age, broken, heading, line
from pulsetui.tui.renderables.volume_figures import tally
from pulsetui.tui.renderables.volume_notes import is_stale
from pulsetui.tui.renderables.volumes import Longest, longest, row_ages, volume_head, volume_row
from pulsetui.tui.widgets.lines import state_of
from pulsetui.tui.widgets.row_list import RowList
from pulsetui.volumes.views import VolumesView, VolumeView

_LONG_AGO = datetime.fromtimestamp(0, UTC)
_FRAME_CELLS = 12
"""What the top border takes besides its title and its figures."""
_PARTING = "not tracked"
_NONE_TRACKED = "none is tracked yet · t tracks one"


class VolumeTable(RowList):
    """Lists the volumes, those that are tracked first; the cursor stays on its volume while others come and go."""

    title = "Volumes"
    head_cells = 1
    opens_on_click = False

    view: var[VolumesView | None] = var(None)
    """The volumes on display, or None before the first read."""
    _rows: tuple[VolumeView | str, ...] = ()
    _longest = Longest()

    class MenuWanted(Message):
        """The operator asked what can be done with the volume under the cursor; `y` is its line on the screen."""

        def __init__(self, y: int) -> None:
            """Take what the message says."""
            super().__init__()
            self.y = y

    @property
    def row_count(self) -> int:
        """How many rows there are, the heading included."""
        return len(self._rows)

    @property
    def selected(self) -> VolumeView | None:
        """The volume under the cursor, or None while there is none."""
        row = self._rows[self.cursor] if self._rows else None
        return row if isinstance(row, VolumeView) else None

    def selectable(self, index: int) -> bool:
        """The heading is passed over."""
        return not isinstance(self._rows[index], str)

    def figures(self) -> Content:
        """Return how many are in each state, and when the monitor looked."""
        view = self.view
        if view is None:
            return Content("")
        at, now = view.monitor.refreshed_at, self.now or view.at
        tone = "$warn" if is_stale(view.monitor, now) else "$quiet"
        looked = [line((f"looked {age(at, now)} ago", tone))] if at is not None else []
        counts = tally(view.volumes)
        room = self.outer_size.width - len(self.title) - _FRAME_CELLS
        while len(counts) > 1 and _joined([*counts, *looked]).cell_length > room:
            counts.pop()
        return _joined([*counts, *looked])

    def draw_head(self, width_cells: int) -> Content:
        """Return the column heads."""
        return volume_head(width_cells, self._longest) if self._rows else Content("")

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return one volume's line, or the heading of those that aren't tracked."""
        row, view = self._rows[index], self.view
        if isinstance(row, str) or view is None:
            return (heading(str(row), width_cells),)
        return (volume_row(row, view, self.now or view.at, width_cells, self._longest),)

    def row_state(self, index: int) -> Hashable:
        """Return what a row is drawn from."""
        row, view = self._rows[index], self.view
        if isinstance(row, str) or view is None:
            return row
        limits = view.warn_percent, view.critical_percent, view.full_warning_s
        return row, row_ages(row, self.now or view.at), self._longest, limits

    def ages(self) -> Hashable:
        """Return what the rows in view are drawn from, and how long ago the monitor looked."""
        return super().ages(), state_of(self.figures())

    def vacant(self, width_cells: int) -> Sequence[Content]:
        """Say what will be here, or why nothing is."""
        if self.view is None:
            return [line((f"reading{glyphs.CUT}", "$quiet"))]
        if self.view.monitor.refreshed_at is None:
            said = "Every file system that is mounted will be here after the first look."
        else:
            said = "No file system is mounted but those that are left out by volumes.ignored_types."
        lines = [line((part, "$quiet")) for part in broken(said, max(8, width_cells))]
        return [*lines, line(("r", "bold $accent"), (" looks now", "$quiet"))]

    def job_at(self, index: int) -> int | None:  # noqa: ARG002 - rows are no jobs
        """Return None: rows are volumes."""
        return None

    def watch_view(self) -> None:
        """Take in the newest volumes; the cursor stays on its own."""
        held = self.selected
        volumes = self.view.volumes if self.view is not None else ()
        tracked = [one for one in volumes if one.is_tracked]
        others = [one for one in volumes if not one.is_tracked]
        parting = [_PARTING if tracked else _NONE_TRACKED] if others else []
        self._rows = (*tracked, *parting, *others)
        # They only grow while the screen is open, since columns that come and go make a row hard to read.
        now = longest(volumes)
        self._longest = Longest(max(now.name, self._longest.name), max(now.mount, self._longest.mount))
        at = _find(self._rows, held) if held is not None else None
        self.set_reactive(RowList.cursor, self.validate_cursor(self.cursor if at is None else at))
        self.changed()
        if self.selected is not held and self.is_attached:
            self.reveal()

    def action_open(self) -> None:
        """Ask what can be done with the volume under the cursor."""
        if self.selected is not None:
            self.post_message(self.MenuWanted(self.cursor_line))

    @property
    def cursor_line(self) -> int:
        """The line on the screen that the row under the cursor is on."""
        return self.content_region.y + self.head_cells + self.cursor - self.scroll_offset.y

    def on_resize(self) -> None:
        """Keep the row under the cursor in view, where fewer are now."""
        super().on_resize()
        self.reveal()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse clicked; a right click asks what can be done."""
        super().on_click(event)
        if event.button == 3:
            self.action_open()


def _joined(figures: Sequence[Content]) -> Content:
    return line((" · ", "$quiet")).join(list(figures))


def _find(rows: Sequence[VolumeView | str], held: VolumeView) -> int | None:
    """Return the row of a volume: the one as it was mounted, else any of its fingerprint (it may have moved)."""
    same = [
        (index, row)
        for index, row in enumerate(rows)
        if isinstance(row, VolumeView) and row.fingerprint == held.fingerprint
    ]
    exact = next((index for index, row in same if row.mount_points == held.mount_points), None)
    return exact if exact is not None else same[0][0] if same else None
