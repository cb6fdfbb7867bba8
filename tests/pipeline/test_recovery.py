"""What a start finds and mends: every state that a kill can leave."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pulsetui.budget.ledger import Parts
from pulsetui.errors import FailureClass
from pulsetui.pipeline import states, store
from pulsetui.pipeline.deletion import Sweeper
from pulsetui.pipeline.events import RecoveryDone
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.recovery import Report, recover
from tests.pipeline.house import House, kinds, media, opened


async def recovered(house: House) -> Report:
    return await recover(house.outcomes, videos_root=house.videos, data_dir=house.root)


@asynccontextmanager
async def restarted(root: Path) -> AsyncIterator[tuple[House, Report]]:
    """Start again as the owner does: count, recover, count, take reservations over."""
    async with opened(root) as house:
        report = await recovered(house)
        await house.budget.reconcile()
        await house.budget.restore_reservations()
        yield house, report


async def reserve(house: House, job: Job, parts: Parts) -> None:
    assert await house.database.write(lambda tx: house.budget.reserve(tx, job.id, parts))


async def test_a_clean_start_finds_nothing_and_says_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await house.queue()
        await house.downloaded()
    async with restarted(tmp_path) as (house, report):
        assert report == Report()
        assert house.told == []


async def test_leases_of_the_dead_owner_end_in_each_running_stage(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        download, transcription = await house.downloading(), await house.transcribing()
    async with restarted(tmp_path) as (house, report):
        assert report.leases_ended == 2
        back, waiting = await house.get(download), await house.get(transcription)
        assert (back.stage, back.lease, back.attempts) == (Stage.QUEUED, None, 0)
        assert (waiting.stage, waiting.lease, waiting.attempts) == (Stage.DOWNLOADED, None, 0)
        assert kinds(house.told).count("job.waits") == 2
        assert RecoveryDone(leases_ended=2, media_lost=0, orphans=0, needs_attention=0) in house.told


async def test_attempts_of_before_are_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.step(await house.downloading(), states.AttemptFailed(FailureClass.TRANSIENT, "it broke", 0.0))
        await house.claimed(job)
    async with restarted(tmp_path) as (house, _):
        assert (await house.get(job)).attempts == 1


async def test_only_downloaded_jobs_keep_their_reservations(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        downloading, transcribing = await house.downloading(), await house.transcribing()
        downloaded, done = await house.downloaded(), await house.transcribed()
        for job in (downloading, transcribing, downloaded, done):
            await house.do("INSERT OR REPLACE INTO reservations VALUES (?, 0, 1000, 100)", job.id)
    async with restarted(tmp_path) as (house, _):
        assert set(await house.reservations()) == {transcribing.id, downloaded.id}
        assert house.budget.ledger.outstanding_bytes() == 2 * 1_100
        assert set(house.budget.ledger) == {transcribing.id, downloaded.id}


@pytest.mark.parametrize("with_file", [True, False])
async def test_a_marked_deletion_is_finished_by_the_first_sweep(tmp_path: Path, *, with_file: bool) -> None:
    async with opened(tmp_path) as house:
        job = await house.transcribed()
        assert job.video is not None
        if not with_file:
            job.video.path.unlink()
    async with restarted(tmp_path) as (house, report):
        assert report.deletions_pending == 1
        assert report.needs_attention == []
        assert await Sweeper(house.outcomes, interval_s=0).sweep()
        after = await house.get(job)
        assert after.video is not None
        assert after.video.deleted
        assert not after.video.path.exists()


async def test_a_row_whose_media_is_gone_goes_back_a_stage(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.downloaded()
        await reserve(house, job, Parts(audio=1000))
        assert job.video is not None
        job.video.path.unlink()
    async with restarted(tmp_path) as (house, report):
        after = await house.get(job)
        assert (report.media_lost, after.stage, after.video, after.sha256) == (1, Stage.QUEUED, None, None)
        assert house.budget.ledger.outstanding_bytes() == 0


async def test_a_transcription_whose_media_is_gone_goes_back_two(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.transcribing()
        assert job.video is not None
        job.video.path.unlink()
    async with restarted(tmp_path) as (house, _):
        assert (await house.get(job)).stage is Stage.QUEUED


async def test_media_under_its_final_name_that_was_not_committed_is_left_for_the_next_download(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.downloading()
        finished = media(house.videos / "unassigned" / f"{job.uuid}.mp4")
    async with restarted(tmp_path) as (house, report):
        assert finished.path.exists()
        assert report.orphans == 0
        assert (await house.get(job)).stage is Stage.QUEUED


async def test_partial_files_of_unfinished_jobs_are_kept_and_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        for job in (await house.queue(), await house.downloading()):
            media(house.videos / "unassigned" / f"{job.uuid}.partial")
    async with restarted(tmp_path) as (house, report):
        assert (report.partials_kept, report.orphans) == (2, 0)
        assert len(list(house.videos.rglob("*.partial"))) == 2


async def test_files_of_no_job_are_reported_and_left_in_place(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        orphans = [
            media(house.videos / "show" / "holiday.mp4", 10_000),
            media(house.videos / "unassigned" / "0000.partial", 10_000),
            media(house.audio / "0000.wav", 10_000),
            media(house.transcripts / "0000.json", 10_000),
        ]
    async with restarted(tmp_path) as (_, report):
        assert report.orphans == 4
        assert report.orphan_bytes == sum(each.allocated_bytes for each in orphans)
        assert set(report.orphan_paths) == {str(each.path) for each in orphans}
        assert all(each.path.exists() for each in orphans)


async def test_a_thousand_orphans_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        for number in range(1_001):
            (house.videos / f"{number}.mp4").write_bytes(b"")
    async with restarted(tmp_path) as (_, report):
        assert report.orphans == 1_001
        assert len(report.orphan_paths) == 50


@pytest.mark.parametrize("name", [b"caf\xe9.mp4", b"\xff.partial", b"two\nlines.mp4", b"\x1b[2J.wav"])
async def test_names_that_are_hostile_or_not_utf_8_are_told_of_as_text(tmp_path: Path, name: bytes) -> None:
    async with opened(tmp_path) as house:
        orphan = media(Path(os.fsdecode(os.fsencode(house.videos) + b"/" + name)), 1)
    async with restarted(tmp_path) as (house, report):
        (told,) = report.orphan_paths
        assert told.encode("utf-8").decode().isprintable()
        assert orphan.path.exists()


async def test_temporaries_of_killed_writes_are_removed(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        left = media(house.transcripts / "show" / ".pulsetui-0011223344556677.tmp")
    async with restarted(tmp_path) as (_, report):
        assert report.temporaries_removed == 1
        assert not left.path.exists()
        assert report.orphans == 0


async def test_audio_of_a_killed_transcription_is_removed_and_audio_of_a_finished_one_is_not(tmp_path: Path) -> None:
    """It is extracted again by the next attempt, and would be counted beside what is reserved for that."""
    async with opened(tmp_path) as house:
        running, held = await house.transcribing(), await house.downloaded()
        left = [media(house.audio / "unassigned" / f"{job.uuid}.wav") for job in (running, held)]
        done = await house.transcribed()
    async with restarted(tmp_path) as (house, report):
        assert not any(each.path.exists() for each in left)
        assert report.temporaries_removed == 2
        assert done.audio is not None
        assert done.audio.path.exists()


async def test_a_remount_that_renumbered_the_device_is_no_change_of_the_files(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.transcribed()
        waiting = await house.downloaded()
        await house.do("UPDATE jobs SET video_device = video_device + 7, audio_device = audio_device + 7")
    async with restarted(tmp_path) as (house, report):
        after = await house.get(waiting)
        assert after.video is not None
        assert after.video.device == after.video.path.stat().st_dev
        assert report.needs_attention == []
        assert await Sweeper(house.outcomes, interval_s=0).sweep()
        swept = await house.get(job)
        assert swept.video is not None
        assert swept.video.deleted


async def test_a_changed_file_is_not_taken_for_the_recorded_one_because_the_device_changed_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.transcribed()
        assert job.video is not None
        job.video.path.write_bytes(b"another")
        await house.do("UPDATE jobs SET video_device = video_device + 7")
    async with restarted(tmp_path) as (house, _):
        assert await Sweeper(house.outcomes, interval_s=0).sweep()
        assert job.video.path.exists()
        assert "storage.kept" in kinds(house.told)


async def missing_transcript(house: House) -> Any:
    job = await house.transcribed()
    assert job.transcript is not None
    job.transcript.path.unlink()
    return job.transcript.path


async def missing_media(house: House) -> Any:
    job = await house.step(await house.downloaded(), states.Cancelled())
    assert job.video is not None
    job.video.path.unlink()
    return job.video.path


@pytest.mark.parametrize("make", [missing_transcript, missing_media])
async def test_what_can_not_be_decided_is_listed_and_not_guessed(tmp_path: Path, make: Any) -> None:
    async with opened(tmp_path) as house:
        path = await make(house)
        before = await house.database.read(lambda reader: reader.all("SELECT stage, video_path FROM jobs"))
    async with restarted(tmp_path) as (house, report):
        (listed,) = report.needs_attention
        assert f"{path} is gone" in listed
        after = await house.database.read(lambda reader: reader.all("SELECT stage, video_path FROM jobs"))
        assert [tuple(row) for row in after] == [tuple(row) for row in before]


async def test_more_jobs_than_a_page_are_all_looked_at(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        job = await house.downloaded()
        columns = (
            "kind, title, source_url, source_host, priority, rank, stage, stage_since, submitted_by, "
            "submitted_through, submitted_at, video_path, video_size_bytes, video_allocated_bytes, video_device, "
            "video_inode, video_mtime_ns"
        )
        await house.do(
            f"INSERT INTO jobs (uuid, {columns}) "  # noqa: S608 - our own names
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
            f"SELECT 'copy' || i, {columns} FROM jobs, n WHERE jobs.id = ?",
            job.id,
        )
        await house.do("UPDATE jobs SET video_path = CAST(video_path || '.gone' AS BLOB) WHERE id IN (2, 700, 1201)")
    async with restarted(tmp_path) as (house, report):
        assert report.media_lost == 3
        assert (await house.database.read(store.stage_counts))["queued"] == 3


async def kept(house: House) -> dict[str, Any]:
    text = await house.database.read(store.restore_recovery)
    assert text is not None
    report: dict[str, Any] = json.loads(text)
    return report


async def test_the_report_is_kept_for_status(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await house.downloading()
        media(house.videos / "holiday.mp4")
    async with restarted(tmp_path) as (house, report):
        stored = await kept(house)
        assert stored["leases_ended"] == 1
        assert stored["orphan_paths"] == report.orphan_paths
    async with restarted(tmp_path) as (house, _):
        stored = await kept(house)
        assert (stored["leases_ended"], stored["orphans"]) == (0, 1)


async def test_recovering_twice_changes_nothing_more(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        for make in (house.queue, house.downloading, house.downloaded, house.transcribing, house.transcribed):
            await make()
    async with restarted(tmp_path) as (house, _):
        before = await house.database.read(lambda reader: reader.all("SELECT * FROM jobs"))
        again = await recovered(house)
        after = await house.database.read(lambda reader: reader.all("SELECT * FROM jobs"))
    assert [tuple(row) for row in before] == [tuple(row) for row in after]
    assert (again.leases_ended, again.media_lost) == (0, 0)
