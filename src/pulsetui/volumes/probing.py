"""Asks each mount what it is and how full, so that one that hangs delays no other.

The invariant: a look takes as long as the slowest mount that answers in time, and `timeout_s` and a little when one has
begun to hang; what is known to hang is asked again on the side, with growing pauses, and never while a process still
hangs there. What runs in the processes is in `looking`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from dataclasses import dataclass
from typing import Any

from pulsetui.clock import Clock, SystemClock
from pulsetui.errors import WorkerLostError
from pulsetui.volumes.looker import Looker
from pulsetui.volumes.records import Mount, Probe

HANGING = Probe(is_hanging=True)
IMPATIENT_S = 0.2
"""After so long the next mount is asked, by another process. Also how long one that used to hang may take."""
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 120.0


@dataclass(slots=True)
class _Silent:
    """A mount that did not answer."""

    looker: Looker
    """The process that was asked last; it is killed, and may still hang."""
    again_at_s: float
    pause_s: float
    asking: asyncio.Task[Probe] | None = None


class Prober:
    """Asks mounts through processes that it starts when it needs them; one of them stays."""

    def __init__(self, *, timeout_s: float, clock: Clock | None = None) -> None:
        """Take how long a mount may take to answer."""
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._idle: list[Looker] = []
        self._silent: dict[Mount, _Silent] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def probe(self, mounts: Collection[Mount]) -> dict[Mount, Probe]:
        """Return what was found at each mount. One caller at a time.

        Raises:
            WorkerLostError: no process can be started.
        """
        await self._forget({mount for mount in self._silent if mount not in mounts})
        asked = [mount for mount in mounts if mount not in self._silent]
        asking: dict[Mount, asyncio.Task[Probe]] = {}
        try:
            if asked and not self._idle:
                self._idle.append(await Looker.start())
            for mount in asked:
                asking[mount] = asyncio.create_task(self._asked(mount))
                await asyncio.wait({asking[mount]}, timeout=IMPATIENT_S)
            found = {mount: await task for mount, task in asking.items()}
        finally:
            await _cancel(asking.values())
        found |= await self._ask_again([mount for mount in mounts if mount not in found])
        while len(self._idle) > 1:
            self._on_the_side(self._idle.pop().end())
        return found

    async def close(self) -> None:
        """End all processes; one that hangs is killed, and not waited for longer than a moment."""
        await self._forget(set(self._silent))
        while self._idle:
            self._on_the_side(self._idle.pop().end())
        await asyncio.gather(*self._ending)

    async def _asked(self, mount: Mount) -> Probe:
        """Ask one mount; where the process dies, a second one shows whether it was because of that mount."""
        try:
            return await self._answer(mount)
        except WorkerLostError:
            try:
                return await self._answer(mount)
            except WorkerLostError as error:
                return Probe(error=f"it can't be looked at: {error}")

    async def _answer(self, mount: Mount) -> Probe:
        looker = self._idle.pop() if self._idle else await Looker.start()
        probe: Probe | None = None
        try:
            probe = await looker.ask(mount, self._timeout_s)
            if probe is None:
                self._note_silence(mount, looker)
                return HANGING
        finally:
            if probe is None:
                self._on_the_side(looker.end())
            else:
                self._idle.append(looker)
        self._silent.pop(mount, None)
        return probe

    def _note_silence(self, mount: Mount, looker: Looker) -> None:
        before = self._silent.get(mount)
        pause_s = FIRST_PAUSE_S if before is None else min(before.pause_s * 2, LONGEST_PAUSE_S)
        self._silent[mount] = _Silent(looker, self._clock.monotonic() + pause_s, pause_s)

    async def _ask_again(self, mounts: Collection[Mount]) -> dict[Mount, Probe]:
        """Ask those that hang and are due, and return what they all answered so far."""
        asking: dict[Mount, asyncio.Task[Probe]] = {}
        for mount in mounts:
            silent = self._silent[mount]
            if silent.asking is None and self._is_due(silent):
                silent.asking = asyncio.create_task(self._asked(mount))
            if silent.asking is not None:
                asking[mount] = silent.asking
        if asking:
            await asyncio.wait(asking.values(), timeout=IMPATIENT_S)
        answered = {mount: task.result() for mount, task in asking.items() if task.done()}
        return dict.fromkeys(mounts, HANGING) | answered

    def _is_due(self, silent: _Silent) -> bool:
        return silent.looker.is_over and self._clock.monotonic() >= silent.again_at_s

    async def _forget(self, mounts: Collection[Mount]) -> None:
        gone = [self._silent.pop(mount) for mount in mounts]
        await _cancel([silent.asking for silent in gone if silent.asking is not None])

    def _on_the_side(self, ending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(ending)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _cancel(tasks: Collection[asyncio.Task[Probe]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
