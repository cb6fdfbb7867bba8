"""One job on a screen of its own."""

from __future__ import annotations

from datetime import datetime, tzinfo

from textual.app import ComposeResult

from pulsetui.clock import Clock
from pulsetui.pipeline.views import JobDetails
from pulsetui.tui import keys
from pulsetui.tui.screens.live import LiveScreen
from pulsetui.tui.source import Source
from pulsetui.tui.widgets.footer import KeyLine
from pulsetui.tui.widgets.gate_line import GateLine
from pulsetui.tui.widgets.job_details import JobPanel


class JobScreen(LiveScreen):
    """Shows one job in full, and goes back to where one was."""

    PLACE = "job"
    BINDINGS = keys.bindings("job")

    def __init__(self, source: Source, clock: Clock, job_id: int, zone: tzinfo | None = None) -> None:
        """Take the seam to the core, the clock, the job and the zone for times."""
        super().__init__(source, clock, zone)
        self._job_id = job_id
        self._details: JobDetails | None = None

    def compose(self) -> ComposeResult:
        """Lay out header, details and footer."""
        yield GateLine()
        yield JobPanel(id="details")
        yield KeyLine("job")

    def on_mount(self) -> None:
        """Start with the focus on the text."""
        self.query_one(JobPanel).focus()

    async def read(self) -> None:
        """Read the job."""
        self._details = await self.source.job(self._job_id)

    def show(self, now: datetime) -> None:
        """Push the newest values into the panel."""
        panel = self.query_one(JobPanel)
        panel.zone, panel.now, panel.failure, panel.details = self.zone, now, self.failure, self._details

    def action_retry(self) -> None:
        """Try the job again."""
        self.order("jobs.retry", {"ids": [self._job_id]})

    async def action_cancel(self) -> None:
        """Ask whether to cancel the job."""
        await self.ask_to_cancel([self._details.job] if self._details else [], [self._job_id])

    def action_back(self) -> None:
        """Go back to where one was."""
        self.dismiss(None)
