"""Walks a folder and writes it down as an ncdu export, file by file, as `ncdu -o` does.

Follows no symbolic link and stays on the folder's file system. One folder descriptor at a time, opened from its parent
and left through `..`, so that neither PATH_MAX nor the limit of open files bounds the depth. The invariant: what comes
out is a whole document, whatever could not be read on the way; memory follows the largest folder and the depth. Blocks:
runs in a worker thread.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pulsetui import faults
from pulsetui.errors import NotFoundError
from pulsetui.storage.ncdu.writer import CHUNK_BYTES, TAIL, head, info
from pulsetui.storage.views import StorageNode
from pulsetui.storage.walk import BLOCK_BYTES

_TOP_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER_FLAGS = _TOP_FLAGS | os.O_NOFOLLOW
_UNREAD = b',"read_error":true'


class WalkCancelledError(Exception):
    """The walk was told to stop; it has no result."""


@dataclass(slots=True)
class Exported:
    """How far an export is: told while it runs, whole when it is over."""

    files: int = 0
    folders: int = 0
    total_bytes: int = 0
    """Apparent sizes of files and links, under each of their names."""
    unreadable: list[tuple[bytes, str]] = field(default_factory=list)
    """Path below the folder, and why."""

    def count(self, tree: StorageNode) -> None:
        """Count a tree that is there already: what has nodes below it is a folder."""
        self.files, self.total_bytes = tree.size.file_count, tree.size.total_bytes
        self.folders = sum(bool(node.children) for node in tree.walk())


def folder_chunks(
    path: Path, now: datetime, exported: Exported, *, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[bytes]:
    """Yield the export of the folder at an absolute path, counting into `exported`.

    Raises:
        NotFoundError: there is no such folder.
        NotADirectoryError: it is something else.
        PermissionError: it may not be read.
        WalkCancelledError: `cancelled` said so.
    """
    try:
        faults.point("storage.export")
        descriptor = os.open(path, _TOP_FLAGS)
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no folder {path}", hint="check the path") from error
    walk = _Walk(exported, descriptor)
    try:
        text = bytearray(head(now))
        text += walk.enter(os.fsencode(path))
        while walk.frames:
            if cancelled():
                raise WalkCancelledError
            text += walk.step()
            if len(text) >= CHUNK_BYTES:
                yield bytes(text)
                text.clear()
        yield bytes(text + TAIL)
    finally:
        os.close(walk.descriptor)


@dataclass(slots=True)
class _Frame:
    """A folder on the way down: its identity and its folders still to be entered."""

    key: tuple[int, int]
    name: bytes
    pending: list[bytes]


@dataclass(slots=True)
class _Walk:
    exported: Exported
    descriptor: int
    """Of the folder on top of `frames`."""
    frames: list[_Frame] = field(default_factory=list)
    device: int = 0

    def enter(self, name: bytes) -> bytes:
        """Return the text of the folder that was just opened, up to its last file, and go on from it."""
        found = os.fstat(self.descriptor)
        more = b"" if self.frames else b',"dev":%d' % found.st_dev
        self.device = self.device or found.st_dev
        frame = _Frame((found.st_dev, found.st_ino), name, [])
        self.frames.append(frame)
        self.exported.folders += 1
        files, error = self._listed(frame)
        if error:
            self._unreadable(error)
            more += _UNREAD
        return b"".join([b"[", info(name, found.st_size, _allocated(found), more + _written(found)), *files])

    def step(self) -> bytes:
        """Enter the next folder below, or go up; return the text of that."""
        here = self.frames[-1]
        if not here.pending:
            return self._leave()
        name = here.pending.pop()
        try:
            faults.point("storage.export_folder")
            below = os.open(name, _FOLDER_FLAGS, dir_fd=self.descriptor)
        except FileNotFoundError:
            return b""
        except OSError as error:
            self._unreadable(f"{error.strerror}", name)
            return b",\n[" + info(name, 0, 0, _UNREAD) + b"]"
        if os.fstat(below).st_dev != self.device:
            os.close(below)
            return b",\n" + info(name, 0, 0, b',"excluded":"otherfs"')
        os.close(self.descriptor)
        self.descriptor = below
        return b",\n" + self.enter(name)

    def _leave(self) -> bytes:
        """Return the end of the folder; if the way up is gone, that of all folders, for what is left can't be found."""
        self.frames.pop()
        if not self.frames:
            return b"]"
        try:
            faults.point("storage.export_above")
            above = os.open("..", _FOLDER_FLAGS, dir_fd=self.descriptor)
        except OSError:
            return self._lost()
        os.close(self.descriptor)
        self.descriptor = above
        found = os.fstat(above)
        return b"]" if (found.st_dev, found.st_ino) == self.frames[-1].key else self._lost()

    def _lost(self) -> bytes:
        self._unreadable("moved or deleted meanwhile; what had not been read yet is missing")
        ends = b"]" * (len(self.frames) + 1)
        self.frames.clear()
        return ends

    def _listed(self, frame: _Frame) -> tuple[list[bytes], str]:
        """Return the text of the folder's files, and why it could not be read to its end, or empty."""
        files: list[bytes] = []
        try:
            with os.scandir(self.descriptor) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        frame.pending.append(name)
                        continue
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # renamed or deleted since it was listed
                    self.exported.files += 1
                    self.exported.total_bytes += found.st_size
                    files.append(b",\n" + info(name, found.st_size, _allocated(found), _fields(found)))
        except OSError as error:
            return files, error.strerror or str(error)
        return files, ""

    def _unreadable(self, why: str, name: bytes | None = None) -> None:
        names = [frame.name for frame in self.frames[1:]]
        self.exported.unreadable.append((b"/".join(names if name is None else [*names, name]), why))


def _allocated(found: os.stat_result) -> int:
    return found.st_blocks * BLOCK_BYTES


def _fields(found: os.stat_result) -> bytes:
    more = _written(found)
    if found.st_nlink > 1:
        more += b',"ino":%d,"hlnkc":true,"nlink":%d' % (found.st_ino, found.st_nlink)
    return more if stat.S_ISREG(found.st_mode) else more + b',"notreg":true'


def _written(found: os.stat_result) -> bytes:
    """Return when it was written; ncdu takes no time before 1970."""
    seconds = found.st_mtime_ns // 1_000_000_000
    return b',"mtime":%d' % seconds if seconds > 0 else b""
