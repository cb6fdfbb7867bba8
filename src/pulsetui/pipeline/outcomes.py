"""Writes what becomes of a job: one step of the state machine, its events and its reservation, in one transaction.

Invariant: nothing is written under a lease that is lost, and no event tells what was not committed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pulsetui.budget.service import Budget
from pulsetui.clock import Clock
from pulsetui.db.database import Database, Transaction
from pulsetui.errors import (
    FailureClass,
    PulseError,
    SourceError,
    SpaceError,
    VolumeAwayError,
    WorkerFailedError,
    WorkerLostError,
)
from pulsetui.events.base import Event as StoredEvent
from pulsetui.events.store import EventLog
from pulsetui.files.names import display_text
from pulsetui.pipeline import kinds, states, store
from pulsetui.pipeline.events import AttemptEnded, JobDied, JobHeld, JobWaits
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.states import AttemptFailed, Delete, Event, Policy, Release, step


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The one way in which workers, recovery and orders change jobs."""

    database: Database
    budget: Budget
    events: EventLog
    clock: Clock
    policy: Policy

    async def advance(self, tx: Transaction, job: Job, event: Event, *told: StoredEvent) -> tuple[Job, bool]:
        """Take one step inside `tx`; return the job after it, and whether there is something to delete.

        Raises:
            LeaseLostError: the job isn't as `job` says any more.
            RefusedError: the job's stage does not know the event.
        """
        now = self.clock.now()
        after, instructions = step(job, event, now, self.policy)
        await store.apply(tx, job, after)
        for instruction in instructions:
            if isinstance(instruction, Release):
                await self.budget.release(tx, job.id)
        for each in (*told, *self._consequences(job, after, event)):
            await self.events.record(tx, each, now=now)
        return after, any(isinstance(instruction, Delete) for instruction in instructions)

    async def write(self, job: Job, event: Event, *told: StoredEvent) -> tuple[Job, bool]:
        """Take one step in a transaction of its own."""
        return await self.database.write(lambda tx: self.advance(tx, job, event, *told))

    def failed(self, error: BaseException) -> AttemptFailed:
        """Return the failure that an error of an attempt means."""
        text = display_text(str(error)) or type(error).__name__
        hint = display_text(error.hint) if isinstance(error, PulseError) else ""
        wait_s = error.retry_after_s if isinstance(error, SourceError) else None
        return AttemptFailed(_class_of(error), text, random.random(), wait_s, hint)

    def _consequences(self, job: Job, after: Job, event: Event) -> Sequence[StoredEvent]:
        """Return the events that follow from the step itself."""
        failure = after.last_failure
        match event:
            case AttemptFailed(failure_class, text) if after.stage is Stage.DEAD:
                return [
                    JobDied(
                        name=job.name,
                        failure=failure_class,
                        error=text,
                        attempts=after.attempts,
                        job_id=job.id,
                        entity=job.entity,
                    )
                ]
            case AttemptFailed(FailureClass.SPACE | FailureClass.AWAY | FailureClass.SHUTDOWN, text):
                return [JobWaits(name=job.name, stage=after.stage, reason=text, job_id=job.id, entity=job.entity)]
            case AttemptFailed(failure_class, text):
                wait_s = (after.next_attempt_at - self.clock.now()).total_seconds() if after.next_attempt_at else 0.0
                ended = AttemptEnded(
                    name=job.name,
                    failure=failure_class,
                    error=text,
                    attempt=after.attempts,
                    retry_in_s=max(0.0, wait_s),
                    job_id=job.id,
                    entity=job.entity,
                )
                return [ended]
            case states.Rejected() | states.Unfit() if failure is not None:
                return [JobHeld(name=job.name, reason=failure.text, job_id=job.id, entity=job.entity)]
            case states.AudioLonger(text):
                if failure is not None and after.stage is Stage.HELD:
                    return [JobHeld(name=job.name, reason=text, job_id=job.id, entity=job.entity)]
                return [JobWaits(name=job.name, stage=after.stage, reason=text, job_id=job.id, entity=job.entity)]
            case states.OwnerEnded():
                return [
                    JobWaits(
                        name=job.name, stage=after.stage, reason="its owner ended", job_id=job.id, entity=job.entity
                    )
                ]
            case states.VideoLost():
                return [
                    JobWaits(
                        name=job.name,
                        stage=after.stage,
                        reason="its media is not on disk",
                        job_id=job.id,
                        entity=job.entity,
                    )
                ]
            case _:
                return []


def _class_of(error: BaseException) -> FailureClass:
    """Return why an attempt failed."""
    match error:
        case SourceError():
            return error.failure
        case SpaceError() | WorkerFailedError(kind=SpaceError.code):
            return FailureClass.SPACE
        case VolumeAwayError():
            return FailureClass.AWAY
        case WorkerLostError():
            return FailureClass.POISON
        case WorkerFailedError(kind=kind) if kind in kinds.PERMANENT:
            return FailureClass.PERMANENT
        case _:
            return FailureClass.TRANSIENT
