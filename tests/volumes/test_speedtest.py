"""What decides about a speed test: whether it may be done, that one runs, what is made of its times; on a real disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.clock import SystemClock
from pulsetui.errors import PulseError, RefusedError, SpaceError, UsageError, VolumeAwayError, VolumeNotFoundError
from pulsetui.volumes.judgement import Standing, judge
from pulsetui.volumes.measuring import BLOCK_BYTES, FOLDER
from pulsetui.volumes.records import Detected, Probe, Record
from pulsetui.volumes.speed_rules import in_words, size_for, speed_of
from pulsetui.volumes.speedtest import SpeedTests, Surroundings
from pulsetui.volumes.views import SpeedTestView, SpeedView
from tests.living import children
from tests.until import until
from tests.volumes import mounts
from tests.volumes.hanging import hanging

MB = 1 << 20
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FINGERPRINT = "ab12" * 8
HUNDRED_GB = 100 * 10**9


def mounted_at(point: Path, *, read_only: bool = False, available_bytes: int = HUNDRED_GB, **probe: object) -> Detected:
    device = point.stat().st_dev if point.exists() else 1
    seen = Probe(device=device, total_bytes=2 * HUNDRED_GB, available_bytes=available_bytes)
    return Detected(
        fingerprint=FINGERPRINT,
        kind="disk",
        identity="UUID 1",
        fs_type="ext4",
        device="/dev/sdb1",
        device_number="8:17",
        mount_points=(point,),
        root=b"/",
        is_read_only=read_only,
        is_removable=False,
        is_network=False,
        warnings=(),
        probe=replace(seen, **probe),  # type: ignore[arg-type]
    )


def record_of(point: Path, *, marker: str = "", **changed: object) -> Record:
    known = Record(
        id=1,
        uuid="u",
        library="main",
        fingerprint=FINGERPRINT,
        kind="disk",
        identity="UUID 1",
        marker=marker,
        display_name="Big",
        fs_type="ext4",
        device="/dev/sdb1",
        mount_point=point,
        tracked_at=NOW,
        last_seen_at=NOW,
        is_online=True,
        quarantine="",
        total_bytes=2 * HUNDRED_GB,
        available_bytes=HUNDRED_GB,
        speed=None,
    )
    return replace(known, **changed)  # type: ignore[arg-type]


class Volumes:
    """Volumes as a monitor has them; keeps what it is told."""

    def __init__(self, detected: Sequence[Detected], records: Sequence[Record]) -> None:
        self.detected, self.records = detected, records
        self.looks = 0
        self.kept: list[tuple[str, SpeedView]] = []
        self.shown: list[SpeedTestView | None] = []
        self.on_testing: Callable[[SpeedTestView], None] = lambda _: None

    @property
    def standings(self) -> tuple[Standing, ...]:
        assert self.looks, "nobody looked"
        return judge(self.detected, self.records)

    async def refresh(self) -> None:
        self.looks += 1

    async def record_speed(self, fingerprint: str, speed: SpeedView) -> None:
        self.kept.append((fingerprint, speed))

    def set_testing(self, testing: SpeedTestView | None) -> None:
        self.shown.append(testing)
        if testing is not None:
            self.on_testing(testing)


class Room:
    """Gives room, and knows how much is held."""

    def __init__(self, room_bytes: int = 2**60) -> None:
        self.room_bytes = room_bytes
        self.held: list[tuple[Path, int]] = []
        self.most_held = 0

    @asynccontextmanager
    async def hold(self, path: Path, size_bytes: int) -> AsyncIterator[None]:
        if size_bytes > self.room_bytes:
            raise RefusedError("would pass the hard limit")
        self.held.append((path, size_bytes))
        self.most_held = max(self.most_held, len(self.held))
        try:
            yield
        finally:
            self.held.remove((path, size_bytes))


def speed_tests(volumes: Volumes, room: Room, running: Callable[[], dict[str, int]] = dict) -> SpeedTests:
    surroundings = Surroundings(hold=room.hold, running=running, folders=lambda _: ())
    return SpeedTests(monitor=volumes, clock=SystemClock(), surroundings=surroundings, size_bytes=2 * MB)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ext4 file system of its own, on a loop device."""
    if mounts.obstacle():
        pytest.skip(f"no loop mounts here: {mounts.obstacle()}")
    folder = tmp_path_factory.mktemp("speed")
    with mounts.mounted(mounts.ext4_image(folder / "image", 32), folder / "disk") as point:
        yield point


@pytest.fixture
def volumes(disk: Path) -> Volumes:
    """One tracked volume: the disk."""
    return Volumes([mounted_at(disk)], [record_of(disk)])


async def test_its_speeds_are_kept_and_all_is_let_go(volumes: Volumes, room: Room, disk: Path) -> None:
    tests = speed_tests(volumes, room)
    record, speed = await tests.test("ab12")
    assert record == volumes.records[0]
    assert volumes.kept == [(FINGERPRINT, speed)]
    assert (speed.size_bytes, speed.beside) == (2 * MB, "")
    assert min(speed.read_bps, speed.write_bps) > 0
    assert (room.held, room.most_held, tests.view, volumes.looks) == ([], 1, None, 1)
    assert not (disk / FOLDER).exists()


async def test_how_far_it_is_can_be_seen(volumes: Volumes, room: Room) -> None:
    await speed_tests(volumes, room).test(FINGERPRINT)
    told = [test for test in volumes.shown if test is not None]
    assert volumes.shown[-1] is None
    assert {test.fingerprint for test in told} == {FINGERPRINT}
    steps = list(dict.fromkeys(test.step for test in told))
    assert steps[0] == "about to begin"
    assert steps[1:3] == ["writing, round 1 of 3", "reading, round 1 of 3"]
    assert steps[-1] == "reading, round 3 of 3"
    assert [test.progress for test in told] == sorted(test.progress for test in told)


async def test_what_else_of_ours_ran_is_kept_with_it_at_its_most(volumes: Volumes, room: Room) -> None:
    counts = iter([{"download": 2, "transcription": 1}, {"download": 1, "transcription": 1}])
    last = {"download": 0, "transcription": 0}
    _, speed = await speed_tests(volumes, room, lambda: next(counts, last)).test(FINGERPRINT)
    assert speed.beside == "2 downloads, 1 transcription"


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"detected": []}, VolumeAwayError, "Big is away: not mounted"),
        ({"records": []}, RefusedError, "is not tracked"),
        ({"marker": "other"}, RefusedError, "Big is in quarantine"),
        ({"read_only": True}, RefusedError, "Big is read-only"),
        ({"is_hanging": True}, VolumeAwayError, "doesn't answer"),
    ],
)
async def test_it_is_refused_where_it_would_be_wrong(
    disk: Path, room: Room, changed: dict[str, object], kind: type[PulseError], message: str
) -> None:
    marker = "a marker" if "marker" in changed else ""
    hanging = {"is_hanging": True} if "is_hanging" in changed else {}
    found = mounted_at(disk, read_only="read_only" in changed, marker=str(changed.get("marker", "")), **hanging)
    volumes = Volumes([found], [record_of(disk, marker=marker)])
    volumes.detected = [] if "detected" in changed else volumes.detected
    volumes.records = [] if "records" in changed else volumes.records
    with pytest.raises(kind, match=message) as error:
        await speed_tests(volumes, room).test(FINGERPRINT)
    assert error.value.exit_code == 6
    assert error.value.hint
    assert (room.most_held, volumes.kept) == (0, [])


async def test_without_room_in_the_budget_it_is_refused(volumes: Volumes) -> None:
    with pytest.raises(RefusedError, match="hard limit"):
        await speed_tests(volumes, Room(MB)).test(FINGERPRINT)
    assert (volumes.kept, volumes.shown[-1]) == ([], None)


async def test_what_is_unknown_or_ambiguous_is_told_apart(volumes: Volumes, room: Room, disk: Path) -> None:
    with pytest.raises(VolumeNotFoundError):
        await speed_tests(volumes, room).test("ffff")
    volumes.detected = [*volumes.detected, replace(mounted_at(disk), fingerprint="ab12" + "c" * 28)]
    with pytest.raises(UsageError, match="beginning of"):
        await speed_tests(volumes, room).test("ab12")


async def test_a_mount_point_names_a_volume_too(volumes: Volumes, room: Room, disk: Path) -> None:
    record, _ = await speed_tests(volumes, room).test(str(disk))
    assert record.fingerprint == FINGERPRINT


def test_more_than_a_hundredth_of_what_is_free_is_refused() -> None:
    found = mounted_at(Path("/none"), available_bytes=1000 * MB)
    assert size_for(found, "Big", 10 * MB, 2 * MB) == 10 * MB
    with pytest.raises(RefusedError, match="a hundredth") as error:
        size_for(found, "Big", 10 * MB + 1, 2 * MB)
    assert error.value.hint


def test_the_usual_size_gives_way_to_small_disks_and_is_whole_blocks() -> None:
    found = mounted_at(Path("/none"), available_bytes=1000 * MB + 50_000)
    assert size_for(found, "Big", None, 256 * MB) == 10 * MB
    assert size_for(found, "Big", None, 5 * MB + 3) == 5 * MB
    tiny = mounted_at(Path("/none"), available_bytes=99 * BLOCK_BYTES)
    with pytest.raises(RefusedError, match="too little"):
        size_for(tiny, "Big", None, 256 * MB)


def test_speeds_are_those_of_the_middle_round() -> None:
    taken = {"write_s": [9.0, 2.0, 1.0], "read_s": [0.1, 0.4, 0.5], "method": "dropped-cache"}
    speed = speed_of(taken, 8 * MB, beside="", now=NOW)
    assert (speed.write_bps, speed.read_bps, speed.method, speed.tested_at) == (4 * MB, 20 * MB, "dropped-cache", NOW)


def test_what_runs_is_told_in_words() -> None:
    assert in_words({"download": 1, "transcription": 2, "storage refresh": 0}) == "1 download, 2 transcriptions"
    assert in_words({}) == ""


@pytest.mark.usefixtures("slow")
async def test_only_one_runs_at_a_time(volumes: Volumes, room: Room) -> None:
    tests = speed_tests(volumes, room)
    first = asyncio.create_task(tests.test(FINGERPRINT))
    await until(lambda: tests.view is not None)
    with pytest.raises(RefusedError, match="runs already"):
        await tests.test(FINGERPRINT)
    assert await tests.stop()
    with pytest.raises(PulseError, match="was stopped"):
        await first
    await tests.test(FINGERPRINT, MB)
    assert room.most_held == 1


@pytest.mark.usefixtures("slow")
async def test_a_stopped_test_leaves_neither_file_nor_process_nor_room(
    volumes: Volumes, room: Room, disk: Path
) -> None:
    tests = speed_tests(volumes, room)
    running = asyncio.create_task(tests.test(FINGERPRINT))
    await until(lambda: tests.view is not None and tests.view.step.startswith("writing"))
    assert await tests.stop()
    assert (tests.view, room.held, children(), (disk / FOLDER).exists()) == (None, [], [], False)
    with pytest.raises(PulseError, match="was stopped"):
        await running
    assert volumes.kept == []
    assert not await tests.stop()


@pytest.mark.usefixtures("slow")
async def test_only_the_test_of_the_named_order_is_stopped(volumes: Volumes, room: Room) -> None:
    tests = speed_tests(volumes, room)
    running = asyncio.create_task(tests.test(FINGERPRINT, order="mine"))
    await until(lambda: tests.view is not None)
    assert not await tests.stop("another")
    assert tests.view is not None
    assert await tests.stop("mine")
    with pytest.raises(PulseError, match="was stopped"):
        await running
    with pytest.raises(PulseError, match="was stopped"):  # its stop came before it did
        await tests.test(FINGERPRINT, order="another")


@pytest.mark.usefixtures("slow")
async def test_an_owner_that_ends_stops_it_and_begins_no_other(volumes: Volumes, room: Room) -> None:
    tests = speed_tests(volumes, room)
    running = asyncio.create_task(tests.test(FINGERPRINT))
    await until(lambda: tests.view is not None)
    await tests.close()
    assert running.done() or tests.view is None
    with pytest.raises(PulseError, match="was stopped"):
        await running
    with pytest.raises(RefusedError, match="pulsetui stops"):
        await tests.test(FINGERPRINT)


@mounts.may_mount
async def test_nobody_waits_for_a_test_on_a_volume_that_begins_to_hang(room: Room, tmp_path: Path) -> None:
    with hanging(tmp_path / "hang") as server:
        one = mounted_at(tmp_path / "none")
        one = replace(one, mount_points=(tmp_path / "hang",))
        tests = speed_tests(Volumes([one], [record_of(tmp_path / "hang")]), room)
        running = asyncio.create_task(tests.test(FINGERPRINT))
        await asyncio.to_thread(server.wait_for_request)
        assert await tests.stop()
        with pytest.raises(VolumeAwayError, match="holds its process up"):
            await running
        assert (tests.view, room.held) == (None, [])
        server.kill()
    await until(lambda: children() == [])


@pytest.mark.usefixtures("slow")
async def test_a_cancelled_caller_ends_it(volumes: Volumes, room: Room) -> None:
    tests = speed_tests(volumes, room)
    running = asyncio.create_task(tests.test(FINGERPRINT))
    await until(lambda: tests.view is not None and tests.view.step.startswith("writing"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (tests.view, room.held, children()) == (None, [], [])


async def test_a_disk_that_fills_up_meanwhile_is_told_as_such(volumes: Volumes, room: Room) -> None:
    with pytest.raises(SpaceError, match="no space left"):
        await speed_tests(volumes, room).test(FINGERPRINT, 64 * MB)
    assert room.held == []


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of a test takes its time, so that it is in the middle when a test of ours looks."""
    monkeypatch.setenv(faults.ENVIRONMENT, "files.written@*=delay:0.03")
