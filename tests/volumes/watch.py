"""A monitor over a database of its own, and shorter words for what tests do with it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pulsetui.actions.base import Caller, Outcome, parse_action
from pulsetui.actions.runner import ActionRunner
from pulsetui.actions.store import AuditEntry, list_audit
from pulsetui.catalog import actions as _catalog_orders  # noqa: F401 - importing it registers the orders
from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.events.base import Event
from pulsetui.events.bus import Bus
from pulsetui.events.store import EventLog
from pulsetui.settings.models import Settings
from pulsetui.settings.volumes import Volumes
from pulsetui.volumes import actions as _orders  # noqa: F401 - likewise
from pulsetui.volumes import store
from pulsetui.volumes.monitor import Detects, VolumeMonitor
from pulsetui.volumes.mount_table import MOUNTINFO
from pulsetui.volumes.records import Record
from pulsetui.volumes.tracking import untrack_library
from pulsetui.volumes.views import VolumeView
from tests.storage.house import StillClock


class Watch:
    """The parts."""

    def __init__(self, database: Database, detector: Detects, clock: StillClock, mountinfo: Path) -> None:
        self.database = database
        self.clock = clock
        self.told: list[Event] = []
        events = EventLog(Bus())
        events.bus.on(lambda recorded: self.told.append(recorded.event))
        self.monitor = VolumeMonitor(
            database=database,
            events=events,
            clock=clock,
            settings=Volumes(),
            detector=detector,
            mountinfo=mountinfo,
            roots=lambda: (("videos", Path("/mnt/archive/videos")), ("data", Path("/var/lib/pulsetui"))),
        )
        self.runner = ActionRunner(
            database=database,
            events=events,
            clock=clock,
            settings=Settings(),
            services={"volumes": self.monitor, "library_parts": (untrack_library,)},
        )

    async def order(self, verb: str, *, order: str = "", **arguments: Any) -> Outcome:
        return await self.runner.run(
            parse_action(verb, arguments),
            caller=Caller.this_process("test"),
            uuid=order or str(uuid.uuid4()),
            expires_at=self.clock.now() + timedelta(minutes=1),
        )

    async def rows(self) -> tuple[Record, ...]:
        return await self.database.read(store.list_volumes)

    async def audit(self) -> list[AuditEntry]:
        return await self.database.read(list_audit)

    def kinds(self, *of: str) -> list[str]:
        """Return the kinds of the events that were told since the last call: of these fingerprints, or of all.

        With a real detector others are told of too: whatever else is mounted on the machine meanwhile.
        """
        told = [event.kind for event in self.told if not of or event.data().get("fingerprint", of[0]) in of]
        self.told.clear()
        return told

    def shown(self, index: int = 0) -> VolumeView:
        return self.monitor.view().volumes[index]


@contextlib.asynccontextmanager
async def watching(
    folder: Path,
    detector: Detects,
    *,
    clock: StillClock | None = None,
    run: bool = False,
    mountinfo: Path = MOUNTINFO,
) -> AsyncIterator[Watch]:
    """Open the database in a folder and watch; with `run`, the monitor's service runs."""
    database = await Database.open(folder / DATABASE_NAME, owner=True)
    async with database:
        watch = Watch(database, detector, clock or StillClock(), mountinfo)
        service = asyncio.create_task(watch.monitor.run()) if run else None
        try:
            yield watch
        finally:
            if service is not None:
                service.cancel()
                await asyncio.wait({service})
            await watch.runner.drain()
            await watch.monitor.close()
