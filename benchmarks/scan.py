"""How fast a root is scanned: our scan against `du` and `gdu`, on a large tree and on one huge folder.

    python benchmarks/scan.py [--dir FOLDER] [--files 1000000] [--folders 20000] [--flat 300000] [--rounds 5]

Two trees: project/character/scene/segment with the files in the segments, and one folder with all of its files. With
`--dir`, trees are made there once, and found again by the next run. Each round runs ours and the peers in turn, so that
whatever else the machine does falls on all; the first round warms the cache and isn't counted. Peers start a process,
as do our walkers; our owner runs already, as it does in use.

Rows: full scan; refresh of the unchanged tree, when every known folder is looked at and none listed; refresh when a
twentieth of the folders is listed again, as the schedule does. Times are medians in seconds of the wall clock; ratios
are medians of the ratios of a round. `processor` is user and system time, ours with that of the walkers. Memory is what
the owner's own process grew by for the records (VmRSS), and the most that a walker had. Lag is how late a 5 ms tick of
the event loop came, while the scans ran. Timings are reported, never asserted; that all come to the same bytes is.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pulsetui.storage.categories import BUILT_IN, category_table
from pulsetui.storage.scan.scanner import ScanProgress, ScanResult, ScanRoot, scan

SUFFIXES = ("mp4", "png", "json", "png", "mp4", "wav", "pt", "txt", "tmp", "srt", "mkv", "bin", "dat", "PNG", "jpg", "")
TABLE = category_table(BUILT_IN)
WORKERS = 2
ROLLING_SHARE = 20
SCENE_SEGMENTS = 10


def make_files(folder: Path, first: int, number: int) -> None:
    """Make files: most of them sparse, each eighth with some data."""
    descriptor = os.open(folder, os.O_RDONLY)
    for index in range(first, first + number):
        name = f"{index:07d}_take.{SUFFIXES[index * 7 % len(SUFFIXES)]}"
        file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=descriptor)
        if index % 8:
            os.ftruncate(file, index * 97 % 5_000_000)
        else:
            os.write(file, b"x" * (index % 4096 + 1))
        os.close(file)
    os.close(descriptor)


def make_wide(top: Path, files: int, folders: int) -> None:
    """Make projects of characters of scenes of segments with files."""
    segments = folders * 9 // 10
    least, rest = divmod(files, segments)
    first = 0
    for segment in range(segments):
        scene = segment // SCENE_SEGMENTS
        character = scene * 100 * SCENE_SEGMENTS // max(segments, 100 * SCENE_SEGMENTS)
        above = top / f"project {character // 10:02d}" / f"character {character:03d}" / f"scene {scene:04d}"
        folder = above / f"segment {segment:05d}"
        folder.mkdir(parents=True)
        number = least + (segment < rest)
        make_files(folder, first, number)
        first += number


def made(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return a tree, made unless it is there."""
    top = folder / name
    if not top.exists():
        print(f"making {name} …", file=sys.stderr, flush=True)
        shutil.rmtree(folder / "unfinished", ignore_errors=True)
        (folder / "unfinished").mkdir(parents=True)
        make(folder / "unfinished")
        (folder / "unfinished").rename(top)
    return top


@dataclass
class Times:
    """Seconds of the wall clock and of processors, by round, in the order of the rounds."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def used_s() -> float:
    """Return the processor time of this process and of those that it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def rss_bytes(pid: int | str = "self") -> int:
    """Return the resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def allocated_bytes(result: ScanResult) -> int:
    """Add up as du does."""
    links = {(link.device, link.inode): link.allocated_bytes for row in result.records.values() for link in row.links}
    rows = result.records.values()
    return sum(row.allocated_bytes + sum(count[3] for count in row.counts) for row in rows) + sum(links.values())


class Bench:
    """The measurements on one tree."""

    def __init__(self, top: Path, rounds: int) -> None:
        """Take the tree."""
        self.top = top
        self.rounds = rounds
        self.times: dict[str, Times] = {}
        self.lags_ms: list[float] = []
        self.walker_bytes = 0
        self.grown_bytes = 0
        self.files = 0
        self.cancel_ms: list[float] = []

    async def timed(self, name: str, work: Callable[[], Awaitable[ScanResult | int]]) -> ScanResult | int:
        """Measure one run."""
        gc.collect()
        began, used = time.perf_counter(), used_s()
        result = await work()
        times = self.times.setdefault(name, Times())
        times.wall.append(time.perf_counter() - began)
        times.processor.append(used_s() - used)
        return result

    async def ours(self, known: ScanResult | None = None, share: int = 0) -> ScanResult:
        """Scan, with the loop's lag measured beside."""
        records = known.records if known else {}
        ticking = asyncio.create_task(self._tick())
        try:
            return await scan(
                ScanRoot(1, self.top),
                known=records,
                look_again=frozenset(list(records)[::share]) if share else (),
                categories=TABLE,
                now_ms=time.time_ns() // 1_000_000,
                on_progress=self._on_progress,
                workers=WORKERS,
            )
        finally:
            ticking.cancel()

    async def peer(self, *command: str) -> int:
        """Run a peer and return the bytes that it names first."""
        process = await asyncio.create_subprocess_exec(
            *command, str(self.top), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        said, _ = await process.communicate()
        found = re.match(rb"\d+", said)
        return int(found[0]) if found else 0

    async def cancelled(self) -> None:
        """Cancel a scan half-way and measure until it has ended."""
        work = asyncio.create_task(self.ours())
        await asyncio.sleep(statistics.median(self.times["full scan"].wall) / 2)
        began = time.perf_counter()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        self.cancel_ms.append((time.perf_counter() - began) * 1000)

    async def run(self) -> None:
        """Measure everything."""
        before = rss_bytes()
        kept: ScanResult | None = None
        for number in range(self.rounds + 1):
            full = await self.timed("full scan", self.ours)
            if kept is None:
                gc.collect()
                self.grown_bytes = rss_bytes() - before
            expected = await self.timed("du", partial(self.peer, "du", "-s", "-x", "-B1"))
            if shutil.which("gdu"):
                await self.timed("gdu", partial(self.peer, "gdu", "--non-interactive"))
            assert isinstance(full, ScanResult)
            if allocated_bytes(full) != expected:
                sys.exit(f"we found {allocated_bytes(full)} bytes and du {expected}")
            kept = full
            await self.timed("refresh, unchanged", partial(self.ours, full))
            await self.timed("refresh, a 20th again", partial(self.ours, full, ROLLING_SHARE))
            if number == 0:
                self.times.clear()
                self.lags_ms.clear()
            else:
                await self.cancelled()
        self.files = sum(count[1] for row in (kept.records if kept else {}).values() for count in row.counts)

    async def _tick(self) -> None:
        while True:
            due = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            self.lags_ms.append((time.perf_counter() - due) * 1000)

    def _on_progress(self, _progress: ScanProgress) -> None:
        for task in Path("/proc/self/task").iterdir():
            for pid in (task / "children").read_text().split():
                try:
                    self.walker_bytes = max(self.walker_bytes, rss_bytes(pid))
                except OSError:
                    continue

    def report(self, name: str) -> None:
        """Print the table."""
        print(f"\n{name}: {self.files:,} files, {self.rounds} rounds, {os.cpu_count()} processors")
        print(f"{'':24}{'median s':>10}{'best s':>9}{'processor s':>13}{'× du':>8}{'du ×':>8}{'× gdu':>8}")
        for what, times in self.times.items():
            against = {peer: self._ratio(what, peer) for peer in ("du", "gdu")}
            wall = f"{statistics.median(times.wall):>10.3f}{min(times.wall):>9.3f}"
            inverse = 1 / against["du"]
            print(
                f"{what:24}{wall}{statistics.median(times.processor):>13.3f}"
                f"{against['du']:>8.2f}{inverse:>8.1f}{against['gdu']:>8.2f}"
            )
        lags = sorted(self.lags_ms)
        print(f"loop lag: p99 {lags[len(lags) * 99 // 100]:.1f} ms, most {lags[-1]:.1f} ms, {len(lags):,} ticks")
        grown = self.grown_bytes / 1e6
        print(f"memory: owner grew by {grown:.1f} MB, a walker had at most {self.walker_bytes / 1e6:.1f} MB")
        print(f"cancelled: gone after {max(self.cancel_ms):.0f} ms at most")

    def _ratio(self, what: str, peer: str) -> float:
        theirs = self.times.get(peer)
        if theirs is None:
            return float("nan")
        return statistics.median(a / b for a, b in zip(self.times[what].wall, theirs.wall, strict=True))


def main() -> None:
    """Make the trees, measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dir", type=Path, help="where trees are made and kept; else in a temporary folder")
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--folders", type=int, default=20_000)
    parser.add_argument("--flat", type=int, default=300_000, help="files in the one folder; 0 leaves a tree out")
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    trees: dict[str, Callable[[Path], None]] = {
        f"wide {wanted.files}": partial(make_wide, files=wanted.files, folders=wanted.folders),
        f"flat {wanted.flat}": partial(make_files, first=0, number=wanted.flat),
    }
    with nullcontext(wanted.dir) if wanted.dir else tempfile.TemporaryDirectory() as folder:
        for name, make in trees.items():
            if name.endswith(" 0"):
                continue
            bench = Bench(made(Path(folder), name, make), wanted.rounds)
            asyncio.run(bench.run())
            bench.report(name)


if __name__ == "__main__":
    main()
