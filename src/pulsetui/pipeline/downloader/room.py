"""Room for downloads: what one is expected to need, and which partial file goes when they alone fill the disk.

The invariant: a download that fits the hard limit beside what stands on disk for good can start in the end, whatever
lengths the sources state and however often they broke. Partial files are kept for resuming as long as anything else
can still make room.
"""

from __future__ import annotations

import os
from pathlib import Path

from pulsetui.budget.gate import Cause
from pulsetui.budget.ledger import (
    Parts,
    can_ever_fit,
    expected_after_refusal,
    first_reservation,
    largest_that_fits,
    parts_of_length,
)
from pulsetui.budget.usage import Kind
from pulsetui.db.database import Reader, Transaction
from pulsetui.errors import SourceError, VolumeAwayError
from pulsetui.files.identity import FileIdentity
from pulsetui.pipeline import store
from pulsetui.pipeline.choice import percentile_99, to_give_up
from pulsetui.pipeline.downloader.contract import Request
from pulsetui.pipeline.downloader.transfer import Downloader
from pulsetui.pipeline.events import PartialGivenUp
from pulsetui.pipeline.jobs import Job, Stage, source_host
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.units import format_size
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.waiting import in_thread

SIZES_LOOKED_AT = 200
_PAGE = 500
_STANDING = (Kind.DATABASE, Kind.TRANSCRIPTS, Kind.TOKENS, Kind.ANALYSIS)
_CAN_FREE = (Stage.DOWNLOADING, Stage.DOWNLOADED, Stage.TRANSCRIBING)


class Room:
    """Between the download workers and the budget."""

    def __init__(
        self,
        outcomes: Outcomes,
        downloader: Downloader,
        *,
        videos_root: Path,
        max_size_bytes: int,
        ground: GroundWatch,
    ) -> None:
        """Take the parts; `ground` knows whether the disk of `videos_root` is there."""
        self._ground = ground
        self._outcomes = outcomes
        self._budget = outcomes.budget
        self._downloader = downloader
        self._videos_root = videos_root
        self._max_size_bytes = max_size_bytes
        self._expected: dict[int, int] = {}
        """Of bodies that don't say their length: what to expect after they were refused room, by job id."""

    async def first_parts(self, tx: Transaction, job: Job, written_bytes: int) -> Parts | None:
        """Return what a download reserves to start, of which `written_bytes` are on disk; None if it has to wait."""
        committed = self._budget.committed_bytes() or 0
        return first_reservation(
            expected_bytes=job.declared_bytes if job.declared_bytes is not None else await self._guess(tx, job),
            audio_only=job.audio_only,
            max_size_bytes=self._max_size_bytes,
            # What an earlier attempt left is in the usage, and part of what is reserved.
            committed_bytes=committed - written_bytes,
            disk_room_bytes=self._budget.disk_room_bytes() + written_bytes,
            limits=self._budget.limits,
        )

    def unfit(self, parts: Parts) -> str:
        """Return why `parts` can never fit, or nothing."""
        limits, standing = self._budget.limits, self._standing_bytes()
        if can_ever_fit(parts, limits, standing_bytes=standing):
            return ""
        needed, most = format_size(parts.total()), format_size(max(0, limits.ceiling_bytes - standing))
        limit = f"the hard limit leaves {most} at most: raise it and retry"
        return f"needs {needed} with its audio and transcript, and {limit}"

    def refused(self, job: Job, total_bytes: int) -> str:
        """Remember that a body found no room to grow to `total_bytes`; return why it can never fit, or nothing."""
        limits, standing = self._budget.limits, self._standing_bytes()
        expected = expected_after_refusal(total_bytes, limits, audio_only=job.audio_only, standing_bytes=standing)
        if expected is None:
            return self.unfit(parts_of_length(total_bytes, audio_only=job.audio_only)) or "is larger than what fits"
        self._expected[job.id] = expected
        return ""

    def forget(self, job_id: int) -> None:
        """Drop what was remembered of a job whose download is over."""
        self._expected.pop(job_id, None)

    async def make(self) -> bool:
        """Give up one partial file if nothing else can make room any more; say whether one went.

        That is when no work is in hand, nothing waits to be transcribed or deleted, and yet the next job can't start.
        """
        budget = self._budget
        if budget.operator_paused or budget.usage.trouble or budget.ledger.reservations:
            return False
        if not budget.gate.is_open and budget.gate.cause is not Cause.BUDGET:
            return False  # a full disk may be somebody else's doing and pass; what was fetched is worth more
        waiting = await self._outcomes.database.read(self._first_waiting)
        if waiting is None:
            return False
        found = await in_thread(_partial_files, self._videos_root)
        jobs = await self._outcomes.database.read(lambda reader: _jobs_of(reader, list(found)))
        # With an open gate it is the first job that doesn't fit, and its own partial file isn't in its way.
        spared = waiting.id if budget.gate.is_open else None
        chosen = to_give_up([job for job in jobs if not job.stage.running and job.id != spared])
        return chosen is not None and await self._give_up(chosen, found[chosen.uuid])

    async def drop(self, job: Job, partial: Path) -> int:
        """Remove the partial file of a job that is not written; return the bytes that this freed."""
        try:
            await self._ground.require(self._videos_root)
            freed = await in_thread(allocated, partial)
            if not freed:
                return 0
            await self._downloader.discard(Request(job.uuid, job.source_url, partial.parent, self._videos_root))
            is_there = await in_thread(allocated, partial)
            await self._ground.require(self._videos_root)  # else it may just not be seen any more
        except (SourceError, VolumeAwayError):
            return 0  # somebody writes it after all, or its disk went away
        if is_there:
            return 0  # it can't be removed
        self._budget.freed(Kind.VIDEOS, freed)
        return freed

    async def _give_up(self, job: Job, partial: Path) -> bool:
        freed = await self.drop(job, partial)
        if not freed:
            return False
        told = PartialGivenUp(name=job.name, freed_bytes=freed, job_id=job.id, entity=job.entity)
        now = self._outcomes.clock.now()
        await self._outcomes.database.write(lambda tx: self._outcomes.events.record(tx, told, now=now))
        return True

    async def _guess(self, tx: Transaction, job: Job) -> int | None:
        """Return the expected length of a body that doesn't say its own, None without anything to go by."""
        limits, standing = self._budget.limits, self._standing_bytes()
        if job.id in self._expected:
            largest = largest_that_fits(limits, audio_only=job.audio_only, standing_bytes=standing)
            return min(self._expected[job.id], largest)
        guess = percentile_99(await store.sizes_of_source(tx, source_host(job.source_url), SIZES_LOOKED_AT))
        fits = guess is not None and not self.unfit(parts_of_length(guess, audio_only=job.audio_only))
        return guess if fits else None

    def _standing_bytes(self) -> int:
        """Return what stays on disk whatever ends."""
        by_kind = self._budget.usage.by_kind()
        return sum(by_kind[kind] for kind in _STANDING)

    async def _first_waiting(self, reader: Reader) -> Job | None:
        """Return the first job that is ready to be downloaded, if nothing in the pipeline can make room for it."""
        counts = await store.stage_counts(reader)
        if any(counts[stage] for stage in _CAN_FREE) or await store.to_delete(reader, 1):
            return None
        return await store.first_ready(reader, Stage.QUEUED)


def allocated(path: Path) -> int:
    """Return what a file takes on disk, 0 if there is none. Blocks."""
    try:
        return FileIdentity.of(os.lstat(path)).allocated_bytes
    except FileNotFoundError:
        return 0


async def _jobs_of(reader: Reader, uuids: list[str]) -> list[Job]:
    jobs: list[Job] = []
    for first in range(0, len(uuids), _PAGE):
        jobs += (await store.by_uuids(reader, uuids[first : first + _PAGE])).values()
    return jobs


def _partial_files(root: Path) -> dict[str, Path]:
    """Return the partial files below `root` by their jobs' uuids."""
    return {path.stem: path for path in root.rglob("*.partial") if path.is_file() and not path.is_symlink()}
