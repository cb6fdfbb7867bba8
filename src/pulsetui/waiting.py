"""Waiting for what can't be stopped half-way: threads, transactions, dying processes.

Cancelling the await of a thread doesn't stop the thread: a late write landed in another file that had reused the
descriptor. Here a cancelled caller waits until the thing is over, and only then sees its cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def finished(future: asyncio.Future[T]) -> T:
    """Wait until `future` is over, however often the caller is cancelled meanwhile, and return its result.

    A cancelled caller gets its CancelledError after that; the future itself is never cancelled.
    """
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return future.result()
    if not future.cancelled():
        future.exception()  # else asyncio complains that nobody looked at it
    raise cancelled


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a blocking function in a worker thread and wait for its end, also when cancelled."""
    return await finished(asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs)))
