"""Trees to scan, what `du` and `find` say of them, and the scan with what the tests leave as it is."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pulsetui.storage.scan.records import FolderRecord, LinkedFile
from pulsetui.storage.scan.scanner import ScanProgress, ScanResult, ScanRoot, scan
from pulsetui.storage.views import CATEGORIES
from tests.until import until

DEADLINE_S = 30.0
VIDEO, IMAGE, METADATA, OTHER = (CATEGORIES.index(name) for name in ("video", "image", "metadata", "other"))
EXTENSIONS = {"mp4": VIDEO, "png": IMAGE, "json": METADATA}


def ignore(_progress: ScanProgress) -> None:
    """Take no notice of progress."""


async def scanned(
    root: Path | ScanRoot,
    known: Mapping[bytes, FolderRecord] | None = None,
    *,
    look_again: Collection[bytes] = (),
    workers: int = 2,
    now_ms: int = 1_000,
    on_progress: Callable[[ScanProgress], None] = ignore,
    **more: Any,
) -> ScanResult:
    """Scan a folder."""
    return await scan(
        root if isinstance(root, ScanRoot) else ScanRoot(1, root),
        known=known or {},
        look_again=look_again,
        categories=EXTENSIONS,
        now_ms=now_ms,
        on_progress=on_progress,
        workers=workers,
        **more,
    )


def links_of(records: Mapping[bytes, FolderRecord]) -> list[LinkedFile]:
    """Return the files with several names, each inode once."""
    found = {(link.device, link.inode): link for record in records.values() for link in record.links}
    return list(found.values())


def allocated_bytes(records: Mapping[bytes, FolderRecord]) -> int:
    """Add up as `du` does: folders too, each inode once."""
    files = sum(count[3] for record in records.values() for count in record.counts)
    folders = sum(record.allocated_bytes for record in records.values())
    return files + folders + sum(link.allocated_bytes for link in links_of(records))


def total_bytes(records: Mapping[bytes, FolderRecord]) -> int:
    """Add up apparent sizes, each inode once."""
    files = sum(count[2] for record in records.values() for count in record.counts)
    return files + sum(link.total_bytes for link in links_of(records))


def file_count(records: Mapping[bytes, FolderRecord]) -> int:
    """Count files, each inode once."""
    return sum(count[1] for record in records.values() for count in record.counts) + len(links_of(records))


def du(root: Path) -> int:
    """Return the allocated bytes below a folder by `du`."""
    said = subprocess.run(["du", "-s", "-x", "-B1", root], check=True, capture_output=True).stdout
    return int(said.split()[0])


def find(root: Path) -> dict[tuple[int, int], int]:
    """Return the apparent size of every file and link below a folder by `find`, by device and inode."""
    command: list[str | Path] = ["find", root, "-xdev", "!", "-type", "d", "-printf", "%D %i %s\\n"]
    rows = subprocess.run(command, check=True, capture_output=True).stdout.splitlines()
    return {(int(device), int(inode)): int(size) for device, inode, size in (row.split() for row in rows)}


def assert_as_du_and_find(root: Path, records: Mapping[bytes, FolderRecord]) -> None:
    """Compare to the byte."""
    sizes = find(root)
    assert allocated_bytes(records) == du(root)
    assert total_bytes(records) == sum(sizes.values())
    assert file_count(records) == len(sizes)


def unverified(records: Mapping[bytes, FolderRecord]) -> dict[bytes, FolderRecord]:
    """Return records without what differs between two scans of the same tree: when, and links' order."""
    return {
        path: replace(record, verified_ms=0, ctime_ns=0, links=tuple(sorted(record.links, key=lambda link: link.name)))
        for path, record in records.items()
    }


def fill(folder: Path, names: Iterable[str], size: int = 100) -> None:
    """Make a folder with files of a size."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x" * size)


def many_folders(root: Path, folders: int = 60) -> None:
    """Make a tree of folders two deep, with a few files each."""
    for number in range(folders):
        fill(root / f"{number % 6}" / f"scene {number}", (f"{index}.png" for index in range(4)), size=3_000 * number)


async def aged(root: Path) -> None:
    """Wait until the last change of each folder is older than the tick in which a scan distrusts it."""
    newest = max(os.lstat(path).st_ctime_ns for path, *_ in os.walk(os.fsencode(root)))
    await until(lambda: time.time_ns() - newest > 30_000_000)
