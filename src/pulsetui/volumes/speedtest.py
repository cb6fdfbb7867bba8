"""Speed tests: whether one may be done, that one runs at a time, and what it found.

The invariants: a test begins only when a human orders it, on a tracked volume that was seen to be itself just now, and
only while the room that it takes is held for it; however it ends, nothing is left on the volume, and nobody waits for
one that hangs. The measuring itself is left to `measuring`, in a process of its own, and what may be to `speed_rules`.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pulsetui.clock import Clock
from pulsetui.errors import PulseError, RefusedError, SpaceError, VolumeAwayError, WorkerFailedError
from pulsetui.processes.runner import OnEvent, TaskSpec
from pulsetui.processes.session import Session, session
from pulsetui.volumes.judgement import Standing
from pulsetui.volumes.measuring import ROUNDS, STOPPED
from pulsetui.volumes.naming import find, fingerprint_of, name_of
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.speed_rules import in_words, size_for, speed_of, usable
from pulsetui.volumes.views import SpeedTestView, SpeedView

_PATIENCE_S = 2.0
"""How long a test that is to stop may take to clear up; then it is killed, which leaves as little."""
_KILLED_S = 0.5
"""How long to wait for the end of one that was killed."""
_TASK = "pulsetui.volumes.measuring:measure"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What speed tests have to know of the rest of pulsetui."""

    hold: Callable[[Path, int], AbstractAsyncContextManager[None]]
    """Keeps so many bytes on the file system of a path from being given to anything else; a RefusedError says that
    they would pass the limit or the floor."""
    running: Callable[[], Mapping[str, int]]
    """What of ours runs now: how many by what each is called, such as `download`."""
    folders: Callable[[Detected], Sequence[Path]]
    """Where pulsetui writes on a volume, for where its mount point itself may not be written."""


@dataclass(slots=True)
class _Running:
    """The test that runs."""

    order: str
    began_s: float
    fingerprint: str = ""
    step: str = "about to begin"
    progress: float = 0.0


class Monitor(Protocol):
    """What speed tests need of the volume monitor."""

    @property
    def standings(self) -> Sequence[Standing]:
        """How each volume stands, as of the newest look."""

    async def refresh(self) -> None:
        """Look at all volumes now."""

    async def record_speed(self, fingerprint: str, speed: SpeedView) -> None:
        """Keep a volume's newest test, and tell of it."""

    def set_testing(self, testing: SpeedTestView | None) -> None:
        """Show how far a test is; None: none runs."""


class SpeedTests:
    """Does speed tests, one at a time."""

    def __init__(
        self,
        *,
        monitor: Monitor,
        clock: Clock,
        surroundings: Surroundings,
        size_bytes: int,
    ) -> None:
        """Take the parts; `size_bytes` is what a round writes and reads unless it is told otherwise."""
        self._monitor = monitor
        self._clock = clock
        self._surroundings = surroundings
        self._size_bytes = size_bytes
        self._running: _Running | None = None
        self._cancel = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closed = False
        self._unwanted: deque[str] = deque(maxlen=16)

    @property
    def view(self) -> SpeedTestView | None:
        """The test that runs, or None."""
        test = self._running
        if test is None:
            return None
        return SpeedTestView(test.fingerprint, test.step, test.progress, self._clock.monotonic() - test.began_s)

    async def test(self, named: str, size_bytes: int | None = None, *, order: str = "") -> tuple[Record, SpeedView]:
        """Test a volume, named by fingerprint, prefix or mount point, and keep what was found.

        `order` is by what `stop` can name this test.

        Raises:
            VolumeNotFoundError, UsageError: there is no such volume, or there are several.
            RefusedError: it may not be done now; says why.
            PulseError: it failed, or was stopped.
        """
        if self._is_closed:
            raise RefusedError("no speed test begins any more: pulsetui stops", hint="start it again first")
        if self._running is not None:
            raise RefusedError(
                f"a speed test of {self._running.fingerprint[:12]} runs already",
                hint="wait for its end, or stop it: `pulsetui volumes speedtest --stop`",
            )
        if order and order in self._unwanted:
            raise _stopped()
        # Before the first await, so that of two orders at once one is refused.
        self._running = test = _Running(order, self._clock.monotonic())
        self._cancel.clear()
        self._idle.clear()
        try:
            record, found = usable(await self._look_up(named))
            test.fingerprint = record.fingerprint
            self._tell()
            size = size_for(found, name_of(record, found), size_bytes, self._size_bytes)
            async with self._surroundings.hold(found.mount_points[0], size):
                speed = await self._measure(test, record, found, size)
            await self._monitor.record_speed(record.fingerprint, speed)
            return record, speed
        finally:
            self._running = None
            self._idle.set()
            self._tell()

    async def stop(self, order: str = "") -> bool:
        """Stop the test that runs, or that of one order only, and wait for its end; return whether there was one.

        An order that hasn't come to its test yet, won't: its caller may be gone before it.
        """
        if self._running is None or (order and self._running.order != order):
            self._unwanted.append(order)
            return False
        self._cancel.set()
        await self._idle.wait()
        return True

    async def close(self) -> None:
        """Begin no more tests, and stop the one that runs."""
        self._is_closed = True
        await self.stop()

    async def _look_up(self, named: str) -> Standing:
        """Return how the volume stands just now; of several with its fingerprint, the one that is tracked."""
        await self._monitor.refresh()
        fingerprint = find(named, self._monitor.standings)
        alike = [one for one in self._monitor.standings if fingerprint_of(one) == fingerprint]
        return next((one for one in alike if one.record is not None), alike[0])

    async def _measure(self, test: _Running, record: Record, found: Detected, size_bytes: int) -> SpeedView:
        beside: Counter[str] = Counter()

        def note(event: Mapping[str, Any]) -> None:
            nonlocal beside
            beside |= Counter(self._surroundings.running())
            test.step = f"{event['step']}, round {event['round']} of {ROUNDS}"
            test.progress = event["progress"]
            self._tell()

        arguments = {
            "mount": str(found.mount_points[0]),
            "folders": [str(folder) for folder in (found.mount_points[0], *self._surroundings.folders(found))],
            "device": found.probe.device,
            "marker": record.marker,
            "size_bytes": size_bytes,
            "in_memory": found.kind == "memory",
        }
        try:
            taken = await _run(TaskSpec(_TASK, arguments), note, self._cancel)
        except WorkerFailedError as error:
            raise _translated(error) from error
        if taken is None:
            raise VolumeAwayError(
                f"the speed test was stopped, and {name_of(record, found)} still holds its process up",
                hint="that ends when the volume answers, or is unmounted; nothing of the file is left",
            )
        return speed_of(taken, size_bytes, beside=in_words(beside), now=self._clock.now())

    def _tell(self) -> None:
        self._monitor.set_testing(self.view)


async def _run(spec: TaskSpec, on_event: OnEvent, cancel: asyncio.Event) -> dict[str, Any] | None:
    """Return what the measuring process found; None if it was stopped, and hangs so that not even a kill ends it.

    Not by `runner.run`, which waits until its process is dead: on a volume that has begun to hang, none dies.

    Raises:
        WorkerFailedError: it said why it failed, or was stopped.
        WorkerLostError: it died.
    """
    async with session(spec) as talk:
        receiving = asyncio.create_task(_received(talk, on_event))
        waiting = asyncio.create_task(cancel.wait())
        try:
            await asyncio.wait({receiving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not receiving.done():
                await talk.send({"stop": True})
                await asyncio.wait({receiving}, timeout=_PATIENCE_S)
            if receiving.done():
                return receiving.result()
        finally:
            if not receiving.done():
                await talk.abandon(_KILLED_S)
            for task in (receiving, waiting):
                task.cancel()
            await asyncio.gather(receiving, waiting, return_exceptions=True)
        if talk.is_over:
            raise WorkerFailedError("it was killed", kind=STOPPED)
        return None


async def _received(talk: Session, on_event: OnEvent) -> dict[str, Any]:
    while (event := await talk.receive()) is not None:
        on_event(event)
    return talk.result or {}


def _stopped() -> PulseError:
    return PulseError("the speed test was stopped", hint="nothing of it is left on the volume")


def _translated(error: WorkerFailedError) -> PulseError:
    """Return what the measuring process said, as what it meant."""
    if error.kind == STOPPED:
        return _stopped()
    kinds: dict[str, type[PulseError]] = {kind.code: kind for kind in (RefusedError, VolumeAwayError, SpaceError)}
    return kinds.get(error.kind, PulseError)(str(error), hint=error.hint)
