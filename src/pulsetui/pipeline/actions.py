"""What an operator can order of the queue: add, retry, cancel, pause, resume.

Idempotent by the order's uuid: the jobs' own uuids are derived from it, so an order that runs twice adds nothing twice.
"""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from pulsetui.actions.base import Action, ActionContext, Outcome, Right
from pulsetui.budget.events import OperatorPaused, OperatorResumed
from pulsetui.budget.service import Budget
from pulsetui.catalog import store as catalog_store
from pulsetui.catalog.levels import SEPARATOR, parse_entity
from pulsetui.db.database import Transaction
from pulsetui.errors import NotFoundError, RefusedError
from pulsetui.files.names import clean_title, display_text
from pulsetui.pipeline import states, store
from pulsetui.pipeline.downloader.sources import scheme_of, shown_url
from pulsetui.pipeline.events import JobCancelled, JobQueued, JobRetried
from pulsetui.pipeline.jobs import shown_name, source_host
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.units import format_size

MOST_AT_ONCE = 1000
"""Episodes or jobs in one order; a longer list goes as several, so that no transaction holds the writer for long."""
HIGHEST_PRIORITY = 1000
ROW_BYTES = 2000
"""What a job takes in the database with its indexes and first events, generously."""
Ids = Annotated[tuple[int, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Episode(BaseModel):
    """One source to be queued."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1, max_length=8192)
    """A URL, or an absolute path."""
    title: str = ""
    """Empty: made from the source."""
    entity: str = ""
    """The names of an entity from the top level down, `Project/Character/Scene/Segment`; empty: unassigned."""
    priority: int = Field(default=0, ge=-HIGHEST_PRIORITY, le=HIGHEST_PRIORITY)


class AddedJob(BaseModel):
    """A job that was queued."""

    model_config = ConfigDict(frozen=True)

    id: int
    uuid: str


class SkippedSource(BaseModel):
    """A source that was not queued, and why."""

    model_config = ConfigDict(frozen=True)

    source: str
    reason: str


class EpisodesAdded(Outcome):
    """What was queued."""

    added: tuple[AddedJob, ...]
    skipped: tuple[SkippedSource, ...]


class AddEpisodes(Action, verb="jobs.add", right=Right.OPERATE):
    """Queue episodes."""

    episodes: Annotated[tuple[Episode, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]

    async def run(self, context: ActionContext) -> EpisodesAdded:
        """Queue what is not queued yet, in one transaction.

        Raises:
            RefusedError: their rows would pass the hard limit.
        """
        budget: Budget = context.services["budget"]
        committed = budget.committed_bytes()
        if committed is not None and committed + len(self.episodes) * ROW_BYTES > budget.limits.ceiling_bytes:
            raise RefusedError(
                f"{len(self.episodes)} jobs take about {format_size(len(self.episodes) * ROW_BYTES)} in the database, "
                f"and {format_size(committed)} of {format_size(budget.limits.hard_bytes)} are committed",
                hint="add fewer, wait until space is freed, or raise disk_management.hard_limit",
            )
        return await context.database.write(lambda tx: self._add(tx, context))

    async def _add(self, tx: Transaction, context: ActionContext) -> EpisodesAdded:
        schemes: frozenset[str] = context.services["schemes"]
        added: list[AddedJob] = []
        skipped: list[SkippedSource] = []
        for number, episode in enumerate(self.episodes):
            reason = _unusable(episode.source, schemes, allow_http=context.settings.downloads.allow_http)
            if not reason and (known := await store.find_open_by_source(tx, episode.source)) is not None:
                reason = f"already there as job {known}"
            if reason:
                skipped.append(SkippedSource(source=shown_url(episode.source), reason=reason))
                continue
            job_uuid = str(uuid.uuid5(uuid.UUID(context.uuid), str(number)))
            added.append(AddedJob(id=await _queue(tx, context, episode, job_uuid), uuid=job_uuid))
        return EpisodesAdded(added=tuple(added), skipped=tuple(skipped))


class JobsChanged(Outcome):
    """Which jobs the order changed, and which it could not."""

    changed: tuple[int, ...]
    refused: dict[int, str]
    """Why, by id."""


class RetryJobs(Action, verb="jobs.retry", right=Right.OPERATE):
    """Try jobs again: held, dead and cancelled ones are revived, waiting ones need not wait any longer."""

    ids: Ids

    async def run(self, context: ActionContext) -> JobsChanged:
        """Revive each."""
        return await _each(self.ids, context, states.Retried())


class CancelJobs(Action, verb="jobs.cancel", right=Right.OPERATE):
    """Give jobs up; what runs is stopped. Files stay in place."""

    ids: Ids

    async def run(self, context: ActionContext) -> JobsChanged:
        """Cancel each."""
        return await _each(self.ids, context, states.Cancelled())


class PauseChanged(Outcome):
    """The operator's pause after the order."""

    paused: bool
    changed: bool


class PausePipeline(Action, verb="pipeline.pause", right=Right.OPERATE):
    """Start no more downloads; running ones finish, transcribers go on."""

    async def run(self, context: ActionContext) -> PauseChanged:
        """Pause."""
        return await _pause(context, paused=True)


class ResumePipeline(Action, verb="pipeline.resume", right=Right.OPERATE):
    """Let downloads start again."""

    async def run(self, context: ActionContext) -> PauseChanged:
        """Resume."""
        return await _pause(context, paused=False)


def title_of(source: str) -> str:
    """Return a title made from the last part of a source's path, or from its host."""
    parts = urlsplit(source)
    return clean_title(unquote(PurePosixPath(parts.path).stem)) or clean_title(parts.hostname or "") or "untitled"


def _unusable(source: str, schemes: frozenset[str], *, allow_http: bool) -> str:
    """Return why a source can't be fetched whatever happens, or nothing."""
    try:
        scheme, host = scheme_of(source), urlsplit(source).hostname
    except ValueError as error:
        return f"not a URL: {error}"
    if not scheme:
        return "not a URL, nor an absolute path"
    if scheme not in schemes:
        return f"nothing here fetches {scheme}: use one of {', '.join(sorted(schemes))}, or an absolute path"
    if scheme == "http" and not allow_http:
        return "http is off: use https, or set downloads.allow_http"
    if scheme in ("http", "https") and not host:
        return "the URL names no host"
    if any(ord(character) < 32 for character in source):
        return "has control characters"
    return ""


async def _queue(tx: Transaction, context: ActionContext, episode: Episode, job_uuid: str) -> int:
    now = context.clock.now()
    levels = context.settings.storage.levels
    names = parse_entity(episode.entity, levels) if episode.entity else ()
    entity_id = await catalog_store.ensure_entity(tx, names, levels=levels, now=now) if names else None
    title = clean_title(episode.title) or title_of(episode.source)
    new = store.NewJob(
        uuid=job_uuid,
        title=title,
        source_url=episode.source,
        source_host=source_host(episode.source),
        entity_id=entity_id,
        priority=episode.priority,
        submitted_by=context.caller.user,
        submitted_through=context.caller.through,
    )
    job_id = await store.add(tx, new, now=now)
    entity = SEPARATOR.join(names) or None
    told = JobQueued(name=shown_name(entity, title), source=shown_url(episode.source), job_id=job_id, entity=entity)
    await context.events.record(tx, told, now=now)
    return job_id


async def _each(ids: tuple[int, ...], context: ActionContext, event: states.Retried | states.Cancelled) -> JobsChanged:
    """Take one step with each job; one that refuses doesn't stop the others.

    Raises:
        NotFoundError, RefusedError: there was one job only, and it refused.
    """
    changed: list[int] = []
    refused: dict[int, str] = {}
    for job_id in dict.fromkeys(ids):
        try:
            await _change(job_id, context, event)
            changed.append(job_id)
        except (NotFoundError, RefusedError) as error:
            if len(ids) == 1:
                raise
            refused[job_id] = str(error)
    return JobsChanged(changed=tuple(changed), refused=refused)


async def _change(job_id: int, context: ActionContext, event: states.Retried | states.Cancelled) -> None:
    outcomes: Outcomes = context.services["outcomes"]

    async def work(tx: Transaction) -> None:
        job = await store.get(tx, job_id)
        user = context.caller.user
        after, _ = states.step(job, event, context.clock.now(), outcomes.policy)
        told = (
            JobCancelled(name=job.name, user=user, job_id=job_id, entity=job.entity)
            if isinstance(event, states.Cancelled)
            else JobRetried(name=job.name, stage=after.stage, user=user, job_id=job_id, entity=job.entity)
        )
        await outcomes.advance(tx, job, event, told)

    await context.database.write(work)


async def _pause(context: ActionContext, *, paused: bool) -> PauseChanged:
    budget: Budget = context.services["budget"]
    user = display_text(context.caller.user)

    async def work(tx: Transaction) -> bool:
        changed = await budget.set_operator_pause(tx, paused=paused)
        if changed:
            told = OperatorPaused(user=user) if paused else OperatorResumed(user=user)
            await context.events.record(tx, told, now=context.clock.now())
        return changed

    return PauseChanged(paused=paused, changed=await context.database.write(work))
