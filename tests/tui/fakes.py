"""A `Source` with fixed values, and a runner for looking at the screens while they are made.

`python -m tests.tui.fakes [--busy|--empty|--closed|--hostile]` opens the TUI on it; nothing of this is in the package.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pulsetui.errors import NotFoundError, PulseError
from pulsetui.pipeline.views import (
    DiskView,
    DoneView,
    EventView,
    GateView,
    JobDetails,
    JobsPage,
    JobView,
    OwnerView,
    PulseView,
    QueuedView,
    TaskView,
)
from pulsetui.storage.views import HistoryPoint, StorageView
from pulsetui.volumes.views import VolumesView
from tests.tui.storage_fakes import TIMES, FakeStorage
from tests.tui.volume_fakes import FakeVolumes

NOW = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)
GB = 10**9
MB = 10**6

HOSTILE = "\x1b[31mred\x1b[0m [bold red]markup[/] \u202egnp.exe\r\n\x07 日本語 \U0001f600 \udcff [@click=app.quit]x[/]"


class FixedClock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def ago(seconds: float) -> datetime:
    """Return the time that many seconds before `NOW`."""
    return NOW - timedelta(seconds=seconds)


OWNER = OwnerView(4242, "operator", "box", "tui", "0.1.0", ago(273_600), ago(3))

GATE = GateView(
    is_open=True,
    reason="",
    since=ago(3_900),
    operator_paused=False,
    usage_bytes=211_800 * MB,
    reserved_bytes=12 * GB,
    committed_bytes=221 * GB,
    resume_bytes=200 * GB,
    pause_bytes=230 * GB,
    hard_limit_bytes=250 * GB,
)
CLOSED = replace(
    GATE,
    is_open=False,
    reason="committed 232 GB ≥ 230 GB (videos 214.8, in flight 9.2)",
    since=ago(252),
    usage_bytes=222_800 * MB,
    committed_bytes=232_100 * MB,
)


def _download(job_id: int, name: str, done: float, total: float | None, rate: float | None, worker: int) -> TaskView:
    left = (total - done) / rate if total and rate else None
    phase = "downloading" if rate else "connecting"
    return TaskView(
        job_id, "download", name, phase, done, total, rate, 130.0 + worker, left, f"dl-{worker}", "operator"
    )


def _transcription(job_id: int, name: str, done: float, total: float, rate: float, worker: int) -> TaskView:
    left = (total - done) / rate
    return TaskView(
        job_id, "transcription", name, "transcribing", done, total, rate, done / rate, left, f"tr-{worker}", "operator"
    )


TASKS = (
    _download(1012, "Harbor / Part 12", 487 * MB, 774 * MB, 9.41 * MB, 1),
    _download(1013, "Harbor / Part 13", 62 * MB, 512 * MB, 8.02 * MB, 2),
    _download(
        1014, "Northern / Season two / The long winter, extended cut with commentary", 1.9 * GB, 2.1 * GB, 11e6, 3
    ),
    _download(1015, "Glass Coast / Ep 8", 240 * MB, None, 3.3 * MB, 4),
    _download(1016, "日本語のエピソード / 第十二回 港の朝", 0, None, None, 5),
    _transcription(1003, "Northern / Ep 3", 508, 1440, 2.08, 1),
    _transcription(1004, "Northern / Ep 4", 1290, 1440, 1.86, 2),
)
QUEUED = tuple(
    QueuedView(
        1020 + index,
        f"{('Harbor', 'Northern', 'Glass Coast')[index % 3]} / Part {index + 14}",
        index + 1,
        "queued",
    )
    for index in range(10)
)
DONE = (
    DoneView(1011, "Harbor / Part 11", "transcribed", ago(40), 487 * MB, ""),
    DoneView(1010, "Harbor / Part 10", "transcribed", ago(320), 512 * MB, ""),
    DoneView(1007, "Glass Coast / Ep 7", "held", ago(610), 0, "4m 10s of speech without text at 12:40"),
    DoneView(1009, "Harbor / Part 9", "transcribed", ago(900), 498 * MB, ""),
    DoneView(1006, "Glass Coast / Ep 6", "dead", ago(7_300), 0, "media.example answered 404 Not Found"),
    DoneView(1002, "Northern / Ep 2", "cancelled", ago(9_100), 0, ""),
    DoneView(1001, "Northern / Ep 1", "transcribed", ago(90_000), 1_205 * MB, ""),
)
STAGES = (
    ("queued", 1204),
    ("downloading", 5),
    ("downloaded", 3),
    ("transcribing", 2),
    ("transcribed", 820),
    ("held", 1),
    ("dead", 2),
    ("cancelled", 4),
)
USAGE = (
    ("videos", 209_300 * MB),
    ("audio", 1_210 * MB),
    ("transcripts", 41 * MB),
    ("cache", 0),
    ("database", 187 * MB),
    ("other", 62 * MB),
)
DISKS = (
    DiskView("/mnt/hdd", 320 * GB, 262 * GB, 58 * GB, 81.9, "warning", 11_400),
    DiskView("/home/operator/.local/share/pulsetui", 98 * GB, 31 * GB, 67 * GB, 31.6, "ok"),
)

_TEXTS = (
    (12, "job", "info", "job.transcribed", "Harbor / Part 11 transcribed, 487 MB freed", "Harbor", 1011),
    (
        31,
        "job",
        "info",
        "job.downloading",
        "Harbor / Part 12 downloads from media.example, 774 MB",
        "Harbor",
        1012,
    ),
    (64, "disk", "info", "gate.opened", "gate opened: committed 199 GB ≤ 200 GB", None, None),
    (
        250,
        "job",
        "warning",
        "job.held",
        "Glass Coast / Ep 7 held: 4m 10s of speech without text at 12:40",
        "Glass Coast",
        1007,
    ),
    (1330, "job", "warning", "job.attempt_failed", "http 503 from media.example, 3rd try in 2m", "Glass Coast", 1015),
    (1341, "job", "warning", "job.attempt_failed", "http 503 from media.example, 3rd try in 2m", "Glass Coast", 1015),
    (1399, "job", "warning", "job.attempt_failed", "http 503 from media.example, 3rd try in 2m", "Glass Coast", 1015),
    (1440, "job", "warning", "job.attempt_failed", "http 503 from media.example, 3rd try in 2m", "Glass Coast", 1015),
    (
        4_000,
        "disk",
        "warning",
        "gate.closed",
        "paused: committed 232.1 GB ≥ 230 GB (videos 214.8, in flight 9.2)",
        None,
        None,
    ),
    (
        7_300,
        "job",
        "error",
        "job.dead",
        "Glass Coast / Ep 6 is dead: media.example answered 404 Not Found",
        "Glass Coast",
        1006,
    ),
    (9_100, "job", "info", "job.cancelled", "Northern / Ep 2 cancelled by operator", "Northern", 1002),
    (90_000, "job", "info", "job.transcribed", "Northern / Ep 1 transcribed, 1.21 GB freed", "Northern", 1001),
    (
        172_900,
        "system",
        "info",
        "system.recovered",
        "pulsetui 0.1.0 started: 2 leases of another instance ended",
        None,
        None,
    ),
)


def event(
    number: int, seconds: float, category: str, severity: str, kind: str, text: str, entity: str | None, job: int | None
) -> EventView:
    named = re.match(r".* / (Part|Ep) \d+", text)
    return EventView(number, ago(seconds), category, severity, kind, text, entity, job, named[0] if named else "")


EVENTS = tuple(event(9_000 - index, *values) for index, values in enumerate(_TEXTS)) + tuple(
    event(
        8_900 - index,
        180_000 + 60 * index,
        "job",
        "info",
        "job.queued",
        f"Harbor / Part {900 - index} queued",
        "Harbor",
        900 - index,
    )
    for index in range(37)
)

PULSE = PulseView(
    at=NOW,
    data_dir="/data/pulse",
    owner=OWNER,
    attached=False,
    gate=GATE,
    usage=USAGE,
    tasks=TASKS,
    queued=QUEUED,
    done=DONE,
    stages=STAGES,
    disks=DISKS,
    events=EVENTS,
    eta_s=273_600.0,
)
EMPTY = replace(
    PULSE,
    tasks=(),
    queued=(),
    done=(),
    stages=tuple((name, 0) for name, _ in STAGES),
    events=(),
    eta_s=None,
    gate=replace(GATE, usage_bytes=3 * MB, reserved_bytes=0, committed_bytes=3 * MB),
    usage=tuple((kind, 3 * MB if kind == "database" else 0) for kind, _ in USAGE),
)


def job(number: int, stage: str, **changes: object) -> JobView:
    """Return one job; `changes` are fields."""
    project = ("Harbor", "Northern", "Glass Coast")[number % 3]
    values: dict[str, object] = {
        "id": number,
        "uuid": f"0192f0c1-7a00-7000-8000-{number:012d}",
        "kind": "episode",
        "title": f"Part {number}",
        "source_url": f"https://media.example/{project.lower().replace(' ', '-')}/{number}.mp4",
        "entity": project,
        "stage": stage,
        "priority": 0,
        "attempts": 0 if stage == "queued" else 1,
        "progress": 0.63 if stage == "downloading" else 0.35 if stage == "transcribing" else None,
        "queue_position": None,
        "elapsed_s": 130.0 if stage.endswith("ing") else None,
        "worker": "dl-1" if stage == "downloading" else "tr-1" if stage == "transcribing" else None,
        "submitted_by": "operator",
        "submitted_at": ago(3_600 * (number % 50) + 75),
        "video_path": None if stage == "queued" else f"/mnt/hdd/videos/{project}/{number}.mp4",
        "video_size_bytes": None if stage in ("queued", "cancelled") else (480 + number % 40) * MB,
        "video_deleted": stage == "transcribed",
        "audio_size_bytes": 46 * MB if stage in ("transcribing", "transcribed") else None,
        "audio_deleted": stage == "transcribed",
        "transcript_path": f"/data/pulse/transcripts/{project}/{number}.json" if stage == "transcribed" else None,
        "transcript_size_bytes": 51_200 if stage == "transcribed" else None,
        "error_class": None,
        "error": None,
        "next_attempt_at": None,
    }
    return JobView(**{**values, **changes})  # type: ignore[arg-type]


def make_jobs(queued: int = 1204) -> tuple[JobView, ...]:
    """Return jobs of every stage in the order of the queue."""
    running = [
        *(job(1012 + index, "downloading", progress=0.63 - index / 10) for index in range(5)),
        *(job(1003 + index, "transcribing", progress=0.35 + index / 2) for index in range(2)),
    ]
    aside = [
        job(
            1007,
            "held",
            error="4m 10s of speech without text at 12:40, coverage 0.61 < 0.7",
            error_class="permanent",
            attempts=1,
        ),
        job(1006, "dead", error="media.example answered 404 Not Found", error_class="permanent", attempts=1),
        job(1005, "dead", error="WorkerLost: killed by signal 9 three times", error_class="poison", attempts=3),
        job(1002, "cancelled"),
    ]
    waiting = [job(1020 + index, "queued", queue_position=index + 1) for index in range(queued)]
    waiting[3] = replace(
        waiting[3], attempts=2, next_attempt_at=NOW + timedelta(seconds=131), error="http 503 from media.example"
    )
    done = [job(900 - index, "transcribed") for index in range(820)]
    return (*running, *(job(1017 + index, "downloaded") for index in range(3)), *aside, *waiting, *done)


TRANSCRIPT = "\n".join(
    [
        "The harbour was quiet that morning, and the first boats had not come in yet.",
        "She counted the lamps along the pier, twelve in all, as her father had taught her.",
        "Nobody had told them that the ferry would be late, nor that it would carry only one passenger.",
    ]
    * 4
)


@dataclass
class FakeSource:
    """Answers from fixed values; a test changes them, sets `error`, and calls `changed`."""

    view: PulseView = PULSE
    all_jobs: tuple[JobView, ...] = field(default_factory=make_jobs)
    older: tuple[EventView, ...] = ()
    storage_fake: FakeStorage = field(default_factory=FakeStorage)
    volumes_fake: FakeVolumes = field(default_factory=FakeVolumes)
    error: PulseError | None = None
    orders: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    asked: list[dict[str, object]] = field(default_factory=list)
    _changes: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    def changed(self) -> None:
        self._changes.put_nowait(None)

    def _read(self, what: str) -> None:
        self.reads.append(what)
        if self.error is not None:
            raise self.error

    async def pulse(self) -> PulseView:
        self._read("pulse")
        return self.view

    async def jobs(self, *, stage: str | None, text: str | None, offset: int, limit: int, sort: str) -> JobsPage:
        self._read("jobs")
        self.asked.append({"stage": stage, "text": text, "offset": offset, "limit": limit, "sort": sort})
        found = [
            one
            for one in self.all_jobs
            if (stage is None or one.stage == stage)
            and (not text or text.lower() in f"{one.entity} / {one.title}".lower())
        ]
        if sort == "newest":
            found.sort(key=lambda one: -one.id)
        return JobsPage(tuple(found[offset : offset + limit]), len(found), offset)

    async def job(self, job_id: int) -> JobDetails:
        self._read("job")
        found = next((one for one in self.all_jobs if one.id == job_id), None)
        if found is None:
            raise NotFoundError(f"no job {job_id}")
        receipt = (
            ("verdict", "accepted"),
            ("coverage", "0.94 of 21m 40s of speech (at least 0.7)"),
            ("largest gap", "8s at 12:40 (at most 60s)"),
            ("repetition", "1.9 (at most 2.4)"),
        )
        done = found.stage == "transcribed"
        history = tuple(one for one in EVENTS if one.job_id == job_id)
        return JobDetails(found, history, receipt if done or found.stage == "held" else (), TRANSCRIPT if done else "")

    async def events(
        self, *, before: int | None, category: str | None, severity: str | None, text: str | None, limit: int
    ) -> Sequence[EventView]:
        self._read("events")
        self.asked.append({"before": before, "category": category, "severity": severity, "text": text})
        found = [
            one
            for one in (*self.view.events, *self.older)
            if (before is None or one.id < before)
            and (category is None or one.category == category)
            and (severity is None or one.severity in ("warning", "error", "critical"))
            and (not text or text.lower() in one.text.lower())
        ]
        return found[:limit]

    async def storage(
        self, key: str | None, *, depth: int = 2, growth_s: float = 3600.0, history_at: datetime | None = None
    ) -> StorageView:
        self._read("storage")
        return self.storage_fake.view(key, depth, growth_s, history_at)

    async def storage_find(self, text: str, limit: int) -> Sequence[StorageView]:
        self._read("storage_find")
        return self.storage_fake.find(text, limit)

    async def storage_times(self) -> Sequence[datetime]:
        self._read("storage_times")
        return TIMES

    async def storage_history(self, key: str) -> Sequence[HistoryPoint]:
        self._read("storage_history")
        return self.storage_fake.history(key)

    async def storage_jobs(self, key: str, limit: int) -> Sequence[JobView]:
        self._read("storage_jobs")
        return self.all_jobs[:limit] if key.partition(":")[0] in ("project", "character") else ()

    async def volumes(self) -> VolumesView:
        self._read("volumes")
        return self.volumes_fake.volumes()

    async def order(self, verb: str, arguments: Mapping[str, object]) -> str:
        self.orders.append((verb, dict(arguments)))
        if self.error is not None:
            raise self.error
        return f"{verb} done"

    async def add(self, given: str) -> str:
        return await self.order("jobs.add", {"episodes": [{"source": given}]})

    async def changes(self) -> AsyncIterator[None]:
        while True:
            await self._changes.get()
            yield


def hostile() -> FakeSource:
    """Return a source whose every text is hostile."""
    tasks = tuple(replace(task, name=HOSTILE, worker=HOSTILE, phase=HOSTILE, submitted_by=HOSTILE) for task in TASKS)
    view = replace(
        PULSE,
        data_dir=HOSTILE,
        owner=replace(OWNER, user=HOSTILE, host=HOSTILE),
        attached=True,
        gate=replace(CLOSED, reason=HOSTILE),
        tasks=tasks,
        queued=tuple(replace(one, name=HOSTILE) for one in QUEUED),
        done=tuple(replace(one, name=HOSTILE, error=HOSTILE) for one in DONE),
        disks=tuple(replace(one, path=HOSTILE) for one in DISKS),
        usage=tuple((HOSTILE, size) for _, size in USAGE),
        events=tuple(replace(one, text=HOSTILE, entity=HOSTILE, kind=HOSTILE) for one in EVENTS),
    )
    jobs = tuple(
        replace(
            one, title=HOSTILE, entity=HOSTILE, source_url=HOSTILE, error=HOSTILE, submitted_by=HOSTILE, stage=one.stage
        )
        for one in make_jobs(40)
    )
    return FakeSource(view, jobs)


def main() -> None:
    from pulsetui.tui.app import PulseApp

    kinds = {
        "--empty": FakeSource(EMPTY, ()),
        "--closed": FakeSource(replace(PULSE, gate=CLOSED)),
        "--hostile": hostile(),
    }
    source = next((kinds[word] for word in sys.argv[1:] if word in kinds), FakeSource())
    PulseApp(source, clock=FixedClock(), zone=UTC).run()


if __name__ == "__main__":
    main()
