"""Tells when something is mounted or unmounted: the kernel reports a change of the mount table as POLLPRI.

The descriptor of an epoll set is readable while it has events, so the event loop can wait for it among its readers; it
can't wait for POLLPRI itself. What is mounted is left to `mountinfo`.
"""

from __future__ import annotations

import asyncio
import io
import select
from collections.abc import Callable
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")


class MountTable:
    """Watches the mount table from `watch` until `close`, on the running event loop."""

    def __init__(self, on_change: Callable[[], None], *, mountinfo: Path = MOUNTINFO) -> None:
        """Take what to call after each change; it must be quick."""
        self._on_change = on_change
        self._mountinfo = mountinfo
        self._epoll: select.epoll | None = None
        self._table: io.FileIO | None = None

    def watch(self) -> bool:
        """Begin; return False where the kernel reports nothing, or nothing but a plain file is given."""
        if self._epoll is not None:
            return True
        self._table = io.FileIO(self._mountinfo)
        self._epoll = select.epoll()
        try:
            self._epoll.register(self._table, select.EPOLLPRI)
        except PermissionError:  # EPERM: the file can't be polled
            self.close()
            return False
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._changed)
        return True

    def close(self) -> None:
        """End; a second call does nothing."""
        if self._epoll is None:
            return
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._epoll = None
        if self._table is not None:
            self._table.close()

    def _changed(self) -> None:
        # What is left of the event, which is often nothing: the kernel reports a change once to each open file, and the
        # event loop has asked already, through the set.
        assert self._epoll is not None
        self._epoll.poll(0)
        self._on_change()
