"""The sizes of any folder, without a database: scanned once, and files listed where they are to be shown.

The invariant: what is shown sums to what was read, also when the folder changes meanwhile: where files are listed, the
listing is what counts. Follows no symbolic link and stays on the folder's file system, as the scanner does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pulsetui import faults
from pulsetui.clock import to_ms
from pulsetui.storage.categories import category_of
from pulsetui.storage.plain.nodes import Branch, PlainFile
from pulsetui.storage.plain.tree import PlainTree
from pulsetui.storage.scan.records import BLOCK_BYTES, FolderRecord
from pulsetui.storage.scan.scanner import ScanProgress, ScanRoot, scan
from pulsetui.storage.views import StorageNode
from pulsetui.waiting import in_thread

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE_BYTES = 4000
"""Longer paths are opened piece by piece: the kernel takes 4,096 bytes with the zero (PATH_MAX)."""


@dataclass(frozen=True, slots=True)
class PlainSizes:
    """One folder's sizes."""

    tree: StorageNode
    errors: tuple[tuple[bytes, str], ...]
    """What could not be read: path below the folder, and why."""
    read_at: datetime
    seconds: float


async def read_sizes(
    path: Path,
    *,
    categories: Mapping[str, int],
    now: datetime,
    on_progress: Callable[[ScanProgress], None],
    depth: int | None = None,
    most_files: int | None = None,
    least_share: float = 0.0,
) -> PlainSizes:
    """Scan the folder at an absolute path and return its tree.

    `depth` and `most_files` are those of `PlainTree`. Files are listed in folders that make up at least `least_share`
    of all bytes.

    Raises:
        NotFoundError: the folder is not there, or went away meanwhile.
    """
    root = ScanRoot(0, path)
    result = await scan(
        root, known={}, look_again=(), categories=categories, now_ms=to_ms(now), on_progress=on_progress
    )
    tree = PlainTree(os.fsencode(path), depth=depth, most_files=most_files)
    await in_thread(_grow, tree, result.records, os.fsencode(path), categories, least_share)
    return PlainSizes(await in_thread(tree.tree), result.errors, now, result.seconds)


def _grow(
    tree: PlainTree,
    records: Mapping[bytes, FolderRecord],
    top: bytes,
    categories: Mapping[str, int],
    least_share: float,
) -> None:
    branches: dict[bytes, Branch] = {}
    seen: set[tuple[int, int]] = set()
    for path in sorted(records):  # parents before their folders
        record = records[path]
        identity = (record.device, record.inode)
        if (record.inode and identity in seen) or (path and path.rpartition(b"/")[0] not in branches):
            continue  # mounted here a second time, or below such a folder
        seen.add(identity)
        branches[path] = branch = _branch(tree, branches, path)
        tree.add_folder(branch, record.allocated_bytes, record.error)
        tree.add_counts(branch, record.counts, record.newest_ns)
        for link in record.links:
            file = PlainFile(link.name, link.category, link.total_bytes, link.allocated_bytes, link.mtime_ns)
            tree.add_link(branch, path, (link.device, link.inode), file)
    worth = tree.worth_naming(least_share)
    named = [path for path, branch in branches.items() if branch in worth and records[path].counts]
    _name_files(tree, branches, named, top, categories)


def _branch(tree: PlainTree, branches: Mapping[bytes, Branch], path: bytes) -> Branch:
    if not path:
        return tree.top
    above, _, name = path.rpartition(b"/")
    return tree.enter(branches[above], name)


def _name_files(
    tree: PlainTree,
    branches: Mapping[bytes, Branch],
    paths: list[bytes],
    top: bytes,
    categories: Mapping[str, int],
) -> None:
    for path in paths:
        try:
            files = _listed(top, path, categories)
        except OSError:
            continue  # it went away, or may not be read any more: what was counted stands
        tree.name_files(branches[path], files)


def _listed(top: bytes, path: bytes, categories: Mapping[str, int]) -> list[PlainFile]:
    """Return the files with one name that lie in a folder."""
    files: list[PlainFile] = []
    descriptor = _open(top, path)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if found.st_nlink > 1:
                    continue  # settled over all folders, by the scan
                name = os.fsencode(entry.name)
                allocated_bytes = found.st_blocks * BLOCK_BYTES
                files.append(
                    PlainFile(name, category_of(name, categories), found.st_size, allocated_bytes, found.st_mtime_ns)
                )
    finally:
        os.close(descriptor)
    return files


def _open(top: bytes, path: bytes) -> int:
    """Open a folder below `top`, however long its path is."""
    faults.point("storage.plain_top")
    descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    rest = path
    while rest:
        cut = len(rest) if len(rest) <= _PIECE_BYTES else rest.rindex(b"/", 0, _PIECE_BYTES)
        piece, rest = rest[:cut], rest[cut + 1 :]
        try:
            faults.point("storage.plain_folder")
            below = os.open(piece, _FOLDER_FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor
