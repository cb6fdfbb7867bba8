"""The walk that usage needs: allocated bytes below a folder, by the kind that its first folders name.

Counts as `du -B1` does: `st_blocks × 512`, folders too, each inode once. Follows no symbolic link and stays on the
root's file system. One folder descriptor at a time, opened from its parent and left through `..`, so neither PATH_MAX
nor the limit of open files bounds the depth. Read-only; runs in a worker thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pulsetui import faults

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
BLOCK_BYTES = 512
"""The unit of `st_blocks`, whatever the file system's own block size (stat(2))."""
KIND_DEPTH = 2
"""How many leading path parts may decide a kind; below, it is inherited."""


@dataclass(slots=True)
class Walked:
    """The outcome of a walk: bytes by kind, and what could not be read."""

    bytes_by_kind: dict[str, int] = field(default_factory=dict)
    files: int = 0
    unreadable: list[str] = field(default_factory=list)

    def total_bytes(self) -> int:
        """Return the bytes of all kinds."""
        return sum(self.bytes_by_kind.values())


@dataclass(frozen=True, slots=True)
class Root:
    """A folder to walk; `kind_of` maps the first parts of a path below it (none: the folder itself) to a kind."""

    path: Path
    kind_of: Callable[[tuple[str, ...]], str]


def walk(roots: Iterable[Root], *, leave_out: frozenset[tuple[int, int]] = frozenset()) -> Walked:
    """Walk `roots` in order and return what they hold.

    An inode that was met once, below whichever root, is not counted again. `leave_out` names inodes as (device,
    inode) that somebody else accounts for. A missing root counts as empty.
    """
    walked = Walked()
    seen = set(leave_out)
    for root in roots:
        try:
            faults.point("storage.walk")
            descriptor = os.open(root.path, _FOLDER_FLAGS)
        except FileNotFoundError:
            continue
        except OSError as error:
            walked.unreadable.append(f"{root.path}: {error.strerror}")
            continue
        _RootWalk(root, walked, seen).run(descriptor)
    return walked


@dataclass(slots=True)
class _Frame:
    """A folder on the way down: its identity, its path's parts, its kind, and its folders still to be entered."""

    key: tuple[int, int]
    parts: tuple[str, ...]
    kind: str
    pending: list[tuple[str, str]]


@dataclass(slots=True)
class _RootWalk:
    root: Root
    walked: Walked
    seen: set[tuple[int, int]]
    device: int = 0

    def run(self, descriptor: int) -> None:
        try:
            top = os.fstat(descriptor)
            key = (top.st_dev, top.st_ino)
            if key in self.seen:
                return
            self.seen.add(key)
            self.device = top.st_dev
            kind = self.root.kind_of(())
            self._count(kind, top)
            frames = [_Frame(key, (), kind, self._read(descriptor, (), kind))]
            while frames:
                descriptor = self._step(descriptor, frames)
        finally:
            os.close(descriptor)

    def _step(self, descriptor: int, frames: list[_Frame]) -> int:
        """Enter the next folder below, or go up; return the descriptor of where we are then."""
        here = frames[-1]
        if not here.pending:
            frames.pop()
            return self._up(descriptor, frames) if frames else descriptor
        name, kind = here.pending.pop()
        parts = (*here.parts, name)
        try:
            faults.point("storage.folder")
            below = os.open(name, _FOLDER_FLAGS, dir_fd=descriptor)
        except FileNotFoundError:
            return descriptor
        except OSError as error:
            self._unreadable(parts, error)
            return descriptor
        status = os.fstat(below)
        key = (status.st_dev, status.st_ino)
        if key in self.seen or status.st_dev != self.device:
            os.close(below)
            return descriptor
        self._count(kind, status)
        frames.append(_Frame(key, parts, kind, self._read(below, parts, kind)))
        os.close(descriptor)
        return below

    def _up(self, descriptor: int, frames: list[_Frame]) -> int:
        """Return the descriptor of the frame that is now on top, by way of `..`."""
        try:
            faults.point("storage.above")
            above = os.open("..", _FOLDER_FLAGS, dir_fd=descriptor)
        except OSError:  # somebody deleted the folder that we were in
            self._lost(frames)
            return descriptor
        status = os.fstat(above)
        os.close(descriptor)
        if (status.st_dev, status.st_ino) != frames[-1].key:  # somebody moved it
            self._lost(frames)
        return above

    def _lost(self, frames: list[_Frame]) -> None:
        """Give up: what is left of the way can't be found again."""
        self.walked.unreadable.append(f"{self.root.path.joinpath(*frames[-1].parts)}: changed during the walk")
        frames.clear()

    def _read(self, descriptor: int, parts: tuple[str, ...], kind: str) -> list[tuple[str, str]]:
        """Count the files of a folder and return its folders with their kinds."""
        below: list[tuple[str, str]] = []
        decides = len(parts) < KIND_DEPTH
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    name_kind = self.root.kind_of((*parts, entry.name)) if decides else kind
                    if entry.is_dir(follow_symlinks=False):
                        below.append((entry.name, name_kind))
                        continue
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # renamed or deleted since it was listed
                    if self._first_time(status):
                        self._count(name_kind, status)
                        self.walked.files += 1
        except OSError as error:
            self._unreadable(parts, error)
        return below

    def _first_time(self, status: os.stat_result) -> bool:
        key = (status.st_dev, status.st_ino)
        if key in self.seen:
            return False
        if status.st_nlink > 1:  # only what has other names can be met again
            self.seen.add(key)
        return True

    def _count(self, kind: str, status: os.stat_result) -> None:
        sizes = self.walked.bytes_by_kind
        sizes[kind] = sizes.get(kind, 0) + status.st_blocks * BLOCK_BYTES

    def _unreadable(self, parts: tuple[str, ...], error: OSError) -> None:
        self.walked.unreadable.append(f"{self.root.path.joinpath(*parts)}: {error.strerror}")
