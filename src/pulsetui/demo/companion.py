"""A task that runs beside the demo, in a process of its own, for as long as a block of the demo does.

The invariant: inside the block the task has sent at least one event, and after it its process is gone. How processes
are started, ended and reaped is left to `pulsetui.processes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pulsetui.errors import WorkerFailedError
from pulsetui.processes.runner import CANCELLED, OnEvent, TaskSpec, run


@asynccontextmanager
async def companion(spec: TaskSpec, on_event: OnEvent) -> AsyncIterator[asyncio.Task[dict[str, Any]]]:
    """Run a task that doesn't end by itself; the block begins with its first event and ends it.

    The block gets the asyncio task behind it, which is done in the middle of the block only if the process died.

    Raises:
        WorkerFailedError: the task failed, before or during the block.
        WorkerLostError: its process died, before or during the block.
    """
    started, stop = asyncio.Event(), asyncio.Event()

    def take(event: dict[str, Any]) -> None:
        on_event(event)
        started.set()

    running = asyncio.create_task(run(spec, take, stop))
    starting = asyncio.create_task(started.wait())
    try:
        await asyncio.wait({running, starting}, return_when=asyncio.FIRST_COMPLETED)
        if started.is_set():
            yield running
    finally:
        starting.cancel()
        stop.set()
        try:
            await running
        except WorkerFailedError as error:
            if error.kind != CANCELLED:
                raise
