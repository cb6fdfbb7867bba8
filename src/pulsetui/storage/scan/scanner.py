"""Brings the records of one root up to date: lists what changed or is to be looked at again, and keeps the rest.

The invariant: a result is whole. Each folder that is there has a record, each record's figures are of one listing, and
a root that is missing, or goes missing meanwhile, is an error and never an empty result. Settling files with several
names, adding up and storing are left to others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pulsetui.storage.scan.records import FolderRecord


@dataclass(frozen=True, slots=True)
class ScanRoot:
    """What to scan."""

    id: int
    path: Path
    category: int | None = None
    """The category of all its files, or None: by their names."""
    exclude: tuple[str, ...] = ()
    """Names (fnmatch patterns) of files and folders that are left out, at any depth."""
    cross_mounts: bool = False
    """Whether other file systems below it belong to it."""


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is; what is kept from before counts as well."""

    folders: int
    files: int
    total_bytes: int
    files_per_s: float
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class ScanResult:
    """One root as it is now, and what of that is new."""

    records: Mapping[bytes, FolderRecord]
    """Every folder, by its path below the root."""
    changed: frozenset[bytes]
    """Folders that are new, or whose record is another one than before."""
    gone: frozenset[bytes]
    """Folders that were known and aren't there any more."""
    reused: int
    """How many folders were kept as known, without a listing."""
    errors: tuple[tuple[bytes, str], ...]
    """What could not be read: path below the root, and why."""
    seconds: float


async def scan(
    root: ScanRoot,
    *,
    known: Mapping[bytes, FolderRecord],
    look_again: Collection[bytes],
    categories: Mapping[str, int],
    now_ms: int,
    on_progress: Callable[[ScanProgress], None],
    workers: int = 2,
    leave_out: frozenset[tuple[int, int]] = frozenset(),
) -> ScanResult:
    """Scan `root` and return every folder's record.

    A folder in `known` whose device, inode, mtime and ctime are as they were, and which isn't in `look_again`, keeps
    its record; so an empty `known` means a full walk. `categories` maps extensions (lower case, without the dot) to
    category indexes. `leave_out` names folders as (device, inode) that somebody else accounts for. Cancelling the
    task ends its processes within 200 ms.

    Raises:
        NotFoundError: the root is not there, or went away meanwhile.
        WorkerLostError: processes died again and again, so that the scan would not be whole.
    """
    raise NotImplementedError
