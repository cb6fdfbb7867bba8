"""Folders' records for tests: made up, or read off a real tree one `lstat` at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pulsetui.catalog.entities import Placed, plan
from pulsetui.settings.storage import DEFAULT_LEVELS, Storage
from pulsetui.storage.categories import BUILT_IN, category_of, category_table
from pulsetui.storage.roots import Root, roots_of
from pulsetui.storage.scan.records import BLOCK_BYTES, CategoryCount, FolderRecord, LinkedFile
from pulsetui.storage.views import CATEGORIES

LIBRARY = 1
VIDEO, AUDIO, TEXT = (CATEGORIES.index(name) for name in ("video", "audio", "text"))
_TABLE = category_table(BUILT_IN)


def numbered(settings: Storage, data_dir: Path, storage_dir: Path) -> dict[str, Root]:
    """Return all roots by name, with ids from 1 on."""
    names = [root.name for root in roots_of(settings, data_dir, storage_dir)]
    stored = {name: number for number, name in enumerate(names, start=1)}
    return {root.name: root for root in roots_of(settings, data_dir, storage_dir, stored)}


def entities(*folders: bytes, levels: tuple[str, ...] = DEFAULT_LEVELS) -> tuple[Placed, ...]:
    """Return entities for folders and those above, with ids from 1 on in the order of the folders."""
    made = plan(folders, (), levels, first_id=1)
    return tuple(Placed(each.id, each.parent_id, each.level, each.folders) for each in made)


def folder(
    path: bytes,
    inode: int,
    *counts: CategoryCount,
    links: Iterable[LinkedFile] = (),
    allocated_bytes: int = 4096,
    newest_ns: int = 0,
    verified_ms: int = 1,
    error: str = "",
) -> FolderRecord:
    return FolderRecord(path, 1, inode, 0, 0, allocated_bytes, counts, tuple(links), newest_ns, error, verified_ms)


def link(inode: int, name: bytes, size: int = 10, *, category: int = VIDEO) -> LinkedFile:
    return LinkedFile(1, inode, name, category, size, size * 2, 0)


def by_path(*records: FolderRecord) -> dict[bytes, FolderRecord]:
    return {record.path: record for record in records}


def read_off(root: Root, leave_out: Iterable[Path]) -> dict[bytes, FolderRecord]:
    """Return the records of a root that is on disk: the plainest scanner that there can be."""
    top, skipped = os.fsencode(root.path), {os.fsencode(path) for path in leave_out}
    found: dict[bytes, FolderRecord] = {}
    for here, folders, _ in os.walk(top):
        folders[:] = [name for name in folders if os.path.join(here, name) not in skipped]  # noqa: PTH118 - bytes
        path = here[len(top) + 1 :]
        found[path] = _record(root, here, path)
    return found


def _record(root: Root, here: bytes, path: bytes) -> FolderRecord:
    counts: dict[int, list[int]] = {}
    links: list[LinkedFile] = []
    newest_ns = 0
    for entry in os.scandir(here):
        if entry.is_dir(follow_symlinks=False):
            continue
        status = entry.stat(follow_symlinks=False)
        category = category_of(entry.name, _TABLE) if root.category is None else root.category
        newest_ns = max(newest_ns, status.st_mtime_ns)
        sizes = (status.st_size, status.st_blocks * BLOCK_BYTES)
        if status.st_nlink > 1:
            links.append(LinkedFile(status.st_dev, status.st_ino, entry.name, category, *sizes, status.st_mtime_ns))
            continue
        count = counts.setdefault(category, [0, 0, 0])
        for index, figure in enumerate((1, *sizes)):
            count[index] += figure
    status = os.lstat(here)
    return FolderRecord(
        path,
        status.st_dev,
        status.st_ino,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_blocks * BLOCK_BYTES,
        tuple((category, *count) for category, count in sorted(counts.items())),  # type: ignore[misc]
        tuple(links),
        newest_ns,
        "",
        1,
    )


Records = Mapping[int, Mapping[bytes, FolderRecord]]
