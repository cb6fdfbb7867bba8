"""A task that is told more while it runs: lines of JSON both ways, over the pipes of a process of its own.

The invariant is that of `runner`: when a session is left, in whatever way, its process and that one's children are
dead, unless it was abandoned because it hangs; and what was received before a death is whole, line by line.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pulsetui.errors import WorkerLostError
from pulsetui.processes.ending import abandon, describe_end, end, keep_tail, shown_tail
from pulsetui.processes.pipes import TaskSpec, next_message, result_of, send, send_order, spawn
from pulsetui.waiting import finished


class Session:
    """The talk with one running task; `session` opens it."""

    def __init__(self, spec: TaskSpec, process: Process) -> None:
        """Take over a process that has just been started."""
        self._spec = spec
        self._process = process
        self._stderr = bytearray()
        self._reading = asyncio.create_task(keep_tail(process, self._stderr))
        self._ending: asyncio.Task[None] | None = None
        self.result: dict[str, Any] | None = None
        """What the task returned, once `receive` returned None."""

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_over(self) -> bool:
        """Whether the process has ended, and was collected."""
        return self._process.returncode is not None

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send the task one message; one that is gone gets nothing, and `receive` says so."""
        await send(self._process, message)

    async def receive(self) -> dict[str, Any] | None:
        """Return the next event of the task, or None when it has returned.

        Raises:
            WorkerFailedError: the task answered with an error, whose `kind` it names.
            WorkerLostError: the process died without an answer.
        """
        message = await next_message(self._process)
        if message is None:
            await self.end(terminate=False)
            how = describe_end(self._process.returncode)
            raise WorkerLostError(f"{self._spec.task} {how} without an answer{shown_tail(self._stderr)}")
        if "event" in message:
            event: dict[str, Any] = message["event"]
            return event
        self.result = result_of(message)
        return None

    async def end(self, *, terminate: bool) -> None:
        """See the process to its end; a second call waits for the same end."""
        if self._ending is None:
            ending = end(self._process, self._reading, self._spec.grace_s, terminate=terminate)
            self._ending = asyncio.create_task(ending)
        await finished(self._ending)

    async def abandon(self, patience_s: float) -> None:
        """Kill the process, and wait no longer than so: one that hangs in the kernel ends later, by itself.

        The session is to be left as ever; that doesn't wait any longer either.
        """
        if self._ending is None:
            self._ending = asyncio.create_task(abandon(self._process, self._reading, patience_s))
        await finished(self._ending)


@asynccontextmanager
async def session(spec: TaskSpec) -> AsyncIterator[Session]:
    """Run a task in a process of its own and talk with it.

    The task is a `pulsetui.processes.task.SessionTask`. One that hasn't returned when the session is left is ended as
    `runner.run` ends a cancelled one.

    Raises:
        WorkerLostError: the process couldn't be started.
    """
    talk = Session(spec, await spawn())
    try:
        await send_order(talk._process, spec, two_way=True)  # noqa: SLF001 - of the same module
        yield talk
    finally:
        await talk.end(terminate=talk.result is None)
