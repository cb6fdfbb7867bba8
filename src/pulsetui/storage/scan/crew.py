"""The walkers of one scan: starts them, hands out work and takes in what they report, on the event loop.

The invariant: `list_all` returns when all that waited, and all that was found below, is in `Collected`; otherwise it
raises; and no walker is left either way. A walker that dies costs the folders that it had not reported, which others
list again. The loop is never held for long: walkers keep their messages short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from pulsetui.errors import WorkerFailedError, WorkerLostError
from pulsetui.processes.pipes import TaskSpec
from pulsetui.processes.session import Session, session
from pulsetui.storage.scan.collecting import Collected
from pulsetui.storage.scan.work import Item, Work

_TASK = "pulsetui.storage.scan.walker:walk"
_GRACE_S = 0.05
"""A walker holds nothing that would have to be cleared up."""
_LATER_S = 0.25
"""When a scan that begins with little to list gets its other walkers: it found more."""

Found = Callable[[bytes, Sequence[bytes]], Iterable[Item]]
"""Gets a folder that was to be listed alone and the folders in it; returns those that are to be listed as well."""


class Crew:
    """The walkers of one scan, and the work between them."""

    def __init__(self, arguments: Mapping[str, Any], work: Work, collected: Collected, found: Found) -> None:
        """Take what every walker is told at its start, what there is to do, and where the results go."""
        self._spec = TaskSpec(_TASK, arguments, grace_s=_GRACE_S)
        self._work = work
        self._collected = collected
        self._found = found
        self._sessions: dict[int, Session] = {}
        self._idle: set[int] = set()
        self._done = asyncio.Event()
        self._numbers = count()
        self._running = 0
        self._spares = 1

    async def list_all(self, at_once: int, later: int) -> None:
        """List everything with some walkers at once, and others when it takes long.

        Raises:
            WorkerLostError: walkers died over the same folder twice, or none is left or could be started.
            WorkerFailedError: a walker found that it can't go on, such as without the root.
        """
        self._running = at_once + later
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._running):
                    group.create_task(self._run_lane(0 if number < at_once else _LATER_S))
        except* (WorkerLostError, WorkerFailedError) as failures:
            failure = failures.exceptions[0]
            raise failure from failure.__cause__
        if not self._work.is_done() or self._collected.unfinished():
            raise WorkerLostError("the walkers ended before all was listed")

    async def _run_lane(self, wait_s: float) -> None:
        """Keep one walker busy until all is done; replace it only if it dies as the last one."""
        if wait_s:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), wait_s)
        while not self._work.is_done():
            number = next(self._numbers)
            try:
                await self._run_walker(number)
            except WorkerLostError:
                self._forget(number)
                self._running -= 1
                if self._running or self._work.is_done():
                    await self._hand_out()
                    return
                if not self._spares:
                    raise
                self._spares -= 1
                self._running += 1

    async def _run_walker(self, number: int) -> None:
        async with session(self._spec) as walker:
            self._sessions[number] = walker
            self._idle.add(number)
            await self._hand_out()
            while (event := await walker.receive()) is not None:
                self._take_in(number, event)
                await self._hand_out()

    async def _hand_out(self) -> None:
        """Give idle walkers what waits, ask busy ones for some if nothing does, and end all when all is done."""
        for number in sorted(self._idle):
            if items := self._work.take(number):
                self._idle.discard(number)
                await self._send(number, {"take": [[path.decode("latin-1"), *rest] for path, *rest in items]})
        for number in self._work.to_ask():
            await self._send(number, {"give": True})
        if self._work.is_done() and not self._done.is_set():
            self._done.set()
        if self._done.is_set():
            for number in sorted(self._idle):
                self._idle.discard(number)
                await self._send(number, {"end": True})

    async def _send(self, number: int, order: Mapping[str, Any]) -> None:
        if number in self._sessions:  # else it died meanwhile, and its work waits again
            await self._sessions[number].send(order)

    def _take_in(self, number: int, event: dict[str, Any]) -> None:
        self._collected.files += event["counted"][0]
        self._collected.total_bytes += event["counted"][1]
        for part in event["listed"]:
            self._take_in_part(number, part)
        if event["split"]:
            path, shares = event["split"]
            self._work.split(number, path.encode("latin-1"), shares)
        if event["gave"]:
            self._work.gave(number, [(item[0].encode("latin-1"), *item[1:]) for item in event["gave"]])
        if event["idle"]:
            self._work.idle(number)
            self._idle.add(number)

    def _take_in_part(self, number: int, part: Sequence[Any]) -> None:
        path = part[0].encode("latin-1")
        share, last = part[1:3]
        if len(part) == 3:
            *_, shares, _ = self._work.heard(number, path, share, (), last=True)
            self._collected.add_gone(path, share, shares)
            return
        below: list[bytes] = []
        if part[7]:
            above = path + b"/" if path else b""
            below = [above + name.encode("latin-1") for name in part[7]]
        *_, shares, descend = self._work.heard(number, path, share, below, last=last)
        self._collected.add(path, shares, part)
        if not descend:
            self._work.add(self._found(path, below))

    def _forget(self, number: int) -> None:
        """Take back what a walker that died was at.

        Raises:
            WorkerLostError: another one died over it before.
        """
        self._sessions.pop(number, None)
        self._idle.discard(number)
        for path, share, *_ in self._work.lost(number):
            self._collected.void(path, share)
