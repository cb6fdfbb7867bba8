"""The worker threads of the downloader, apart from the default ones: a slow disk mustn't starve name look-ups there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from pulsetui.waiting import finished

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """Runs blocking calls, each of which is awaited to its end (see `waiting`)."""

    def __init__(self, count: int) -> None:
        """Start none yet; at most `count` calls run at a time."""
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="pulsetui-download")

    def start(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Start a call and return its future, which must be awaited through `waiting.finished`."""
        return asyncio.get_running_loop().run_in_executor(self._pool, lambda: function(*args, **kwargs))

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call in a thread and return its result; a cancelled caller waits for the end of the call."""
        return await finished(self.start(function, *args, **kwargs))

    def close(self) -> None:
        """Let the threads end; no call may be running."""
        self._pool.shutdown(wait=False)
