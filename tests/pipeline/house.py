"""The pipeline's parts on a real database and real files, with a clock that stands still: what its tests share."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pulsetui.budget import store as budget_store
from pulsetui.budget.ledger import Parts
from pulsetui.budget.limits import Limits
from pulsetui.budget.service import Budget
from pulsetui.budget.usage import Usage
from pulsetui.catalog import store as catalog_store
from pulsetui.catalog.levels import parse_entity
from pulsetui.db.database import DATABASE_NAME, Database, Transaction
from pulsetui.events import store as events_store
from pulsetui.events.base import Event
from pulsetui.events.bus import Bus
from pulsetui.events.store import EventLog, StoredEvent
from pulsetui.files.identity import FileIdentity
from pulsetui.pipeline import states, store
from pulsetui.pipeline.backoff import Backoff
from pulsetui.pipeline.jobs import Job, Lease, MediaFile, TranscriptFile
from pulsetui.pipeline.live import Live
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.pipeline.states import Policy
from pulsetui.settings.storage import DEFAULT_LEVELS
from pulsetui.volumes.ground_watch import GroundWatch
from tests.db.tools import FakeClock

MB = 10**6
OWNER = "this owner"
LIMITS = Limits(
    hard_bytes=100 * MB,
    pause_bytes=92 * MB,
    resume_bytes=80 * MB,
    suspend_bytes=99_500_000,
    floor_bytes=0,
    aside_bytes=2 * MB,
)
POLICY = Policy(
    download_attempts=3,
    transcription_attempts=2,
    backoff=Backoff(base_s=5, cap_s=100, retry_after_cap_s=3600),
    delete_video=True,
    delete_audio=True,
)
RECEIPT = '{"accepted": true}'


@dataclass
class House:
    """The parts, and shorter words for what tests do with them."""

    database: Database
    budget: Budget
    outcomes: Outcomes
    events: EventLog
    clock: FakeClock
    root: Path
    live: Live = field(default_factory=Live)
    told: list[Event] = field(default_factory=list)
    """Events as they are published."""

    @property
    def videos(self) -> Path:
        return self.root / "storage" / "videos"

    @property
    def audio(self) -> Path:
        return self.root / "audio"

    @property
    def transcripts(self) -> Path:
        return self.root / "transcripts"

    async def get(self, job: Job) -> Job:
        return await self.database.read(lambda reader: store.get(reader, job.id))

    async def do(self, sql: str, *parameters: Any) -> int:
        return await self.database.write(lambda tx: tx.execute(sql, parameters))

    async def value(self, sql: str, *parameters: Any) -> Any:
        return await self.database.read(lambda reader: reader.value(sql, parameters))

    async def row(self, job: Job) -> dict[str, Any]:
        """Return the whole row, to see that nothing changed."""
        row = await self.database.read(lambda reader: reader.one("SELECT * FROM jobs WHERE id = ?", (job.id,)))
        assert row is not None
        return dict(row)

    async def log(self) -> list[StoredEvent]:
        """Return the stored events, the oldest first."""
        return list(reversed(await self.database.read(events_store.list_events)))

    async def reservations(self) -> dict[int, Parts]:
        return await self.database.read(budget_store.reservations)

    async def queue(
        self, *, source: str = "", priority: int = 0, entity: str = "", declared_bytes: int | None = None
    ) -> Job:
        """Add a job; each is submitted a second after the last."""
        self.clock.advance(1)
        now, job_uuid = self.clock.now(), str(uuid.uuid4())

        async def work(tx: Transaction) -> Job:
            names = parse_entity(entity, DEFAULT_LEVELS) if entity else ()
            entity_id = await catalog_store.ensure_entity(tx, names, levels=DEFAULT_LEVELS, now=now) if names else None
            new = store.NewJob(
                uuid=job_uuid,
                title="An episode",
                source_url=source or f"https://host.example/{job_uuid}.mp4",
                source_host="host.example",
                entity_id=entity_id,
                priority=priority,
                submitted_by="ada",
                submitted_through="test",
            )
            job_id = await store.add(tx, new, now=now)
            await tx.execute("UPDATE jobs SET declared_bytes = ? WHERE id = ?", (declared_bytes, job_id))
            return await store.get(tx, job_id)

        return await self.database.write(work)

    async def step(self, job: Job, *events: states.Event) -> Job:
        """Take the job through steps of the state machine."""
        for event in events:
            job, _ = await self.outcomes.write(job, event)
        return job

    def lease(self, *, owner: str = OWNER, worker: str = "w-1") -> Lease:
        return Lease(str(uuid.uuid4()), owner, worker, self.clock.now() + timedelta(seconds=30))

    async def claimed(self, job: Job, **lease: str) -> Job:
        return await self.step(job, states.Claimed(self.lease(**lease)))

    async def downloading(self, **queued: Any) -> Job:
        return await self.claimed(await self.queue(**queued))

    async def downloaded(self, *, size: int = 100_000, duration_s: float = 10.0, **queued: Any) -> Job:
        """Return a job whose media is on disk."""
        job = await self.downloading(**queued)
        video = media(self.videos.joinpath(*job.entity_folders, f"{job.uuid}.mp4"), size)
        return await self.step(job, states.Downloaded(video, "0" * 64, duration_s))

    async def transcribing(self, **downloaded: Any) -> Job:
        return await self.claimed(await self.downloaded(**downloaded))

    async def transcribed(self, **downloaded: Any) -> Job:
        """Return a job whose media is marked for deletion, all files in place."""
        job = await self.transcribing(**downloaded)
        audio = media(self.audio.joinpath(*job.entity_folders, f"{job.uuid}.wav"), 50_000)
        transcript = self.transcripts.joinpath(*job.entity_folders, f"{job.uuid}.json")
        media(transcript, 3_000)
        digest = hashlib.sha256(transcript.read_bytes()).hexdigest()
        file = TranscriptFile(transcript, 3_000, digest)
        return await self.step(job, states.Accepted(file, audio, RECEIPT, 10.0, 3.0))

    async def counted(self) -> None:
        """Read usage from disk."""
        await self.budget.reconcile()


def media(path: Path, size: int = 100_000) -> MediaFile:
    """Write a file and return it as a job records it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(hashlib.sha256(os.fsencode(path)).digest() * (size // 32) + b"x" * (size % 32))
    identity = FileIdentity.of(path.lstat())
    return MediaFile(
        path, identity.size_bytes, identity.allocated_bytes, identity.device, identity.inode, identity.mtime_ns
    )


@asynccontextmanager
async def opened(
    root: Path, *, limits: Limits = LIMITS, policy: Policy = POLICY, ground: GroundWatch | None = None
) -> AsyncIterator[House]:
    """Open the parts on a data directory; a second time, it is what a restart finds."""
    for folder in (root / "storage" / "videos", root / "audio", root / "transcripts"):
        folder.mkdir(parents=True, exist_ok=True)
    clock, events = FakeClock(), EventLog(Bus())
    async with await Database.open(root / DATABASE_NAME, owner=True) as database:
        last = await database.read(lambda reader: reader.value("SELECT max(submitted_at) FROM jobs"))
        clock.advance(1000 * (last is not None))
        budget = Budget(
            database=database,
            events=events,
            clock=clock,
            limits=limits,
            usage=Usage(root, root / "storage"),
            check_interval_s=30,
            cache_s=5,
            ground=ground,
        )
        house = House(database, budget, Outcomes(database, budget, events, clock, policy), events, clock, root)
        events.bus.on(lambda recorded: house.told.append(recorded.event))
        await budget.load()
        await budget.start()
        yield house


def deleting(policy: Policy = POLICY, **changes: Any) -> Policy:
    return replace(policy, **changes)


def kinds(told: list[Event]) -> list[str]:
    return [event.kind for event in told]


Condition = Callable[[], bool]
