"""Runs one task in one process of its own and hands back what became of it.

The invariant: when `run` ends, in whatever way, its process and that one's children are dead, and the answer is a
result, an error that the task named, or the news that the process was lost. Retrying is left to the queue.

Not `ProcessPoolExecutor`: there, one killed worker breaks the pool and every future in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pulsetui import faults
from pulsetui.errors import WorkerFailedError, WorkerLostError
from pulsetui.files.names import display_text
from pulsetui.processes.ending import describe_end, end, keep_tail, shown_tail
from pulsetui.waiting import finished

LINE_BYTES = 64 * 2**20
"""The longest answer that is read; a transcript of an hour takes about 100 kB."""
CANCELLED = "cancelled"
"""The kind of the error when the caller's `cancel` was set."""

# What the child needs to find its programs, modules, libraries and temporary folder, and to read file names as we do.
_PLACES = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")
_ENCODING = ("LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8")
_INHERITED = (*_PLACES, *_ENCODING, faults.ENVIRONMENT)

OnEvent = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use; None is no limit of ours."""

    memory_bytes: int | None = None
    """Private writable memory; past it the task gets a MemoryError, which is an error of kind `memory`."""
    cpu_s: int | None = None
    """Seconds of processor time; past it the process is killed."""
    file_bytes: int | None = None
    """The largest file that it may write."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What to run: plain values only, so that it could run on another machine."""

    task: str
    """`package.module:function`, a `pulsetui.processes.task.Task`."""
    arguments: Mapping[str, Any]
    """Plain JSON values."""
    limits: Limits = Limits()
    grace_s: float = 5.0
    """Seconds from SIGTERM, or from the answer, to SIGKILL."""


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
    process = await _spawn()
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
    if "error" in answer:
        error = answer["error"]
        raise WorkerFailedError(display_text(error["message"]), kind=error["kind"], hint=error["hint"])
    result: dict[str, Any] = answer["result"]
    return result


async def _spawn() -> Process:
    command = [sys.executable, "-P", "-m", "pulsetui.processes.child", str(os.getpid())]
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    try:
        await faults.async_point("processes.spawn")
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=environment,
            close_fds=True,
            start_new_session=True,  # a group to kill as one, and no Ctrl-C from our terminal
            limit=LINE_BYTES,
        )
    except OSError as error:
        raise WorkerLostError(f"could not start a process: {error.strerror or error}") from error


async def _converse(process: Process, spec: TaskSpec, on_event: OnEvent) -> dict[str, Any] | None:
    """Send the order, hand on the events and return the answer, or None when the process ends without one."""
    order = {"task": spec.task, "arguments": dict(spec.arguments), "limits": asdict(spec.limits)}
    await _send(process, json.dumps(order).encode() + b"\n")
    while (message := await _next_message(process)) is not None:
        if "event" not in message:
            return message
        on_event(message["event"])
    return None


async def _send(process: Process, line: bytes) -> None:
    if process.stdin is None:
        return
    try:
        await faults.async_point("processes.send")
        process.stdin.write(line)
        await process.stdin.drain()
    except OSError:
        process.stdin.close()  # it died at once, or will now: its exit code and standard error say more


async def _next_message(process: Process) -> dict[str, Any] | None:
    """Return the next whole line of the process, or None at the end."""
    if process.stdout is None:
        return None
    try:
        await faults.async_point("processes.read")
        line = await process.stdout.readline()
        message: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
    except (OSError, ValueError) as error:  # ValueError: longer than LINE_BYTES, or no JSON
        raise WorkerLostError(f"a process answered what can't be read: {error}") from error
    return message


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
