"""The service that keeps the sizes fresh: on schedule, after runs that moved much, and when the kernel reports changes.

Invariants: refreshes because of reports take a small share of the time, however often things change; what is due on
schedule is due whether or not watches work; a refresh that failed is tried again when the next one is due. Also thins
the past, in small transactions of its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from pulsetui.clock import Clock
from pulsetui.db.database import Database, Transaction
from pulsetui.errors import PulseError
from pulsetui.files.locks import is_network_file_system
from pulsetui.settings.storage import Storage
from pulsetui.storage.refresh import snapshot_store, store
from pulsetui.storage.refresh.refresher import Refresher
from pulsetui.storage.refresh.steps import Outcome
from pulsetui.storage.refresh.store import Cause
from pulsetui.storage.refresh.watches import Watches
from pulsetui.trends import spans_to_thin
from pulsetui.waiting import in_thread

MUCH_BYTES = 10**9
MUCH_SHARE = 0.01
"""A run moved much when jobs wrote or deleted a gigabyte, and a hundredth of all there is, since the last refresh."""
MOVED_APART_S = 60.0
SETTLE_S = 1.0
"""How long changes gather before a refresh because of reports."""
REPORTED_APART_S = 10.0
REPORTED_REST = 20
"""Between refreshes because of reports lie so many times the time that the last one took: 5 % at the most."""
RETRY_S = 60.0
"""How soon a refresh because of reports or much movement is tried again when it failed."""
THIN_EVERY = timedelta(hours=1)
_SPANS_AT_ONCE = 20


class StorageService:
    """Decides when to refresh, and has it done."""

    def __init__(self, refresher: Refresher, *, database: Database, clock: Clock, settings: Storage) -> None:
        """Take the parts; folders are marked for the next refresh through `mark_dirty`."""
        self.refresher = refresher
        self.watches = Watches(on_change=self._reported, on_lost=self._lost)
        self._database = database
        self._clock = clock
        self._settings = settings
        self._interval_s = settings.refresh_interval.total_seconds()
        self._watches = settings.watches and self._interval_s > 0
        self._woken = asyncio.Event()
        self._next_tick_s = float("inf")
        self._not_before_s = float("-inf")
        self._reported_at_s: float | None = None
        self._moved_bytes = 0
        self._following: asyncio.Task[None] | None = None
        refresher.on_commit.append(self._committed)

    def mark_dirty(self, folder: Path) -> None:
        """Have a folder listed soon, though it may seem unchanged."""
        self._reported(bytes(folder))

    def note_moved(self, size_bytes: int) -> None:
        """Count bytes that a job wrote or deleted."""
        self._moved_bytes += size_bytes
        self._woken.set()

    async def run(self) -> None:
        """Refresh when it is due, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                if self._watches:
                    group.create_task(self.watches.run(), name="storage.watches")
                group.create_task(self._keep_fresh(), name="storage.schedule")
        finally:
            if self._following is not None:
                self._following.cancel()
                await asyncio.wait({self._following})
            await self.refresher.stop()

    async def _keep_fresh(self) -> None:
        if self._interval_s:  # at once: much may have changed while nobody looked
            self._next_tick_s = self._clock.monotonic()
        while True:
            cause = await self._due()
            try:
                await self.refresher.refresh(cause=cause)
            except PulseError:  # told and stored by the refresher
                self._put_off(RETRY_S)
            if self._interval_s and self._clock.monotonic() >= self._next_tick_s:
                self._next_tick_s = self._clock.monotonic() + self._interval_s
            await self._thin()

    async def _due(self) -> Cause:
        """Wait until a refresh is due, and return why."""
        while True:
            at_s, cause = min(self._dates(), default=(float("inf"), "schedule"))
            left_s = at_s - self._clock.monotonic()
            if left_s <= 0:
                return cause
            self._woken.clear()
            await self._woken_or(left_s)

    def _dates(self) -> Iterable[tuple[float, Cause]]:
        if self._interval_s:
            yield self._next_tick_s, "schedule"
        if self._moved_bytes >= MUCH_BYTES and self._moved_bytes >= MUCH_SHARE * self._all_bytes():
            yield self._not_before_s + MOVED_APART_S, "moved"
        if self._reported_at_s is not None:
            newest = self.refresher.newest
            rest_s = max(REPORTED_APART_S, REPORTED_REST * (newest.seconds if newest else 0.0))
            yield max(self._reported_at_s + SETTLE_S, self._not_before_s + rest_s), "watch"

    def _all_bytes(self) -> int:
        newest = self.refresher.newest
        return newest.allocated_bytes if newest else 0

    async def _woken_or(self, seconds: float) -> None:
        """Wait until something happened, or for so long."""
        if seconds == float("inf"):
            await self._woken.wait()
            return
        waits = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._woken.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _put_off(self, seconds: float) -> None:
        now_s = self._clock.monotonic()
        self._not_before_s = now_s + seconds
        if self._reported_at_s is not None:
            self._reported_at_s = now_s + seconds

    def _reported(self, folder: bytes) -> None:
        self.refresher.marks.add(folder)
        self._report()

    def _lost(self) -> None:
        self.refresher.marks.lost = True
        self._report()

    def _report(self) -> None:
        if self._interval_s and self._reported_at_s is None:
            self._reported_at_s = self._clock.monotonic()
            self._woken.set()

    def _committed(self, outcome: Outcome) -> None:
        """Begin to count anew. What was reported during the refresh is still marked."""
        self._not_before_s = self._clock.monotonic()
        if outcome.row.cause != "watch":
            self._moved_bytes = 0
        self._reported_at_s = self._clock.monotonic() if self.refresher.marks else None
        if self._watches and (self._following is None or self._following.done()):
            self._following = asyncio.create_task(self._follow(outcome), name="storage.follow")

    async def _follow(self, outcome: Outcome) -> None:
        """Watch the folders of entities. What else there is changes by itself, such as the database, and can wait."""
        layouts = [root for root in outcome.roots if root.layout is not None]
        distant = await in_thread(lambda: [root.name for root in layouts if is_network_file_system(root.path)])
        folders = [
            os.path.join(bytes(root.path), path) if path else bytes(root.path)  # noqa: PTH118 - bytes
            for root in layouts
            if root.name not in distant
            for path in outcome.known.records.get(root.id, ())
        ]
        await self.watches.follow(folders)
        if distant and not self.watches.why_not:
            self.watches.why_not = f"{', '.join(distant)}: on a network file system, which reports nothing"

    async def _thin(self) -> None:
        """Thin the past when its time has come."""
        now = self._clock.now()
        thinned_at = (await self._database.read(store.state)).thinned_at
        if thinned_at is not None and now - thinned_at < THIN_EVERY:
            return
        first = await self._database.read(snapshot_store.history_begins)
        spans = list(spans_to_thin(thinned_at, now, first=first or now))
        for at in range(0, len(spans), _SPANS_AT_ONCE):

            async def thin(tx: Transaction, some: slice = slice(at, at + _SPANS_AT_ONCE)) -> None:
                for begin, end in spans[some]:
                    await snapshot_store.thin(tx, begin, end)

            await self._database.write(thin)
        await self._database.write(lambda tx: snapshot_store.record_thinned(tx, now))
