"""Runs what blocks beside the event loop, so that Ctrl-C ends it, and tells on a terminal how far it is."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from pulsetui.cli.output import Progress
from pulsetui.storage.ncdu.walk import WalkCancelledError
from pulsetui.waiting import finished

T = TypeVar("T")
QUIET_S = 0.3
"""What is over sooner isn't worth a line."""
_EVERY_S = 0.1


class Ticker:
    """A line of progress on a terminal, ten times a second at most; on a pipe seldom, or never."""

    def __init__(self, *, lines_every_s: float | None = None) -> None:
        """Begin to count the time. `lines_every_s` is how often a pipe gets a line, None is never."""
        on_terminal = sys.stderr.isatty()
        self._every_s = _EVERY_S if on_terminal else lines_every_s or 0.0
        self._progress = Progress() if self._every_s else None
        self._next_at = time.monotonic() + (QUIET_S if on_terminal else self._every_s)

    def tell(self, text: str) -> None:
        """Show how far it is, if it is time."""
        now = time.monotonic()
        if self._progress is not None and now >= self._next_at:
            self._progress.tell(text)
            self._next_at = now + self._every_s

    def end(self) -> None:
        """Leave the line."""
        if self._progress is not None:
            self._progress.end()


async def told_while(how_far: Callable[[], str], work: Callable[[Callable[[], bool]], T]) -> T:
    """Call `work` in a thread and return its result.

    It gets a function that says whether to stop, which is to be asked often; then it raises WalkCancelledError.
    """
    stop = threading.Event()
    future = asyncio.ensure_future(asyncio.to_thread(work, stop.is_set))
    ticker = Ticker()
    try:
        while not future.done():
            await asyncio.wait({future}, timeout=_EVERY_S)
            ticker.tell(how_far())
        return future.result()
    finally:
        stop.set()
        ticker.end()
        if not future.done():
            with suppress(WalkCancelledError):
                await finished(future)


class WatchedStream:
    """A stream that counts what was read of it, and ends with WalkCancelledError when it is told to."""

    def __init__(self) -> None:
        """Read nothing yet: `source` and `stopped` are set by who opens it."""
        self.read_bytes = 0
        self.source: Callable[[int], bytes] = lambda _: b""
        self.stopped: Callable[[], bool] = lambda: False

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end.

        Raises:
            WalkCancelledError: it was told to stop.
        """
        if self.stopped():
            raise WalkCancelledError
        block = self.source(size)
        self.read_bytes += len(block)
        return block
