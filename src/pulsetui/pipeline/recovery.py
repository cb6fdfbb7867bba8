"""What a start does first: ends dead leases, matches rows and files both ways, and reports what it can't decide.

It needs no human for any state that a kill can leave. Deletions that were marked are not done here but by the
sweeper's first pass, which is the same code as ever; media that was finished but not committed is taken back by its
next download. Files that no row knows are reported and left in place.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from pulsetui.budget import store as budget_store
from pulsetui.db.database import Reader, Transaction
from pulsetui.files.durable import is_temporary
from pulsetui.files.folders import Folder
from pulsetui.files.identity import FileIdentity
from pulsetui.files.names import display_text
from pulsetui.pipeline import states, store
from pulsetui.pipeline.events import RecoveryDone
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.outcomes import Outcomes
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.waiting import in_thread

_PAGE = 500
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Found = dict[Path, FileIdentity | OSError | None]
_LISTED = 50
"""How many paths of a kind the report names; the counts are whole."""


@dataclass(slots=True)
class Report:
    """What recovery did. Paths are for display."""

    leases_ended: int = 0
    media_lost: int = 0
    deletions_pending: int = 0
    partials_kept: int = 0
    temporaries_removed: int = 0
    orphans: int = 0
    orphan_bytes: int = 0
    orphan_paths: list[str] = field(default_factory=list)
    needs_attention: list[str] = field(default_factory=list)

    def orphan(self, path: Path, allocated_bytes: int) -> None:
        """Note a file that no row knows."""
        self.orphans += 1
        self.orphan_bytes += allocated_bytes
        if len(self.orphan_paths) < _LISTED:
            self.orphan_paths.append(display_text(str(path)))

    def attention(self, text: str) -> None:
        """Note what only a human can decide."""
        if len(self.needs_attention) < _LISTED:
            self.needs_attention.append(text)


async def recover(
    outcomes: Outcomes, *, videos_root: Path, data_dir: Path, ground: GroundWatch | None = None
) -> Report:
    """Bring rows and files to where the pipeline can go on from, and store the report.

    Of a disk that is away nothing is matched: its rows stay as they are, and its files are not there to be looked at.
    """
    report, ground = Report(), ground or GroundWatch()
    await _end_leases(outcomes, report)
    await _match_rows(outcomes, ground, report)
    await _drop_reservations(outcomes)
    for root in (videos_root, data_dir / "audio", data_dir / "transcripts"):
        await _match_files(outcomes, ground, root, report)
    await _store(outcomes, report)
    return report


async def _end_leases(outcomes: Outcomes, report: Report) -> None:
    """End every lease: their owner, another instance, is dead, since this one holds the lock."""
    for job in await outcomes.database.read(store.with_lease):
        await outcomes.write(job, states.OwnerEnded())
        report.leases_ended += 1


async def _match_rows(outcomes: Outcomes, ground: GroundWatch, report: Report) -> None:
    """Look for the files that rows name; a row whose media is gone goes back a stage."""
    jobs: list[Job] = []
    while jobs := await outcomes.database.read(partial(_page_after, jobs[-1].id if jobs else 0)):
        found = await in_thread(_identities, jobs)
        # After the look: what was missing in it may have been so because a disk went away meanwhile.
        if why := await ground.confirm(*ground.grounds.paths, writing=False):
            report.attention(f"files could not be matched: {why}")
            return
        for job in jobs:
            await _match_row(outcomes, job, found, report)


async def _page_after(last: int, reader: Reader) -> list[Job]:
    return await store.with_media(reader, after_id=last, limit=_PAGE)


async def _match_row(outcomes: Outcomes, job: Job, found: Found, report: Report) -> None:
    for path in _paths(job):
        if isinstance(error := found[path], OSError):
            report.attention(f"job {job.id}: {display_text(str(path))} can't be looked at: {error.strerror}")
            return
    if job.video is not None and job.video.present:
        identity = found[job.video.path]
        if job.video.delete_pending:
            report.deletions_pending += 1
        elif identity is None and job.stage is Stage.DOWNLOADED:
            await outcomes.write(job, states.VideoLost())
            report.media_lost += 1
            return
        elif identity is None:
            report.attention(f"job {job.id}: its media {job.video.path} is gone")
    if job.transcript is not None and found[job.transcript.path] is None:
        report.attention(f"job {job.id}: its transcript {job.transcript.path} is gone")
    moved = states.Moved(states.renumbered(job.video, found), states.renumbered(job.audio, found))
    if (moved.video, moved.audio) != (job.video, job.audio):
        await outcomes.write(job, moved)


def _identities(jobs: list[Job]) -> Found:
    return {path: _identity(path) for job in jobs for path in _paths(job)}


def _paths(job: Job) -> list[Path]:
    """Return the files that the row says are on disk."""
    paths = [media.path for media in (job.video, job.audio) if media is not None and media.present]
    return [*paths, job.transcript.path] if job.transcript is not None else paths


def _identity(path: Path) -> FileIdentity | OSError | None:
    """Return the file's identity, None if there is none, or the error for which that can't be told."""
    try:
        return FileIdentity.of(os.lstat(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        return error


async def _drop_reservations(outcomes: Outcomes) -> None:
    """Keep the reservations of downloaded jobs only: all others reserve anew when they are claimed."""

    async def work(tx: Transaction) -> None:
        await budget_store.keep_reservations(tx, Stage.DOWNLOADED)

    await outcomes.database.write(work)


async def _match_files(outcomes: Outcomes, ground: GroundWatch, root: Path, report: Report) -> None:
    """Look for the rows of the files below `root`, a page at a time."""
    if why := await ground.confirm(root):
        report.attention(f"files below {display_text(str(root))} could not be matched: {why}")
        return
    page: list[Path] = []
    for path in await in_thread(lambda: list(_files_below(root))):
        page.append(path)
        if len(page) >= _PAGE:
            await _match_page(outcomes, page, report)
            page = []
    await _match_page(outcomes, page, report)


async def _match_page(outcomes: Outcomes, paths: list[Path], report: Report) -> None:
    if not paths:
        return
    uuids = [path.name.split(".")[0] for path in paths]
    # Only what looks like one of ours is looked up: other names may not even be text that a database takes.
    ours = [uuid for uuid in uuids if _UUID.fullmatch(uuid)]
    jobs = await outcomes.database.read(lambda reader: store.by_uuids(reader, ours)) if ours else {}
    for path, uuid in zip(paths, uuids, strict=True):
        job = jobs.get(uuid)
        if is_temporary(path.name) or (job is not None and _is_leftover_audio(path, job)):
            report.temporaries_removed += await in_thread(_remove_temporary, path)
        elif job is None or _is_leftover(path, job):
            identity = await in_thread(_identity, path)
            report.orphan(path, identity.allocated_bytes if isinstance(identity, FileIdentity) else 0)
        elif path.name.endswith(".partial") and not job.stage.ended:
            report.partials_kept += 1


def _is_leftover(path: Path, job: Job) -> bool:
    """Say whether a job that has ended left a finished file that its row doesn't name."""
    return job.stage.ended and not path.name.endswith(".partial") and path not in _paths(job)


def _is_leftover_audio(path: Path, job: Job) -> bool:
    """Say whether it is audio of a transcription that was killed: the next attempt extracts it again.

    Left in place, it would count twice: as used, and in what is reserved for that attempt.
    """
    return path.suffix == ".wav" and path.stem == job.uuid and job.audio is None


def _files_below(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            yield Path(folder, name)


def _remove_temporary(path: Path) -> int:
    """Remove what a kill left unfinished: no row names it."""
    with Folder.open(path.parent) as folder:
        folder.unlink(path.name)
    return 1


async def _store(outcomes: Outcomes, report: Report) -> None:
    now = outcomes.clock.now()
    told = RecoveryDone(
        leases_ended=report.leases_ended,
        media_lost=report.media_lost,
        orphans=report.orphans,
        needs_attention=len(report.needs_attention),
    )

    async def work(tx: Transaction) -> None:
        await store.record_recovery(tx, json.dumps(asdict(report), ensure_ascii=True), now=now)
        if told != RecoveryDone(leases_ended=0, media_lost=0, orphans=0, needs_attention=0):
            await outcomes.events.record(tx, told, now=now)

    await outcomes.database.write(work)
