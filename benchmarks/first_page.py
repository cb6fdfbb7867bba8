"""How long each read model takes, and how soon the first page shows, on a database as large as the job.

A database is filled by plain SQL in a scratch folder: 171,881 jobs in 400 projects, of which 70 % are done, and two
million events. Each read model is then asked through the owner's own source, five times, with a cold connection the
first time; and `pulsetui` is started on it in a terminal of 200×50, until the count of all jobs is on the screen.

    python benchmarks/first_page.py [--jobs N] [--events N] [--keep FOLDER]

The limits are 500 ms for a read model and 2 s for the first page. Prints a line each; nothing is asserted. `--keep`
keeps the folder, and uses what an earlier run left in it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import pty
import select
import signal
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

from pulsetui.clock import SystemClock, to_ms
from pulsetui.core.assembly import open_core
from pulsetui.core.source import CoreSource
from pulsetui.db import migrations
from pulsetui.db.database import DATABASE_NAME
from pulsetui.settings.load import load_settings
from pulsetui.tui.source import EVENT_FILTERS, SORTS, STAGES
from pulsetui.waiting import in_thread

JOBS = 171_881
EVENTS = 2_000_000
PROJECTS = 400
ROUNDS = 5
WINDOW_ROWS = 120
READ_LIMIT_MS = 500
FIRST_PAGE_LIMIT_S = 2.0
SIZE = (200, 50)
DEADLINE_S = 30.0
RARE = "zanzibar"
"""A word that one title and one event hold."""


async def main() -> None:
    """Fill, measure the read models, then the start."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--keep", type=Path, default=None)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulsetui-bench-") as made:
        folder = await in_thread(Path(wanted.keep or made).resolve)
        database = folder / DATABASE_NAME
        if not await in_thread(database.exists):
            began = time.perf_counter()
            await in_thread(fill, database, wanted.jobs, wanted.events)
            size_mb = (await in_thread(database.stat)).st_size / 1e6
            print(f"filled {database} in {time.perf_counter() - began:.0f} s, {size_mb:,.0f} MB")
        await reads(folder, wanted.jobs)
        for number in range(3):
            seconds = await in_thread(first_page, folder, f"{wanted.jobs * 7 // 10:,} done")
            tell(f"start to first page, {number + 1}", seconds * 1000, FIRST_PAGE_LIMIT_S * 1000)


# Filling


def fill(database: Path, jobs: int, events: int) -> None:
    """Write a database with so many rows. Blocks for a minute."""
    database.parent.mkdir(parents=True, exist_ok=True)
    migrations.prepare(database, clock=SystemClock())
    now_ms = to_ms(SystemClock().now())
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; BEGIN;")
        connection.execute("INSERT OR IGNORE INTO libraries VALUES (1, 'l1', 'main', ?)", (now_ms,))
        connection.executemany(
            "INSERT INTO entities VALUES (?, ?, 1, NULL, 'project', ?, ?, ?, ?, ?)",
            (
                (number, f"e{number}", f"Project {number}", f"P{number}", f"Project {number}", b"P%d" % number, now_ms)
                for number in range(1, PROJECTS + 1)
            ),
        )
        # Paused, so that nothing works on the queue while it is measured: these sources don't exist.
        connection.execute("INSERT INTO gate VALUES (1, 1, 'flowing', 'nothing committed yet', ?, 1, 0)", (now_ms,))
        columns, rows = job_rows(jobs, now_ms)
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO jobs ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608
        connection.executemany(
            "INSERT INTO events (at, kind, category, severity, keep, entity, job_id, text, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            event_rows(events, jobs, now_ms),
        )
        connection.execute("COMMIT")


def job_rows(jobs: int, now_ms: int) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]]]:
    """Return columns and rows: 70 % done, some of every other stage that may rest, the others queued."""
    columns = (
        *("id", "uuid", "kind", "title", "source_url", "source_host", "entity_id", "priority", "rank", "stage"),
        *("stage_since", "ready", "next_attempt_at", "attempts", "submitted_by", "submitted_through", "submitted_at"),
        *("video_path", "video_size_bytes", "video_allocated_bytes", "video_device", "video_inode", "video_mtime_ns"),
        *("video_deleted", "transcript_path", "transcript_size_bytes", "transcript_sha256", "receipt", "duration_s"),
        *("transcribe_seconds", "error_class", "error"),
    )
    done = jobs * 7 // 10
    receipt = (
        '{"accepted": true, "has_speech": true, "speech_s": 3000.0, "coverage": 0.97, "largest_gap_s": 4.0, '
        '"end_distance_s": 1.0, "compression_ratio": 1.8, "reasons": []}'
    )

    def rows() -> Iterator[tuple[object, ...]]:
        for number in range(1, jobs + 1):
            stage = "transcribed" if number <= done else "queued"
            if number > done and number % 50 == 0:
                stage = ("held", "dead", "cancelled")[number % 3]
            ended = stage != "queued"
            submitted = now_ms - (jobs - number) * 400 - 86_400_000
            waits = stage == "queued" and number % 97 == 0
            title = f"Part {number * 7919 % jobs}: the {('long', 'short', 'late')[number % 3]} winter of {number % 90}"
            media = stage == "transcribed"
            size = 300_000_000 + number * 104_729 % 400_000_000 if media else None
            bad = stage in ("held", "dead") or waits
            yield (
                number,
                f"{number:032x}",
                "episode",
                f"{title} {RARE}" if number == jobs // 3 else title,
                f"https://media{number % 12}.example/shows/{number % PROJECTS}/episode-{number}.mp4?token={number:x}",
                f"media{number % 12}.example",
                number % PROJECTS + 1,
                number % 5,
                submitted - number % 5 * 3_600_000,
                stage,
                submitted + 300_000,
                0 if waits else 1,
                now_ms + number * 1000 if waits else None,
                1 if ended or waits else 0,
                "operator",
                "cli",
                submitted,
                b"/data/storage/videos/P%d/%032x.mp4" % (number % PROJECTS, number) if media else None,
                *((size, size, 1, number, 1) if media else (None,) * 5),
                int(media),
                *(
                    (b"/data/transcripts/%032x.json" % number, 60_000, "0" * 64, receipt, 3600.0, 1700.0)
                    if media
                    else (None,) * 6
                ),
                "transient" if bad else None,
                f"media{number % 12}.example answered 503 Service Unavailable" if bad else None,
            )

    return columns, rows()


def event_rows(events: int, jobs: int, now_ms: int) -> Iterator[tuple[object, ...]]:
    """Return events in the mix that work makes: four of each job in turn, now and then a problem, seldom the gate."""
    kinds = (
        ("job.downloading", "job", "debug", 0, "downloading on dl-{n}, attempt 1"),
        ("job.downloaded", "job", "info", 0, "downloaded, {n}87 MB in 4m {n}s"),
        ("job.transcribed", "job", "info", 0, "transcribed in {n}m 4s, 97% of speech covered"),
        ("storage.freed", "storage", "info", 1, "video and audio deleted, {n}87 MB freed, 201 GB in use"),
    )
    for number in range(events):
        kind, category, severity, keep, text = kinds[number % 4]
        job_id: int | None = number // 12 % jobs + 1
        name = f"Project {number % PROJECTS} / Part {number // 12}"
        if number % 500 == 3:
            kind, category, severity, keep = "job.attempt_failed", "job", "warning", 0
            text = "http 503 from media.example (attempt 1, transient), next try in {n}m"
        elif number % 5_000 == 11:
            kind, category, severity, keep, job_id = "gate.closed", "disk", "warning", 0, None
            name, text = "paused", "committed 23{n} GB ≥ 230 GB"
        said = f"{name}: {text.format(n=number % 9 + 1)}" + (f" {RARE}" if number == events // 3 else "")
        at = now_ms - (events - number) * 250
        yield at, kind, category, severity, keep, f"Project {number % PROJECTS}", job_id, said, "{}"


# Measuring


async def reads(folder: Path, jobs: int) -> None:
    """Ask for each read model."""
    async with opened(folder) as source:
        await measure("pulse", source.pulse)
        for sort in SORTS:
            await measure(f"jobs by {sort}", page(source, sort=sort))
        for stage in STAGES:
            await measure(f"jobs {stage}", page(source, stage=stage))
        for stage, sort in (("queued", "title"), ("transcribed", "size"), ("transcribed", "newest")):
            await measure(f"jobs {stage} by {sort}", page(source, stage=stage, sort=sort))
        for sort in SORTS:
            await measure(f"jobs by {sort}, far down", page(source, sort=sort, offset=jobs * 9 // 10))
        for name, text in (("in most", "part"), ("in one", RARE), ("in none", "xyzzy"), ("in a URL", "episode-171")):
            for sort in SORTS:
                await measure(f"jobs with a text {name} by {sort}", page(source, text=text, sort=sort))
        await measure("job done", lambda: source.job(1))
        await measure("job queued", lambda: source.job(jobs))
        for kept in EVENT_FILTERS:
            await measure(f"events: {kept.label}", events(source, category=kept.category, severity=kept.severity))
            await measure(
                f"events: {kept.label}, far back",
                events(source, category=kept.category, severity=kept.severity, before=50_000),
            )
        for name, text in (("in most", "project"), ("in one", RARE), ("in none", "xyzzy")):
            await measure(f"events with a text {name}", events(source, text=text))
            await measure(f"problems with a text {name}", events(source, text=text, severity="warning"))


def page(
    source: CoreSource, *, sort: str = "queue", stage: str | None = None, text: str | None = None, offset: int = 0
) -> Callable[[], Awaitable[object]]:
    """Return the read of one page of jobs."""
    return lambda: source.jobs(stage=stage, text=text, offset=offset, limit=WINDOW_ROWS, sort=sort)


def events(
    source: CoreSource,
    *,
    category: str | None = None,
    severity: str | None = None,
    text: str | None = None,
    before: int | None = None,
) -> Callable[[], Awaitable[object]]:
    """Return the read of one page of events."""
    return lambda: source.events(before=before, category=category, severity=severity, text=text, limit=50)


async def measure(name: str, read: Callable[[], Awaitable[object]]) -> None:
    """Ask some times and print the first and the middle one."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await read()
        taken.append((time.perf_counter() - began) * 1000)
    tell(name, statistics.median(taken), READ_LIMIT_MS, f"first {taken[0]:7.1f} ms")


def tell(name: str, figure_ms: float, limit_ms: float, more: str = "") -> None:
    """Print one line, marked if it is over its limit."""
    print(f"{name:<44} {figure_ms:8.1f} ms  {more}{'   OVER' if figure_ms > limit_ms else ''}", flush=True)


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[CoreSource]:
    """Own the database without running anything on it."""
    flags = {"paths.data_dir": str(folder), "disk_management.free_space_floor": "1 MB"}
    loaded = load_settings(environment={"HOME": str(folder)}, flags=flags)
    async with open_core(loaded, front_end="benchmark") as core:
        yield CoreSource(core)


def first_page(folder: Path, shown: str) -> float:
    """Start `pulsetui` in a terminal and return the seconds until it shows a text."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": str(folder)}
    environment["PULSETUI_DISK_MANAGEMENT__FREE_SPACE_FLOOR"] = "1 MB"
    began = time.perf_counter()
    command = [str(Path(sys.executable).with_name("pulsetui")), "--data-dir", str(folder)]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        try:
            return wait_for(master, shown.encode(), began)
        finally:
            process.send_signal(signal.SIGTERM)
            drain(master)
            process.wait(DEADLINE_S)
            os.close(master)


def wait_for(descriptor: int, shown: bytes, began: float) -> float:
    """Read until a text comes by; return when."""
    seen = b""
    while time.perf_counter() - began < DEADLINE_S:
        if select.select([descriptor], [], [], 0.05)[0]:
            seen = (seen + os.read(descriptor, 1 << 16))[-(1 << 18) :]
            if shown in seen:
                return time.perf_counter() - began
    raise TimeoutError(f"{shown.decode()!r} never came: {seen[-2000:]!r}")


def drain(descriptor: int) -> None:
    """Read what comes until the other side closes, so that it never waits for us."""
    with contextlib.suppress(OSError):
        while select.select([descriptor], [], [], DEADLINE_S)[0] and os.read(descriptor, 1 << 16):
            pass


if __name__ == "__main__":
    asyncio.run(main())
