"""The transcription service: claim, one process a job, verdict, transcript, commit; on real speech."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.budget.ledger import Parts
from pulsetui.errors import FailureClass
from pulsetui.files.identity import FileIdentity
from pulsetui.pipeline import states, store
from pulsetui.pipeline.deletion import Sweeper
from pulsetui.pipeline.jobs import Job, MediaFile, Stage
from pulsetui.pipeline.live import LiveTask
from pulsetui.pipeline.transcriber.acceptance import Rules
from pulsetui.pipeline.transcriber.service import Transcriptions, TranscriptionSettings
from pulsetui.pipeline.transcriber.transcript import Transcript
from tests.living import children
from tests.pipeline.house import MB, OWNER, House, kinds, media, opened
from tests.pipeline.speech.plugin import install
from tests.until import until

CLIP = Path(str(resources.files("pulsetui.demo").joinpath("clips", "01.opus")))
SPEECH = CLIP.read_bytes()
CLIP_S = 13.0


@dataclass
class Desk:
    """The service with an engine, and shorter words."""

    house: House
    engine: str = "honest"
    sweeper: Sweeper = field(init=False)

    def __post_init__(self) -> None:
        self.sweeper = Sweeper(self.house.outcomes, interval_s=0)
        settings = TranscriptionSettings(
            audio_root=self.house.audio,
            transcripts_root=self.house.transcripts,
            engine=self.engine,
            rules=Rules(),
            progress_timeout_s=300,
            owner=OWNER,
        )
        self.service = Transcriptions(self.house.outcomes, self.sweeper, settings)

    async def downloaded(self, *, duration_s: float | None = CLIP_S) -> Job:
        """Return a job whose media is a real clip."""
        job = await self.house.downloading(entity="Harbor")
        path = self.house.videos.joinpath(*job.entity_folders, f"{job.uuid}.opus")
        media(path, 1)
        path.write_bytes(SPEECH)
        identity = FileIdentity.of(path.lstat())
        video = MediaFile(
            path, identity.size_bytes, identity.allocated_bytes, identity.device, identity.inode, identity.mtime_ns
        )
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        job = await self.house.step(job, states.Downloaded(video, digest, duration_s))
        await self.house.counted()
        return job

    async def claim(self) -> LiveTask | None:
        claimed = await self.service.claim("tr-1")
        return None if claimed is None else LiveTask(claimed, "transcription", self.house.clock, "starting")

    async def run(self) -> Job:
        live = await self.claim()
        assert live is not None
        await self.service.work(live)
        return await self.house.get(live.job)

    async def start(self) -> LiveTask:
        live = await self.claim()
        assert live is not None
        live.task = asyncio.create_task(self.service.work(live))
        return live

    def audio_files(self) -> list[Path]:
        return [path for path in self.house.audio.rglob("*") if path.is_file()]

    def transcript_files(self) -> list[Path]:
        return [path for path in self.house.transcripts.rglob("*") if path.is_file()]


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "engines"
    folder.mkdir()
    install(folder, monkeypatch)


@pytest.fixture
async def desk(house: House, engines: None) -> AsyncIterator[Desk]:  # noqa: ARG001 - it must be there
    yield Desk(house)
    assert children() == [], "no process outlives its job"


async def test_speech_becomes_an_accepted_durable_committed_transcript(house: House, desk: Desk) -> None:
    job = await desk.downloaded()
    done = await desk.run()
    assert (done.stage, done.attempts, done.lease) == (Stage.TRANSCRIBED, 1, None)
    assert done.transcript is not None
    assert done.transcript.path == house.transcripts / "Harbor" / f"{job.uuid}.json"
    data = done.transcript.path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == done.transcript.sha256
    transcript = Transcript.from_json(data)
    assert (transcript.engine, transcript.source_sha256) == ("scripted", job.sha256)
    assert len(transcript.segments) == int(CLIP_S) + 1
    receipt = json.loads(done.receipt or "{}")
    assert receipt["accepted"]
    assert receipt["coverage"] > 0.95
    assert receipt["speech_s"] > 8
    assert done.video is not None
    assert done.audio is not None
    assert (done.video.delete_pending, done.audio.delete_pending) == (True, True)
    assert done.video.path.exists(), "deleting is the sweeper's"
    assert await house.reservations() == {}
    assert kinds(house.told)[-1] == "job.transcribed"
    assert await desk.sweeper.sweep()
    assert desk.audio_files() == []
    counted = house.budget.usage.by_kind()
    await house.counted()
    for kind, size in house.budget.usage.by_kind().items():
        assert kind == "database" or abs(size - counted[kind]) <= 2 * 4096, kind


@pytest.mark.parametrize("engine", ["dropping", "looping"])
async def test_a_transcript_that_is_not_accepted_is_held_with_its_media(house: House, desk: Desk, engine: str) -> None:
    desk = Desk(house, engine)
    await desk.downloaded()
    held = await desk.run()
    assert held.stage is Stage.HELD
    assert held.last_failure is not None
    assert any(character.isdigit() for character in held.last_failure.text), "a reason has figures"
    assert json.loads(held.receipt or "{}")["accepted"] is False
    assert held.video is not None
    assert held.video.path.exists()
    assert (held.video.delete_pending, held.transcript) == (False, None)
    assert (desk.audio_files(), desk.transcript_files()) == ([], [])
    assert await house.reservations() == {}
    assert kinds(house.told)[-1] == "job.held"


async def test_a_process_that_dies_costs_an_attempt_and_in_the_end_the_job(house: House, desk: Desk) -> None:
    desk = Desk(house, "dying")
    await desk.downloaded()
    first = await desk.run()
    assert first.last_failure is not None
    assert (first.stage, first.attempts, first.last_failure.failure) == (Stage.DOWNLOADED, 1, FailureClass.POISON)
    assert set(await house.reservations()) == {first.id}, "what frees space keeps its room"
    assert house.budget.ledger.outstanding_bytes() == (await house.reservations())[first.id].total()
    house.clock.advance(1000)
    second = await desk.run()
    assert (second.stage, second.attempts) == (Stage.DEAD, 2)
    assert second.video is not None
    assert second.video.path.exists()
    assert await house.reservations() == {}
    assert desk.audio_files() == []


async def test_audio_longer_than_stated_gets_room_for_more(house: House, desk: Desk) -> None:
    await desk.downloaded(duration_s=2.0)
    again = await desk.run()
    assert (again.stage, again.attempts) == (Stage.DOWNLOADED, 0)
    assert (again.duration_s or 0) > CLIP_S
    assert desk.audio_files() == []
    done = await desk.run()
    assert done.stage is Stage.TRANSCRIBED
    assert done.duration_s == pytest.approx(CLIP_S, abs=1), "what was decoded"
    assert kinds(house.told).count("job.waits") == 1


@pytest.mark.parametrize(
    ("reason", "failure", "attempts"),
    [("shutdown", FailureClass.SHUTDOWN, 0), ("stalled", FailureClass.TRANSIENT, 1)],
)
async def test_a_stopped_transcription_ends_its_process_and_leaves_nothing(
    house: House, desk: Desk, reason: str, failure: FailureClass, attempts: int
) -> None:
    desk = Desk(house, "endless")
    await desk.downloaded()
    live = await desk.start()
    await until(lambda: live.phase == "transcribing" and live.done > 0)
    assert len(children()) == 1
    live.stop(reason)
    assert live.task is not None
    await asyncio.wait({live.task})
    assert children() == []
    job = await house.get(live.job)
    assert job.last_failure is not None
    assert (job.stage, job.attempts, job.last_failure.failure) == (Stage.DOWNLOADED, attempts, failure)
    assert desk.audio_files() == []


async def test_a_cancelled_job_s_process_ends_and_writes_nothing(house: House, desk: Desk) -> None:
    desk = Desk(house, "endless")
    await desk.downloaded()
    live = await desk.start()
    await until(lambda: live.phase == "transcribing")
    await house.step(await house.get(live.job), states.Cancelled())
    before = await house.row(live.job)
    live.stop("cancelled")
    assert live.task is not None
    await asyncio.wait({live.task})
    assert await house.row(live.job) == before
    assert (children(), desk.transcript_files()) == ([], [])


async def test_audio_in_the_making_is_counted_as_it_grows(house: House, desk: Desk) -> None:
    desk = Desk(house, "endless")
    await desk.downloaded()
    committed = house.budget.committed_bytes() or 0
    live = await desk.start()
    await until(lambda: live.phase == "transcribing" and live.done > 0)
    by_kind = house.budget.usage.by_kind()
    assert by_kind["audio"] - 4096 >= CLIP_S * 32_000 * 0.95  # type: ignore[index]
    reserved = house.budget.ledger.reservations[live.job.id].reserved
    assert (house.budget.committed_bytes() or 0) <= committed + reserved.total() + 64 * 4096
    live.stop("shutdown")
    assert live.task is not None
    await asyncio.wait({live.task})


async def loses_before(
    house: House, desk: Desk, lost: Callable[[LiveTask], bool], *, then: Callable[[], None] = faults.disarm
) -> Job:
    """Take the job away when the condition holds, and see that its first worker changes nothing."""
    await desk.downloaded()
    live = await desk.start()
    await until(lambda: lost(live))
    back = await house.step(await house.get(live.job), states.OwnerEnded())
    other = await house.claimed(back, worker="tr-2")
    before, log = await house.row(other), await house.log()
    then()
    assert live.task is not None
    await asyncio.wait({live.task})
    assert await house.row(other) == before
    assert await house.log() == log
    return other


async def test_a_worker_that_lost_its_lease_writes_no_transcript(house: House, desk: Desk, tmp_path: Path) -> None:
    desk = Desk(house, "patient")
    await loses_before(house, desk, lambda live: live.phase == "transcribing", then=(tmp_path / "engines" / "go").touch)
    assert desk.transcript_files() == []


async def test_a_worker_that_loses_its_lease_at_the_last_moment_commits_nothing(house: House, desk: Desk) -> None:
    """After the look at the lease, before the commit: only the fence in the commit itself holds."""
    faults.arm("files.replace=delay:0.5")
    job = await loses_before(house, desk, lambda live: live.phase == "saving" and bool(desk.transcript_files()))
    assert job.transcript is None
    assert job.video is not None
    assert job.video.path.exists()


@pytest.mark.parametrize("point", ["files.write=ENOSPC", "files.replace=ENOSPC"])
async def test_a_full_disk_closes_the_gate_and_costs_no_attempt(house: House, desk: Desk, point: str) -> None:
    await desk.downloaded()
    faults.arm(point)
    job = await desk.run()
    assert job.last_failure is not None
    assert (job.stage, job.attempts, job.last_failure.failure) == (Stage.DOWNLOADED, 0, FailureClass.SPACE)
    assert not house.budget.gate.is_open
    assert (desk.audio_files(), desk.transcript_files()) == ([], [])


# Claims; no process needed


async def test_the_job_that_frees_most_per_minute_is_claimed_with_its_room(house: House) -> None:
    desk = Desk(house)
    await house.downloaded(size=200_000, duration_s=60)
    much = await house.downloaded(size=900_000, duration_s=60)
    live = await desk.claim()
    assert live is not None
    assert live.job.id == much.id
    parts = (await house.reservations())[much.id]
    assert parts.video == 0
    assert parts.audio >= 60 * 32_000
    assert kinds(house.told)[-1] == "job.transcribing"


async def test_a_job_whose_audio_finds_no_room_is_passed_over(house: House) -> None:
    desk = Desk(house)
    await house.downloaded(size=900_000, duration_s=1500)
    small = await house.downloaded(size=100_000, duration_s=10)
    other = await house.queue()
    assert await house.database.write(lambda tx: house.budget.reserve(tx, other.id, Parts(video=60 * MB)))
    live = await desk.claim()
    assert live is not None
    assert live.job.id == small.id
    assert await desk.claim() is None
    assert (await house.database.read(store.stage_counts))["downloaded"] == 1


async def test_a_job_whose_audio_can_never_fit_is_held_with_its_media(house: House) -> None:
    desk = Desk(house)
    job = await house.downloaded(size=900_000, duration_s=4000)
    assert await desk.claim() is None
    held = await house.get(job)
    assert held.stage is Stage.HELD
    assert held.video is not None
    assert held.video.path.exists()
    assert held.last_failure is not None
    assert "130 MB" in held.last_failure.text


async def test_transcribing_goes_on_while_the_gate_is_closed_and_the_operator_paused(tmp_path: Path) -> None:
    """It is what frees space: a job keeps the room that its download was granted."""
    async with opened(tmp_path) as house:
        job = await house.downloaded(duration_s=10)
        assert await house.database.write(lambda tx: house.budget.reserve(tx, job.id, Parts(0, 500_000, 70_000)))
        media(house.videos / "other.mp4", 97 * MB)
        await house.counted()
        await house.budget.check()
        await house.database.write(lambda tx: house.budget.set_operator_pause(tx, paused=True))
        assert not house.budget.may_start()
        live = await Desk(house).claim()
        assert live is not None
        assert live.job.id == job.id
