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
import os
from functools import partial
from pathlib import Path

from pulsetui.budget.usage import Kind
from pulsetui.clock import Clock
from pulsetui.db.database import Reader
from pulsetui.errors import LeaseLostError, RefusedError, SpaceError, VolumeAwayError
from pulsetui.files.identity import FileIdentity
from pulsetui.pipeline import states, store
from pulsetui.pipeline.events import DeletionKept, MediaFreed
from pulsetui.pipeline.jobs import Job, MediaFile, TranscriptFile
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.volumes.grounds import Grounds
from pulsetui.waiting import in_thread

BATCH = 50
_RETRY_S = 5.0
_KINDS = {"video": Kind.VIDEOS, "audio": Kind.AUDIO}
_log = logging.getLogger("pulsetui.pipeline")


class Sweeper:
    """Carries out the deletions that commits have marked."""

    def __init__(self, outcomes: Outcomes, *, interval_s: float, ground: GroundWatch | None = None) -> None:
        """Take the parts; `interval_s` batches deletions, 0 does each at once, and a closed gate always does.

        `ground` knows whether the disks of media and transcripts are there (None: they always are).
        """
        self._ground = ground or GroundWatch()
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
        all_done = True
        jobs: list[Job] = []
        # By id, so that one file that can't be deleted doesn't stand in the way of all behind it.
        while jobs := await self._outcomes.database.read(partial(_page_after, jobs[-1].id if jobs else 0)):
            for job in jobs:
                try:
                    await self._delete_of(job)
                except LeaseLostError:
                    all_done = False  # an order changed the job meanwhile: the next pass sees it as it is
                except VolumeAwayError as error:
                    _log.debug("job %d: its media waits for its disk: %s", job.id, error)
                    all_done = False
                except (OSError, SpaceError, RefusedError) as error:
                    _log.error("job %d: its media could not be deleted: %s", job.id, error)
                    all_done = False
            await self._budget.check()
        return all_done

    async def _delete_of(self, job: Job) -> None:
        """Delete what is marked of one job, and say so in one commit.

        Raises:
            VolumeAwayError: the disk of its media or of its transcript is away, so that neither can be told of.
        """
        grounds = self._ground.grounds
        pending = [media.path for media in (job.video, job.audio) if media is not None and media.delete_pending]
        await self._ground.require(*(grounds.root_of(path) for path in pending))
        proof = await in_thread(_proof_missing, grounds, job.transcript)
        freed: dict[str, int] = {}
        for what, media in (("video", job.video), ("audio", job.audio)):
            if media is None or not media.delete_pending:
                continue
            try:
                job = await self._renumbered(job)
                media = job.video if what == "video" else job.audio
                assert media is not None
                removed = await in_thread(_remove, grounds, media, proof)
            except VolumeAwayError:
                break  # what went before it is told of; the rest waits
            except RefusedError as error:
                kept = DeletionKept(name=job.name, what=what, reason=str(error), job_id=job.id, entity=job.entity)
                job, _ = await self._outcomes.write(job, states.MediaKept(what), kept)
                continue
            freed[what] = media.allocated_bytes if removed else 0
            # Now, not after the commit: should that fail, the next pass finds no file, and nothing to count.
            self._budget.freed(_KINDS[what], freed[what])
        if freed:
            await self._tell(job, freed)

    async def _renumbered(self, job: Job) -> Job:
        """Return the job with the device number that its disk has now: mounted again, it may have another one."""
        found = await in_thread(_looked_at, self._ground.grounds, job)
        moved = states.Moved(states.renumbered(job.video, found), states.renumbered(job.audio, found))
        if (moved.video, moved.audio) == (job.video, job.audio):
            return job
        return (await self._outcomes.write(job, moved))[0]

    async def _tell(self, job: Job, freed: dict[str, int]) -> None:
        total = sum(freed.values())
        told = MediaFreed(
            name=job.name,
            what=" and ".join(freed),
            freed_bytes=total,
            usage_bytes=self._budget.usage.total_bytes(),
            job_id=job.id,
            entity=job.entity,
        )
        await self._outcomes.write(job, states.MediaDeleted(tuple(freed)), told)


async def _page_after(last: int, reader: Reader) -> list[Job]:
    return await store.to_delete(reader, BATCH, after_id=last)


def _proof_missing(grounds: Grounds, transcript: TranscriptFile | None) -> str:
    """Return why the transcript is no proof, or nothing if it is on disk with the bytes that were accepted.

    Raises:
        OSError: it can't be read just now, which proves nothing either way.
        RefusedError: likewise.
    """
    if transcript is None:
        return "there is no transcript"
    try:
        with grounds.enter(transcript.path.parent, writing=False) as folder:
            data = _content(folder.open_existing(transcript.path.name))
    except FileNotFoundError:
        return f"its transcript {transcript.path} is gone"
    if hashlib.sha256(data).hexdigest() != transcript.sha256:
        return f"its transcript {transcript.path} is not the one that was accepted"
    return ""


def _content(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _looked_at(grounds: Grounds, job: Job) -> dict[Path, FileIdentity | None]:
    """Return what lies where a job's media should, if that is proved to be the same file system as ever."""
    found: dict[Path, FileIdentity | None] = {}
    for media in (job.video, job.audio):
        if media is not None and media.present and grounds.covers(media.path):
            try:
                with grounds.enter(media.path.parent, writing=False) as folder:
                    found[media.path] = folder.identity(media.path.name)
            except FileNotFoundError:
                found[media.path] = None
    return found


def _remove(grounds: Grounds, media: MediaFile, proof_missing: str) -> bool:
    """Unlink the file if its transcript is proof and it still is the recorded one; return False if it was gone already.

    Raises:
        RefusedError: there is no proof, or the file is another one.
        VolumeAwayError: its disk is away.
    """
    if proof_missing:
        raise RefusedError(proof_missing)
    expected = FileIdentity(media.device, media.inode, media.size_bytes, media.mtime_ns, media.allocated_bytes)
    try:
        folder = grounds.enter(media.path.parent)
    except FileNotFoundError:
        return False
    with folder:
        return folder.remove(media.path.name, expected)
