"""Usage: the allocated bytes on disk by kind, kept as deltas and reconciled with a whole walk.

It equals `du` on the same folders after a reconciliation. Between two, it follows what pulsetui itself writes and
deletes: files in motion (partial files, audio being extracted, the database) by their own latest size, all else by
what was settled or removed.

Invariant: what can't be read makes usage unknown (`trouble` is not empty), and never smaller.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pulsetui.storage.walk import BLOCK_BYTES, Root, Walked, walk

TRASH_FOLDER = ".pulsetui-trash"
DATABASE_FILES = ("pulse.db", "pulse.db-wal", "pulse.db-shm")
"""The files of the database that grow and shrink by themselves; its ballast and backups hold still."""


class Kind(StrEnum):
    """What a byte on disk is there for, in the order in which it is shown."""

    VIDEOS = "videos"
    AUDIO = "audio"
    TRANSCRIPTS = "transcripts"
    TOKENS = "tokens"
    ANALYSIS = "analysis"
    CACHE = "cache"
    DATABASE = "database"
    TRASH = "trash"
    OTHER = "other"


_DATA_KINDS = {kind.value: kind for kind in (Kind.AUDIO, Kind.TRANSCRIPTS, Kind.TOKENS, Kind.ANALYSIS, Kind.CACHE)}
_DATA_KINDS["backups"] = Kind.DATABASE


@dataclass(slots=True)
class Usage:
    """Allocated bytes below `data_dir` and `storage_dir`."""

    data_dir: Path
    storage_dir: Path
    unread: str = "not read yet"
    """Why the figures are not whole; empty when they are."""
    away: str = ""
    """Why a disk is away that counts; empty if none is. The figures are those of before then."""
    _settled: dict[Kind, int] = field(default_factory=dict)
    _moving: dict[Path, tuple[Kind, int]] = field(default_factory=dict)
    _changes: int = 0

    @property
    def trouble(self) -> str:
        """Why usage is unknown; empty when it is known."""
        return self.away or self.unread

    def by_kind(self) -> Mapping[Kind, int]:
        """Return bytes for every kind, also those with 0."""
        sizes = {kind: self._settled.get(kind, 0) for kind in Kind}
        for kind, allocated in self._moving.values():
            sizes[kind] += allocated
        return sizes

    def total_bytes(self) -> int:
        """Return the bytes of all kinds."""
        return sum(self.by_kind().values())

    def begin(self, path: Path, kind: Kind, already_bytes: int = 0) -> None:
        """Follow a file that is about to be written; `already_bytes` of it were counted as settled."""
        self._changes += 1
        self._settled[kind] = self._settled.get(kind, 0) - already_bytes
        self._moving[path] = (kind, already_bytes)

    def moved(self, path: Path, allocated_bytes: int) -> None:
        """Take the latest size of a file in motion. Unknown paths are ignored: their work is over."""
        if path in self._moving:
            self._moving[path] = (self._moving[path][0], allocated_bytes)

    def settle(self, path: Path) -> None:
        """Stop following a file: it stays as it was last seen. Unknown paths are ignored, so this may be repeated."""
        moving = self._moving.pop(path, None)
        if moving is not None:
            self.added(*moving)

    def forget(self, path: Path) -> None:
        """Stop following a file that is gone from disk."""
        if self._moving.pop(path, None) is not None:
            self._changes += 1

    def added(self, kind: Kind, allocated_bytes: int) -> None:
        """Count a file that was written in one go; a negative figure for one that was deleted."""
        self._changes += 1
        self._settled[kind] = self._settled.get(kind, 0) + allocated_bytes

    def refresh_database(self) -> None:
        """Read the sizes of the database's own files again."""
        for name in DATABASE_FILES:
            path = self.data_dir / name
            try:
                allocated = path.stat().st_blocks * BLOCK_BYTES
            except FileNotFoundError:
                allocated = 0
            self._moving[path] = (Kind.DATABASE, allocated)

    @property
    def changes(self) -> int:
        """A count that grows with whatever settles, begins or goes; a walk during which it stood still is exact."""
        return self._changes

    def walk(self, leave_out: frozenset[tuple[int, int]]) -> Walked:
        """Walk both folders, and that of the videos, which may be a disk of its own: a walk stays on one file system.

        Blocks, changes nothing: runs in a worker thread.
        """
        videos = Root(self.videos_dir, lambda _parts: Kind.VIDEOS)
        roots = (videos, Root(self.storage_dir, _storage_kind), Root(self.data_dir, _data_kind))
        return walk(roots, leave_out=leave_out)

    @property
    def videos_dir(self) -> Path:
        """Where the videos are, inside `storage_dir`."""
        return self.storage_dir / "videos"

    def adopt(self, walked: Walked, *, exact: bool) -> None:
        """Start counting anew from a walk; of one that isn't exact, keep the larger figure of each kind."""
        settled = {Kind(kind): size for kind, size in walked.bytes_by_kind.items()}
        if not exact:
            settled = {kind: max(settled.get(kind, 0), self._settled.get(kind, 0)) for kind in Kind}
        self._settled = settled
        self.unread = "; ".join(walked.unreadable[:3])

    def paths_in_motion(self) -> tuple[Path, ...]:
        """Return the files that are followed one by one, since somebody writes them."""
        return tuple(self._moving)

    def inodes_in_motion(self) -> frozenset[tuple[int, int]]:
        """Return (device, inode) of the files that are followed one by one, which a walk must leave out."""
        inodes = set()
        for path in self._moving:
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                continue
            inodes.add((status.st_dev, status.st_ino))
        return frozenset(inodes)


def _storage_kind(parts: tuple[str, ...]) -> str:
    if not parts:
        return Kind.OTHER
    if parts[0] == TRASH_FOLDER:
        return Kind.TRASH
    return Kind.VIDEOS if parts[0] == "videos" else Kind.OTHER


def _data_kind(parts: tuple[str, ...]) -> str:
    if not parts:
        return Kind.OTHER
    if parts[0] == TRASH_FOLDER:
        return Kind.TRASH
    if parts[0].startswith("pulse.db"):
        return Kind.DATABASE
    return _DATA_KINDS.get(parts[0], Kind.OTHER)
