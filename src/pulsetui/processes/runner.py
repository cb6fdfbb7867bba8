"""Runs one task in one process of its own and hands back what became of it.

The invariant: when `run` ends, in whatever way, its process and that one's children are dead, and the answer is a
result, an error that the task named, or the news that the process was lost. Retrying is left to the queue.

Not `ProcessPoolExecutor`: there, one killed worker breaks the pool and every future in it.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine
from typing import Any

from pulsetui.errors import WorkerFailedError, WorkerLostError
from pulsetui.processes.ending import describe_end, end, keep_tail, shown_tail
from pulsetui.processes.pipes import Limits, TaskSpec, next_message, result_of, send_order, spawn
from pulsetui.waiting import finished

__all__ = ["CANCELLED", "Limits", "OnEvent", "TaskSpec", "run"]

CANCELLED = "cancelled"
"""The kind of the error when the caller's `cancel` was set."""

OnEvent = Callable[[dict[str, Any]], None]


async def run(spec: TaskSpec, on_event: OnEvent, cancel: asyncio.Event | None = None) -> dict[str, Any]:
    """Run a task in a process of its own and return its result.

    `on_event` gets each event of the task, on the event loop. Setting `cancel`, or cancelling the caller, ends the
    process: SIGTERM, and SIGKILL to its process group after `grace_s`. The kernel kills the process when the thread of
    this event loop ends.

    Raises:
        WorkerFailedError: the task answered with an error, whose `kind` it names; or kind `cancelled`.
        WorkerLostError: the process couldn't be started, or died without an answer.
    """
    if cancel is not None and cancel.is_set():
        raise _was_cancelled(spec)
    process = await spawn()
    stderr = bytearray()
    reading = asyncio.create_task(keep_tail(process, stderr))
    interrupted = True
    try:
        answer = await _unless_cancelled(_converse(process, spec, on_event), spec, cancel)
        interrupted = False
    finally:
        await finished(asyncio.create_task(end(process, reading, spec.grace_s, terminate=interrupted)))
    if answer is None:
        raise WorkerLostError(f"{spec.task} {describe_end(process.returncode)} without an answer{shown_tail(stderr)}")
    return result_of(answer)


async def _converse(process: Process, spec: TaskSpec, on_event: OnEvent) -> dict[str, Any] | None:
    """Send the order, hand on the events and return the answer, or None when the process ends without one."""
    await send_order(process, spec)
    while (message := await next_message(process)) is not None:
        if "event" not in message:
            return message
        on_event(message["event"])
    return None


async def _unless_cancelled(
    conversation: Coroutine[Any, Any, dict[str, Any] | None], spec: TaskSpec, cancel: asyncio.Event | None
) -> dict[str, Any] | None:
    talking = asyncio.create_task(conversation)
    waiting = asyncio.create_task(cancel.wait() if cancel else asyncio.Event().wait())
    try:
        await asyncio.wait({talking, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if talking.done():
            return talking.result()
        raise _was_cancelled(spec)
    finally:
        talking.cancel()
        waiting.cancel()
        await asyncio.gather(talking, waiting, return_exceptions=True)


def _was_cancelled(spec: TaskSpec) -> WorkerFailedError:
    return WorkerFailedError(f"{spec.task} was cancelled", kind=CANCELLED)
