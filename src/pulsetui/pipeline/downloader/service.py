"""The download workers: claim, reserve, fetch, commit. What crosses the network is left to `transfer`.

Invariant: a download reserves its room in the transaction that claims it, and before a byte of the body beyond it is
written.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pulsetui.budget.ledger import Parts, parts_of_length
from pulsetui.budget.usage import Kind
from pulsetui.db.database import Transaction
from pulsetui.errors import FailureClass, LeaseLostError, PulseError, SpaceError, VolumeAwayError
from pulsetui.files.identity import FileIdentity
from pulsetui.files.modes import PRIVATE, Modes
from pulsetui.pipeline import states, store
from pulsetui.pipeline.choice import download_order, holds_the_line, parts_to_transcribe
from pulsetui.pipeline.downloader.contract import Fetched, Head, Request
from pulsetui.pipeline.downloader.leftovers import allocated_of_all, take_back_finished
from pulsetui.pipeline.downloader.room import Room, allocated
from pulsetui.pipeline.downloader.transfer import Downloader
from pulsetui.pipeline.events import DownloadFinished, DownloadStarted
from pulsetui.pipeline.jobs import AUDIO_EXTENSIONS, Job, Lease, MediaFile, Stage
from pulsetui.pipeline.leases import LEASE
from pulsetui.pipeline.live import AWAY, LiveTask
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.units import format_size
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.waiting import in_thread

HEAD_OF_QUEUE = 64
"""How many ready jobs a claim looks at: enough to pass over some that don't fit, few enough to cost the same for any
queue."""


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """What the service needs of the settings and the machine."""

    videos_root: Path
    max_size_bytes: int
    owner: str
    """The uuid of the owner's instance."""
    modes: Modes = PRIVATE
    """Those of what is downloaded."""


class Downloads:
    """Claims queued jobs and brings their media to disk."""

    def __init__(
        self,
        outcomes: Outcomes,
        downloader: Downloader,
        settings: DownloadSettings,
        *,
        ground: GroundWatch | None = None,
    ) -> None:
        """Take the parts; `ground` knows whether the disk of the videos is there (None: it always is)."""
        self._ground = ground or GroundWatch()
        self._outcomes = outcomes
        self.budget = outcomes.budget
        self._downloader = downloader
        self._settings = settings
        self.room = Room(
            outcomes,
            downloader,
            videos_root=settings.videos_root,
            max_size_bytes=settings.max_size_bytes,
            ground=self._ground,
        )

    async def claim(self, worker: str) -> Job | None:
        """Claim the most urgent queued job that fits, with its reservation; None if there is none to start."""
        if await self._ground.confirm(self._settings.videos_root):
            return None
        job: Job | None = None
        if self.budget.may_start():
            try:
                job = await self._outcomes.database.write(lambda tx: self._claim(tx, worker))
            except VolumeAwayError:
                return None
        if job is not None or await self.room.make():
            await self.budget.check()
        return job

    async def _claim(self, tx: Transaction, worker: str) -> Job | None:
        now = self._outcomes.clock.now()
        candidates = await store.head(tx, Stage.QUEUED, now=now, limit=HEAD_OF_QUEUE)
        for job in download_order(candidates, fullness=self.budget.fullness()):
            if await self._is_unfit(tx, job):
                continue
            # Not for longer than a ground gets to answer: the writer is held meanwhile.
            on_disk = await self._ground.ask(self._settings.videos_root, partial(allocated, self.partial_path(job)))
            written = Parts(video=on_disk)
            parts = await self.room.first_parts(tx, job, written.video)
            if parts is not None and await self.budget.reserve(tx, job.id, parts, written):
                await store.mark_unfit(tx, job.id, None)
                lease = Lease(str(uuid.uuid4()), self._settings.owner, worker, now + LEASE)
                started = DownloadStarted(
                    name=job.name, worker=worker, attempt=job.attempts + 1, job_id=job.id, entity=job.entity
                )
                claimed, _ = await self._outcomes.advance(tx, job, states.Claimed(lease), started)
                return claimed
            since = await store.unfit_since(tx, job.id)
            if since is None:
                await store.mark_unfit(tx, job.id, now)
            elif holds_the_line(since, now) and self.budget.ledger.reservations:
                return None  # work in hand will make room; without any, those behind it may use what there is
        return None

    async def _is_unfit(self, tx: Transaction, job: Job) -> bool:
        """Hold a job that can't fit, ever: it was retried, or the limit was lowered since its headers were seen."""
        if job.declared_bytes is None:
            return False
        reason = self.room.unfit(parts_of_length(job.declared_bytes, audio_only=job.audio_only))
        if reason:
            await self._outcomes.advance(tx, job, states.Unfit(reason))
        return bool(reason)

    async def work(self, live: LiveTask) -> None:
        """Bring one job's media to disk, and write what became of it."""
        path = self.partial_path(live.job)
        progress = _Progress(self, live, path)
        try:
            await in_thread(take_back_finished, self._ground.grounds, path)
            self.budget.follow(path, Kind.VIDEOS, already_bytes=await in_thread(allocated, path))
            fetched = await self._downloader.fetch(self._request(live.job), progress)
            await self._finish(progress, fetched)
        except LeaseLostError:
            pass  # somebody else decided; nothing of this attempt counts
        except asyncio.CancelledError:
            if live.stopped_for in ("", "shutdown"):
                await self._end(progress, states.AttemptFailed(FailureClass.SHUTDOWN, "pulsetui stopped", 0.0))
            elif live.stopped_for == "suspended":
                await self._end(
                    progress, states.AttemptFailed(FailureClass.SPACE, "suspended close to the hard limit", 1.0)
                )
            elif live.stopped_for == AWAY:
                why = self._ground.away() or "the disk of its media was away"
                await self._end(progress, states.AttemptFailed(FailureClass.AWAY, why, 0.0))
            raise
        except _UnfitError as error:
            await self._end(progress, states.Unfit(str(error)))
        except (PulseError, OSError) as error:
            if isinstance(error, SpaceError) and isinstance(error.__cause__, OSError):
                await self.budget.disk_is_full(str(error))
            await self._end(progress, await self._failed(error))
        except Exception as error:  # noqa: BLE001 - the per-job boundary: a mistake of ours fails this job alone
            await self._end(progress, self._outcomes.failed(error))
        finally:
            self.budget.settled(path)

    async def _failed(self, error: PulseError | OSError) -> states.AttemptFailed:
        """Return the failure that an error means, which is none of the job's if its disk is away."""
        if why := await self._ground.blames(error, self._settings.videos_root):
            return states.AttemptFailed(FailureClass.AWAY, why, 0.0 if self._ground.away() else 1.0)
        return self._outcomes.failed(error)

    def partial_path(self, job: Job) -> Path:
        """Return where the job's unfinished media lies."""
        return self._settings.videos_root.joinpath(*job.entity_folders, f"{job.uuid}.partial")

    def _request(self, job: Job) -> Request:
        root = self._settings.videos_root
        return Request(
            uuid=job.uuid,
            url=job.source_url,
            folder=root.joinpath(*job.entity_folders),
            videos_root=root,
            etag=job.etag,
            last_modified=job.last_modified,
            declared_bytes=job.declared_bytes,
            modes=self._settings.modes,
        )

    async def sized(self, live: LiveTask, head: Head) -> int:
        """Store what the headers say and set the reservation to it; return the bytes that the media may take on disk.

        Raises:
            SpaceError: it doesn't fit now.
            LeaseLostError: the job is not this worker's any more.
        """
        job = live.job
        event = states.Sized(head.declared_bytes, head.etag, head.last_modified)
        parts = self._parts_of(head)
        reservation = self.budget.ledger.reservations.get(job.id)
        if reservation is None:
            raise LeaseLostError(f"job {job.id} has no reservation any more")
        written = Parts(video=await in_thread(allocated, self.partial_path(job)))
        wanted = parts or reservation.reserved

        async def work(tx: Transaction) -> tuple[Job, bool]:
            after, _ = await self._outcomes.advance(tx, job, event)
            return after, await self.budget.reserve(tx, job.id, wanted, written)

        live.job, fits = await self._outcomes.database.write(work)
        if not fits and parts is not None and (reason := self.room.unfit(parts)):
            raise _UnfitError(reason)
        if not fits:
            raise SpaceError(f"{format_size(wanted.total())} with audio and transcript don't fit now")
        await self.budget.check()
        return wanted.video

    def _parts_of(self, head: Head) -> Parts | None:
        if head.declared_bytes is None:
            return None
        return parts_of_length(head.declared_bytes, audio_only=head.extension.lower() in AUDIO_EXTENSIONS)

    async def _finish(self, progress: _Progress, fetched: Fetched) -> None:
        live, job = progress.live, progress.live.job
        identity = FileIdentity.of(await in_thread(os.lstat, fetched.path))
        self.budget.moved(job.id, progress.partial, Kind.VIDEOS, identity.allocated_bytes)
        video = MediaFile(
            path=fetched.path,
            size_bytes=identity.size_bytes,
            allocated_bytes=identity.allocated_bytes,
            device=identity.device,
            inode=identity.inode,
            mtime_ns=identity.mtime_ns,
        )
        seconds = self._outcomes.clock.monotonic() - live.started_s
        told = DownloadFinished(
            name=job.name, size_bytes=identity.size_bytes, seconds=seconds, job_id=job.id, entity=job.entity
        )
        downloaded = states.Downloaded(video, fetched.sha256, fetched.duration_s or None)

        async def work(tx: Transaction) -> None:
            after, _ = await self._outcomes.advance(tx, job, downloaded, told)
            if not await self.budget.reserve(tx, job.id, parts_to_transcribe(after)):
                # Longer than its size let expect, and no room for that now: keep what there is; the transcriber asks
                # again.
                kept = self.budget.ledger.reservations[job.id].reserved
                await self.budget.reserve(tx, job.id, replace(kept, video=0))

        await self._outcomes.database.write(work)
        self.room.forget(job.id)
        self.budget.settled(progress.partial)
        await self.budget.check()

    async def _end(self, progress: _Progress, event: states.AttemptFailed | states.Unfit) -> None:
        """Write what became of the attempt; a job that won't go on by itself leaves no partial file behind."""
        await self._left_behind(progress)
        try:
            after, _ = await self._outcomes.write(progress.live.job, event)
        except LeaseLostError:
            return
        if after.stage.ended:
            self.room.forget(after.id)
            await self.room.drop(after, progress.partial)

    async def _left_behind(self, progress: _Progress) -> None:
        """Count the media as the attempt left it: unfinished, gone, or finished with a commit that failed.

        With its disk away, it counts as it was last seen: nothing of it was given back.
        """
        try:
            allocated = await in_thread(allocated_of_all, self._ground.grounds, progress.partial)
        except (VolumeAwayError, OSError):
            self.budget.settled(progress.partial)
            return
        self.budget.moved(progress.live.job.id, progress.partial, Kind.VIDEOS, allocated)
        self.budget.settled(progress.partial)


class _UnfitError(PulseError):
    """It passes the ceiling even with nothing on disk but what stays for good."""


class _Progress:
    """The transfer's observer: between one download and the budget."""

    def __init__(self, downloads: Downloads, live: LiveTask, partial: Path) -> None:
        self.live = live
        self.partial = partial
        self._downloads = downloads
        reservation = downloads.budget.ledger.reservations.get(live.job.id)
        self._reserved_bytes = reservation.reserved.video if reservation else 0

    @property
    def reserved_bytes(self) -> int:
        """How many bytes the file may take on disk now."""
        return self._reserved_bytes

    async def headers(self, head: Head) -> None:
        """Store the size and validators and set the reservation to them."""
        self.live.update(done=head.have_bytes, total=head.declared_bytes, phase="downloading")
        self._reserved_bytes = await self._downloads.sized(self.live, head)

    async def extend(self, total_bytes: int) -> None:
        """Make room for a body that passes its reservation."""
        try:
            self._reserved_bytes = await self._downloads.budget.extend_video(self.live.job.id, total_bytes)
        except SpaceError as error:
            if reason := self._downloads.room.refused(self.live.job, total_bytes):
                raise _UnfitError(reason) from error
            raise

    def progress(self, written_bytes: int, allocated_bytes: int) -> None:
        """Count what is on disk now."""
        total = self.live.job.declared_bytes
        self.live.update(done=written_bytes, total=total, phase="downloading")
        self._downloads.budget.moved(self.live.job.id, self.partial, Kind.VIDEOS, allocated_bytes)
