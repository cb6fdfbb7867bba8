"""Looks at the mounts: on schedule, at once when one changes, and on order; and says what is known of the volumes.

Invariants: two looks never run at once; an order is answered by a look that began after it, and orders that wait share
one; nothing changes what is tracked while one runs. How a look is judged is in `changes`, what is kept of it in `kept`;
what is mounted is found by the detector; orders are in `tracking`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pulsetui.clock import Clock
from pulsetui.db.database import Database, Transaction
from pulsetui.errors import NotTrackedError, PulseError
from pulsetui.events.store import EventLog
from pulsetui.settings.volumes import Volumes
from pulsetui.volumes import changes, overview, store
from pulsetui.volumes.changes import Look
from pulsetui.volumes.events import VolumeSpeedTested
from pulsetui.volumes.judgement import Standing
from pulsetui.volumes.kept import Kept
from pulsetui.volumes.mount_table import MOUNTINFO, MountTable
from pulsetui.volumes.naming import name_of
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.views import MonitorView, SpeedTestView, SpeedView, VolumesView

SETTLE_S = 0.05
"""A change of the mount table seldom comes alone: those of so long are looked at together."""
APART_S = 1.0
"""The least time between looks because of changes, when there is no end to them."""
_log = logging.getLogger("pulsetui.volumes")


class Detects(Protocol):
    """What finds the mounted file systems."""

    async def detect(self) -> tuple[Detected, ...]:
        """Return those that are mounted now."""
        ...

    async def close(self) -> None:
        """End what it started."""
        ...


class VolumeMonitor:
    """Looks at the volumes when asked to, and by itself while its service runs and nobody stopped it."""

    def __init__(
        self,
        *,
        database: Database,
        events: EventLog,
        clock: Clock,
        settings: Volumes,
        detector: Detects,
        roots: Callable[[], overview.Roots] = tuple,
        mountinfo: Path = MOUNTINFO,
    ) -> None:
        """Take the parts; `roots` gives names and folders of the storage roots."""
        self.is_running = True
        """Whether it looks by itself; `start` and `stop` change it."""
        self.failure = ""
        """Why the last look failed, or empty."""
        self.on_change: list[Callable[[], None]] = []
        """Called after each look, and whenever the view may be another one."""
        self._database = database
        self._events = events
        self._clock = clock
        self._settings = settings
        self._detector = detector
        self._roots = roots
        self._kept = Kept(database, events)
        self._table = MountTable(self._mounts_changed, mountinfo=mountinfo)
        self._look: Look | None = None
        self._looked_at_s = float("-inf")
        self._mounts_moved = False
        self._testing: SpeedTestView | None = None
        self._view: VolumesView | None = None
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()

    @property
    def standings(self) -> tuple[Standing, ...]:
        """How each tracked and each mounted volume stood at the last look."""
        return () if self._look is None else self._look.standings

    @property
    def detected(self) -> tuple[Detected, ...]:
        """The file systems that were mounted at the last look."""
        return () if self._look is None else self._look.detected

    @property
    def records(self) -> tuple[Record, ...]:
        """The tracked volumes of all libraries, as of the last look."""
        return self._kept.records

    @property
    def refreshed_at(self) -> datetime | None:
        """When it last looked; None: not yet."""
        return None if self._look is None else self._look.at

    async def run(self) -> None:
        """Look when it is time, until cancelled."""
        try:
            while True:
                if self.is_running:
                    self._table.watch()
                    await self._wait_and_look()
                else:
                    self._table.close()
                    await self._wake_or(float("inf"))
        finally:
            self._table.close()

    def start(self) -> None:
        """Look by itself from now on, and at once."""
        if not self.is_running:
            self.is_running = True
            self._look_soon()

    def stop(self) -> None:
        """Look on order only."""
        if self.is_running:
            self.is_running = False
            self._woken.set()
            self._tell()

    async def refresh(self) -> None:
        """Have a look that begins from now on. It goes on if the caller is cancelled, for others may wait for it.

        Raises:
            PulseError: it failed; what is known is that of before.
        """
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._in_turn(), name="volumes.look")
            self._running.add(self._waiting)
            self._waiting.add_done_callback(self._ended)
        await asyncio.shield(self._waiting)

    async def change(self, work: Callable[[Transaction], Awaitable[None]]) -> None:
        """Change what is tracked in one transaction, and look at all of it as it is then.

        Raises:
            PulseError: nothing was changed.
        """
        async with self._turn:
            await self._database.write(work)
            self._kept.is_outdated = True
        with contextlib.suppress(PulseError):  # it is done; `failure` says why it isn't seen yet
            await self.refresh()

    def forget(self) -> None:
        """Take note that somebody else changed what is tracked: it is read again at the next look, which is soon."""
        self._kept.is_outdated = True
        self._look_soon()

    async def record_speed(self, fingerprint: str, speed: SpeedView) -> None:
        """Keep a volume's newest speed test, and tell of it.

        Raises:
            NotTrackedError: it isn't tracked any more.
            PulseError: it could not be stored.
        """
        one = next((one for one in self.records if one.fingerprint == fingerprint), None)

        async def work(tx: Transaction) -> None:
            if not await store.record_speed(tx, fingerprint, speed) or one is None:
                raise NotTrackedError(f"the volume {fingerprint} isn't tracked any more, so its speed isn't kept")
            tested = VolumeSpeedTested(
                fingerprint=fingerprint,
                name=name_of(one, None),
                read_bps=speed.read_bps,
                write_bps=speed.write_bps,
                method=speed.method,
                size_bytes=speed.size_bytes,
                beside=speed.beside,
            )
            await self._events.record(tx, tested, now=self._clock.now())

        await self.change(work)

    def set_testing(self, testing: SpeedTestView | None) -> None:
        """Show how far a speed test is; None: none runs."""
        self._testing = testing
        self._tell()

    def view(self) -> VolumesView:
        """Return all volumes as of the last look: the same object until something is otherwise."""
        if self._view is None:
            volumes = () if self._look is None else overview.view_of(self._look, self._kept.past, self._roots())
            interval_s = self._settings.refresh_interval.total_seconds()
            monitor = MonitorView(self.is_running, self.refreshed_at, interval_s, self.failure)
            self._view = VolumesView(self.refreshed_at or self._clock.now(), volumes, monitor, self._testing)
        return self._view

    async def close(self) -> None:
        """Wait for the look that runs, store what isn't stored yet, and end the detector."""
        while self._running:
            await asyncio.wait(set(self._running))
        with contextlib.suppress(PulseError):  # it costs some minutes of "last seen"
            await self._kept.flush()
        await self._detector.close()

    async def _wait_and_look(self) -> None:
        """Wait until a look is due, or whether it is may have changed; look if it is."""
        now_s = self._clock.monotonic()
        left_s = self._looked_at_s + self._settings.refresh_interval.total_seconds() - now_s
        if self._mounts_moved:
            left_s = min(left_s, self._looked_at_s + APART_S - now_s)
        if left_s > 0:
            await self._wake_or(left_s)
            return
        if self._mounts_moved:
            await self._clock.sleep(SETTLE_S)
        self._mounts_moved = False
        with contextlib.suppress(PulseError):  # `failure` tells of it
            await self.refresh()

    async def _wake_or(self, seconds: float) -> None:
        """Wait until something happened, or for so long."""
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._woken.wait())]
        if seconds != float("inf"):
            waits.append(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._woken.clear()

    def _mounts_changed(self) -> None:
        self._mounts_moved = True
        self._woken.set()

    def _look_soon(self) -> None:
        self._looked_at_s = float("-inf")
        self._woken.set()
        self._tell()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # told already, also if nobody waits for it

    async def _in_turn(self) -> None:
        async with self._turn:
            self._waiting = None
            self._looked_at_s = self._clock.monotonic()
            try:
                await self._look_at_all()
                self.failure = ""
            except PulseError as error:
                if self.failure != str(error):
                    _log.warning("volumes not looked at: %s", error)
                self.failure = str(error)
                raise
            finally:
                self._tell()

    async def _look_at_all(self) -> None:
        kept = self._kept
        if kept.is_outdated:
            await kept.read()
        detected = await self._detector.detect()
        now, warning = self._clock.now(), self._settings.full_warning
        found, events = changes.look(self._look, detected, kept.records, kept.past, now=now, full_warning=warning)
        self._look = found
        await kept.adopt(found, events)
        await kept.thin(now)

    def _tell(self) -> None:
        self._view = None
        for callback in self.on_change:
            callback()
