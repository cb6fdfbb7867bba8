"""Has the kernel report changes in folders (inotify), so that sizes follow without waiting for the schedule.

Watches are added from the list of known folders, in a worker thread and in chunks, since 20,000 take a quarter of a
second. The invariant: nothing depends on them. Where the system has no watches left, where it lost reports, or on a
network file system, they are fewer, which is said in `why_not`, and the schedule serves.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from asyncinotify import Event, Inotify, Mask

from pulsetui import faults
from pulsetui.files.names import display_text
from pulsetui.waiting import in_thread

CHUNK = 500
"""Watches that are added in one go of a worker thread: some 6 ms of holding the interpreter."""
BURST = 100
BURST_PAUSE_S = 0.01
"""After so many reports others get their turn: deleting a tree gives one for each file, faster than they are read."""
# No MODIFY: a program that writes in small pieces would give a report for each. What grows is reported when it is
# closed; until then, running jobs are known, and the rest is in what is looked at again.
_MASK = (
    Mask.CREATE
    | Mask.DELETE
    | Mask.MOVED_FROM
    | Mask.MOVED_TO
    | Mask.CLOSE_WRITE
    | Mask.ONLYDIR
    | Mask.DONT_FOLLOW
    | Mask.EXCL_UNLINK
)
_LIMITS = {
    errno.ENOSPC: "the system's limit of watches is reached (fs.inotify.max_user_watches)",
    errno.EMFILE: "the system's limit of inotify instances is reached (fs.inotify.max_user_instances)",
    errno.ENOSYS: "the system has no inotify",
}
_NOT_THIS_ONE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENAMETOOLONG, errno.ELOOP}
"""Gone meanwhile, not to be read, or too deep: the others are watched all the same."""


class Watches:
    """The watched folders. `run` reports changes; `follow` adds folders while it runs."""

    def __init__(self, *, on_change: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        """Take who is told of a folder in which something changed, and that reports were lost."""
        self.why_not = ""
        """Why some folders, or all, aren't watched; empty if all that are to be are."""
        self._on_change = on_change
        self._on_lost = on_lost
        self._inotify: Inotify | None = None
        self._watched: set[bytes] = set()
        self._adding = asyncio.Lock()

    @property
    def watching(self) -> int:
        """How many folders are watched."""
        return len(self._watched)

    async def run(self) -> None:
        """Report changes until cancelled; without inotify, say so and return."""
        try:
            await faults.async_point("storage.inotify")
            inotify = Inotify()
        except OSError as error:
            self.why_not = _LIMITS.get(error.errno or 0, f"inotify can't be used: {error.strerror}")
            return
        with inotify:
            self._inotify = inotify
            try:
                await self._report(inotify)
            finally:
                async with self._adding:  # a thread may be adding to it
                    self._inotify = None
                    self._watched.clear()

    async def follow(self, folders: Iterable[bytes]) -> None:
        """Watch those of the folders, absolute paths, that aren't watched yet, as far as the system allows.

        A folder that comes to those that are watched may have got files before it was: it is reported once.
        """
        async with self._adding:
            first = not self._watched
            pending = iter([folder for folder in folders if folder not in self._watched])
            while self._inotify is not None and (chunk := list(islice(pending, CHUNK))):
                added, why_not = await in_thread(_add, self._inotify, chunk)
                self._watched.update(added)
                if not first:
                    for folder in added:
                        self._on_change(folder)
                if why_not:
                    self.why_not = why_not
                    return
            if self._inotify is not None:
                self.why_not = ""

    async def _report(self, inotify: Inotify) -> None:
        reports = 0
        async for event in inotify:
            self._take(event)
            reports += 1
            if reports % BURST == 0:
                await asyncio.sleep(BURST_PAUSE_S)

    def _take(self, event: Event) -> None:
        if Mask.Q_OVERFLOW in event.mask:
            self._on_lost()
            return
        watch = event.watch
        if watch is None:
            return
        folder = bytes(watch.path)
        if Mask.IGNORED in event.mask:  # the folder is gone, or its file system
            self._watched.discard(folder)
            return
        self._on_change(folder)


def _add(inotify: Inotify, folders: Iterable[bytes]) -> tuple[list[bytes], str]:
    """Watch folders; return those that are, and why no more can be. Blocks."""
    added: list[bytes] = []
    for folder in folders:
        try:
            faults.point("storage.watch")
            watch = inotify.add_watch(folder, _MASK)
        except OSError as error:
            if error.errno in _NOT_THIS_ONE:
                continue
            return added, _LIMITS.get(error.errno or 0, f"{display_text(os.fsdecode(folder))}: {error.strerror}")
        # A folder that was moved keeps its watch, and that its old name.
        watch.path = Path(os.fsdecode(folder))
        added.append(folder)
    return added, ""
