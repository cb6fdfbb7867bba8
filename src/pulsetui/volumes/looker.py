"""One process that looks at mounts, as seen from here: asked about one at a time, and killed when it hangs.

The invariant: an answer belongs to the mount that was asked about; a process that didn't answer in time is never asked
again. Which process is asked about what is left to `probing`.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from pulsetui.errors import WorkerLostError
from pulsetui.processes.pipes import TaskSpec
from pulsetui.processes.session import Session, session
from pulsetui.volumes.looking import TASK
from pulsetui.volumes.records import Mount, Probe

START_S = 30.0
"""How long the process may take to start, on a machine with too much to do."""
PATIENCE_S = 0.5
"""How long to wait for the end of one that was killed."""
_STARVED = 10
"""How many times over one that could run, but gets no processor, is waited for."""
_GRACE_S = 0.05
"""For an answer that came while our own event loop was held up."""


class Looker:
    """A process that looks at mounts; `start` makes one."""

    def __init__(self, talk: Session, stack: AsyncExitStack) -> None:
        """Take over a session that is open, and what leaves it."""
        self._talk = talk
        self._stack = stack

    @classmethod
    async def start(cls) -> Self:
        """Start one and wait until it is ready.

        Raises:
            WorkerLostError: it doesn't come up.
        """
        async with AsyncExitStack() as stack:
            talk = await stack.enter_async_context(session(TaskSpec(TASK, {}, grace_s=PATIENCE_S)))
            try:
                await asyncio.wait_for(talk.receive(), START_S)
            except TimeoutError as error:
                raise WorkerLostError(f"the process that looks at mounts was not ready in {START_S:.0f} s") from error
            return cls(talk, stack.pop_all())
        raise AssertionError  # an exit stack swallows nothing; mypy can't know

    @property
    def pid(self) -> int:
        """The process id."""
        return self._talk.pid

    @property
    def is_over(self) -> bool:
        """Whether the process has ended; one that hangs in the kernel ends some time after it was killed."""
        return self._talk.is_over

    async def ask(self, mount: Mount, timeout_s: float) -> Probe | None:
        """Return what it found, or None if it doesn't answer in time.

        Raises:
            WorkerLostError: it died.
        """
        await self._talk.send({"id": mount.id, "point": os.fsdecode(mount.point)})
        receiving = asyncio.create_task(self._talk.receive())
        try:
            for _ in range(_STARVED):
                await asyncio.wait({receiving}, timeout=timeout_s)
                if receiving.done() or not _wants_to_run(self.pid):
                    break
            await asyncio.wait({receiving}, timeout=_GRACE_S)
            return _probe(receiving.result()) if receiving.done() else None
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    async def end(self) -> None:
        """Kill it, and wait for a moment."""
        await self._talk.abandon(PATIENCE_S)
        await self._stack.aclose()


def _probe(answer: dict[str, Any] | None) -> Probe:
    return Probe(**(answer or {}))


def _wants_to_run(pid: int) -> bool:
    """Say whether a process waits for a processor (state R, proc_pid_stat(5)), and for nothing else."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[:1] == [b"R"]
