"""One job in full."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime, tzinfo

from textual.content import Content
from textual.reactive import var

from pulsetui.pipeline.views import JobDetails
from pulsetui.tui import glyphs, keys
from pulsetui.tui.renderables.details import Wrapped, job_lines
from pulsetui.tui.renderables.text import line, safe
from pulsetui.tui.widgets.lines import ScrollLines, at_or_blank, state_of
from pulsetui.tui.widgets.panel import Framed, frame_css


class JobPanel(ScrollLines, Framed, can_focus=True):
    """Shows facts, receipt, history and transcript of one job, scrolling."""

    title = "Job"
    DEFAULT_CSS = (
        frame_css("JobPanel")
        + """
    JobPanel {
        overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; padding: 0 1; color: $foreground;
    }
    """
    )
    BINDINGS = keys.bindings("scroll")

    details: var[JobDetails | None] = var(None)
    """The job on display, or None while there is none."""
    now: var[datetime | None] = var(None)
    zone: var[tzinfo | None] = var(None)
    failure: var[str] = var("")
    """Why the newest read failed, or empty."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Start empty."""
        super().__init__(id=id)
        self._lines: Sequence[Content] = ()
        self._wrapped = Wrapped()

    def figures(self) -> Content:
        """Return the job's id."""
        return line((f"{self.details.job.id}", "$quiet")) if self.details else Content("")

    def line_state(self, y: int) -> Hashable:
        """Return the drawn line."""
        return state_of(at_or_blank(self._lines, y + self.scroll_offset.y))

    def draw_line(self, y: int, width_cells: int) -> tuple[Content, str]:  # noqa: ARG002 - drawn already
        """Return the drawn line."""
        return at_or_blank(self._lines, y + self.scroll_offset.y), ""

    def repaint(self) -> None:
        """Draw the text anew, and paint what changed of it."""
        self._lines = self._draw(self.lines_size.width)
        self.reckon(len(self._lines))
        self.frame()
        super().repaint()

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self.repaint()

    def watch_details(self, old: JobDetails | None, new: JobDetails | None) -> None:
        """Show a job; another one starts at its top."""
        if old and new and old.job.id != new.job.id:
            self.scroll_home(animate=False)
        self.changed()

    def watch_now(self) -> None:
        """Let the ages grow."""
        self.changed()

    def watch_failure(self) -> None:
        """Show or drop the failure."""
        self.changed()

    def _draw(self, width_cells: int) -> Sequence[Content]:
        """Return the text's lines."""
        if self.details is not None and self.now is not None:
            return job_lines(self.details, self.now, self.zone, width_cells, self._wrapped)
        if self.failure:
            return [line((f"{glyphs.FAILED} {safe(self.failure)}", "$bad")), line(("ctrl+r reads again", "$quiet"))]
        return [line(("The job under the cursor will be here.", "$quiet"))]
