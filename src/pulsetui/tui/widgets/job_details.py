"""One job in full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual.content import Content
from textual.reactive import var

from pulsetui.pipeline.views import JobDetails
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.details import Wrapped, job_lines
from pulsetui.tui.renderables.text import line, safe
from pulsetui.tui.widgets.framed_lines import FramedText
from pulsetui.tui.widgets.panel import frame_css


class JobPanel(FramedText):
    """Shows facts, receipt, history and transcript of one job, scrolling."""

    title = "Job"
    DEFAULT_CSS = frame_css("JobPanel")

    details: var[JobDetails | None] = var(None)
    """The job on display, or None while there is none."""
    now: var[datetime | None] = var(None)
    zone: var[tzinfo | None] = var(None)
    failure: var[str] = var("")
    """Why the newest read failed, or empty."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Start empty."""
        super().__init__(id=id)
        self._wrapped = Wrapped()

    def figures(self) -> Content:
        """Return the job's id."""
        return line((f"{self.details.job.id}", "$quiet")) if self.details else Content("")

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

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the text's lines."""
        if self.details is not None and self.now is not None:
            return job_lines(self.details, self.now, self.zone, width_cells, self._wrapped)
        if self.failure:
            return [line((f"{glyphs.FAILED} {safe(self.failure)}", "$bad")), line(("ctrl+r reads again", "$quiet"))]
        return [line(("The job under the cursor will be here.", "$quiet"))]
