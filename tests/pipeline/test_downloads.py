"""The download service: claim, reserve, fetch, commit; with real servers, files and SQLite."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.budget.ledger import parts_of_length
from pulsetui.budget.usage import Kind
from pulsetui.errors import DatabaseError, FailureClass
from pulsetui.pipeline import states, store
from pulsetui.pipeline.choice import HOLD_THE_LINE_AFTER
from pulsetui.pipeline.downloader.service import Downloads, DownloadSettings
from pulsetui.pipeline.downloader.transfer import Downloader
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.live import LiveTask
from pulsetui.settings.models import Downloads as Settings
from tests.pipeline.downloader.conftest import OPEN, accept
from tests.pipeline.downloader.conftest import media as mp4
from tests.pipeline.downloader.servers import Answer, Content, Server, fixed, send, serving
from tests.pipeline.house import LIMITS, MB, OWNER, House, kinds, media, opened
from tests.until import until

BODY = mp4(3 * MB + 321)


@dataclass
class Desk:
    """The service on a house, and shorter words."""

    house: House
    service: Downloads

    async def run(self, job: Job | None = None) -> Job | None:
        """Claim and work until the attempt is over; return the job then, or None if nothing was claimed."""
        live = await self.claim()
        if live is None:
            return None
        assert job is None or live.job.id == job.id
        await self.service.work(live)
        return await self.house.get(live.job)

    async def claim(self, worker: str = "dl-1") -> LiveTask | None:
        claimed = await self.service.claim(worker)
        return None if claimed is None else LiveTask(claimed, "download", self.house.clock, "starting")

    async def start(self) -> LiveTask:
        live = await self.claim()
        assert live is not None
        live.task = asyncio.create_task(self.service.work(live))
        return live


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    async with at(house) as made:
        yield made


class at:  # noqa: N801 - reads as a word
    """The service on `house`, with its downloader closed at the end."""

    def __init__(self, house: House, *, max_size_bytes: int = 10**12) -> None:
        self.downloader = Downloader(Settings.model_validate(OPEN), check=accept)
        settings = DownloadSettings(house.videos, max_size_bytes, OWNER)
        self.desk = Desk(house, Downloads(house.outcomes, self.downloader, settings))

    async def __aenter__(self) -> Desk:
        return self.desk

    async def __aexit__(self, *_: object) -> None:
        await self.downloader.close()


async def videos_are_counted_right(house: House) -> None:
    """What is counted as it goes is what a walk finds, but for the folders on the way."""
    counted = house.budget.usage.by_kind()[Kind.VIDEOS]
    await house.counted()
    assert 0 <= house.budget.usage.by_kind()[Kind.VIDEOS] - counted <= 3 * 4096


async def test_an_episode_is_downloaded_and_its_room_kept_for_transcribing(house: House, desk: Desk) -> None:
    async with serving(Content(BODY)) as server:
        job = await desk.run(await house.queue(source=server.url(), entity="Harbor/Cast"))
    assert job is not None
    assert (job.stage, job.duration_s, job.attempts) == (Stage.DOWNLOADED, 12.5, 0)
    assert job.video is not None
    assert job.video.path == house.videos / "Harbor" / "Cast" / f"{job.uuid}.mp4"
    assert job.video.path.read_bytes() == BODY
    assert job.sha256 == hashlib.sha256(BODY).hexdigest()
    assert job.video.inode == job.video.path.stat().st_ino
    (reserved,) = (await house.reservations()).values()
    assert reserved.video == 0
    assert reserved.audio >= 12.5 * 32_000
    assert kinds(house.told) == ["job.downloading", "job.downloaded"]
    await videos_are_counted_right(house)


async def test_the_reservation_is_made_by_the_claim_and_set_to_the_declared_length_by_the_headers(
    house: House, desk: Desk
) -> None:
    content = Content(BODY, stop_after=2_500_000)
    async with serving(content) as server:
        job = await house.queue(source=server.url())
        live = await desk.claim()
        assert live is not None
        at_claim = (await house.reservations())[job.id]
        assert at_claim.total() > 50 * MB, "of unknown length, it may take what is left below pause"
        task = asyncio.create_task(desk.service.work(live))
        await until(lambda: live.done > 0)
        assert (await house.reservations())[job.id] == parts_of_length(len(BODY), audio_only=False)
        stored = await house.get(job)
        assert (stored.declared_bytes, stored.etag) == (len(BODY), '"one"')
        content.go_on.set()
        await task


async def test_nothing_is_claimed_while_the_gate_is_closed_or_the_operator_paused(house: House, desk: Desk) -> None:
    await house.queue()
    await house.database.write(lambda tx: house.budget.set_operator_pause(tx, paused=True))
    assert await desk.claim() is None
    await house.database.write(lambda tx: house.budget.set_operator_pause(tx, paused=False))
    filling = media(house.videos / "other.mp4", 92 * MB)
    await house.counted()
    assert await desk.claim() is None, "the figures count, also before the gate was judged"
    await house.budget.check()
    assert await desk.claim() is None
    filling.path.unlink()
    await house.counted()
    await house.budget.check()
    assert await desk.claim() is not None


async def test_a_known_length_that_does_not_fit_is_passed_over_until_it_holds_the_line(
    house: House, desk: Desk
) -> None:
    running = await house.queue(declared_bytes=30 * MB)
    assert await desk.claim() is not None
    large = await house.queue(declared_bytes=70 * MB)
    small = await house.queue(declared_bytes=MB)
    live = await desk.claim("dl-2")
    assert live is not None
    assert live.job.id == small.id
    house.clock.advance(HOLD_THE_LINE_AFTER.total_seconds())
    another = await house.queue(declared_bytes=MB)
    assert await desk.claim("dl-3") is None, "the large one is next, and work in hand will make room for it"
    for job in (running, small):
        await house.step(await house.get(job), states.Cancelled())
    live = await desk.claim("dl-3")
    assert live is not None
    assert live.job.id == large.id
    assert await house.value("SELECT unfit_since FROM jobs WHERE id = ?", large.id) is None
    live = await desk.claim("dl-4")
    assert live is not None
    assert live.job.id == another.id


async def test_what_can_never_fit_beside_what_stays_is_held_at_its_claim(house: House, desk: Desk) -> None:
    media(house.transcripts / "many", 30 * MB)
    await house.counted()
    job = await house.queue(declared_bytes=70 * MB)
    behind = await house.queue(declared_bytes=MB)
    live = await desk.claim()
    assert live is not None
    assert live.job.id == behind.id
    held = await house.get(job)
    assert held.stage is Stage.HELD
    assert held.last_failure is not None
    assert held.last_failure.text.startswith("needs 77.")
    assert "the hard limit leaves 6" in held.last_failure.text


async def test_what_can_never_fit_is_held_at_its_headers_without_a_byte(house: House, desk: Desk) -> None:
    lies: dict[str, str | int] = {"Content-Length": 95 * MB}
    async with serving(fixed("200 OK", lies, BODY)) as server:
        job = await desk.run(await house.queue(source=server.url()))
    assert job is not None
    assert job.stage is Stage.HELD
    assert await house.reservations() == {}
    assert list(house.videos.rglob("*.partial")) == []
    assert "job.held" in kinds(house.told)


async def test_headers_that_do_not_fit_now_put_the_job_back_without_an_attempt(house: House, desk: Desk) -> None:
    lies: dict[str, str | int] = {"Content-Length": 60 * MB}
    filling = media(house.videos / "other.mp4", 50 * MB)
    await house.counted()
    async with serving(fixed("200 OK", lies, BODY)) as server:
        job = await desk.run(await house.queue(source=server.url()))
    assert job is not None
    assert (job.stage, job.attempts, job.declared_bytes) == (Stage.QUEUED, 0, 60 * MB)
    assert job.last_failure is not None
    assert job.last_failure.failure is FailureClass.SPACE
    assert await house.reservations() == {}
    house.clock.advance(10)
    assert await desk.claim() is None
    filling.path.unlink()
    await house.counted()
    assert await desk.claim() is not None


def unknown_length(size: int) -> Answer:
    """Send a body without saying how long it is."""

    async def answer(_asked: object, writer: asyncio.StreamWriter) -> None:
        await send(writer, "200 OK", {"ETag": '"one"'}, mp4(size))

    return answer


async def test_a_body_of_unknown_length_is_expected_to_be_as_those_before_and_extends_its_room(
    house: House, desk: Desk
) -> None:
    before = await house.downloaded(size=MB)
    await house.do("UPDATE jobs SET source_host = '127.0.0.1' WHERE id = ?", before.id)
    async with serving(unknown_length(4 * MB)) as server:
        queued = await house.queue(source=server.url())
        live = await desk.claim()
        assert live is not None
        assert (await house.reservations())[queued.id].video < 2 * MB
        await desk.service.work(live)
    assert (await house.get(queued)).stage is Stage.DOWNLOADED


async def test_a_body_that_finds_no_room_to_grow_asks_for_more_the_next_time(house: House, desk: Desk) -> None:
    before = await house.downloaded(size=MB)
    await house.do("UPDATE jobs SET source_host = '127.0.0.1' WHERE id = ?", before.id)
    filling = media(house.videos / "other.mp4", 75 * MB)
    await house.counted()
    async with serving(unknown_length(30 * MB)) as server:
        job = await desk.run(await house.queue(source=server.url()))
        assert job is not None
        assert (job.stage, job.attempts) == (Stage.QUEUED, 0)
        assert job.last_failure is not None
        assert "no room to grow" in job.last_failure.text
        house.clock.advance(10)
        assert await desk.claim() is None, "it waits until there is room for twice as much"
        filling.path.unlink()
        await house.counted()
        await house.budget.check()
        done = await desk.run(job)
    assert done is not None
    assert done.stage is Stage.DOWNLOADED


async def test_a_body_that_grows_beyond_what_can_ever_fit_is_held_and_leaves_nothing(house: House, desk: Desk) -> None:
    async with serving(unknown_length(99 * MB)) as server:
        job = await desk.run(await house.queue(source=server.url()))
    assert job is not None
    assert job.stage is Stage.HELD
    assert list(house.videos.rglob("*.partial")) == []
    await videos_are_counted_right(house)
    assert await house.reservations() == {}


@pytest.mark.parametrize(
    ("answer", "stage", "failure"),
    [
        (fixed("404 Not Found"), Stage.DEAD, FailureClass.PERMANENT),
        (fixed("503 Service Unavailable", {"Retry-After": 77}), Stage.QUEUED, FailureClass.RATE_LIMITED),
        (fixed("200 OK", {}, b"<html>" + b" " * 9_000), Stage.DEAD, FailureClass.PERMANENT),
        (fixed("200 OK", {"Content-Length": 2 * MB}, mp4(MB)), Stage.QUEUED, FailureClass.TRANSIENT),
    ],
    ids=["404", "503", "no media", "too short"],
)
async def test_a_failure_is_written_with_its_class(
    house: House, desk: Desk, answer: Answer, stage: Stage, failure: FailureClass
) -> None:
    async with serving(answer) as server:
        job = await desk.run(await house.queue(source=server.url()))
    assert job is not None
    assert job.last_failure is not None
    assert (job.stage, job.last_failure.failure, job.attempts) == (stage, failure, 1)
    assert await house.reservations() == {}
    if failure is FailureClass.RATE_LIMITED:
        assert job.next_attempt_at is not None
        assert (job.next_attempt_at - house.clock.now()).total_seconds() == 77


async def test_a_partial_file_is_gone_on_with_and_goes_with_its_job_s_last_attempt(house: House, desk: Desk) -> None:
    content = fixed("200 OK", {"Content-Length": 2 * MB}, mp4(MB))
    async with serving(content) as server:
        job = await house.queue(source=server.url())
        for attempt in range(3):
            after = await desk.run(job)
            assert after is not None
            assert after.attempts == attempt + 1
            assert bool(list(house.videos.rglob("*.partial"))) == (attempt < 2)
            house.clock.advance(1000)
    assert after is not None
    assert after.stage is Stage.DEAD
    await videos_are_counted_right(house)


async def test_what_a_partial_file_holds_is_not_reserved_twice(tmp_path: Path) -> None:
    """After a kill at two thirds, the rest fits, though the whole would not fit beside it."""
    async with opened(tmp_path) as house, at(house) as desk:
        media(house.videos / "other.mp4", 20 * MB)
        job = await house.queue(declared_bytes=60 * MB)
        media(desk.service.partial_path(job), 40 * MB)
        await house.counted()
        assert await desk.claim() is not None


# Stopping


async def stopped(desk: Desk, house: House, stop: Callable[[LiveTask, Job], object]) -> Job:
    content = Content(BODY, stop_after=2_500_000)
    async with serving(content) as server:
        job = await house.queue(source=server.url())
        live = await desk.start()
        await content.stopped.wait()
        await until(lambda: live.done >= MB)
        result = stop(live, job)
        if asyncio.iscoroutine(result):
            await result
        assert live.task is not None
        await asyncio.wait({live.task})
    return await house.get(job)


@pytest.mark.parametrize(
    ("reason", "failure"), [("shutdown", FailureClass.SHUTDOWN), ("suspended", FailureClass.SPACE)]
)
async def test_a_stopped_download_costs_no_attempt_and_keeps_its_partial_file(
    house: House, desk: Desk, reason: str, failure: FailureClass
) -> None:
    job = await stopped(desk, house, lambda live, _: live.stop(reason))
    assert (job.stage, job.attempts, job.lease) == (Stage.QUEUED, 0, None)
    assert job.last_failure is not None
    assert job.last_failure.failure is failure
    partial = desk.service.partial_path(job)
    assert partial.read_bytes() == BODY[: partial.stat().st_size]
    assert await house.reservations() == {}
    async with serving(Content(BODY)) as server:
        await house.do("UPDATE jobs SET source_url = ? WHERE id = ?", server.url(), job.id)
        house.clock.advance(10)
        done = await desk.run(job)
        assert "range" in server.asked[0].headers
    assert done is not None
    assert done.stage is Stage.DOWNLOADED


async def test_a_cancelled_job_s_worker_writes_nothing_any_more(house: House, desk: Desk) -> None:
    async def cancel(live: LiveTask, job: Job) -> None:
        await house.step(await house.get(job), states.Cancelled())
        live.stop("cancelled")

    job = await stopped(desk, house, cancel)
    assert (job.stage, job.last_failure) == (Stage.CANCELLED, None)
    assert await house.reservations() == {}


# Fences, in the service itself: whatever the worker does next, it finds its lease lost.


async def loses_at(house: House, desk: Desk, server: Server, lose_when: Callable[[LiveTask], bool]) -> tuple[Job, Job]:
    """Take the job away when the condition holds, give it to another worker; return it then and after the first one."""
    queued = await house.queue(source=server.url())
    live = await desk.start()
    await until(lambda: lose_when(live))
    back = await house.step(await house.get(queued), states.OwnerEnded())
    other = await house.claimed(back, worker="dl-2")
    before = await house.row(other)
    faults.disarm()
    assert live.task is not None
    await asyncio.wait({live.task})
    assert await house.row(other) == before
    return other, live.job


@pytest.mark.parametrize("point", ["download.request", "files.synced", "db.begin@3"])
async def test_a_worker_that_lost_its_lease_changes_nothing(house: House, desk: Desk, point: str) -> None:
    """Before the headers are stored, before the download is committed, and with the media already in its place."""
    async with serving(Content(BODY)) as server:
        faults.arm(f"{point}=delay:0.4")
        await loses_at(house, desk, server, lambda live: live.task is not None)
    assert await house.reservations() == {}
    assert "job.downloaded" not in kinds(house.told)


# A full disk


async def test_a_full_disk_closes_the_gate_and_costs_no_attempt(house: House, desk: Desk) -> None:
    faults.arm("files.write@2=ENOSPC")
    async with serving(Content(BODY)) as server:
        job = await desk.run(await house.queue(source=server.url()))
    assert job is not None
    assert (job.stage, job.attempts) == (Stage.QUEUED, 0)
    assert not house.budget.gate.is_open
    assert {"gate.closed", "disk.full"} <= set(kinds(house.told))


async def test_media_whose_commit_failed_is_taken_back_and_gone_on_with(house: House, desk: Desk) -> None:
    """The disk fills up between the rename and the commit."""
    async with serving(Content(BODY)) as server:
        job = await house.queue(source=server.url())
        live = await desk.claim()
        assert live is not None
        faults.arm("db.commit@2=ENOSPC")
        await desk.service.work(live)
        faults.disarm()
        after = await house.get(job)
        assert (after.stage, after.attempts) == (Stage.QUEUED, 0)
        assert [path.suffix for path in house.videos.rglob(f"{job.uuid}.*")] == [".mp4"]
        house.clock.advance(1000)
        await house.budget.check()
        done = await desk.run(job)
    assert done is not None
    assert done.stage is Stage.DOWNLOADED
    assert server.asked[-1].headers["range"] == f"bytes={len(BODY)}-"


# When partial files alone fill the disk


async def stuck(house: House, desk: Desk, sizes: dict[int, int]) -> list[Job]:
    """Leave partial files of waiting jobs, by priority, with the gate closed: what a kill can leave."""
    jobs = []
    for priority, size in sizes.items():
        job = await house.queue(priority=priority, declared_bytes=40 * MB)
        media(desk.service.partial_path(job), size)
        jobs.append(job)
    await house.counted()
    await house.budget.check()
    return jobs


async def test_when_partial_files_alone_fill_the_disk_the_least_urgent_are_given_up(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, at(house) as desk:
        jobs = await stuck(house, desk, {1: 33 * MB, 2: 33 * MB, 3: 30 * MB})
        assert not house.budget.gate.is_open
        house.told.clear()
        assert await desk.claim() is None
        assert [desk.service.partial_path(job).exists() for job in jobs] == [False, True, True]
        assert "storage.partial_given_up" in kinds(house.told)
        assert house.budget.gate.is_open
        live = await desk.claim()
        assert live is not None
        assert live.job.id == jobs[2].id, "the most urgent goes on with what it has"
        await videos_are_counted_right(house)


async def test_partial_files_of_ended_jobs_go_before_those_of_waiting_ones(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, at(house) as desk:
        waiting, cancelled = await stuck(house, desk, {1: 50 * MB, 2: 45 * MB})
        await house.step(cancelled, states.Cancelled())
        await desk.claim()
        assert desk.service.partial_path(waiting).exists()
        assert not desk.service.partial_path(cancelled).exists()


async def test_with_an_open_gate_others_give_way_to_the_first_that_does_not_fit(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, at(house) as desk:
        first, second = await stuck(house, desk, {9: 20 * MB, 1: 45 * MB})
        assert house.budget.gate.is_open
        await house.do("UPDATE jobs SET declared_bytes = ?", 75 * MB)
        assert await desk.claim() is None
        assert [desk.service.partial_path(job).exists() for job in (first, second)] == [True, False]
        live = await desk.claim()
        assert live is not None
        assert live.job.id == first.id


async def test_with_an_open_gate_what_the_first_has_is_not_in_its_own_way(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, at(house) as desk:
        (first,) = await stuck(house, desk, {9: 20 * MB})
        media(house.videos / "somebody else's", 40 * MB)
        await house.do("UPDATE jobs SET declared_bytes = ?", 75 * MB)
        await house.counted()
        assert house.budget.gate.is_open
        assert await desk.claim() is None
        assert desk.service.partial_path(first).exists()


@pytest.mark.parametrize("hope", ["downloaded", "marked", "paused", "unknown", "nobody waits"])
async def test_no_partial_file_is_given_up_while_anything_else_can_make_room(tmp_path: Path, hope: str) -> None:
    async with opened(tmp_path) as house, at(house) as desk:
        jobs = await stuck(house, desk, {1: 50 * MB, 2: 45 * MB})
        match hope:
            case "downloaded":
                await house.downloaded()
            case "marked":
                await house.transcribed()
            case "paused":
                await house.database.write(lambda tx: house.budget.set_operator_pause(tx, paused=True))
            case "unknown":
                house.budget.usage.unread = "unreadable"
            case _:
                await house.do("UPDATE jobs SET ready = 0, next_attempt_at = ?", 10**15)
        assert await desk.claim() is None
        assert all(desk.service.partial_path(job).exists() for job in jobs)


async def test_a_file_that_no_job_knows_is_never_given_up(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, at(house) as desk:
        stranger = media(house.videos / "unassigned" / "holiday.partial", 93 * MB)
        await house.queue(declared_bytes=MB)
        await house.counted()
        await house.budget.check()
        assert await desk.claim() is None
        assert stranger.path.exists()


async def test_the_order_is_that_of_the_queue_until_half_full_and_then_small_first(house: House, desk: Desk) -> None:
    large, small = await house.queue(declared_bytes=4 * MB), await house.queue(declared_bytes=MB)
    live = await desk.claim()
    assert live is not None
    assert live.job.id == large.id
    await house.step(live.job, states.OwnerEnded())
    filling = LIMITS.resume_bytes + 7 * MB - house.budget.usage.total_bytes()
    media(house.videos / "other.mp4", filling)
    await house.counted()
    live = await desk.claim()
    assert live is not None
    assert live.job.id == small.id


async def test_a_claim_that_is_rolled_back_reserves_nothing(house: House, desk: Desk) -> None:
    await house.queue(declared_bytes=MB)
    faults.arm("db.commit=EIO")
    with pytest.raises(DatabaseError):
        await desk.claim()
    faults.disarm()
    assert house.budget.ledger.outstanding_bytes() == 0
    assert await house.database.read(store.stage_counts) == {stage: int(stage == "queued") for stage in Stage}
