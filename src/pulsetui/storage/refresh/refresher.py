"""Keeps the sizes: one refresh at a time, on whosever order, and what is known between two of them.

Invariants: two refreshes never run at once. An order is answered by a refresh that began after it, so what was written
before the order is in it, and orders that wait share one. What is known in memory is that of the last commit. How a
refresh goes is in `steps`; when one is due is left to `service`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pulsetui.clock import Clock
from pulsetui.db.database import Database, Transaction
from pulsetui.errors import PulseError, RefusedError
from pulsetui.events.bus import Recorded
from pulsetui.events.store import EventLog
from pulsetui.files.names import display_text
from pulsetui.settings.storage import Storage
from pulsetui.storage.events import RefreshFailed, RootReadable, RootUnreadable, StorageRefreshed
from pulsetui.storage.refresh import steps as refreshing
from pulsetui.storage.refresh import store
from pulsetui.storage.refresh.collector import settle, without_full_passes
from pulsetui.storage.refresh.delta import Known
from pulsetui.storage.refresh.look_again import Round
from pulsetui.storage.refresh.marks import Marks
from pulsetui.storage.refresh.reading import Homes
from pulsetui.storage.refresh.steps import Outcome
from pulsetui.storage.refresh.store import Cause, RefreshRow
from pulsetui.storage.views import RefreshView
from pulsetui.waiting import finished, in_thread

_log = logging.getLogger("pulsetui.storage")


@dataclass(slots=True)
class _Order:
    """A refresh that waits for its turn; those who come meanwhile wait for the same one."""

    cause: Cause
    full: bool
    task: asyncio.Task[RefreshRow]


class Refresher:
    """Refreshes the sizes when asked to."""

    def __init__(
        self,
        *,
        database: Database,
        events: EventLog,
        clock: Clock,
        settings: Storage,
        data_dir: Path,
        storage_dir: Path,
        in_motion: Callable[[], Iterable[Path]] = tuple,
        homes: Callable[[], Awaitable[Homes]] | None = None,
    ) -> None:
        """Take the parts; `in_motion` names the files that running jobs write just now, `homes` the tracked volumes."""
        self._homes = homes
        self.marks = Marks()
        """Folders to be listed by the next refresh."""
        self.progress: RefreshView | None = None
        """How far the running refresh is, None if none runs."""
        self.failure = ""
        """Why the newest refresh failed, or empty."""
        self.newest: RefreshRow | None = None
        """The newest refresh of this process."""
        self.on_change: list[Callable[[], None]] = []
        """Called when a refresh begins, gets on, or is over."""
        self.on_commit: list[Callable[[Outcome], None]] = []
        """Called with each refresh that is stored."""
        self._database = database
        self._events = events
        self._clock = clock
        self._settings = settings
        self._data_dir = data_dir
        self._storage_dir = storage_dir
        self._in_motion = in_motion
        self._turn = asyncio.Lock()
        self._waiting: _Order | None = None
        self._tasks: set[asyncio.Task[RefreshRow]] = set()
        self._known: Known | None = None
        self._round: Round = ()

    async def refresh(self, *, full: bool = False, cause: Cause = "order") -> RefreshRow:
        """Have a refresh that begins from now on, and return what it found. `full` lists every folder.

        It goes on if the caller is cancelled, for others may wait for it.

        Raises:
            RefusedError: it was stopped, since pulsetui stops.
            PulseError: it failed; the sizes are those of before.
        """
        order = self._waiting
        if order is None:
            order = self._order(cause, full)
        else:
            order.full |= full
            order.cause = cause if order.cause == "watch" else order.cause
        try:
            return await asyncio.shield(order.task)
        except asyncio.CancelledError:
            if order.task.cancelled():
                raise RefusedError("the refresh was stopped", hint="order it again when pulsetui runs") from None
            raise

    async def stop(self) -> None:
        """End the refresh that runs, and those that wait; nothing of them is written."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await finished(asyncio.ensure_future(asyncio.wait(set(self._tasks))))

    def _order(self, cause: Cause, full: bool) -> _Order:
        # The task begins with the loop's next turn, when the order is in place.
        task = asyncio.create_task(self._in_turn(), name="storage.refresh")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        self._waiting = _Order(cause, full, task)
        return self._waiting

    def _ended(self, task: asyncio.Task[RefreshRow]) -> None:
        self._tasks.discard(task)
        if self._waiting is not None and self._waiting.task is task:
            self._waiting = None
        if not task.cancelled():
            task.exception()  # told already, also if nobody waits for it

    async def _in_turn(self) -> RefreshRow:
        async with self._turn:
            order, self._waiting = self._waiting, None
            assert order is not None
            marks = self.marks.take()
            try:
                with without_full_passes():
                    return await self._refresh(order, marks)
            except BaseException as error:
                self.marks.put_back(marks)
                if isinstance(error, PulseError):
                    await self._fail(order, error)
                raise
            finally:
                self.progress = None
                self._tell()

    async def _refresh(self, order: _Order, marks: Marks) -> RefreshRow:
        began_s, now = self._clock.monotonic(), self._clock.now()
        self._advance(RefreshView(0, 0, 0, 0.0, 0.0))
        is_first = self._known is None
        if self._known is None:
            self._known = await self._database.read(refreshing.load)
        known = self._known
        for path in self._in_motion():
            marks.add(bytes(path.parent))
        begun = await refreshing.begin(
            self._database,
            self._settings,
            self._data_dir,
            self._storage_dir,
            cause=order.cause,
            full=order.full,
            now=now,
        )
        share = self._settings.rolling_share
        homes = {} if self._homes is None else await self._homes()
        found, again = await refreshing.read_roots(
            begun,
            known,
            marks,
            share=share,
            left=self._round,
            homes=homes,
            on_progress=self._advance,
        )
        new = await refreshing.new_folders(begun, found) if self._settings.discover_entities else []
        # The writer isn't held while the delta is computed, unless entities have to come into being first.
        prepared = None if new else await in_thread(refreshing.computed, begun, known, found, begun.entities)

        async def work(tx: Transaction) -> Outcome:
            seconds = self._clock.monotonic() - began_s
            outcome = await refreshing.write(
                tx, begun, known, found, new, levels=self._settings.levels, prepared=prepared, seconds=seconds
            )
            await self._record(tx, outcome)
            tx.after_commit(lambda: self._adopt(outcome))
            return outcome

        outcome = await self._database.write(work)
        self._round = again.round
        row = outcome.row
        settle(row.folders if is_first else row.folders - row.reused_folders)
        return row

    def _adopt(self, outcome: Outcome) -> None:
        """Take over what was committed: here, since a caller that is cancelled during the commit doesn't get to it."""
        self._known, self.newest, self.failure = outcome.known, outcome.row, ""
        for callback in self.on_commit:
            callback(outcome)

    async def _record(self, tx: Transaction, outcome: Outcome) -> None:
        now, row = self._clock.now(), outcome.row
        told = StorageRefreshed(
            cause=row.cause,
            files=row.file_count,
            allocated_bytes=row.allocated_bytes,
            folders=row.folders,
            reused_folders=row.reused_folders,
            errors=row.errors,
            seconds=row.seconds,
        )
        if row.cause == "watch":  # one in ten seconds: told to who listens, not kept
            tx.after_commit(lambda: self._events.bus.publish(Recorded(None, now, told)))
        else:
            await self._events.record(tx, told, now=now)
        for root, error in outcome.failed:
            path = display_text(str(root.path))
            await self._events.record(tx, RootUnreadable(root=root.name, path=path, error=error), now=now)
        for root, since in outcome.back:
            back = RootReadable(root=root.name, path=display_text(str(root.path)), away_s=(now - since).total_seconds())
            await self._events.record(tx, back, now=now)

    async def _fail(self, order: _Order, error: PulseError) -> None:
        """Say that a refresh failed. Storing that may fail for the same reason: then the log has it."""
        now = self._clock.now()
        self.failure = str(error)
        newest = self.newest

        async def work(tx: Transaction) -> None:
            before = newest or await store.newest_refresh(tx)
            age_s = None if before is None else (now - before.at).total_seconds()
            await store.mark_failed(tx, str(error), now=now)
            await self._events.record(tx, RefreshFailed(cause=order.cause, error=str(error), age_s=age_s), now=now)

        _log.warning("sizes not refreshed: %s", error)
        with contextlib.suppress(PulseError):
            await self._database.write(work)

    def _advance(self, progress: RefreshView) -> None:
        self.progress = progress
        self._tell()

    def _tell(self) -> None:
        for callback in self.on_change:
            callback()
