"""The demo itself: real videos, a real server, the real pipeline and engine, under a budget that makes it pause.

The server's folder lies outside of the data directory, and another process watches what the disk really holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from pulsetui.actions.base import Caller
from pulsetui.budget import store as budget_store
from pulsetui.budget.ledger import parts_of_length
from pulsetui.core.assembly import open_core
from pulsetui.core.runtime import Core
from pulsetui.core.shown import transcript_text
from pulsetui.db.database import Reader
from pulsetui.demo.server import Server, demo_server
from pulsetui.demo.summary import Summary
from pulsetui.demo.videos import Episode, make_videos, plan
from pulsetui.demo.watch import watching
from pulsetui.demo.wer import overall_word_error_rate
from pulsetui.errors import RefusedError, UsageError
from pulsetui.events.bus import Recorded
from pulsetui.files.folders import Folder
from pulsetui.files.names import display_text
from pulsetui.pipeline import store as jobs_store
from pulsetui.pipeline import view_store
from pulsetui.pipeline.actions import MOST_AT_ONCE, AddEpisodes
from pulsetui.pipeline.actions import Episode as NewEpisode
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.settings.load import LoadedSettings, load_settings
from pulsetui.units import exact_size
from pulsetui.waiting import in_thread

HARD_LIMIT_BYTES = 40 * 10**6
FOOTING_BYTES = 2 * 10**6
"""What the empty database takes, with its ballast and log."""
PAUSE_SHARE = 0.6
"""The gate closes at this share of what the episodes need, so that even few of them don't go through in one go."""
RATE_BYTES_PER_S = 6_000_000
"""Per connection, so that downloads can be watched."""
_SHOWN = (
    "job.downloaded",
    "job.transcribed",
    "job.held",
    "job.dead",
    "job.attempt_failed",
    "gate.closed",
    "gate.opened",
)
_POLL_S = 0.1

_ORDER_LIFE = timedelta(minutes=1)

Say = Callable[[str], None]


@dataclass(slots=True)
class _Run:
    """One demo under way."""

    core: Core
    episodes: Sequence[Episode]
    ids: tuple[int, ...]

    async def ended(self, reader: Reader) -> int:
        counts = await jobs_store.stage_counts(reader)
        return sum(counts[stage] for stage in Stage if stage.ended)

    async def settled(self) -> bool:
        """Say whether every job has ended, all that was marked is deleted, and the gate is open again."""
        database = self.core.database
        ended = await database.read(self.ended)
        if ended < len(self.ids) or await database.read(_marked):
            return False
        await self.core.budget.check()
        return self.core.budget.gate.is_open

    async def stuck(self) -> bool:
        """Say whether nothing runs, and nothing can begin: space is held by what neither worker nor sweep will free."""
        counts = await self.core.database.read(jobs_store.stage_counts)
        waits = counts[Stage.DOWNLOADED] + counts[Stage.TRANSCRIBING] + counts[Stage.DOWNLOADING]
        idle = self.core.ready.is_set() and not waits and not self.core.live and not self.core.budget.gate.is_open
        # Marked in the commit that ended the last job, so it has to be looked for after that was seen.
        return idle and not await self.core.database.read(_marked)


async def run_demo(*, episodes: int, keep: Path | None, with_screen: bool, say: Say) -> Summary:
    """Run the demo and return how it went; `keep` is a folder for data and videos, else a temporary one is removed.

    Raises:
        PulseError: it can't be set up.
    """
    began = time.monotonic()
    async with _folder(keep) as folder:
        videos = folder / "videos"
        await in_thread(_make, videos)
        planned = plan(episodes)
        distinct = list({episode.video.name: episode.video for episode in planned}.values())
        say(f"making {len(distinct)} videos with speech in {videos}")
        await make_videos(videos, distinct)
        loaded = demo_settings(folder / "data", planned)
        paths = loaded.settings.paths
        folders = [paths.data_dir, paths.storage]
        async with (
            demo_server(videos, rate_bytes_per_s=RATE_BYTES_PER_S) as server,
            watching(folders) as watch,
            open_core(loaded, front_end="demo") as core,
        ):
            run = _Run(core, planned, await _queue(core, planned, server))
            await _work(run, with_screen=with_screen, say=say)
            summary = await _summary(run, seconds=time.monotonic() - began)
        return _observed(summary, watch.peak_bytes, await in_thread(_videos_left, paths.storage))


def demo_settings(data_dir: Path, planned: Sequence[Episode]) -> LoadedSettings:
    """Return settings of the demo's own, whatever the user's say: a budget that has to pause, and loopback allowed."""
    wanted = sum(parts_of_length(episode.video.size_bytes, audio_only=False).total() for episode in planned)
    pause = min(int(HARD_LIMIT_BYTES * 0.9), FOOTING_BYTES + int(wanted * PAUSE_SHARE))
    flags = {
        "paths.data_dir": str(data_dir),
        "disk_management.hard_limit": exact_size(HARD_LIMIT_BYTES),
        "disk_management.pause_threshold": exact_size(pause),
        "disk_management.resume_threshold": exact_size(max(FOOTING_BYTES + 1_500_000, int(pause * 0.85))),
        "disk_management.free_space_floor": "1 MB",
        "disk_management.check_interval": "5s",
        "disk_management.cache_duration": "500ms",
        "downloads.allow_http": True,
        "downloads.allow_private_addresses": True,
        "downloads.requests_per_second_per_host": 50,
        "downloads.retry_base": "1s",
    }
    # No HOME, so no settings file of the user's: the demo must show the same on every machine.
    return load_settings(environment={"HOME": str(data_dir.parent)}, flags=flags)


async def _queue(core: Core, planned: Sequence[Episode], server: Server) -> tuple[int, ...]:
    # Jobs of an earlier demo would count as done, or run into a server that is gone.
    if any((await core.database.read(jobs_store.stage_counts)).values()):
        raise RefusedError("the folder holds jobs of an earlier demo", hint="name an empty folder with --keep")
    ids: list[int] = []
    for start in range(0, len(planned), MOST_AT_ONCE):
        batch = planned[start : start + MOST_AT_ONCE]
        wanted = tuple(
            NewEpisode(source=server.url(episode.location), title=episode.title, entity=episode.entity)
            for episode in batch
        )
        order = AddEpisodes(episodes=wanted)
        outcome = await core.runner.run(
            order, caller=Caller.this_process("demo"), uuid=str(uuid.uuid4()), expires_at=core.clock.now() + _ORDER_LIFE
        )
        added = getattr(outcome, "added", ())
        ids += [job.id for job in added]
    return tuple(ids)


async def _work(run: _Run, *, with_screen: bool, say: Say) -> None:
    """Run the pipeline until all is done, with a screen until its user leaves."""
    running = asyncio.create_task(run.core.run(), name="core")
    try:
        if with_screen:
            from pulsetui.tui.run import show  # Textual is for the screen alone

            await show(run.core, until=_done(run, running), done="The demo is done: q leaves and shows the summary.")
        else:
            run.core.bus.on(lambda recorded: _tell(run, recorded, say))
            await _done(run, running)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _done(run: _Run, running: asyncio.Task[None]) -> None:
    """Return when all is done; raise what the pipeline ended with if it ended first."""
    while not await run.settled():
        if running.done():
            await running
            return
        if await run.stuck() and not await run.settled():
            return
        await run.core.clock.sleep(_POLL_S)


def _tell(run: _Run, recorded: Recorded, say: Say) -> None:
    event = recorded.event
    if event.kind not in _SHOWN:
        return
    budget = run.core.budget
    used = f"{(budget.committed_bytes() or 0) / 1e6:5.1f} of {run.core.limits.hard_bytes / 1e6:.0f} MB"
    say(f"{used}  {display_text(event.text())}")


async def _summary(run: _Run, *, seconds: float) -> Summary:
    core = run.core
    now = core.clock.now()
    pairs: list[tuple[str, str]] = []
    for job_id, episode in zip(run.ids, run.episodes, strict=True):
        job = await core.database.read(partial(_job, job_id))
        if job.stage is Stage.TRANSCRIBED:
            pairs.append((episode.text, await in_thread(transcript_text, job)))
    pauses = await core.database.read(lambda reader: budget_store.pause_figures(reader, now=now))
    done = await core.database.read(lambda reader: view_store.throughput(reader, now=now))
    return Summary(
        episodes=len(run.episodes),
        transcribed=len(pairs),
        word_error_rate=overall_word_error_rate(pairs) if pairs else 1.0,
        pauses=pauses.count,
        resumes=pauses.resumed,
        peak_committed_bytes=core.budget.peak_committed_bytes,
        peak_observed_bytes=None,
        hard_limit_bytes=core.limits.hard_bytes,
        videos_left=0,
        seconds=seconds,
        real_time_factor=done.work_s / done.audio_s if done.audio_s else None,
        worst_loop_lag_ms=core.lag.worst_ms,
        data_dir=str(core.data_dir),
    )


async def _marked(reader: Reader) -> bool:
    return bool(await jobs_store.to_delete(reader, 1))


async def _job(job_id: int, reader: Reader) -> Job:
    return await jobs_store.get(reader, job_id)


def _observed(summary: Summary, peak_bytes: int, videos_left: int) -> Summary:
    """Return the summary with what others than the pipeline saw."""
    return replace(summary, peak_observed_bytes=peak_bytes, videos_left=videos_left)


def _videos_left(storage_dir: Path) -> int:
    return sum(1 for path in (storage_dir / "videos").rglob("*") if path.is_file())


def _make(folder: Path) -> None:
    try:
        Folder.open(folder, create=True).close()
    except OSError as error:
        raise UsageError(
            f"the folder {display_text(str(folder))} can't be made: {error.strerror}",
            hint="name a folder that this user may write with --keep",
        ) from error


@contextlib.asynccontextmanager
async def _folder(keep: Path | None) -> AsyncIterator[Path]:
    """Give a folder with links resolved; a temporary one goes afterwards."""
    if keep is not None:
        yield await in_thread(keep.resolve)
        return
    made = await in_thread(tempfile.mkdtemp, prefix="pulsetui-demo-")
    try:
        yield await in_thread(Path(made).resolve)
    finally:
        await in_thread(shutil.rmtree, made, ignore_errors=True)
