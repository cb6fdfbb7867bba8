"""A running owner in this process, and shorter words for what tests do with it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pulsetui.actions.base import Caller, Outcome, parse_action
from pulsetui.core.assembly import open_core
from pulsetui.core.runtime import Core
from pulsetui.events.base import Event
from pulsetui.events.bus import Recorded
from pulsetui.pipeline import store
from pulsetui.pipeline.actions import EpisodesAdded
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.settings.load import LoadedSettings


@dataclass
class Owner:
    core: Core
    told: list[Event] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, recorded: Recorded) -> None:
        self.told.append(recorded.event)
        self.happened.set()

    async def order(self, verb: str, **arguments: Any) -> Outcome:
        return await self.core.runner.run(
            parse_action(verb, arguments),
            caller=Caller.this_process("test"),
            uuid=str(uuid.uuid4()),
            expires_at=self.core.clock.now() + timedelta(minutes=1),
        )

    async def add(self, *sources: str, **more: Any) -> list[int]:
        outcome = await self.order("jobs.add", episodes=[{"source": source, **more} for source in sources])
        assert isinstance(outcome, EpisodesAdded)
        assert not outcome.skipped
        return [added.id for added in outcome.added]

    async def job(self, job_id: int) -> Job:
        return await self.core.database.read(lambda reader: store.get(reader, job_id))

    async def stages(self) -> dict[str, int]:
        counts = await self.core.database.read(store.stage_counts)
        return {stage: count for stage, count in counts.items() if count}

    async def reaches(self, job_id: int, *stages: Stage) -> Job:
        """Wait until a job is in one of the stages."""
        async with asyncio.timeout(40):
            while True:
                self.happened.clear()
                job = await self.job(job_id)
                if job.stage in stages:
                    return job
                await self.happened.wait()

    async def stop(self) -> None:
        """Stop it as a signal does, and wait for its end."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})

    def said(self) -> list[str]:
        return [event.kind for event in self.told]


@contextlib.asynccontextmanager
async def owning(loaded: LoadedSettings, *, run: bool = True) -> AsyncIterator[Owner]:
    """Own the data directory; with `run`, the services are up and recovery is done."""
    async with open_core(loaded, front_end="test") as core:
        owner = Owner(core)
        core.bus.on(owner.hear)
        if run:
            owner.task = asyncio.create_task(core.run())
            await core.ready.wait()
        try:
            yield owner
        finally:
            await owner.stop()
