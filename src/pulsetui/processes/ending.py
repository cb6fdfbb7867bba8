"""Brings the process of a job to its end, and says how it ended.

The invariant: after `end`, no process of the job's group is alive, none of its pipes is open here, and a cancelled
caller has waited for both; `abandon` is for tasks that may hang in the kernel. When and why to end one is left to
`runner`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from asyncio.subprocess import Process
from contextlib import suppress

from pulsetui import faults
from pulsetui.files.names import display_text

TAIL_BYTES = 2000
"""How much of the end of standard error goes into the message when a process is lost."""
_PIPES_S = 1.0  # how long the pipes of dead processes may take to end
_log = logging.getLogger(__name__)
_REASONS: dict[int, str] = {
    signal.SIGKILL: " (out of memory, or from outside)",
    signal.SIGXCPU: " (its processor time is used up)",
}


async def end(process: Process, reading: asyncio.Task[None], grace_s: float, *, terminate: bool) -> None:
    """Wait for the process to end, asked for by SIGTERM or of its own accord, and kill what is left of its group."""
    try:
        if terminate:
            await faults.async_point("processes.terminate")
            _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace_s)
    finally:
        try:
            await faults.async_point("processes.kill")
        finally:
            _kill_group(process)
            await process.wait()
            await _let_pipes_end(process, reading)
    await faults.async_point("processes.reaped")


async def abandon(process: Process, reading: asyncio.Task[None], patience_s: float) -> None:
    """Kill the process and what it started, and wait no longer than `patience_s` for its end.

    One that waits in the kernel for a disk or a server that is gone dies when that wait ends, and not before (state D,
    proc_pid_stat(5)). It is left behind then, killed and without pipes, so that nobody here waits with it.
    """
    try:
        await faults.async_point("processes.abandon")
    finally:
        _kill_group(process)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience_s)
        if process.returncode is None:
            _let_go(process)
        await _let_pipes_end(process, reading)


def _let_go(process: Process) -> None:
    """Close our ends of the pipes. The event loop still sees to the end of the process, if it comes while that runs."""
    transport = process._transport  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
    transport.close()
    # It was killed, whenever it dies of it: without this, Popen complains of one that outlives the event loop.
    transport.get_extra_info("subprocess").returncode = -signal.SIGKILL


def _signal(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _kill_group(process: Process) -> None:
    """Kill the process and what it started.

    Also after its own end: its children may live on, and while one does, no new process can get the group's number.
    """
    if process.stdin is not None:
        process.stdin.close()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _let_pipes_end(process: Process, reading: asyncio.Task[None]) -> None:
    """Read both pipes to their end, unless a process that left the group holds them open."""
    draining = asyncio.create_task(_drain(process))
    _, pending = await asyncio.wait({reading, draining}, timeout=_PIPES_S)
    for task in pending:
        task.cancel()
    await asyncio.gather(reading, draining, return_exceptions=True)


async def _drain(process: Process) -> None:
    while process.stdout is not None and await process.stdout.read(1 << 20):
        pass


async def keep_tail(process: Process, tail: bytearray) -> None:
    """Keep the end of standard error; all of it is read, since a full pipe would stop the process."""
    while process.stderr is not None and (read := await process.stderr.read(1 << 16)):
        tail += read
        del tail[:-TAIL_BYTES]


def describe_end(code: int | None) -> str:
    """Return how a process ended, as a clause: `ended with exit code 3`, `was killed by SIGSEGV`."""
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    names = {number.value: number.name for number in signal.Signals}
    return f"was killed by {names.get(-code, f'signal {-code}')}{_REASONS.get(-code, '')}"


def shown_tail(stderr: bytearray) -> str:
    """Return the end of what was kept of standard error as the end of a message: `: ` and harmless text, or nothing.

    Of a traceback that is its last line, which names the error; where it was raised is for our log, not for users.
    """
    lines = [line for line in stderr.decode(errors="surrogateescape").splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if line.startswith("Traceback ")]
    if starts:
        _log.debug("%s", "\n".join(display_text(line) for line in lines))
        lines = lines[-1:]
    shown = " | ".join(display_text(line) for line in lines)
    return f": {shown}" if shown else ""
