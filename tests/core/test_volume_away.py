"""An owner whose disks are unmounted, swapped, made read-only or pulled out under it, by real mounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pytest

from pulsetui.budget.gate import Cause
from pulsetui.budget.usage import Kind
from pulsetui.core.assembly import open_core
from pulsetui.db.database import Reader
from pulsetui.errors import FailureClass, RefusedError
from pulsetui.pipeline.jobs import Job, Stage
from tests.core.conftest import Configure
from tests.core.owner import Owner, owning
from tests.faults.episodes import BIG, make
from tests.pipeline.downloader.servers import Content, serving
from tests.until import until
from tests.volumes.mounts import ext4_image, may_mount, mount, mounted, unmount

pytestmark = may_mount
MB = 10**6
HELD_UP = 2_500_000
SPEECH = Path(str(resources.files("pulsetui.demo").joinpath("clips", "01.opus"))).read_bytes()


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Real media of several batches."""
    folder = tmp_path_factory.mktemp("media")
    make(folder, BIG)
    return (folder / BIG.name).read_bytes()


@dataclass
class Disk:
    """An image and the folder that it is mounted on, of which what lies below the mount is seen as well."""

    image: Path
    point: Path
    storage: Path
    below: Path
    """The mount point itself, whatever is mounted on it."""
    _untouched: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._untouched = self._times()

    def _times(self) -> tuple[int, int]:
        status = self.below.stat()
        return status.st_mtime_ns, status.st_ctime_ns

    def nothing_was_written_below(self) -> bool:
        """Say whether no name ever came into being in the empty mount point: that would change its times."""
        return not list(self.below.iterdir()) and self._times() == self._untouched

    @property
    def videos(self) -> Path:
        return self.storage / "videos"

    def partials(self) -> list[Path]:
        return sorted(self.videos.rglob("*.partial"))


@contextmanager
def disk_on(tmp_path: Path, where: str) -> Iterator[Disk]:
    """Mount a disk for the storage, or for its videos alone."""
    place = tmp_path / "place"
    point = place / where
    point.mkdir(parents=True)
    below = tmp_path / "below"
    below.mkdir()
    mount("--bind", str(place), str(below))  # shows what mounts on it cover
    try:
        disk = Disk(ext4_image(tmp_path / "image", 64), point, place / "storage", below / where)
        with mounted(disk.image, point):
            yield disk
    finally:
        unmount(below)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with disk_on(tmp_path, "storage") as disk:
        yield disk


async def downloading(owner: Owner, disk: Disk, *urls: str) -> list[int]:
    """Queue episodes and wait until a part of each is on disk."""
    ids = await owner.add(*urls)
    await until(lambda: len([p for p in disk.partials() if p.stat().st_size >= 1 << 20]) == len(urls))
    return ids


async def away(owner: Owner) -> str:
    """Wait until the gate is closed since a disk is away, and no download runs; return the reason."""
    core = owner.core
    await until(lambda: core.budget.gate.cause is Cause.AWAY and not core.live.of_kind("download"))
    assert not core.budget.may_start()
    return core.budget.gate.reason


async def blameless(owner: Owner, ids: list[int], stage: Stage) -> list[Job]:
    jobs = [await owner.job(job_id) for job_id in ids]
    assert {(job.stage, job.attempts) for job in jobs} == {(stage, 0)}
    return jobs


async def videos_as_stored(owner: Owner) -> tuple[list[tuple[bytes, str]], str]:
    """Return what is kept of the videos' folders, and why they can't be read."""

    async def read(reader: Reader) -> tuple[list[tuple[bytes, str]], str]:
        root = await reader.one("SELECT id, error FROM roots WHERE name = 'videos'")
        assert root is not None
        rows = await reader.all(
            "SELECT path, counts FROM storage_folders WHERE root_id = ? ORDER BY path", (root["id"],)
        )
        return [(row["path"], row["counts"]) for row in rows], root["error"]

    return await owner.core.database.read(read)


@pytest.mark.parametrize("where", ["storage", "storage/videos"])
async def test_downloads_wait_while_their_disk_is_unmounted_and_go_on_from_where_they_were(
    tmp_path: Path, watchful: Configure, body: bytes, where: str
) -> None:
    content = Content(body, stop_after=HELD_UP)
    with disk_on(tmp_path, where) as disk:
        loaded = watchful(paths__storage_dir=str(disk.storage))
        async with serving(content) as server, owning(loaded) as owner:
            ids = await downloading(owner, disk, *(server.url(f"/{n}.mkv") for n in range(3)))
            used = owner.core.budget.usage.by_kind()[Kind.VIDEOS]
            unmount(disk.point)
            assert f"the disk of {disk.videos} is away" in await away(owner)
            assert "gate.closed" in owner.said()
            assert owner.core.budget.usage.by_kind()[Kind.VIDEOS] >= used, "what is away is not free"
            await owner.core.budget.reconcile()
            await owner.core.budget.check()
            assert owner.core.budget.usage.by_kind()[Kind.VIDEOS] >= used
            for job in await blameless(owner, ids, Stage.QUEUED):
                assert job.last_failure is not None
                assert job.last_failure.failure is FailureClass.AWAY
            assert not owner.core.storage_dir.joinpath("videos").exists() or not list(disk.videos.iterdir())
            content.stop_after = None
            asked = len(server.asked)
            with mounted(disk.image, disk.point):
                for job_id in ids:
                    assert (await owner.reaches(job_id, Stage.TRANSCRIBED, Stage.DEAD)).stage is Stage.TRANSCRIBED
                starts = [each.headers.get("range") for each in server.asked[asked:]]
                assert len(starts) == 3
                assert all(start is not None and int(start[6:-1]) >= 1 << 20 for start in starts)
                await until(lambda: not [p for p in disk.videos.rglob("*") if p.is_file() and p.suffix != ""])
                assert "gate.opened" in owner.said()
                assert "job.dead" not in owner.said()
                assert "job.attempt_failed" not in owner.said()
                await owner.stop()
        assert disk.nothing_was_written_below()


async def test_a_start_without_its_disk_is_refused_before_there_is_any_finished_media(
    disk: Disk, watchful: Configure, body: bytes
) -> None:
    content = Content(body, stop_after=HELD_UP)
    loaded = watchful(paths__storage_dir=str(disk.storage))
    async with serving(content) as server:
        async with owning(loaded) as owner:
            (job_id,) = await downloading(owner, disk, server.url("/talk.mkv"))
        unmount(disk.point)
        with pytest.raises(RefusedError, match="on another disk than before") as refused:
            async with open_core(loaded, front_end="test"):
                pass
        assert "mount its disk and start again" in refused.value.hint
        content.stop_after = None
        with mounted(disk.image, disk.point):
            async with owning(loaded) as owner:
                assert (await owner.reaches(job_id, Stage.TRANSCRIBED, Stage.DEAD)).stage is Stage.TRANSCRIBED
                assert server.asked[-1].headers["range"] >= "bytes=1"
    assert disk.nothing_was_written_below()


async def test_a_tracked_volume_that_is_away_is_named_and_its_roots_keep_their_sizes(
    disk: Disk, watchful: Configure
) -> None:
    loaded = watchful(
        paths__storage_dir=str(disk.storage), transcription__engine="endless", transcription__shutdown_grace="0"
    )
    async with serving(Content(SPEECH)) as server, owning(loaded) as owner:
        await owner.order("volumes.track", fingerprint=str(disk.point), name="Archive")
        (job_id,) = await owner.add(server.url("/talk.opus"), entity="Harbor")
        await owner.reaches(job_id, Stage.TRANSCRIBING)
        await owner.core.refresher.refresh()
        before = await videos_as_stored(owner)
        unmount(disk.point)
        await away(owner)
        await until(lambda: "the volume Archive of" in owner.core.ground.away())
        await owner.core.refresher.refresh()
        sizes, error = await videos_as_stored(owner)
        assert sizes == before[0]
        assert "its volume Archive is away" in error
        with mounted(ext4_image(disk.image.with_name("other"), 16), disk.point):
            disk.videos.mkdir()
            (disk.videos / "another.mp4").write_bytes(SPEECH)
            await owner.core.volumes.refresh()
            await owner.core.refresher.refresh()
            assert (await videos_as_stored(owner))[0] == before[0]
            assert owner.core.ground.away() != ""
        with mounted(disk.image, disk.point):
            await owner.core.volumes.refresh()
            await until(lambda: owner.core.ground.away() == "")
            await owner.core.refresher.refresh()
            assert await videos_as_stored(owner) == before
    assert disk.nothing_was_written_below()
