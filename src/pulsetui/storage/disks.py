"""The file systems under our folders: how large they are and how much is free. Asks the kernel, so it blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Disk:
    """One file system, named by the first of our folders on it. Bytes, and percent as df(1) has it."""

    path: Path
    total_bytes: int
    used_bytes: int
    free_bytes: int
    """What an ordinary user may still write: what is reserved for root is neither used nor free."""
    percent: float


def disks(paths: Iterable[Path]) -> tuple[Disk, ...]:
    """Return the file systems of `paths`, each once; a path that doesn't exist yet counts as its nearest folder."""
    found: dict[int, Disk] = {}
    for path in paths:
        there = existing(path)
        device = there.stat().st_dev
        if device not in found:
            usage = psutil.disk_usage(str(there))
            found[device] = Disk(path, usage.total, usage.used, usage.free, usage.percent)
    return tuple(found.values())


def existing(path: Path) -> Path:
    """Return the nearest folder at or above `path` that exists."""
    while not path.exists():
        path = path.parent
    return path
