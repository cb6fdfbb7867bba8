"""Measures refreshing, storing and reading the tree of sizes with many entities.

    python benchmarks/hierarchy.py [--entities 1000 --entities 100000] [--files]

For each number of entities (projects of 10 × 10 × 10): how long a first refresh takes to compute and store, how long
one in which a folder changed does, how long the whole tree and one level take to read, and the longest that the event
loop was held meanwhile. With `--files`, also a real refresh of 1,000 entities with 20 old files each, first and
unchanged, beside `du` on the same folder. Reported, not asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.storage.house import House, housed

from pulsetui.clock import SystemClock
from pulsetui.storage.refresh.collector import settle, without_full_passes
from pulsetui.storage.refresh.refresher import Refresher
from pulsetui.storage.tree.hierarchy import WHOLE, Hierarchy

TRIES = 5
LONG_AGO = 1_500_000_000
LOOK_EVERY_S = 0.001


class Lag:
    """The longest that the event loop was held, in seconds."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.worst_s = 0.0

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(LOOK_EVERY_S)
            self.worst_s = max(self.worst_s, time.perf_counter() - before - LOOK_EVERY_S)


async def timed(work: Callable[[], Awaitable[Any]], tries: int = 1) -> tuple[float, float, Any]:
    """Return the median time, the longest hold of the loop, and the last result."""
    lag, times, result = Lag(), [], None
    watching = asyncio.create_task(lag.watch())
    await asyncio.sleep(0.01)
    for _ in range(tries):
        began = time.perf_counter()
        with without_full_passes():  # as the refresher works
            result = await work()
        times.append(time.perf_counter() - began)
    watching.cancel()
    return median(times), lag.worst_s, result


def say(what: str, seconds: float, lag_s: float, note: str = "") -> None:
    """Print a line."""
    print(f"  {what:<46} {seconds * 1000:9.1f} ms   loop held {lag_s * 1000:5.1f} ms   {note}")


def segments(entities: int) -> dict[str, dict[int, int]]:
    """Return the folders of about so many entities, the deepest with a file of its own size."""
    found: dict[str, dict[int, int]] = {}
    number = 0
    while len(found) * 1.111 < entities - 1:
        path = f"P{number // 1000}/C{number // 100 % 10}/S{number // 10 % 10}/G{number % 10}"
        found[path] = {0: 10**6 + number * 4096}
        number += 1
    return found


async def synthetic(entities: int) -> None:
    """Measure with folders that exist in the database only."""
    with tempfile.TemporaryDirectory() as folder:
        async with housed(Path(folder)) as house:
            folders = segments(entities)
            begun, found = await house.found(folders)
            first_s, lag_s, outcome = await timed(lambda: house.store(begun, found))
            settle(outcome.row.folders)
            there = sum(count for _, count in outcome.row.levels)
            print(f"{there:,} entities")
            say("first: discover, add up, store", first_s, lag_s)
            house.clock.advance(60)
            path = next(iter(folders))
            begun, found = await house.found({**folders, path: {0: 1}})
            again_s, lag_s, _ = await timed(lambda: house.store(begun, found))
            say("one folder changed: add up, store the difference", again_s, lag_s)
            await reads(house)


async def reads(house: House) -> None:
    """Measure reading."""
    hierarchy = Hierarchy(
        house.database, house.settings, house.clock, data_dir=house.data_dir, storage_dir=house.data_dir / "storage"
    )
    whole_s, lag_s, view = await timed(lambda: hierarchy.view(growth_s=3600.0), TRIES)
    nodes = sum(1 for _ in view.tree.walk())
    say(f"tree from the library, at most {WHOLE:,} nodes", whole_s, lag_s, f"{nodes:,} nodes")
    level_s, lag_s, view = await timed(lambda: hierarchy.view(depth=1, growth_s=3600.0), TRIES)
    say("one level of the library", level_s, lag_s, f"{len(view.tree.children):,} nodes")
    key = max((child for child in view.tree.children if child.entity_type == "project"), key=lambda c: c.key).key
    level_s, lag_s, view = await timed(lambda: hierarchy.view(key, depth=2, growth_s=3600.0), TRIES)
    say("two levels of a project", level_s, lag_s, f"{sum(1 for _ in view.tree.walk()):,} nodes")
    find_s, lag_s, found = await timed(lambda: hierarchy.find("g7", 20), TRIES)
    say("find by name", find_s, lag_s, f"{len(found)} found")


async def real() -> None:
    """Measure refreshes of files on disk."""
    with tempfile.TemporaryDirectory() as folder:
        async with housed(Path(folder), rolling_share=0.0) as house:
            for path in segments(1000):
                for number in range(20):
                    os.utime(house.write(f"{path}/{number}.mp4", 100), (LONG_AGO, LONG_AGO))
            for above, _, _ in os.walk(house.videos):
                os.utime(above, (LONG_AGO, LONG_AGO))
            print("1,000 entities with 20 files each, on disk")
            refresher = Refresher(
                database=house.database,
                events=house.refresher._events,  # noqa: SLF001 - the house's own log
                clock=SystemClock(),
                settings=house.settings,
                data_dir=house.data_dir,
                storage_dir=house.data_dir / "storage",
            )
            first_s, lag_s, _ = await timed(refresher.refresh)
            say("first refresh", first_s, lag_s)
            again_s, lag_s, row = await timed(refresher.refresh, TRIES)
            say("unchanged", again_s, lag_s, f"{row.folders - row.reused_folders} of {row.folders} folders listed")
            du_s, _, _ = await timed(lambda: asyncio.to_thread(du, house.data_dir), TRIES)
            say("du on the same folder", du_s, 0.0)


def du(folder: Path) -> None:
    """Run it once."""
    subprocess.run(["du", "-s", folder], check=True, capture_output=True)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, action="append", help="how many, about; may be repeated")
    parser.add_argument("--files", action="store_true", help="also refresh real folders")
    wanted = parser.parse_args()
    for entities in wanted.entities or (1_000, 100_000):
        asyncio.run(synthetic(entities))
    if wanted.files:
        asyncio.run(real())


if __name__ == "__main__":
    main()
