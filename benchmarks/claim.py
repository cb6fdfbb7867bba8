"""What a claim costs, with ten thousand jobs in the queue and with a million: it must cost the same.

    python benchmarks/claim.py [--small 10000] [--large 1000000] [--rounds 300] [--folder FOLDER]

Two databases are filled by plain SQL: 90 % of the jobs queued, 5 % downloaded, 5 % waiting for their next attempt, with
priorities of 0 to 9. Then jobs are claimed from both in turn, in one run on one machine: the head of the queue as the
services read it, one step of the state machine, the write, the commit with its fsync. `--large 10000000` takes some ten
minutes to fill, and 9 GB.

Columns: milliseconds of a claim at the median and at the 99th percentile, and of that what is SQL, without the commit.
The ratio is large over small, at the median. Timings are reported, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pulsetui.clock import SystemClock, to_ms
from pulsetui.db.database import DATABASE_NAME, Database, Transaction
from pulsetui.pipeline import states, store
from pulsetui.pipeline.backoff import Backoff
from pulsetui.pipeline.downloader.service import HEAD_OF_QUEUE as QUEUED_LOOKED_AT
from pulsetui.pipeline.jobs import Lease, Stage
from pulsetui.pipeline.transcriber.service import HEAD_OF_QUEUE as DOWNLOADED_LOOKED_AT

POLICY = states.Policy(8, 3, Backoff(5, 1800, 21_600), delete_video=True, delete_audio=True)
LOOKED_AT = {Stage.QUEUED: QUEUED_LOOKED_AT, Stage.DOWNLOADED: DOWNLOADED_LOOKED_AT}
BATCH = 250_000
FILL = """
INSERT INTO jobs (uuid, kind, title, source_url, source_host, priority, rank, stage, stage_since, ready,
    next_attempt_at, submitted_by, submitted_through, submitted_at, video_path, video_size_bytes,
    video_allocated_bytes, video_device, video_inode, video_mtime_ns, duration_s)
WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)
SELECT printf('%08x-0000-4000-8000-%012x', i, i), 'episode', 'Part ' || i, 'https://host.example/' || i || '.mp4',
    'host.example', i * 7919 % 10, :now + i - (i * 7919 % 10) * 3600000,
    iif(i % 20 = 0, 'downloaded', 'queued'), :now, i % 20 <> 1, iif(i % 20 = 1, :now + 86400000, NULL),
    'ada', 'cli', :now + i,
    iif(i % 20 = 0, CAST('/videos/' || i AS BLOB), NULL), iif(i % 20 = 0, 500000000 + i, NULL),
    iif(i % 20 = 0, 500000000, NULL), iif(i % 20 = 0, 1, NULL), iif(i % 20 = 0, i, NULL), iif(i % 20 = 0, 1, NULL),
    iif(i % 20 = 0, 1440.0, NULL)
FROM n
"""


@dataclass
class Queue:
    """One database and what its claims took, in milliseconds, by stage."""

    jobs: int
    database: Database
    whole_ms: dict[Stage, list[float]] = field(default_factory=lambda: {stage: [] for stage in LOOKED_AT})
    sql_ms: dict[Stage, list[float]] = field(default_factory=lambda: {stage: [] for stage in LOOKED_AT})

    async def fill(self) -> None:
        """Add the jobs."""
        now = to_ms(SystemClock().now()) - 10 * self.jobs
        for first in range(1, self.jobs + 1, BATCH):
            last = min(first + BATCH - 1, self.jobs)
            bounds = {"first": first, "last": last, "now": now}

            async def add(tx: Transaction, bounds: dict[str, int] = bounds) -> None:
                await tx.execute(FILL, bounds)

            await self.database.write(add)

    async def claim(self, stage: Stage) -> None:
        """Claim the most urgent job of a stage."""
        now = SystemClock().now()
        took_s = 0.0

        async def work(tx: Transaction) -> None:
            nonlocal took_s
            began = time.perf_counter()
            (job, *_) = await store.head(tx, stage, now=now, limit=LOOKED_AT[stage])
            lease = Lease(str(uuid.uuid4()), "benchmark", "dl-1", now + timedelta(seconds=30))
            after, _ = states.step(job, states.Claimed(lease), now, POLICY)
            await store.apply(tx, job, after)
            took_s = time.perf_counter() - began

        began = time.perf_counter()
        await self.database.write(work)
        self.whole_ms[stage].append(1000 * (time.perf_counter() - began))
        self.sql_ms[stage].append(1000 * took_s)


async def measure(small: int, large: int, rounds: int, folder: Path) -> None:
    """Fill both, claim in turn, and print."""
    queues: list[Queue] = []
    async with AsyncExitStack() as stack:
        for number, jobs in enumerate((small, large)):
            place = folder / str(number)
            place.mkdir()
            database = await stack.enter_async_context(await Database.open(place / DATABASE_NAME, owner=True))
            queues.append(Queue(jobs, database))
            began = time.perf_counter()
            await queues[-1].fill()
            size = (place / DATABASE_NAME).stat().st_size / 1e6
            print(f"{jobs:>10,} jobs: {size:,.0f} MB, filled in {time.perf_counter() - began:.0f} s")
        for round_number in range(rounds):
            for queue in queues if round_number % 2 else reversed(queues):
                for stage in LOOKED_AT:
                    await queue.claim(stage)
    report(queues)


def report(queues: list[Queue]) -> None:
    """Print a line for each stage and size, and the ratios."""
    print(f"\n{'stage':12} {'jobs':>10} {'claim ms':>9} {'p99 ms':>8} {'SQL ms':>8}")
    for stage in LOOKED_AT:
        for queue in queues:
            whole, sql = queue.whole_ms[stage], queue.sql_ms[stage]
            p99 = statistics.quantiles(whole, n=100)[98]
            median, of_sql = statistics.median(whole), statistics.median(sql)
            print(f"{stage:12} {queue.jobs:>10,} {median:>9.2f} {p99:>8.2f} {of_sql:>8.2f}")
        small, large = queues
        ratio = statistics.median(large.whole_ms[stage]) / statistics.median(small.whole_ms[stage])
        of_sql = statistics.median(large.sql_ms[stage]) / statistics.median(small.sql_ms[stage])
        print(f"{stage:12} {'ratio':>10} {ratio:>9.2f} {'':>8} {of_sql:>8.2f}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="where the databases go; a temporary folder if it isn't given")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        asyncio.run(measure(wanted.small, wanted.large, wanted.rounds, Path(folder)))


if __name__ == "__main__":
    main()
