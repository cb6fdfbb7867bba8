"""Watches the disk budget from outside: a process that walks the folders over and over and keeps the peak.

It counts as `du` does, allocated bytes (512 per block), each inode once, folders included, and knows nothing of the
budget that it checks: it shares no code with `pulsetui.storage` or `pulsetui.budget`. What follows from the peak is
left to `summary`. A walk is not a snapshot: a file that goes while another one grows may be counted with it.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulsetui.demo.companion import companion
from pulsetui.processes.runner import TaskSpec
from pulsetui.processes.task import Emit

INTERVAL_S = 0.02
_NEWS_S = 0.2  # how often to report when there is no new peak
_LAST_WORD_S = 10.0


@dataclass(slots=True)
class Watch:
    """What the watcher has seen so far."""

    peak_bytes: int = 0
    samples: int = 0
    """Walks that were finished."""
    began_s: float = 0.0
    """When the last reported walk began, in seconds of the machine's monotonic clock, the same in all processes."""


@asynccontextmanager
async def watching(folders: Iterable[Path], *, interval_s: float = INTERVAL_S) -> AsyncIterator[Watch]:
    """Watch folders, which needn't exist yet, from another process; after the block, the `Watch` is complete.

    The last walk that counts begins after the end of the block.

    Raises:
        WorkerLostError: the watcher died, so that a peak may have been missed.
        TimeoutError: the watcher hangs.
    """
    seen = Watch()
    news = asyncio.Event()

    def take(event: dict[str, Any]) -> None:
        seen.peak_bytes, seen.samples, seen.began_s = event["peak_bytes"], event["samples"], event["began_s"]
        news.set()

    arguments = {"folders": [str(folder) for folder in folders], "interval_s": interval_s}
    async with companion(TaskSpec("pulsetui.demo.watch:observe", arguments), take) as running:
        running.add_done_callback(lambda _: news.set())
        yield seen
        ended_s = time.monotonic()
        async with asyncio.timeout(_LAST_WORD_S):
            while seen.began_s < ended_s and not running.done():
                news.clear()
                await news.wait()


def observe(arguments: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Walk until the process is ended, and send each new peak at once: the task behind `watching`."""
    folders, interval_s = arguments["folders"], arguments["interval_s"]
    peak_bytes, samples, told_s = -1, 0, 0.0
    while True:
        began_s = time.monotonic()
        allocated_bytes = usage_bytes(folders)
        samples += 1
        if allocated_bytes > peak_bytes or began_s - told_s >= _NEWS_S:
            peak_bytes, told_s = max(peak_bytes, allocated_bytes), began_s
            emit({"peak_bytes": peak_bytes, "samples": samples, "began_s": began_s})
        time.sleep(max(0.0, began_s + interval_s - time.monotonic()))


def usage_bytes(folders: Iterable[str]) -> int:
    """Return the bytes allocated to all that lies in the folders, themselves included; what vanishes meanwhile is 0."""
    seen: set[tuple[int, int]] = set()
    return sum(_below(folder, seen) for folder in folders)


def _below(path: str, seen: set[tuple[int, int]]) -> int:
    try:
        status = os.lstat(path)
        if (status.st_dev, status.st_ino) in seen:
            return 0
        seen.add((status.st_dev, status.st_ino))
        total_bytes = status.st_blocks * 512
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as entries:
                total_bytes += sum(_below(entry.path, seen) for entry in entries)
    except FileNotFoundError:
        return 0
    else:
        return total_bytes
