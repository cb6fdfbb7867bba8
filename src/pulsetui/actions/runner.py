"""Runs orders: checks the right, sees that each uuid runs once, and leaves an audit row.

The invariant: no action runs for a caller without the right, after its time, or a second time once it ended; every
order that was understood is in the audit, also a refused one. An order whose owner died in the middle runs again if
it is sent again under its uuid, so actions derive from the uuid what must not come into being twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from pulsetui.actions import store
from pulsetui.actions.base import Action, ActionContext, Caller, Outcome, parse_outcome
from pulsetui.actions.rights import rights_of
from pulsetui.actions.wire import error_from_plain, error_to_plain
from pulsetui.clock import Clock, rfc3339
from pulsetui.db.database import Database, Transaction
from pulsetui.errors import NotPermittedError, PulseError, RefusedError, SpaceError
from pulsetui.events.store import EventLog
from pulsetui.settings.models import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Running:
    action: Action
    uid: int
    task: asyncio.Task[Outcome]


class ActionRunner:
    """Runs orders in the owner's process. An order goes on if who waits for it is cancelled; `drain` waits for all."""

    def __init__(
        self,
        *,
        database: Database,
        events: EventLog,
        clock: Clock,
        settings: Settings,
        services: Mapping[str, Any] | None = None,
    ) -> None:
        """Take what actions work with; the data directory is where the database is."""
        self._database = database
        self._events = events
        self._clock = clock
        self._settings = settings
        self._services = services or {}
        self._running: dict[str, _Running] = {}

    async def run(self, action: Action, *, caller: Caller, uuid: str, expires_at: datetime) -> Outcome:
        """Run an order, or return how it ended if it ran before.

        Raises:
            NotPermittedError: the caller lacks the right.
            RefusedError: its time is over, or its uuid was that of another order.
            PulseError: what the action raised, now or when it ran before.
        """
        await self._check_right(action, caller, uuid)
        running = self._running.get(uuid)
        if running is None:
            task = asyncio.create_task(self._run_once(action, caller, uuid, expires_at), name=f"order.{action.verb}")
            running = self._running[uuid] = _Running(action, caller.uid, task)
            task.add_done_callback(lambda _: self._running.pop(uuid))
        elif (running.action, running.uid) != (action, caller.uid):
            await self._refuse(action, caller, uuid, _another(uuid))
        return await asyncio.shield(running.task)

    async def drain(self) -> None:
        """Wait until no order runs; before the database is closed."""
        while self._running:
            await asyncio.wait({running.task for running in self._running.values()})

    async def _check_right(self, action: Action, caller: Caller, uuid: str) -> None:
        rights = await asyncio.to_thread(self._rights, caller.uid)
        if action.right in rights:
            return
        error = NotPermittedError(
            f"user {caller.user} may not {action.verb}: it needs the right to {action.right}",
            hint=f"ask an admin to add the user to access.{'admins' if action.right == 'admin' else 'operators'}",
        )
        await self._refuse(action, caller, uuid, error)

    def _rights(self, uid: int) -> frozenset[str]:
        owner = self._database.path.parent.stat().st_uid
        return rights_of(uid, self._settings.access, data_owner_uid=owner)

    async def _run_once(self, action: Action, caller: Caller, uuid: str, expires_at: datetime) -> Outcome:
        past = await self._database.read(lambda reader: store.get_command(reader, uuid))
        if past is not None:
            if (past.verb, past.arguments, past.uid) != (action.verb, action.arguments(), caller.uid):
                await self._refuse(action, caller, uuid, _another(uuid))
            if past.finished_at is not None:
                return _replayed(action, past)
        now = self._clock.now()
        if expires_at <= now:
            expired = RefusedError(
                f"the order {action.verb} was to be run until {rfc3339(expires_at)}; it is {rfc3339(now)}",
                hint="give it again",
            )
            await self._refuse(action, caller, uuid, expired)
        audit_id = await self._database.write(
            lambda tx: store.add_command(tx, action, uuid=uuid, caller=caller, expires_at=expires_at, now=now)
        )
        return await self._run_audited(action, caller, uuid, audit_id)

    async def _run_audited(self, action: Action, caller: Caller, uuid: str, audit_id: int) -> Outcome:
        context = ActionContext(self._database, self._events, self._clock, self._settings, caller, uuid, self._services)
        began = self._clock.monotonic()
        ending: Outcome | PulseError
        try:
            ending = await action.run(context)
        except PulseError as error:
            ending = error
        except Exception as error:  # noqa: BLE001 - the boundary of an order, as there is one around each job
            _log.exception("order %s failed", action.verb)
            ending = PulseError(f"{action.verb} failed inside pulsetui: {type(error).__name__}: {error}")
            ending.__cause__ = error
        duration_s = self._clock.monotonic() - began

        async def finish(tx: Transaction) -> None:
            now = self._clock.now()
            await store.mark_finished(tx, audit_id, uuid=uuid, ending=_plain(ending), duration_s=duration_s, now=now)

        try:
            await self._database.write(finish)
        except SpaceError:
            await self._database.write(finish)  # it was done, so it must be known: the ballast has made room for that
        if isinstance(ending, PulseError):
            raise ending
        return ending

    async def _refuse(self, action: Action, caller: Caller, uuid: str, error: PulseError) -> NoReturn:
        now, plain = self._clock.now(), error_to_plain(error)
        await self._database.write(
            lambda tx: store.record_audit(tx, action, uuid=uuid, caller=caller, now=now, error=plain)
        )
        raise error


def _plain(ending: Outcome | PulseError) -> store.Ending:
    if isinstance(ending, PulseError):
        return store.Ending(error=error_to_plain(ending))
    return store.Ending(outcome=ending.model_dump(mode="json"))


def _replayed(action: Action, past: store.Command) -> Outcome:
    if past.error is not None:
        raise error_from_plain(past.error)
    return parse_outcome(action, past.outcome)


def _another(uuid: str) -> RefusedError:
    return RefusedError(f"the uuid {uuid} was given to another order before", hint="give each order a uuid of its own")
