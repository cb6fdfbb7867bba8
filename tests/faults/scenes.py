"""The workloads in which fault points are reached: how a place is prepared, and what is done while its owner runs."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from tests.faults.episodes import BIG, FIRST, SECOND, Episode, Site
from tests.faults.place import Owner, Place

MIB = 1024 * 1024
NO_RENAMEAT2 = """
import ctypes, platform, struct
number = {"x86_64": 316, "aarch64": 276}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 48), (0x45, 0, 1, 1), (6, 0, 0, 0x50016)]
steps += [(6, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
"""
"""Has the kernel refuse RENAME_NOREPLACE with EINVAL, as it does on file systems that lack it: a filter by seccomp(2)
that looks at the number of the system call and at its flags (the fifth argument, byte 48 of struct seccomp_data)."""


@dataclass
class Scene:
    """A place, and what it can fetch."""

    place: Place
    site: Site
    queued: Path
    """A data directory in which `fetch_both` is queued, to be copied."""

    def expect(self, source: str, episode: Episode) -> None:
        """Say that a source is queued, or will be."""
        self.place.sources[source] = self.site.path(episode)


Do = Callable[[Scene], None]
Drive = Callable[[Scene, Owner], None]


def _nothing(_: Scene, __: Owner | None = None) -> None:
    return


@dataclass(frozen=True, eq=False)
class Workload:
    """One way to use pulsetui, the same at every start on a place."""

    name: str
    prepare: Do
    before: Do = _nothing
    """What happens before each start that is to be killed."""
    drive: Drive = _nothing
    """What is done while an owner runs; returns early if that dies."""
    end: Drive = _nothing
    """What is done after that in a start that is to be killed while it ends."""
    environment: Mapping[str, str] = field(default_factory=dict)


def expect_both(scene: Scene) -> None:
    """Two episodes of two entities, one from an address and one from a host name."""
    scene.expect(scene.site.url(FIRST), FIRST)
    scene.expect(scene.site.url(SECOND, host="localhost"), SECOND)


def fetch_both(scene: Scene) -> None:
    """Have both queued already."""
    scene.place.copy_from(scene.queued)
    expect_both(scene)


def expect_one(scene: Scene) -> None:
    """One episode."""
    scene.expect(scene.site.url(FIRST), FIRST)


def order_all(scene: Scene, owner: Owner) -> None:
    """Queue every source in an order of its own, as often as it takes: one that was run before a kill adds nothing."""
    entities = {scene.site.path(episode): episode.entity for episode in (FIRST, SECOND, BIG)}
    for source, path in scene.place.sources.items():
        answer = owner.give("jobs.add", episodes=[{"source": source, "entity": entities.get(path, BIG.entity)}])
        assert answer is None or "outcome" in answer, answer
    owner.give("pipeline.resume")


def _local_files(scene: Scene) -> None:
    scene.expect(str(scene.site.path(FIRST)), FIRST)
    scene.place.sources[scene.site.path(BIG).as_uri()] = scene.site.path(BIG)


def _one_that_changes(scene: Scene) -> None:
    own = scene.site.folder / f"{scene.place.root.name}.mkv"
    shutil.copy(scene.site.path(BIG), own)
    scene.place.sources[f"http://127.0.0.1:{scene.site.port}/{own.name}"] = own


def _interrupt(scene: Scene) -> None:
    """Leave a partial file of some MiB."""
    videos = scene.place.videos
    with scene.place.owner("files.written@*=delay:0.05") as owner:
        order_all(scene, owner)
        owner.until(
            lambda: any(path.stat().st_size >= 3 * MIB for path in videos.rglob("*.partial")), "3 MiB are there"
        )
        owner.kill()
    assert len(list(videos.rglob("*.partial"))) == 1


def _interrupt_and_change(scene: Scene) -> None:
    """Leave a partial file of a version that isn't served any more."""
    _interrupt(scene)
    for path in scene.place.sources.values():
        path.touch()


def _interrupted_once(scene: Scene) -> None:
    _one_that_changes(scene)
    _interrupt(scene)


def _ended_uncleanly(scene: Scene) -> None:
    fetch_both(scene)
    with scene.place.owner("storage.walk=kill") as owner:
        owner.code()


def _open_to_all(scene: Scene) -> None:
    data_dir = scene.place.data_dir
    folders = [data_dir / "audio", data_dir / "transcripts"]
    for folder in folders:
        (folder / ".pulsetui-0.tmp").touch()  # as a kill leaves it: recovery takes it away
    for path in (data_dir, *folders, *data_dir.glob("pulse.db*")):
        path.chmod(0o755)


def _first_version(scene: Scene) -> None:
    """Make a database of the first version, as an old pulsetui left it."""
    expect_both(scene)
    scene.place.data_dir.mkdir(mode=0o700)
    schema = resources.files("pulsetui.db").joinpath("migrations", "0001_initial.sql").read_text()
    with closing(sqlite3.connect(scene.place.data_dir / "pulse.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(f"BEGIN; {schema} PRAGMA user_version = 1; COMMIT;")


def _without_renameat2(scene: Scene) -> None:
    expect_both(scene)
    scene.place.preamble = NO_RENAMEAT2


def _stop_in_the_middle(_: Scene, owner: Owner) -> None:
    def transcribes() -> bool:
        live = owner.live()
        return live is not None and any(task["kind"] == "transcription" for task in live["workers"]["running"])

    if owner.until_or_dead(transcribes, "a transcription begins"):
        owner.terminate()


def _stop_when_ready(_: Scene, owner: Owner) -> None:
    if owner.until_or_dead(lambda: bool(owner.messages()), "the owner is ready"):
        owner.terminate()


FETCH = Workload("two episodes over HTTP", fetch_both)
ALONE = Workload("one episode", expect_one, drive=order_all)
EMPTY = Workload("an empty folder, and orders", expect_both, drive=order_all)
LOCAL = Workload("local files", _local_files, drive=order_all)
RESUME = Workload("a download that goes on", _interrupted_once, drive=order_all)
CHANGED = Workload("a source that changed", _one_that_changes, before=_interrupt_and_change, drive=order_all)
UNCLEAN = Workload("after an unclean end", _ended_uncleanly)
OPEN = Workload("files that others may read", fetch_both, before=_open_to_all)
OLD = Workload("a database of the first version", _first_version, drive=order_all)
LINKS = Workload("an empty folder where nothing can be renamed without replacing", _without_renameat2, drive=order_all)
STOPPED = Workload("a stop in the middle", fetch_both, end=_stop_in_the_middle)
SYSTEMD = Workload(
    "under systemd", fetch_both, end=_stop_when_ready, environment={"NOTIFY_SOCKET": "@pulsetui-tests-nobody-listens"}
)
