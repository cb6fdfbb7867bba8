"""What screens read from and order through, answered by the owner in this process.

It has the form of `pulsetui.tui.source.Source`, which this room, below the screens, can't name.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from pulsetui.actions.base import Caller, Outcome, parse_action
from pulsetui.core.runtime import Core
from pulsetui.core.status import live_status
from pulsetui.db.database import Reader
from pulsetui.errors import UsageError
from pulsetui.events import store as events_store
from pulsetui.events.base import CATEGORIES, SEVERITIES
from pulsetui.events.store import StoredEvent
from pulsetui.pipeline import store as jobs_store
from pulsetui.pipeline import view_store
from pulsetui.pipeline.actions import EpisodesAdded, JobsChanged, PauseChanged
from pulsetui.pipeline.jobs import Job
from pulsetui.pipeline.transcriber.transcript import Transcript
from pulsetui.pipeline.views import EventView, JobDetails, JobsPage, PulseView
from pulsetui.waiting import in_thread

W = TypeVar("W", bound=str)

FEED_LENGTH = 50
QUEUED_SHOWN = 20
HISTORY_LENGTH = 50
TRANSCRIPT_BYTES = 256 << 10
"""The longest transcript that is read for its preview; a day of speech stays below it."""
ORDER_LIFE = timedelta(seconds=30)


class CoreSource:
    """Reads the owner's figures and store, and hands orders to its runner."""

    def __init__(self, core: Core) -> None:
        """Take the running core."""
        self._core = core
        self._changed = asyncio.Event()
        core.bus.on(lambda _: self._changed.set())
        core.budget.on_change.append(self._changed.set)

    async def pulse(self) -> PulseView:
        """Return all that the Pulse screen and the header show."""
        core = self._core
        status = await live_status(core)
        recent = core.settings.dashboard.recent_jobs

        async def read(reader: Reader) -> tuple[Any, ...]:
            return (
                await view_store.queued(reader, limit=QUEUED_SHOWN),
                await view_store.ended(reader, limit=recent),
                await events_store.list_events(reader, severity="info", limit=FEED_LENGTH),
            )

        queued, done, events = await core.database.read(read)
        return PulseView(
            at=status.at,
            data_dir=status.data_dir,
            owner=status.owner,
            attached=False,
            gate=status.gate,
            usage=status.usage,
            tasks=status.tasks,
            queued=queued,
            done=done,
            stages=tuple(status.stages.items()),
            disks=status.disks,
            events=tuple(event_view(event) for event in events),
            eta_s=status.eta_s,
        )

    async def jobs(self, *, stage: str | None, text: str | None, offset: int, limit: int, sort: str) -> JobsPage:
        """Return one page of the jobs that match."""
        now = self._core.clock.now()
        return await self._core.database.read(
            lambda reader: view_store.page(
                reader, now=now, stage=stage, text=text, offset=offset, limit=limit, sort=sort
            )
        )

    async def job(self, job_id: int) -> JobDetails:
        """Return one job with its history, receipt and transcript.

        Raises:
            NotFoundError: there is no such job.
        """
        now = self._core.clock.now()

        async def read(reader: Reader) -> tuple[Job, Any, list[StoredEvent]]:
            job = await jobs_store.get(reader, job_id)
            history = await events_store.list_events(reader, job_id=job_id, limit=HISTORY_LENGTH)
            return job, await view_store.one(reader, job, now=now), history

        job, view, history = await self._core.database.read(read)
        return JobDetails(
            job=view,
            history=tuple(event_view(event) for event in history),
            receipt=view_store.receipt_rows(job),
            transcript=await in_thread(transcript_text, job),
        )

    async def events(
        self, *, before: int | None, category: str | None, severity: str | None, text: str | None, limit: int
    ) -> Sequence[EventView]:
        """Return events with an id below `before`, newest first; `severity` means at least this one."""
        stored = await self._core.database.read(
            lambda reader: events_store.list_events(
                reader,
                before=before,
                category=one_of(category, CATEGORIES, "category"),
                severity=one_of(severity, SEVERITIES, "severity"),
                text=text,
                limit=limit,
            )
        )
        return [event_view(event) for event in stored]

    async def order(self, verb: str, arguments: Mapping[str, object]) -> str:
        """Have something done and return a plain sentence about it.

        Raises:
            PulseError: it was refused or failed.
        """
        outcome = await self._core.runner.run(
            parse_action(verb, arguments),
            caller=Caller.this_process("tui"),
            uuid=str(uuid.uuid4()),
            expires_at=self._core.clock.now() + ORDER_LIFE,
        )
        return sentence(outcome)

    async def changes(self) -> AsyncIterator[None]:
        """Yield whenever something changed."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            yield


def sentence(outcome: Outcome) -> str:
    """Return what an order did, in one plain sentence."""
    match outcome:
        case EpisodesAdded(added=added, skipped=skipped):
            done = f"{len(added)} queued" if added else "nothing queued"
            return f"{done}, {len(skipped)} skipped: {skipped[0].reason}" if skipped else done
        case JobsChanged(changed=changed, refused=refused):
            done = f"{len(changed)} of {len(changed) + len(refused)} jobs changed"
            return f"{done}: {next(iter(refused.values()))}" if refused else done
        case PauseChanged(paused=paused):
            return "new downloads are paused; running work goes on" if paused else "downloads may start"
        case _:
            return "done"


def one_of(word: str | None, words: tuple[W, ...], what: str) -> W | None:
    """Return `word` as one of `words`, None for None.

    Raises:
        UsageError: it is none of them.
    """
    if word is None:
        return None
    for known in words:
        if known == word:
            return known
    raise UsageError(f"there is no {what} {word!r}", hint=f"use one of {', '.join(words)}")


def event_view(event: StoredEvent) -> EventView:
    """Return an event as the feed shows it."""
    return EventView(
        id=event.id,
        at=event.at,
        category=event.category,
        severity=event.severity,
        kind=event.kind,
        text=event.text,
        entity=event.entity,
        job_id=event.job_id,
    )


def transcript_text(job: Job) -> str:
    """Return the plain text of a job's transcript, empty if there is none that can be read. Blocks."""
    if job.transcript is None or job.transcript.size_bytes > TRANSCRIPT_BYTES:
        return ""
    try:
        return Transcript.from_json(job.transcript.path.read_bytes()).to_text()
    except (OSError, ValueError):
        return ""
