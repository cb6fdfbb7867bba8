"""The pipeline's parts on a disk that is unmounted, swapped, pulled out or made read-only between their steps."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pulsetui.budget.gate import Cause
from pulsetui.errors import FailureClass, VolumeAwayError
from pulsetui.pipeline.deletion import Sweeper
from pulsetui.pipeline.downloader.ingest import Media, check_media
from pulsetui.pipeline.downloader.service import Downloads, DownloadSettings
from pulsetui.pipeline.downloader.transfer import Downloader, MediaCheck
from pulsetui.pipeline.jobs import Job, Stage
from pulsetui.pipeline.live import AWAY, LiveTask
from pulsetui.pipeline.recovery import recover
from pulsetui.pipeline.transcriber.acceptance import Rules
from pulsetui.pipeline.transcriber.service import Transcriptions, TranscriptionSettings
from pulsetui.settings.models import Downloads as Settings
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.volumes.grounds import Witness
from tests.pipeline.downloader.conftest import OPEN, accept
from tests.pipeline.downloader.conftest import media as mp4
from tests.pipeline.downloader.servers import Content, serving
from tests.pipeline.house import MB, OWNER, House, opened
from tests.until import until
from tests.volumes.hanging import hanging
from tests.volumes.mounts import ext4_image, may_mount, mount, mounted, unmount

pytestmark = may_mount
BODY = mp4(5 * MB + 321)
WORD = "a library"


@dataclass
class Scene:
    """A house whose videos are on a disk of their own."""

    house: House
    ground: GroundWatch
    image: Path
    downloaders: list[Downloader] = field(default_factory=list)

    @property
    def point(self) -> Path:
        return self.house.videos

    def downloads(self, downloader: Downloader) -> Downloads:
        settings = DownloadSettings(self.house.videos, 10**12, OWNER)
        return Downloads(self.house.outcomes, downloader, settings, ground=self.ground)

    def downloader(self, check: MediaCheck = accept) -> Downloader:
        made = Downloader(Settings.model_validate(OPEN), check=check, enter=self.ground.grounds.enter)
        self.downloaders.append(made)
        return made

    def sweeper(self) -> Sweeper:
        return Sweeper(self.house.outcomes, interval_s=0, ground=self.ground)

    def transcriptions(self) -> Transcriptions:
        settings = TranscriptionSettings(
            audio_root=self.house.audio,
            transcripts_root=self.house.transcripts,
            engine="pocketsphinx",
            rules=Rules(),
            progress_timeout_s=300,
            owner=OWNER,
        )
        return Transcriptions(self.house.outcomes, self.sweeper(), settings, ground=self.ground)

    def unmounted(self) -> None:
        unmount(self.point)
        assert list(self.point.iterdir()) == []

    def mounted_again(self) -> None:
        mount("-o", "loop", str(self.image), str(self.point))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with at(tmp_path) as made:
        yield made


@asynccontextmanager
async def at(tmp_path: Path) -> AsyncIterator[Scene]:
    image, ground = ext4_image(tmp_path / "image", 32), GroundWatch()
    with mounted(image, tmp_path / "data" / "storage" / "videos") as point:
        (point / "marker").write_text(WORD)
        sync(point / "marker")
        async with opened(tmp_path / "data", ground=ground) as house:
            grounds = ground.grounds
            grounds.note(point, [Witness(point, "marker", WORD)])
            grounds.note(house.audio)
            grounds.note(house.transcripts)
            scene = Scene(house, ground, image)
            try:
                yield scene
            finally:
                for downloader in scene.downloaders:
                    await downloader.close()


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def pull_out(point: Path) -> None:
    """Have ext4 answer EIO from now on and write nothing any more, as when its disk is gone (FS_IOC_SHUTDOWN)."""
    descriptor = os.open(point, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(descriptor, 0x8004587D, struct.pack("I", 2))  # EXT4_GOING_FLAGS_NOLOGFLUSH
    finally:
        os.close(descriptor)


async def attempt(scene: Scene, service: Downloads) -> LiveTask:
    """Claim a job and begin to download it."""
    claimed = await service.claim("dl-1")
    assert claimed is not None
    live = LiveTask(claimed, "download", scene.house.clock, "starting")
    live.task = asyncio.create_task(service.work(live))
    return live


async def over(live: LiveTask) -> None:
    assert live.task is not None
    with suppress(asyncio.CancelledError):
        await live.task


def is_blameless(job: Job, stage: Stage = Stage.QUEUED) -> bool:
    failure = job.last_failure
    return (job.stage, job.attempts) == (stage, 0) and failure is not None and failure.failure is FailureClass.AWAY


async def test_a_disk_that_goes_before_the_media_check_makes_no_job_permanently_failed(scene: Scene) -> None:
    gone = asyncio.Event()

    async def vanishing(path: Path, extension: str) -> Media:
        unmount(scene.point)
        try:
            return await check_media(path, extension)
        finally:
            gone.set()

    async with serving(Content(BODY)) as server:
        job = await scene.house.queue(source=server.url())
        await over(await attempt(scene, scene.downloads(scene.downloader(vanishing))))
        assert gone.is_set()
        assert is_blameless(await scene.house.get(job))
        assert list(scene.point.iterdir()) == []
        scene.mounted_again()
        assert (scene.point / "unassigned" / f"{job.uuid}.partial").read_bytes() == BODY
        await over(await attempt(scene, scene.downloads(scene.downloader())))
        done = await scene.house.get(job)
        assert done.stage is Stage.DOWNLOADED
        assert done.video is not None
        assert done.video.path.read_bytes() == BODY


async def test_a_download_under_way_writes_to_its_own_disk_or_nowhere(scene: Scene) -> None:
    other = ext4_image(scene.image.with_name("other"), 32)
    content = Content(BODY, stop_after=3_500_000)
    async with serving(content) as server:
        job = await scene.house.queue(source=server.url())
        downloader = scene.downloader()
        service = scene.downloads(downloader)
        live = await attempt(scene, service)
        await until(lambda: live.done > 0)
        unmount(scene.point)
        with mounted(other, scene.point):
            content.go_on.set()  # nobody has noticed yet: it goes on until it needs its path
            await over(live)
            assert is_blameless(await scene.house.get(job))
            assert [path.name for path in scene.point.iterdir()] == ["lost+found"]
            assert await service.claim("dl-1") is None
        content.stop_after = None
        scene.mounted_again()
        await over(await attempt(scene, service))
        assert (await scene.house.get(job)).stage is Stage.DOWNLOADED


async def test_a_disk_that_is_pulled_out_costs_no_attempt_and_its_unsure_bytes_are_fetched_again(scene: Scene) -> None:
    content = Content(BODY, stop_after=3_500_000)
    async with serving(content) as server:
        job = await scene.house.queue(source=server.url())
        downloader = scene.downloader()
        service = scene.downloads(downloader)
        live = await attempt(scene, service)
        await until(lambda: live.done > 0)
        sync(service.partial_path(job))
        pull_out(scene.point)
        content.go_on.set()
        await over(live)
        assert is_blameless(await scene.house.get(job))
        assert await scene.house.value("SELECT count(*) FROM reservations") == 0
        assert os.strerror(errno.EIO) in scene.ground.away()
        assert await service.claim("dl-1") is None
        unmount(scene.point)
        content.stop_after = None
        scene.mounted_again()
        assert await scene.ground.confirm(scene.point) == ""
        assert service.partial_path(job).stat().st_size > MB
        await over(await attempt(scene, service))
        done = await scene.house.get(job)
        assert done.stage is Stage.DOWNLOADED
        assert done.video is not None
        assert done.video.path.read_bytes() == BODY
        assert server.asked[-1].headers.get("range") in (None, "bytes=0-"), "what it had written may not be on disk"


async def test_a_disk_made_read_only_stops_downloads_and_lets_them_go_on(scene: Scene) -> None:
    content = Content(BODY, stop_after=3_500_000)
    async with serving(content) as server:
        job = await scene.house.queue(source=server.url())
        downloader = scene.downloader()
        service = scene.downloads(downloader)
        live = await attempt(scene, service)
        await until(lambda: live.done > 0)
        live.stop(AWAY)
        await over(live)
        mount("-o", "remount,ro", str(scene.point))
        assert await service.claim("dl-1") is None
        await scene.house.budget.check()
        assert "read-only" in scene.house.budget.gate.reason
        mount("-o", "remount,rw", str(scene.point))
        content.stop_after = None
        assert await scene.ground.confirm(scene.point) == ""
        await scene.house.budget.check()
        await over(await attempt(scene, service))
        assert (await scene.house.get(job)).stage is Stage.DOWNLOADED


async def test_nothing_is_deleted_or_counted_as_freed_while_the_disk_of_the_media_is_away(scene: Scene) -> None:
    house, sweeper = scene.house, scene.sweeper()
    job = await house.transcribed()
    await house.counted()
    used, row = house.budget.usage.by_kind(), await house.row(job)
    scene.unmounted()
    assert not await sweeper.sweep()
    await house.counted()
    assert await house.row(job) == row
    assert house.budget.usage.by_kind() == used
    assert not [event for event in house.told if event.kind.startswith("storage.")]
    assert house.budget.gate.cause is Cause.AWAY
    beside = ext4_image(scene.image.with_name("beside"))
    with mounted(beside, scene.image.with_name("elsewhere")):  # takes the device number that was free
        scene.mounted_again()
        assert await sweeper.sweep()
        after = await house.get(job)
        assert after.video is not None
        assert (after.video.deleted, after.video.path.exists()) == (True, False)


async def test_media_is_deleted_after_a_remount_under_another_device_number(scene: Scene) -> None:
    job = await scene.house.transcribed()
    await scene.house.do("UPDATE jobs SET video_device = video_device + 1")
    assert await scene.sweeper().sweep()
    after = await scene.house.get(job)
    assert after.video is not None
    assert (after.video.deleted, after.video.path.exists()) == (True, False)


async def test_a_transcript_whose_disk_is_away_is_not_taken_for_gone(tmp_path: Path) -> None:
    image, ground = ext4_image(tmp_path / "image"), GroundWatch()
    with mounted(image, tmp_path / "data" / "transcripts") as point:
        async with opened(tmp_path / "data", ground=ground) as house:
            job = await house.transcribed()
            ground.grounds.note(point)
            unmount(point)
            sweeper = Sweeper(house.outcomes, interval_s=0, ground=ground)
            row = await house.row(job)
            assert not await sweeper.sweep()
            assert await house.row(job) == row
            mount("-o", "loop", str(image), str(point))
            assert await sweeper.sweep()
            after = await house.get(job)
            assert after.video is not None
            assert after.video.deleted


async def test_transcriptions_wait_for_the_disk_of_their_media(scene: Scene) -> None:
    service, job = scene.transcriptions(), await scene.house.downloaded()
    scene.unmounted()
    assert await service.claim("tr-1") is None
    assert (await scene.house.get(job)).stage is Stage.DOWNLOADED
    scene.mounted_again()
    assert await service.claim("tr-1") is not None


async def test_media_that_can_not_be_read_since_its_disk_went_away_is_no_fault_of_the_job(scene: Scene) -> None:
    service, job = scene.transcriptions(), await scene.house.downloaded()
    claimed = await service.claim("tr-1")
    assert claimed is not None
    scene.unmounted()
    await service.work(LiveTask(claimed, "transcription", scene.house.clock, "starting"))
    assert is_blameless(await scene.house.get(job), Stage.DOWNLOADED)
    assert list(scene.house.audio.rglob("*.wav")) == []


async def test_recovery_takes_no_media_for_lost_whose_disk_is_away(scene: Scene) -> None:
    house = scene.house
    job = await house.downloaded()
    row = await house.row(job)
    scene.unmounted()
    report = await recover(house.outcomes, videos_root=house.videos, data_dir=house.root, ground=scene.ground)
    assert (report.media_lost, report.temporaries_removed) == (0, 0)
    assert any("could not be matched" in text for text in report.needs_attention)
    assert await house.row(job) == row


async def test_a_partial_file_whose_disk_is_away_is_not_counted_as_given_up(scene: Scene) -> None:
    house, downloader = scene.house, scene.downloader()
    job = await house.queue()
    service = scene.downloads(downloader)
    partial = service.partial_path(job)
    partial.parent.mkdir()
    partial.write_bytes(BODY)
    await house.counted()
    used = house.budget.usage.total_bytes()
    scene.unmounted()
    assert await service.room.drop(job, partial) == 0
    assert house.budget.usage.total_bytes() == used


async def test_a_mount_that_hangs_is_away_after_its_time_and_holds_nobody_else(tmp_path: Path) -> None:
    watch = GroundWatch(timeout_s=0.2)
    (tmp_path / "well").mkdir()
    (tmp_path / "ill").mkdir()
    watch.grounds.note(tmp_path / "well")
    watch.grounds.note(tmp_path / "ill")
    with hanging(tmp_path / "ill"):
        for _ in range(3):  # however often it is asked, one thread waits
            assert "doesn't answer" in await watch.confirm(tmp_path / "ill")
        assert await watch.confirm(tmp_path / "well") == ""
        with pytest.raises(VolumeAwayError, match="doesn't answer"):
            await watch.ask(tmp_path / "ill", lambda: None)
    await until(lambda: not watch._hanging)
    assert await watch.confirm(tmp_path / "ill") == ""
