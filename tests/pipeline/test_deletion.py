"""Deleting proved media: in order, by identity, again after whatever came between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.budget.ledger import Parts
from pulsetui.budget.usage import Kind
from pulsetui.errors import DatabaseError
from pulsetui.pipeline.deletion import Sweeper
from pulsetui.pipeline.events import DeletionKept, MediaFreed
from pulsetui.pipeline.jobs import Job, MediaFile
from tests.pipeline.house import MB, House, deleting, kinds, opened
from tests.until import until


@pytest.fixture
def sweeper(house: House) -> Sweeper:
    return Sweeper(house.outcomes, interval_s=0)


def files(job: Job) -> tuple[MediaFile, MediaFile]:
    assert job.video is not None
    assert job.audio is not None
    return job.video, job.audio


def present(job: Job) -> list[bool]:
    return [media.path.exists() for media in files(job)]


async def swept(house: House, sweeper: Sweeper, job: Job) -> Job:
    assert await sweeper.sweep()
    return await house.get(job)


def kept_reasons(house: House) -> list[str]:
    return [event.reason for event in house.told if isinstance(event, DeletionKept)]


async def test_marked_media_is_deleted_and_the_row_and_the_event_say_so(house: House, sweeper: Sweeper) -> None:
    job = await house.transcribed(size=300_000)
    await house.counted()
    videos = house.budget.usage.by_kind()[Kind.VIDEOS]
    video, audio = files(job)
    after = await swept(house, sweeper, job)
    assert present(after) == [False, False]
    for media in files(after):
        assert (media.deleted, media.delete_pending) == (True, False)
    assert (files(after)[0].size_bytes, files(after)[1].size_bytes) == (300_000, 50_000), "for statistics"
    (freed,) = [event for event in house.told if isinstance(event, MediaFreed)]
    assert freed.freed_bytes == video.allocated_bytes + audio.allocated_bytes
    assert freed.what == "video and audio"
    assert house.budget.usage.by_kind()[Kind.VIDEOS] == videos - video.allocated_bytes


async def test_nothing_is_unlinked_before_the_commit_that_marks_it(house: House, sweeper: Sweeper) -> None:
    """A transcript on disk alone is no proof: only a committed one is."""
    job = await house.transcribing()
    assert await sweeper.sweep()
    assert job.video is not None
    assert job.video.path.exists()


async def test_media_that_is_not_marked_stays(house: House, sweeper: Sweeper) -> None:
    job = await house.transcribed()
    await house.do("UPDATE jobs SET audio_delete_pending = 0")
    assert present(await swept(house, sweeper, job)) == [False, True]


async def test_media_that_changed_since_it_was_recorded_is_kept_and_told_of(house: House, sweeper: Sweeper) -> None:
    job = await house.transcribed()
    video, _ = files(job)
    video.path.write_bytes(b"somebody put another one there")
    after = await swept(house, sweeper, job)
    assert video.path.exists()
    assert (files(after)[0].deleted, files(after)[0].delete_pending) == (False, False)
    assert files(after)[1].deleted, "the audio is what it was"
    (reason,) = kept_reasons(house)
    assert "is not the file it was" in reason


async def test_media_that_was_replaced_by_its_like_is_kept(house: House, sweeper: Sweeper) -> None:
    job = await house.transcribed()
    video, _ = files(job)
    other = video.path.with_name("other")
    other.write_bytes(video.path.read_bytes())
    other.rename(video.path)
    await swept(house, sweeper, job)
    assert video.path.exists()
    assert f"expected inode {video.inode}" in kept_reasons(house)[0]


async def test_media_behind_a_symbolic_link_is_kept(house: House, sweeper: Sweeper, tmp_path: Path) -> None:
    job = await house.transcribed(entity="Harbor")
    folder = files(job)[0].path.parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    await swept(house, sweeper, job)
    assert present(job) == [True, False]
    assert "symbolic link" in kept_reasons(house)[0]


@pytest.mark.parametrize("harm", ["missing", "altered", "shorter"])
async def test_without_the_accepted_transcript_on_disk_media_is_kept(house: House, sweeper: Sweeper, harm: str) -> None:
    job = await house.transcribed()
    assert job.transcript is not None
    path = job.transcript.path
    match harm:
        case "missing":
            path.unlink()
        case "altered":
            path.write_bytes(b"X" + path.read_bytes()[1:])
        case _:
            path.write_bytes(path.read_bytes()[:-1])
    after = await swept(house, sweeper, job)
    assert present(after) == [True, True]
    assert [media.delete_pending for media in files(after)] == [False, False]
    assert len(kept_reasons(house)) == 2
    assert all(str(path) in reason for reason in kept_reasons(house))


async def test_a_transcript_that_can_not_be_read_just_now_proves_nothing_either_way(
    house: House, sweeper: Sweeper
) -> None:
    job, other = await house.transcribed(), await house.transcribed()
    assert job.transcript is not None
    aside = job.transcript.path.rename(job.transcript.path.with_suffix(".aside"))
    job.transcript.path.mkdir()
    assert not await sweeper.sweep()
    assert present(job) == [True, True]
    assert files(await house.get(job))[0].delete_pending
    assert present(other) == [False, False], "it must not stand in the way of those behind it"
    job.transcript.path.rmdir()
    aside.rename(job.transcript.path)
    assert present(await swept(house, sweeper, job)) == [False, False]


async def test_media_that_is_gone_already_counts_as_deleted_and_frees_nothing(house: House, sweeper: Sweeper) -> None:
    """A kill between the unlink and its commit."""
    job = await house.transcribed()
    await house.counted()
    for media in files(job):
        media.path.unlink()
    used = house.budget.usage.by_kind()
    after = await swept(house, sweeper, job)
    assert [media.deleted for media in files(after)] == [True, True]
    (freed,) = [event for event in house.told if isinstance(event, MediaFreed)]
    assert freed.freed_bytes == 0
    assert house.budget.usage.by_kind()[Kind.VIDEOS] == used[Kind.VIDEOS]


async def test_a_folder_that_is_gone_counts_too(house: House, sweeper: Sweeper) -> None:
    job = await house.transcribed(entity="Harbor")
    files(job)[0].path.unlink()
    files(job)[0].path.parent.rmdir()
    assert files(await swept(house, sweeper, job))[0].deleted


@pytest.mark.parametrize("point", ["files.unlink", "files.folder_sync"])
async def test_what_can_not_be_deleted_now_is_tried_again(house: House, sweeper: Sweeper, point: str) -> None:
    job = await house.transcribed()
    faults.arm(f"{point}=EIO")
    assert not await sweeper.sweep()
    assert files(await house.get(job))[0].delete_pending
    after = await swept(house, sweeper, job)
    assert [media.deleted for media in files(after)] == [True, True]


async def test_a_commit_that_fails_after_the_unlink_is_made_good_by_the_next_pass(
    house: House, sweeper: Sweeper
) -> None:
    job = await house.transcribed()
    faults.arm("db.commit=EIO")
    with pytest.raises(DatabaseError):
        await sweeper.sweep()
    assert present(job) == [False, False]
    assert files(await house.get(job))[0].delete_pending
    faults.disarm()
    assert files(await swept(house, sweeper, job))[0].deleted


async def test_a_whole_batch_and_what_comes_after_it_is_swept(house: House, sweeper: Sweeper) -> None:
    jobs = [await house.transcribed(size=100) for _ in range(60)]
    assert await sweeper.sweep()
    assert not any(any(present(job)) for job in jobs)
    assert await house.value("SELECT count(*) FROM jobs WHERE video_deleted = 1 AND audio_deleted = 1") == 60


async def test_one_job_that_is_kept_does_not_stop_the_others(house: House, sweeper: Sweeper) -> None:
    bad, good = await house.transcribed(), await house.transcribed()
    files(bad)[0].path.write_bytes(b"other")
    assert await sweeper.sweep()
    assert present(good) == [False, False]


# When


class running:  # noqa: N801 - reads as a word
    """The sweeper as a service, for as long as the context lasts."""

    def __init__(self, house: House, interval_s: float) -> None:
        self.sweeper = Sweeper(house.outcomes, interval_s=interval_s)

    async def __aenter__(self) -> Sweeper:
        self.task = asyncio.create_task(self.sweeper.run())
        return self.sweeper

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


@pytest.fixture
async def still(house: House) -> AsyncIterator[asyncio.Event]:
    """Let the clock's sleeps wait for this event."""
    go_on = asyncio.Event()
    slept = house.clock.sleep

    async def sleep(seconds: float) -> None:
        await slept(seconds)
        await go_on.wait()

    house.clock.sleep = sleep  # type: ignore[method-assign]
    yield go_on
    go_on.set()


async def test_the_first_pass_replays_what_a_crash_left(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.transcribed()
    async with opened(tmp_path) as house, running(house, 0):
        await until(lambda: present(job) == [False, False])


async def test_without_an_interval_each_deletion_is_done_at_once(house: House) -> None:
    async with running(house, 0) as sweeper:
        job = await house.transcribed()
        sweeper.wake()
        await until(lambda: present(job) == [False, False])
    assert house.clock.slept == []


async def test_with_an_interval_deletions_gather(house: House, still: asyncio.Event) -> None:
    job = await house.transcribed()
    async with running(house, 60) as sweeper:
        sweeper.wake()
        await until(lambda: bool(house.clock.slept))
        assert present(job) == [True, True]
        more = await house.transcribed()
        still.set()
        await until(lambda: present(job) + present(more) == [False] * 4)
    assert sum(house.clock.slept) >= 59, "one second went by while the second job was made"


async def test_a_closed_gate_makes_a_batch_early(house: House, still: asyncio.Event) -> None:
    job = await house.transcribed()
    async with running(house, 3600) as sweeper:
        sweeper.wake()
        await until(lambda: bool(house.clock.slept))
        other = await house.queue()
        await house.database.write(lambda tx: house.budget.reserve(tx, other.id, Parts(video=93 * MB)))
        await house.budget.check()
        assert not house.budget.gate.is_open
        still.set()
        await until(lambda: present(job) == [False, False])
    assert sum(house.clock.slept) < 60


async def test_a_closed_gate_makes_no_batches_at_all(house: House, still: asyncio.Event) -> None:
    other = await house.queue()
    await house.database.write(lambda tx: house.budget.reserve(tx, other.id, Parts(video=93 * MB)))
    await house.budget.check()
    job = await house.transcribed()
    async with running(house, 3600):
        await until(lambda: present(job) == [False, False])
    assert not still.is_set()


async def test_it_tries_again_after_a_while_by_itself(house: House) -> None:
    job = await house.transcribed()
    faults.arm("files.unlink=EIO")
    async with running(house, 0):
        await until(lambda: present(job) == [False, False])
    assert house.clock.slept == [5.0]


async def test_freed_space_opens_the_gate(house: House, sweeper: Sweeper) -> None:
    job = await house.transcribed(size=92 * MB)
    await house.counted()
    await house.budget.check()
    assert not house.budget.gate.is_open
    house.told.clear()
    await swept(house, sweeper, job)
    assert house.budget.gate.is_open
    assert kinds(house.told) == ["storage.freed", "gate.opened"]


async def test_a_policy_that_keeps_videos_deletes_audio_alone(tmp_path: Path) -> None:
    async with opened(tmp_path, policy=deleting(delete_video=False)) as house:
        job = await house.transcribed()
        assert await Sweeper(house.outcomes, interval_s=0).sweep()
        assert present(job) == [True, False]
