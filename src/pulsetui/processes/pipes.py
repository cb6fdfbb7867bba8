"""Starts the process of a task and carries lines of JSON to it and back.

The invariant: a process gets a small environment, no descriptor of ours but its pipes, and a group of its own; what
can't be read from it is a lost process. Ending it is left to `ending`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pulsetui import faults
from pulsetui.errors import WorkerFailedError, WorkerLostError
from pulsetui.files.names import display_text

LINE_BYTES = 64 * 2**20
"""The longest answer that is read; a transcript of an hour takes about 100 kB."""

# What the child needs to find its programs, modules, libraries and temporary folder, and to read file names as we do.
_PLACES = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")
_ENCODING = ("LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8")
_INHERITED = (*_PLACES, *_ENCODING, faults.ENVIRONMENT)


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
    """`package.module:function`, a `pulsetui.processes.task.Task`; in a session, a `SessionTask`."""
    arguments: Mapping[str, Any]
    """Plain JSON values."""
    limits: Limits = Limits()
    grace_s: float = 5.0
    """Seconds from SIGTERM, or from the answer, to SIGKILL."""


async def spawn() -> Process:
    """Start a process that waits for its order.

    Raises:
        WorkerLostError: the system won't have it.
    """
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
            # A group to kill as one, and no Ctrl-C from our terminal. No session of its own: the kernel may schedule by
            # sessions, and a job's niceness would count within its own alone (sched(7), autogroup).
            process_group=0,
            limit=LINE_BYTES,
        )
    except OSError as error:
        raise WorkerLostError(f"could not start a process: {error.strerror or error}") from error


async def send_order(process: Process, spec: TaskSpec, *, two_way: bool = False) -> None:
    """Send what the process is to do; `two_way` says that more lines will follow."""
    order = {"task": spec.task, "arguments": dict(spec.arguments), "limits": asdict(spec.limits), "two_way": two_way}
    await send(process, order)


async def send(process: Process, message: Mapping[str, Any]) -> None:
    """Send one line. To a process that is gone, nothing is sent: reading from it says more."""
    if process.stdin is None or process.stdin.is_closing():
        return
    try:
        await faults.async_point("processes.send")
        process.stdin.write(json.dumps(message).encode() + b"\n")
        await process.stdin.drain()
    except OSError:
        process.stdin.close()  # it died at once, or will now: its exit code and standard error say more


async def next_message(process: Process) -> dict[str, Any] | None:
    """Return the next whole line of the process, or None at the end.

    Raises:
        WorkerLostError: it is no JSON, or longer than `LINE_BYTES`.
    """
    if process.stdout is None:
        return None
    try:
        await faults.async_point("processes.read")
        line = await process.stdout.readline()
        message: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
    except (OSError, ValueError) as error:  # ValueError: longer than LINE_BYTES, or no JSON
        raise WorkerLostError(f"a process answered what can't be read: {error}") from error
    return message


def result_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the result in the last message of a task.

    Raises:
        WorkerFailedError: it is an error.
    """
    if "error" in answer:
        error = answer["error"]
        raise WorkerFailedError(display_text(error["message"]), kind=error["kind"], hint=error["hint"])
    result: dict[str, Any] = answer["result"]
    return result
