"""Looks at each known folder without listing it: which are as they were, which are to be listed, which are gone.

Runs in a worker thread of the owner. A folder's mtime changes when a name in it comes, goes or moves, its ctime also
when it is moved itself or its rights change; files that grow in place change neither, so they are looked at again by
whoever says when. Paths are looked up from the root's descriptor; one that is longer than the kernel takes goes by way
of folders in between.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from pulsetui import faults
from pulsetui.storage.scan.bounds import Bounds
from pulsetui.storage.scan.records import FolderRecord

_LONGEST = 4_000
"""In bytes: PATH_MAX is 4,096 with the zero at its end."""
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KEPT_STEPS = 64
_LOOKS_AT_ONCE = 256
_FOLDER = 0o040000
_KIND = 0o170000


@dataclass(slots=True)
class Checked:
    """What became of the known folders. What is in none of the two is as it was."""

    to_list: list[bytes] = field(default_factory=list)
    gone: set[bytes] = field(default_factory=set)
    """Not there, or not ours any more."""


def check(
    root: int,
    known: Mapping[bytes, FolderRecord],
    look_again: Collection[bytes],
    bounds: Bounds,
    cancelled: Callable[[], bool],
) -> Checked:
    """Look at every known folder below the descriptor `root`.

    A cancelled check ends early; what it returns then is of no use.
    """
    checked = Checked()
    steps = _Steps(root)
    bounded = bool(bounds.mounts or bounds.leave_out or bounds.device is not None)
    look = os.stat
    number = 0
    try:
        for path, record in known.items():
            number += 1
            if number % _LOOKS_AT_ONCE == 0 and cancelled():
                break
            try:
                short = len(path) < _LONGEST
                status = look(path or b".", dir_fd=root, follow_symlinks=False) if short else steps.look(path)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                checked.gone.add(path)  # or its parent is locked now: then that one is listed and says so
                continue
            except OSError:
                checked.to_list.append(path)  # a walker will say why
                continue
            if bounded and path and bounds.leave(path, status.st_dev, status.st_ino):
                checked.gone.add(path)
            elif not _is_same(status, record) or path in look_again or record.error:
                (checked.to_list.append if status.st_mode & _KIND == _FOLDER else checked.gone.add)(path)
    finally:
        steps.close()
    return checked


def _is_same(status: os.stat_result, record: FolderRecord) -> bool:
    return (
        status.st_ino == record.inode
        and status.st_ctime_ns == record.ctime_ns
        and status.st_mtime_ns == record.mtime_ns
        and status.st_dev == record.device
    )


class _Steps:
    """Folders on the way to paths that are too long, held open while they are of use."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._open: dict[bytes, int] = {}

    def look(self, path: bytes) -> os.stat_result:
        descriptor, rest = self._way_to(path)
        return os.stat(rest, dir_fd=descriptor, follow_symlinks=False)

    def close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def _close_beside(self, path: bytes) -> None:
        for step in [step for step in self._open if not path.startswith(step)]:
            os.close(self._open.pop(step))

    def _way_to(self, path: bytes) -> tuple[int, bytes]:
        """Return an open folder and the path from there, which is short enough."""
        descriptor, start = self._root, 0
        while len(path) - start >= _LONGEST:
            end = path.rindex(b"/", start, start + _LONGEST)
            if path[:end] not in self._open:
                if len(self._open) >= _KEPT_STEPS:
                    self._close_beside(path)
                faults.point("storage.scan_step")
                self._open[path[:end]] = os.open(path[start:end], _STEP, dir_fd=descriptor)
            descriptor, start = self._open[path[:end]], end + 1
        return descriptor, path[start:]
