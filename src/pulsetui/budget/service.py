"""The budget at work: keeps usage, reservations and the gate, and says who may start, grow or go on.

Invariant: committed bytes (usage + what work in hand may still write) never pass the ceiling through anything that
this class grants. In memory a reservation counts from before its commit and is given back only after one, so that the
two can differ in the safe direction only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pulsetui.budget import store
from pulsetui.budget.events import DiskFull, GateClosed, GateOpened
from pulsetui.budget.gate import Gate, Reading, decide, fullness
from pulsetui.budget.ledger import EXTENSION_STEP_BYTES, NOTHING, Free, Ledger, Parts, padded
from pulsetui.budget.limits import Limits
from pulsetui.budget.usage import Kind, Usage
from pulsetui.clock import Clock
from pulsetui.db.database import Database, Transaction
from pulsetui.errors import LeaseLostError, SpaceError, VolumeAwayError
from pulsetui.events.base import Event
from pulsetui.events.store import EventLog
from pulsetui.storage.disks import disks
from pulsetui.units import format_size
from pulsetui.volumes.ground_watch import GroundWatch

RECONCILE_EVERY_S = 900.0
RETRY_WALK_S = 60.0
"""How soon the folders are walked again while something in them can't be read."""
LEAST_PAUSE_S = 0.05
"""Between two readings, however short `cache_duration` is."""
_WALK_TRIES = 3
_WARN_SHARE = 0.95
_log = logging.getLogger("pulsetui.budget")


class Budget:
    """Bytes on disk, bytes promised, and the gate between them and new work."""

    def __init__(
        self,
        *,
        database: Database,
        events: EventLog,
        clock: Clock,
        limits: Limits,
        usage: Usage,
        check_interval_s: float,
        cache_s: float,
        ground: GroundWatch | None = None,
    ) -> None:
        """Take the parts; nothing is read before `load`. `ground` knows which disks are there (None: all)."""
        self.limits = limits
        self.usage = usage
        self.ledger = Ledger()
        self.gate: Gate
        self.operator_paused = False
        self.free = Free(0, 0, one_disk=True)
        self.peak_committed_bytes = 0
        self.on_change: list[Callable[[], None]] = []
        """Called when the gate, the operator's pause or the room may have changed."""
        self._database = database
        self._events = events
        self._clock = clock
        self._check_interval_s = check_interval_s
        self._cache_s = cache_s
        self._ground = ground or GroundWatch()
        self._disk_full_until: float | None = None
        self._checking = asyncio.Lock()
        self._said_share = -1.0
        self._said_at = float("-inf")

    # Figures

    def committed_bytes(self) -> int | None:
        """Return usage plus what is still to come, in bytes; None while usage is unknown."""
        if self.usage.trouble:
            return None
        return self.usage.total_bytes() + self.ledger.outstanding_bytes()

    def fullness(self) -> float:
        """Return where committed lies from resume (0) to pause (1); 1 while usage is unknown."""
        committed = self.committed_bytes()
        return 1.0 if committed is None else fullness(committed, self.limits)

    def disk_room_bytes(self) -> int:
        """Return what the disks can still take above their floor when all that is in flight has come."""
        return self.ledger.left_on_disks(self.free) - self.limits.floor_bytes

    def may_start(self) -> bool:
        """Say whether a new download may start just now, apart from whether it fits."""
        self.usage.away = self._ground.away()
        return (
            self.gate.is_open
            and not self.operator_paused
            and decide(self.gate, self._reading(), self.limits, self._clock.now()).is_open
        )

    def must_suspend(self) -> bool:
        """Say whether running downloads have to stop and keep their partial files."""
        return self.usage.total_bytes() >= self.limits.suspend_bytes

    # Reservations

    async def reserve(self, tx: Transaction, job_id: int, parts: Parts, written: Parts = NOTHING) -> bool:
        """Set the job's reservation; say whether there is room for it. A rollback of `tx` puts the former one back."""
        before = self.ledger.reservations.get(job_id)
        # While usage is unknown nothing may grow, but what was granted goes on: transcribing is what frees space.
        usage_bytes = self.limits.hard_bytes if self.usage.trouble else self.usage.total_bytes()
        if not self.ledger.grant(job_id, parts, written, usage_bytes=usage_bytes, free=self.free, limits=self.limits):
            return False
        tx.after_rollback(lambda: self.ledger.put_back(job_id, before))
        self._note_peak()
        await store.reserve(tx, job_id, parts)
        return True

    async def release(self, tx: Transaction, job_id: int) -> None:
        """Give the job's reservation back, from the commit of `tx` on."""
        await store.release(tx, job_id)
        tx.after_commit(lambda: self._released(job_id))

    async def extend_video(self, job_id: int, total_bytes: int) -> int:
        """Let the job's media grow to `total_bytes`; return the allocated bytes that it may take now.

        Raises:
            SpaceError: it doesn't fit.
        """
        for step_bytes in (EXTENSION_STEP_BYTES, 0):
            wanted = padded(total_bytes + step_bytes)

            async def grow(tx: Transaction, wanted: int = wanted) -> bool:
                reservation = self.ledger.reservations.get(job_id)
                if reservation is None:
                    raise LeaseLostError(f"job {job_id} has no reservation any more")
                return await self.reserve(tx, job_id, replace(reservation.reserved, video=wanted), reservation.written)

            if await self._database.write(grow):
                await self.check()
                return wanted
        raise SpaceError(f"no room to grow to {format_size(total_bytes)} under the hard limit")

    # What is written and deleted

    def follow(self, path: Path, kind: Kind, *, already_bytes: int = 0) -> None:
        """Follow a file that a job is about to write."""
        self.usage.begin(path, kind, already_bytes)

    def moved(self, job_id: int, path: Path, kind: Kind, allocated_bytes: int) -> None:
        """Take the latest size of a followed file: usage grows by what the reservation shrinks."""
        self.usage.moved(path, allocated_bytes)
        self.ledger.written(job_id, **{_PART_OF[kind]: allocated_bytes})
        self._note_peak()

    def settled(self, path: Path) -> None:
        """Stop following a file that stays on disk."""
        self.usage.settle(path)

    def vanished(self, job_id: int, path: Path, kind: Kind) -> None:
        """Stop following a file of a job that is gone from disk: all of it is still to come, if the job goes on."""
        self.usage.forget(path)
        self.ledger.written(job_id, **{_PART_OF[kind]: 0})
        self._tell()

    def freed(self, kind: Kind, allocated_bytes: int) -> None:
        """Count a file that was deleted."""
        self.usage.added(kind, -allocated_bytes)
        self._tell()

    # The gate

    async def load(self) -> None:
        """Read the stored gate; until `start`, usage is unknown and nothing may begin."""
        row = await self._database.read(lambda reader: store.gate(reader, now=self._clock.now()))
        self.gate, self.operator_paused = row.gate, row.operator_paused
        self.peak_committed_bytes = row.peak_committed_bytes

    async def start(self) -> None:
        """Walk the folders for the first time."""
        await self.reconcile()

    async def restore_reservations(self) -> None:
        """Take over the reservations that recovery left standing."""
        stored = await self._database.read(store.reservations)
        for job_id, parts in stored.items():
            # Not through `grant`: they were granted before, and refusing one now would lose work, not save a byte.
            self.ledger.restore(job_id, parts)
        await self.check()

    async def reconcile(self) -> None:
        """Walk both folders and count anew."""
        for attempt in range(_WALK_TRIES):
            if not await self._is_there():
                return  # an empty mount point is walked in no time, and holds nothing
            await asyncio.to_thread(self.usage.refresh_database)
            changes = self.usage.changes
            in_motion = await asyncio.to_thread(self.usage.inodes_in_motion)
            walked = await asyncio.to_thread(self.usage.walk, in_motion)
            # A file that was renamed or came into being meanwhile may have been counted beside its own figure.
            exact = changes == self.usage.changes
            exact = exact and in_motion == await asyncio.to_thread(self.usage.inodes_in_motion)
            if not await self._is_there():
                return
            if exact or attempt == _WALK_TRIES - 1:
                self.usage.adopt(walked, exact=exact)
                break
        await self._look_at_disks()

    async def run(self) -> None:
        """Keep the figures fresh until cancelled."""
        next_walk = self._clock.monotonic() + (RETRY_WALK_S if self.usage.trouble else RECONCILE_EVERY_S)
        while True:
            await self._clock.sleep(max(self._cache_s, LEAST_PAUSE_S))
            if self._clock.monotonic() >= next_walk:
                await self.reconcile()
                next_walk = self._clock.monotonic() + (RETRY_WALK_S if self.usage.trouble else RECONCILE_EVERY_S)
            await self.check()

    async def check(self) -> None:
        """Read what is in motion, judge the gate, store and tell what changed."""
        async with self._checking:
            await asyncio.to_thread(self.usage.refresh_database)
            await self._look_at_disks()
            now = self._clock.now()
            self._note_peak()
            reading = self._reading()
            after = decide(self.gate, reading, self.limits, now)
            if after != self.gate:
                await self._swing(after, reading)
            self._say(reading)
        self._tell()

    async def disk_is_full(self, what: str) -> None:
        """Close the gate because a write met ENOSPC; it stays closed for a check interval at least.

        Told once for as long as it lasts: storing the news meets the same full disk, and must not be news again.
        """
        known = self._disk_full_until is not None
        self._disk_full_until = self._clock.monotonic() + self._check_interval_s
        if known:
            return
        event = DiskFull(what=what, free_bytes=self.free.least_bytes)
        _log.critical(event.text())
        await self.check()
        await self._record(event)

    async def set_operator_pause(self, tx: Transaction, *, paused: bool) -> bool:
        """Store the operator's pause; say whether it changed anything."""
        changed = await store.record_operator_pause(tx, paused=paused, now=self._clock.now())

        def done() -> None:
            self.operator_paused = paused
            self._tell()

        tx.after_commit(done)
        return changed

    async def _swing(self, after: Gate, reading: Reading) -> None:
        before, now = self.gate, self._clock.now()
        event: Event
        if after.is_open:
            closed_for_s = (now - before.since).total_seconds()
            event = GateOpened(
                reason=after.reason, committed_bytes=reading.committed_bytes or 0, closed_for_s=closed_for_s
            )
        else:
            event = GateClosed(cause=after.cause, reason=after.reason, committed_bytes=reading.committed_bytes)
        # Closing takes effect before its commit, opening after it: a crash between the two leaves fewer downloads, not
        # more.
        if not after.is_open:
            self.gate = after

        async def work(tx: Transaction) -> None:
            await store.record_gate(tx, after, peak_committed_bytes=self.peak_committed_bytes)
            if after.is_open:
                await store.end_pause(tx, now)
            elif before.is_open:
                await store.begin_pause(tx, after, reading.committed_bytes)
            await self._events.record(tx, event, now=now)

        await self._database.write(work)
        self.gate = after
        (_log.info if after.is_open else _log.warning)(event.text())

    async def _record(self, event: Event) -> None:
        async def work(tx: Transaction) -> None:
            await self._events.record(tx, event, now=self._clock.now())

        await self._database.write(work)

    def _reading(self) -> Reading:
        if self._disk_full_until is not None and (
            self._clock.monotonic() >= self._disk_full_until and self.free.least_bytes >= self.limits.floor_bytes
        ):
            self._disk_full_until = None
        by_kind = self.usage.by_kind()
        return Reading(
            committed_bytes=self.committed_bytes(),
            usage_bytes=sum(by_kind.values()),
            videos_bytes=by_kind[Kind.VIDEOS],
            in_flight_bytes=self.ledger.outstanding_bytes(),
            free_bytes=self.ledger.left_on_disks(self.free),
            disk_full=self._disk_full_until is not None,
            trouble=self.usage.trouble,
            away=self.usage.away,
        )

    def _say(self, reading: Reading) -> None:
        """Write the interval's line: flowing when it changed by 1 %, waiting each time, a warning near the mark."""
        committed = reading.committed_bytes
        now = self._clock.monotonic()
        if committed is None or now - self._said_at < self._check_interval_s:
            return
        share = committed / self.limits.hard_bytes
        use = f"{format_size(committed)} of {format_size(self.limits.hard_bytes)}, {share:.1%}"
        if not self.gate.is_open:
            _log.info("waiting: %s committed, opens at %s", use, format_size(self.limits.resume_bytes))
        elif committed >= self.limits.pause_bytes * _WARN_SHARE:
            _log.warning("close to the limit: %s committed, pauses at %s", use, format_size(self.limits.pause_bytes))
        elif abs(share - self._said_share) >= 0.01:
            _log.info("downloading normally: %s committed", use)
        else:
            return
        self._said_at, self._said_share = now, share

    async def _is_there(self) -> bool:
        """Look whether all disks are there that count."""
        self.usage.away = await self._ground.confirm(*self._ground.grounds.paths)
        return not self.usage.away

    async def _look_at_disks(self) -> None:
        """Read how much is free; of a disk that is away it stays what it was."""
        self.usage.away = self._ground.away()
        if self.usage.away:
            return
        with contextlib.suppress(VolumeAwayError):
            self.free = await self._ground.ask(self.usage.videos_dir, self._free)
        self.usage.away = self._ground.away()

    def _free(self) -> Free:
        found = disks((self.usage.videos_dir, self.usage.data_dir))
        return Free(found[0].free_bytes, found[-1].free_bytes, one_disk=len(found) == 1)

    def _note_peak(self) -> None:
        self.peak_committed_bytes = max(self.peak_committed_bytes, self.committed_bytes() or 0)

    def _released(self, job_id: int) -> None:
        self.ledger.release(job_id)
        self._tell()

    def _tell(self) -> None:
        for callback in self.on_change:
            callback()


_PART_OF = {Kind.VIDEOS: "video", Kind.AUDIO: "audio", Kind.TRANSCRIPTS: "transcript"}
