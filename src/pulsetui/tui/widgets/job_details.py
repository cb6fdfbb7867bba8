"""One job in full."""

from __future__ import annotations

from datetime import datetime, tzinfo

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from pulsetui.pipeline.views import JobDetails
from pulsetui.tui import glyphs, keys
from pulsetui.tui.renderables.details import job_lines
from pulsetui.tui.renderables.text import line, safe
from pulsetui.tui.widgets.panel import Framed, frame_css


class JobPanel(VerticalScroll, Framed, can_focus=True):
    """Shows facts, receipt, history and transcript of one job, scrolling."""

    title = "Job"
    DEFAULT_CSS = (
        frame_css("JobPanel")
        + """
    JobPanel { padding: 0 1; scrollbar-size-vertical: 1; color: $foreground; }
    JobPanel > Static { width: 1fr; height: auto; }
    """
    )
    BINDINGS = keys.bindings("scroll")

    details: reactive[JobDetails | None] = reactive(None)
    """The job on display, or None while there is none."""
    now: reactive[datetime | None] = reactive(None)
    zone: reactive[tzinfo | None] = reactive(None)
    failure: reactive[str] = reactive("")
    """Why the newest read failed, or empty."""

    def compose(self) -> ComposeResult:
        """Lay out the one text."""
        yield Static(markup=False)

    def figures(self) -> Content:
        """Return the job's id."""
        return line((f"{self.details.job.id}", "$quiet")) if self.details else Content("")

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self._show()

    def watch_details(self, old: JobDetails | None, new: JobDetails | None) -> None:
        """Show a job; another one starts at its top."""
        if old and new and old.job.id != new.job.id:
            self.scroll_home(animate=False)
        self.frame()
        self._show()

    def watch_now(self) -> None:
        """Let the ages grow."""
        self._show()

    def watch_failure(self) -> None:
        """Show or drop the failure."""
        self._show()

    def _show(self) -> None:
        """Draw the text."""
        if not self.is_mounted:
            return
        width = self.scrollable_content_region.width
        if self.details is not None and self.now is not None:
            said = job_lines(self.details, self.now, self.zone, width)
        elif self.failure:
            said = line((f"{glyphs.FAILED} {safe(self.failure)}\n", "$bad"), ("ctrl+r reads again", "$quiet"))
        else:
            said = line(("The job under the cursor will be here.", "$quiet"))
        self.query_one(Static).update(said)
