"""Lists a few known folders in a thread of the owner, since starting a walker takes as long as listing some hundred.

That is what most refreshes come to: the database has changed, and a folder or two. The invariant: what isn't plain (a
folder that is gone, locked, or large by now) is left to the walkers, who know what to make of it; so there is one place
that does.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pulsetui import faults
from pulsetui.storage.scan.bounds import Bounds
from pulsetui.storage.scan.collecting import Part
from pulsetui.storage.scan.listing import Sums, count
from pulsetui.storage.scan.reporting import Report, head_of

FEW = 32
"""Folders that are listed so."""
_MOST_NAMES = 10_000
"""In all of them together: some 40 ms, which is also how long it takes to be cancelled. Of 32 large folders more would
pass the 200 ms in which a scan has to end."""
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


Heard = tuple[bytes, Part, list[bytes]]
"""A folder, what it holds, and the paths of the folders in it."""


def list_few(
    root: int, paths: Iterable[bytes], sums: Sums, exclude: str, bounds: Bounds
) -> tuple[list[Heard], list[bytes]]:
    """Return what the folders below the descriptor `root` hold, as a walker reports it, and those that are left.

    `exclude` is what `pattern_of` gives.
    """
    messages: list[dict[str, Any]] = []
    report = Report(messages.append)
    excluded = re.compile(exclude.encode("latin-1")).match if exclude else None
    left: list[bytes] = []
    room = _MOST_NAMES
    for path in paths:
        try:
            names = _list(root, path, sums, excluded, bounds, report, room)
        except OSError:
            names = None
        if names is None:
            left.append(path)
        else:
            room -= names
    report.send()
    return [_heard(part) for message in messages for part in message["listed"]], left


def pattern_of(exclude: Iterable[str]) -> str:
    """Return the regular expression, over Latin-1, of the names that are left out; empty: none is."""
    return "|".join(fnmatch.translate(os.fsencode(name).decode("latin-1")) for name in exclude)


def _heard(part: Part) -> Heard:
    path = part[0].encode("latin-1")
    above = path + b"/" if path else b""
    return path, part, [above + name.encode("latin-1") for name in part[7]]


def _list(
    root: int,
    path: bytes,
    sums: Sums,
    excluded: Callable[[bytes], Any] | None,
    bounds: Bounds,
    report: Report,
    room: int,
) -> int | None:
    """List one folder and return how many names it has; None if it is not for us or has too many."""
    descriptor = _opened(root, path)
    try:
        status = os.fstat(descriptor)
        if path and bounds.leave(path, status.st_dev, status.st_ino):
            return None
        names = [os.fsencode(name) for name in os.listdir(descriptor)]  # noqa: PTH208 - a descriptor
        if len(names) > room:
            return None
        wanted = names if excluded is None else [name for name in names if excluded(name) is None]
        counted = count(wanted, sums, partial(os.stat, dir_fd=descriptor, follow_symlinks=False))
        above = path + b"/" if path else b""
        folders = [name for name, *inode in counted.folders if not bounds.leave(above + name, *inode)]
        error = str(counted.error.strerror) if counted.error else ""
        report.listed(path, 0, head_of(status), counted, folders, error, last=True)
        return len(names)
    finally:
        os.close(descriptor)


def _opened(root: int, path: bytes) -> int:
    """Open a folder for reading, part by part from the root, so that no link is followed."""
    descriptor = os.dup(root)
    for part in filter(None, path.split(b"/")):
        above = descriptor
        try:
            descriptor = os.open(part, _STEP, dir_fd=above)
        finally:
            os.close(above)
    try:
        faults.point("storage.scan_few")
        return os.open(".", _LIST, dir_fd=descriptor)
    finally:
        os.close(descriptor)
