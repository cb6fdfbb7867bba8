"""The download workers: claim, reserve, fetch, commit. What crosses the network is left to `transfer`.

Invariant: a download reserves its room in the transaction that claims it, and before a byte of the body beyond it is
written.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pulsetui.budget.ledger import Parts, can_ever_fit, first_reservation, parts_of_length
from pulsetui.budget.usage import Kind
from pulsetui.db.database import Transaction
from pulsetui.errors import FailureClass, LeaseLostError, PulseError, SpaceError
from pulsetui.files.folders import Folder
from pulsetui.files.identity import FileIdentity
from pulsetui.pipeline import states, store
from pulsetui.pipeline.choice import download_order, holds_the_line, parts_to_transcribe, percentile_99
from pulsetui.pipeline.downloader.contract import Fetched, Head, Request
from pulsetui.pipeline.downloader.transfer import Downloader
from pulsetui.pipeline.events import DownloadFinished, DownloadStarted
from pulsetui.pipeline.jobs import AUDIO_EXTENSIONS, Job, Lease, MediaFile, Stage
from pulsetui.pipeline.live import LiveTask
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.units import format_size
from pulsetui.waiting import in_thread

LEASE = timedelta(seconds=30)
HEAD_OF_QUEUE = 64
"""How many ready jobs a claim looks at: enough to pass over some that don't fit, few enough to cost the same for any
queue."""
SIZES_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """What the service needs of the settings and the machine."""

    videos_root: Path
    max_size_bytes: int
    owner: str
    """The uuid of the owner's instance."""


class Downloads:
    """Claims queued jobs and brings their media to disk."""

    def __init__(self, outcomes: Outcomes, downloader: Downloader, settings: DownloadSettings) -> None:
        """Take the parts."""
        self._outcomes = outcomes
        self.budget = outcomes.budget
        self._downloader = downloader
        self._settings = settings

    async def claim(self, worker: str) -> Job | None:
        """Claim the most urgent queued job that fits, with its reservation; None if there is none to start."""
        if not self.budget.may_start():
            return None
        job = await self._outcomes.database.write(lambda tx: self._claim(tx, worker))
        if job is not None:
            await self.budget.check()
        return job

    async def _claim(self, tx: Transaction, worker: str) -> Job | None:
        now = self._outcomes.clock.now()
        candidates = await store.head(tx, Stage.QUEUED, now=now, limit=HEAD_OF_QUEUE)
        for job in download_order(candidates, fullness=self.budget.fullness()):
            if await self._is_unfit(tx, job):
                continue
            parts = await self._first_parts(tx, job)
            written = Parts(video=await in_thread(_allocated, self.partial_path(job)))
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
        """Hold a job that can't fit, ever: the limit was lowered since its headers were seen."""
        if job.declared_bytes is None:
            return False
        needed = parts_of_length(job.declared_bytes, audio_only=job.audio_only)
        if can_ever_fit(needed, self.budget.limits):
            return False
        reason = _never_fits(needed, self.budget.limits.ceiling_bytes)
        await self._outcomes.advance(tx, job, states.Unfit(reason))
        return True

    async def _first_parts(self, tx: Transaction, job: Job) -> Parts | None:
        expected = job.declared_bytes
        if expected is None:
            host = source_host(job.source_url)
            expected = percentile_99(await store.sizes_of_source(tx, host, SIZES_LOOKED_AT))
        return first_reservation(
            expected_bytes=expected,
            audio_only=job.audio_only,
            max_size_bytes=self._settings.max_size_bytes,
            committed_bytes=self.budget.committed_bytes() or 0,
            disk_room_bytes=self.budget.disk_room_bytes(),
            limits=self.budget.limits,
        )

    async def work(self, live: LiveTask) -> None:
        """Bring one job's media to disk, and write what became of it."""
        partial = self.partial_path(live.job)
        progress = _Progress(self, live, partial)
        try:
            await in_thread(_take_back_finished, partial)
            self.budget.follow(partial, Kind.VIDEOS, already_bytes=await in_thread(_allocated, partial))
            fetched = await self._downloader.fetch(self._request(live.job), progress)
            await self._finish(progress, fetched)
        except LeaseLostError:
            pass  # somebody else decided; nothing of this attempt counts
        except asyncio.CancelledError:
            if live.stopped_for in ("", "shutdown"):
                await self._fail(progress, states.AttemptFailed(FailureClass.SHUTDOWN, "pulsetui stopped", 0.0))
            elif live.stopped_for == "suspended":
                await self._fail(
                    progress, states.AttemptFailed(FailureClass.SPACE, "suspended close to the hard limit", 1.0)
                )
            raise
        except _UnfitError as error:
            await self._unfit(progress, error)
        except (PulseError, OSError) as error:
            if isinstance(error, SpaceError) and isinstance(error.__cause__, OSError):
                await self.budget.disk_is_full(str(error))
            await self._fail(progress, self._outcomes.failed(error))
        except Exception as error:  # noqa: BLE001 - the per-job boundary: a mistake of ours fails this job alone
            await self._fail(progress, self._outcomes.failed(error))
        finally:
            self.budget.settled(partial)

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
        written = Parts(video=await in_thread(_allocated, self.partial_path(job)))
        wanted = parts or reservation.reserved

        async def work(tx: Transaction) -> tuple[Job, bool]:
            after, _ = await self._outcomes.advance(tx, job, event)
            return after, await self.budget.reserve(tx, job.id, wanted, written)

        live.job, fits = await self._outcomes.database.write(work)
        if parts is not None and not can_ever_fit(parts, self.budget.limits):
            raise _UnfitError(_never_fits(parts, self.budget.limits.ceiling_bytes))
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
        self.budget.settled(progress.partial)
        await self.budget.check()

    async def _fail(self, progress: _Progress, failed: states.AttemptFailed) -> None:
        await self._left_behind(progress)
        try:
            await self._outcomes.write(progress.live.job, failed)
        except LeaseLostError:
            return

    async def _unfit(self, progress: _Progress, error: _UnfitError) -> None:
        await self._left_behind(progress)
        try:
            await self._outcomes.write(progress.live.job, states.Unfit(str(error)))
        except LeaseLostError:
            return

    async def _left_behind(self, progress: _Progress) -> None:
        """Count the media as the attempt left it: unfinished, gone, or finished with a commit that failed."""
        allocated = await in_thread(_allocated_of_all, progress.partial)
        self.budget.moved(progress.live.job.id, progress.partial, Kind.VIDEOS, allocated)
        self.budget.settled(progress.partial)


class _UnfitError(PulseError):
    """The declared size passes the ceiling with nothing else on disk."""


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
        self._reserved_bytes = await self._downloads.budget.extend_video(self.live.job.id, total_bytes)

    def progress(self, written_bytes: int, allocated_bytes: int) -> None:
        """Count what is on disk now."""
        total = self.live.job.declared_bytes
        self.live.update(done=written_bytes, total=total, phase="downloading")
        self._downloads.budget.moved(self.live.job.id, self.partial, Kind.VIDEOS, allocated_bytes)


def _take_back_finished(partial: Path) -> None:
    """Turn media that was finished but never committed into a partial file again.

    A crash, or a full disk, between the rename and the commit leaves it under its final name. As a partial file it is
    resumed, which costs one request and proves it against the source.
    """
    try:
        folder = Folder.open(partial.parent)
    except FileNotFoundError:
        return
    with folder:
        for name in folder.names():
            if name.startswith(f"{partial.stem}.") and name != partial.name:
                if folder.identity(name) == folder.identity(partial.name):
                    folder.unlink(name)  # one file by both names: a rename in two steps was killed between them
                else:
                    folder.rename(name, partial.name)
                folder.sync()
                return


def source_host(url: str) -> str:
    """Return what sizes are expected by: the host of a URL, or `file` for local ones."""
    return urlsplit(url).hostname or "file"


def _allocated(path: Path) -> int:
    """Return what a file takes on disk, 0 if there is none."""
    try:
        return FileIdentity.of(os.lstat(path)).allocated_bytes
    except FileNotFoundError:
        return 0


def _allocated_of_all(partial: Path) -> int:
    """Return what a job's unfinished and finished media take on disk."""
    try:
        folder = Folder.open(partial.parent)
    except FileNotFoundError:
        return 0
    with folder:
        found = (folder.identity(name) for name in folder.names() if name.startswith(f"{partial.stem}."))
        return sum(identity.allocated_bytes for identity in found if identity is not None)


def _never_fits(parts: Parts, ceiling_bytes: int) -> str:
    needs = format_size(parts.total())
    return (
        f"needs {needs} with its audio and transcript, and the hard limit leaves {format_size(ceiling_bytes)} at most"
    )
