"""The tracked volumes and their past, in memory and in the database.

The invariant: what is in memory is that of the last look, and the database has it too, but for "last seen" and what is
free, which may be minutes behind while they hardly change. Events that a full disk kept out of the log wait for the
next look. What a look means is found in `changes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pulsetui.db.database import Database, Reader, Transaction
from pulsetui.events.base import Event
from pulsetui.events.store import EventLog
from pulsetui.volumes import capacity, store
from pulsetui.volumes.changes import Look, point_of
from pulsetui.volumes.records import Record
from pulsetui.volumes.views import CapacityPoint
from pulsetui.waiting import in_thread

STORED_EVERY = timedelta(minutes=5)
"""How far "last seen" of a volume that stays as it is may lag behind in the database."""
THIN_EVERY = timedelta(hours=1)
_MOST_UNTOLD = 1000


class Kept:
    """What is tracked. Used under the monitor's lock only."""

    def __init__(self, database: Database, events: EventLog) -> None:
        """Take what it is kept in."""
        self.is_outdated = True
        """Somebody changed the rows: `read` before they are used."""
        self.records: tuple[Record, ...] = ()
        self.past: dict[int, list[CapacityPoint]] = {}
        """How full each was, by its record's id, oldest first."""
        self._database = database
        self._events = events
        self._stored: dict[int, Record] = {}
        self._untold: list[Event] = []
        self._thinned_at: datetime | None = None

    async def read(self) -> None:
        """Read what is tracked.

        Raises:
            PulseError: it can't be read.
        """

        async def read(reader: Reader) -> tuple[tuple[Record, ...], dict[int, list[CapacityPoint]]]:
            return await store.list_volumes(reader), await store.list_points(reader)

        self.is_outdated = False  # now, so that a change during the reading counts
        try:
            self.records, self.past = await self._database.read(read)
        except BaseException:
            self.is_outdated = True
            raise
        self._stored = {record.id: record for record in self.records}

    async def adopt(self, look: Look, events: Sequence[Event]) -> None:
        """Take over what a look found, and store what must be; in memory it is, also if that fails.

        Raises:
            PulseError: it could not be stored, and is tried again with the next look.
        """
        self.records = look.records
        points = list(self._points_due(look.at))
        changed = [one for one in self.records if self._must_be_stored(one) or any(one.id == id_ for id_, _ in points)]
        self._untold = [*self._untold, *events][-_MOST_UNTOLD:]
        if changed or self._untold:
            await self._write(changed, points, look.at)

    async def flush(self) -> None:
        """Store all that is newer in memory, before the end.

        Raises:
            PulseError: it could not be stored.
        """
        changed = [one for one in self.records if self._stored.get(one.id) not in (None, one)]
        if changed:
            await self._write(changed, [], changed[0].last_seen_at)

    async def thin(self, now: datetime) -> None:
        """Thin the past when its time has come.

        Raises:
            PulseError: that could not be stored.
        """
        if self._thinned_at is not None and now - self._thinned_at < THIN_EVERY:
            return
        past = {record_id: tuple(points) for record_id, points in self.past.items()}
        thinned_at = self._thinned_at
        gone = await in_thread(
            lambda: {record_id: capacity.to_thin(points, thinned_at, now) for record_id, points in past.items()}
        )
        rows = [(record_id, at) for record_id, times in gone.items() for at in times]
        if rows:
            await self._database.write(lambda tx: store.remove_points(tx, rows))
        for record_id, times in gone.items():
            self.past[record_id] = [point for point in self.past[record_id] if point.at not in times]
        self._thinned_at = now

    def _points_due(self, now: datetime) -> Iterable[tuple[int, CapacityPoint]]:
        for record in self.records:
            if record.is_online:
                past, point = self.past.get(record.id), point_of(record, now)
                if capacity.is_point_due(past[-1] if past else None, point):
                    yield record.id, point

    def _must_be_stored(self, record: Record) -> bool:
        stored = self._stored.get(record.id)
        if stored is None or record.last_seen_at - stored.last_seen_at >= STORED_EVERY:
            return True
        alike = replace(record, last_seen_at=stored.last_seen_at, available_bytes=stored.available_bytes)
        return alike != stored

    async def _write(
        self, changed: Sequence[Record], points: Sequence[tuple[int, CapacityPoint]], now: datetime
    ) -> None:
        events = tuple(self._untold)

        async def work(tx: Transaction) -> None:
            if changed:
                await store.record_seen(tx, changed)
            if points:
                await store.record_points(tx, points)
            for event in events:
                await self._events.record(tx, event, now=now)
            tx.after_commit(lambda: self._adopted(changed, points))

        await self._database.write(work)

    def _adopted(self, changed: Sequence[Record], points: Sequence[tuple[int, CapacityPoint]]) -> None:
        """Take note of what was committed: here, since a caller that is cancelled meanwhile doesn't get to it."""
        self._untold = []
        self._stored.update((record.id, record) for record in changed)
        for record_id, point in points:
            self.past.setdefault(record_id, []).append(point)
