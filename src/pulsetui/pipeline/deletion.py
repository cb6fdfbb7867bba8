"""Deletes media whose transcript is proved: the one place in the pipeline where a source file goes.

The order: transcript durable, then the commit that marks the media, then a second look at transcript and file, then
unlink, then fsync of the folder, then the commit that says so. A crash in between is made good by the same pass at
the next start: a missing file counts as deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from pathlib import Path

from pulsetui.budget.usage import Kind
from pulsetui.clock import Clock
from pulsetui.errors import LeaseLostError, RefusedError
from pulsetui.files.folders import Folder
from pulsetui.files.identity import FileIdentity
from pulsetui.pipeline import states, store
from pulsetui.pipeline.events import DeletionKept, MediaFreed
from pulsetui.pipeline.jobs import Job, MediaFile, TranscriptFile
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.waiting import in_thread

BATCH = 50
_RETRY_S = 5.0
_KINDS = {"video": Kind.VIDEOS, "audio": Kind.AUDIO}
_log = logging.getLogger("pulsetui.pipeline")


class Sweeper:
    """Carries out the deletions that commits have marked."""

    def __init__(self, outcomes: Outcomes, *, interval_s: float) -> None:
        """Take the parts; `interval_s` batches deletions, 0 does each at once, and a closed gate always does."""
        self._outcomes = outcomes
        self._budget = outcomes.budget
        self._clock: Clock = outcomes.clock
        self._interval_s = interval_s
        self._woken = asyncio.Event()
        self._woken.set()  # the first pass replays what a crash left

    def wake(self) -> None:
        """Say that there is something to delete."""
        self._woken.set()

    async def run(self) -> None:
        """Sweep when told to, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s or None):
                    await self._woken.wait()
            self._woken.clear()
            if self._interval_s and self._budget.gate.is_open:
                await self._wait_for_batch()
            if not await self.sweep():
                await self._clock.sleep(_RETRY_S)
                self._woken.set()

    async def _wait_for_batch(self) -> None:
        """Let deletions gather for the interval, or until the gate closes."""
        until = self._clock.monotonic() + self._interval_s
        while self._budget.gate.is_open and self._clock.monotonic() < until:
            await self._clock.sleep(min(1.0, self._interval_s))

    async def sweep(self) -> bool:
        """Delete all that is marked; return False if something could not be deleted now and is to be tried again."""
        while jobs := await self._outcomes.database.read(lambda reader: store.to_delete(reader, BATCH)):
            for job in jobs:
                try:
                    await self._delete_of(job)
                except LeaseLostError:
                    continue  # an order changed the job meanwhile: the next pass sees it as it is
                except OSError as error:
                    _log.error("job %d: its media could not be deleted: %s", job.id, error)
                    return False
            await self._budget.check()
        return True

    async def _delete_of(self, job: Job) -> None:
        """Delete what is marked of one job, and say so in one commit."""
        proof = await in_thread(_proof_missing, job.transcript)
        freed: dict[str, int] = {}
        for what, media in (("video", job.video), ("audio", job.audio)):
            if media is None or not media.delete_pending:
                continue
            try:
                removed = await in_thread(_remove, media, proof)
            except RefusedError as error:
                kept = DeletionKept(name=job.name, what=what, reason=str(error), job_id=job.id, entity=job.entity)
                job, _ = await self._outcomes.write(job, states.MediaKept(what), kept)
                continue
            freed[what] = media.allocated_bytes if removed else 0
        if freed:
            await self._tell(job, freed)

    async def _tell(self, job: Job, freed: dict[str, int]) -> None:
        total = sum(freed.values())
        told = MediaFreed(
            name=job.name,
            what=" and ".join(freed),
            freed_bytes=total,
            usage_bytes=self._budget.usage.total_bytes() - total,
            job_id=job.id,
            entity=job.entity,
        )
        await self._outcomes.write(job, states.MediaDeleted(tuple(freed)), told)
        for what, size in freed.items():
            self._budget.freed(_KINDS[what], size)


def _proof_missing(transcript: TranscriptFile | None) -> str:
    """Return why the transcript is no proof, or nothing if it is on disk with the bytes that were accepted."""
    if transcript is None:
        return "there is no transcript"
    try:
        data = transcript.path.read_bytes()
    except OSError as error:
        return f"its transcript {transcript.path} can't be read: {error.strerror}"
    if hashlib.sha256(data).hexdigest() != transcript.sha256:
        return f"its transcript {transcript.path} is not the one that was accepted"
    return ""


def _remove(media: MediaFile, proof_missing: str) -> bool:
    """Unlink the file if its transcript is proof and it still is the recorded one; return False if it was gone already.

    Raises:
        RefusedError: there is no proof, or the file is another one.
    """
    if proof_missing:
        raise RefusedError(proof_missing)
    expected = FileIdentity(media.device, media.inode, media.size_bytes, media.mtime_ns, media.allocated_bytes)
    try:
        folder = Folder.open(Path(media.path).parent)
    except FileNotFoundError:
        return False
    with folder:
        return folder.remove(media.path.name, expected)
