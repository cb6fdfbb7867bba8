"""The seam to the core: the one object through which screens read and order.

Screens hold a `Source`; widgets and dialogs never see it. What comes back are the frozen read models of
`pulsetui.pipeline.views`, `pulsetui.storage.views` and `pulsetui.volumes.views`; every failure is a `PulseError`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pulsetui.pipeline.views import EventView, JobDetails, JobsPage, PulseView
from pulsetui.tui.storage_source import StorageSource
from pulsetui.tui.volumes_source import VolumesSource

QuitChoice = Literal["drain", "headless"]
"""What the application returns: stop after draining, or let the pipeline go on without a screen."""

SORTS: tuple[str, ...] = ("queue", "newest", "title", "size", "attempts")
"""What `Source.jobs` sorts by. `queue`: running first, then by position, then ended ones, newest first. `newest`: by
id, descending. `title`: by name. `size` and `attempts`: largest first."""

STAGES: tuple[str, ...] = (
    "queued",
    "downloading",
    "downloaded",
    "transcribing",
    "transcribed",
    "held",
    "dead",
    "cancelled",
)
"""The stages that the filter steps through, in the order of the way."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What the activity feed leaves in. `severity` means at least this one; None leaves all in."""

    label: str
    category: str | None = None
    severity: str | None = None


EVENT_FILTERS: tuple[EventFilter, ...] = (
    EventFilter("all"),
    EventFilter("problems", severity="warning"),
    EventFilter("jobs", category="job"),
    EventFilter("disk", category="disk"),
    EventFilter("volumes", category="volume"),
    EventFilter("system", category="system"),
)


class Source(StorageSource, VolumesSource, Protocol):
    """Reads and orders, answered by the owner in this process or by another one."""

    async def pulse(self) -> PulseView:
        """Return all that the Pulse screen and the header show."""
        ...

    async def jobs(self, *, stage: str | None, text: str | None, offset: int, limit: int, sort: str) -> JobsPage:
        """Return one page of the jobs that match; `text` is found in title, entity, URL and error."""
        ...

    async def job(self, job_id: int) -> JobDetails:
        """Return one job with its history, receipt and transcript.

        Raises:
            NotFoundError: there is no such job.
        """
        ...

    async def events(
        self, *, before: int | None, category: str | None, severity: str | None, text: str | None, limit: int
    ) -> Sequence[EventView]:
        """Return events with an id below `before`, newest first; `severity` means at least this one."""
        ...

    async def order(self, verb: str, arguments: Mapping[str, object]) -> str:
        """Have something done, such as `jobs.retry` with `{"ids": [1]}`, and return a plain sentence about it.

        Raises:
            PulseError: it was refused or failed.
        """
        ...

    async def add(self, given: str) -> str:
        """Queue what was typed, a URL or a path from where the screens were started, and return a plain sentence.

        Raises:
            PulseError: nothing is there, or it was refused.
        """
        ...

    def changes(self) -> AsyncIterator[None]:
        """Yield whenever something changed; the screens coalesce."""
        ...
