"""The task of one walker: lists the folders that it is told, and what is below them, and reports what they hold.

Runs in a process of its own. An explicit stack of open folders; each folder is opened from its parent's descriptor,
without following a link, so neither the length of a path nor what others rename bounds or misleads it. A walker that is
asked gives back half of what it has not begun, the highest folders first, since most may lie below those.

The invariant: what it was told, less what it reported as listed, gone or given back, is what it has still to do. So
its owner can hand the work of a walker that died to another one. The owner's side is `work` and `collecting`.

Messages to it: `{"take": [[path, share, shares, descend], …]}`, `{"give": true}`, `{"end": true}`. From it:
`{"listed": [part, …], "counted": [files, bytes], "gave": [item, …], "split": [path, shares] | null, "idle": bool}`, to
be taken in in that order. Paths go as Latin-1 text: a character for each byte. It is told to take only when it is idle.
"""

from __future__ import annotations

import errno
import gc
import os
from collections import deque
from typing import Any

from pulsetui.processes.task import Emit, Orders
from pulsetui.storage.scan.bounds import Bounds
from pulsetui.storage.scan.listing import Sums, count
from pulsetui.storage.scan.names import Names
from pulsetui.storage.scan.opening import ARMED, above, enter, open_root
from pulsetui.storage.scan.reporting import NO_HEAD, Item, Report, head_of

_OPEN_FOLDERS = 200
"""How many folders above the current one stay open; those further up are found again through `..`."""
_NAMES_AT_ONCE = 2_000
"""A larger folder is reported in parts, so that no message is long and progress is seen."""
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES}
"""What finding a folder again says when it, or a folder above it, was removed, replaced or locked."""


class _Frame:
    """An open folder with folders below it that aren't entered yet. Descriptor -1: closed, to be found again."""

    __slots__ = ("descriptor", "identity", "path", "pending")

    def __init__(self, descriptor: int, identity: tuple[int, int], path: bytes, pending: list[bytes]) -> None:
        self.descriptor = descriptor
        self.identity = identity
        self.path = path
        self.pending = pending


def walk(arguments: dict[str, Any], emit: Emit, orders: Orders) -> dict[str, Any]:
    """List what is ordered until told to end."""
    gc.disable()  # nothing here is cyclic, and looking for it costs a tenth of the time
    walker = _Walker(arguments, emit)
    while not walker.ended:
        walker.obey(orders.get())
        while walker.has_work():
            walker.step()
            if not walker.has_work():
                walker.rest()
            elif not orders.empty():
                walker.obey(orders.get())
    return {}


class _Walker:
    def __init__(self, arguments: dict[str, Any], emit: Emit) -> None:
        self._report = Report(emit)
        self._sums = Sums(
            arguments["categories"], arguments["fixed"], arguments["other"], arguments["number_of_categories"]
        )
        self._bounds = Bounds(
            arguments["device"],
            frozenset(path.encode("latin-1") for path in arguments["mounts"]),
            frozenset((device, inode) for device, inode in arguments["leave_out"]),
        )
        self._names = Names(arguments["exclude"], arguments["shares"], arguments["huge"])
        self._root = open_root(os.fsencode(arguments["root"]), tuple(arguments["identity"]))
        self._items: deque[Item] = deque()
        self._stack: list[_Frame] = []
        self._asked = False
        self.ended = False

    def obey(self, order: dict[str, Any]) -> None:
        """Take new work in, or remember that others have none."""
        for path, share, shares, descend in order.get("take", ()):
            self._items.append((path.encode("latin-1"), share, shares, descend))
        self._asked |= "give" in order
        self.ended |= "end" in order

    def has_work(self) -> bool:
        """Whether there is a folder to be listed."""
        return bool(self._stack or self._items)

    def step(self) -> None:
        """Do the next folder, and give some of the rest away if others wait."""
        if self._stack:
            self._next_below()
        else:
            self._begin(*self._items.popleft())
        if self._asked:
            self._give()

    def rest(self) -> None:
        """Say that all is done."""
        self._asked = False
        self._report.send(idle=True)

    def _next_below(self) -> None:
        frame = self._stack[-1]
        if not frame.pending:
            self._leave(frame)
            return
        if frame.descriptor < 0:  # it was closed, and the way back through `..` led elsewhere
            self._stack.pop()
            self._items.extendleft((_join(frame.path, name), 0, 1, True) for name in frame.pending)
            return
        name = frame.pending.pop()
        self._list(frame.descriptor, name, _join(frame.path, name), 0, 1, descend=True)

    def _leave(self, frame: _Frame) -> None:
        self._stack.pop()
        if self._stack and self._stack[-1].descriptor < 0 and frame.descriptor >= 0:
            self._stack[-1].descriptor = above(frame.descriptor, self._stack[-1].identity)
        if frame.descriptor >= 0:
            os.close(frame.descriptor)

    def _begin(self, path: bytes, share: int, shares: int, descend: bool) -> None:
        """Find a folder from the root, part by part, so that no link leads out of the root, and list it."""
        way, _, name = path.rpartition(b"/")
        descriptor = os.dup(self._root)
        try:
            for part in filter(None, way.split(b"/")):
                below = enter(descriptor, part)
                os.close(descriptor)
                descriptor = below
        except OSError as error:
            if error.errno in _GONE:
                self._report.gone(path, share)
            else:
                self._report.listed(path, share, NO_HEAD, None, [], str(error.strerror), last=True)
        else:
            self._list(descriptor, name or b".", path, share, shares, descend=descend)
        finally:
            os.close(descriptor)

    def _list(self, parent: int, name: bytes, path: bytes, share: int, shares: int, *, descend: bool) -> None:
        """List one folder, report it, and put it on the stack if there are folders to be entered below it."""
        try:
            descriptor = enter(parent, name)
        except FileNotFoundError:
            self._report.gone(path, share)
            return
        except OSError as error:
            self._not_entered(parent, name, path, share, error)
            return
        status = os.fstat(descriptor)
        identity = (status.st_dev, status.st_ino)
        if path and self._bounds.leave(path, *identity):
            self._report.gone(path, share)
            os.close(descriptor)
            return
        folders: list[bytes] = []
        try:
            folders = self._count(descriptor, path, share, shares, status)
        except OSError as error:
            self._report.listed(path, share, head_of(status), None, [], str(error.strerror), last=True)
        if not descend or not folders:
            os.close(descriptor)
            return
        self._stack.append(_Frame(descriptor, identity, path, folders))
        if len(self._stack) > _OPEN_FOLDERS and (far := self._stack[-_OPEN_FOLDERS]).descriptor >= 0:
            os.close(far.descriptor)
            far.descriptor = -1

    def _count(self, descriptor: int, path: bytes, share: int, shares: int, status: os.stat_result) -> list[bytes]:
        """Count the files in an open folder, in parts if they are many, and return the folders to be entered."""
        os.fchdir(descriptor)
        if ARMED:
            from pulsetui import faults

            faults.point("storage.scan_list")
        if shares > 1:
            names = self._names.share(share, shares)
        else:
            names = self._names.here(status.st_size, lambda shares: self._report.split(path, shares))
        head = head_of(status)
        entered: list[bytes] = []
        for start in range(0, max(1, len(names)), _NAMES_AT_ONCE):
            part = count(names[start : start + _NAMES_AT_ONCE], self._sums)
            folders = [name for name, *inode in part.folders if not self._bounds.leave(_join(path, name), *inode)]
            error = str(part.error.strerror) if part.error else ""
            last = start + _NAMES_AT_ONCE >= len(names)
            self._report.listed(path, share, head, part, folders, error, last=last)
            entered += folders
        return entered

    def _not_entered(self, parent: int, name: bytes, path: bytes, share: int, error: OSError) -> None:
        """Report a folder that can't be opened, or that is none any more."""
        try:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except OSError:
            status = None
        if status is None or status.st_mode & 0o170000 != 0o040000:
            self._report.gone(path, share)
        else:
            self._report.listed(path, share, head_of(status), None, [], str(error.strerror), last=True)

    def _give(self) -> None:
        """Give back half of the first of what is not begun: whole items, or folders of the highest frame."""
        given: list[Item] = []
        if len(self._items) > 1 or (self._items and self._stack):
            given = [self._items.pop() for _ in range((len(self._items) + 1) // 2)]
        else:
            frame = next((frame for frame in self._stack if frame.pending), None)
            if frame is not None:
                half = (len(frame.pending) + 1) // 2
                given = [(_join(frame.path, name), 0, 1, True) for name in frame.pending[:half]]
                del frame.pending[:half]
        if given:
            self._asked = False
            self._report.send(gave=given)


def _join(path: bytes, name: bytes) -> bytes:
    return path + b"/" + name if path else name
