from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pulsetui import faults
from pulsetui.actions.base import Action, Caller, Outcome
from pulsetui.actions.runner import ActionRunner
from pulsetui.actions.store import AuditEntry, list_audit
from pulsetui.db.database import Database
from pulsetui.events.bus import Bus
from pulsetui.events.store import EventLog
from pulsetui.settings.models import Access, Settings
from tests.db.conftest import database
from tests.db.tools import FakeClock

__all__ = ["database"]

ROOT = Caller("root", 0, "cli")
STRANGER = Caller("nobody", 65534, "cli")
UUID = "5f0d1c4e-0000-4000-8000-000000000001"


@dataclass
class Desk:
    """A runner with all that it needs, and shorter words for it."""

    database: Database
    clock: FakeClock = field(default_factory=FakeClock)
    access: Access = field(default_factory=Access)
    services: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.services |= {"runs": [], "begun": asyncio.Event(), "go_on": asyncio.Event()}
        self.runner = self.new_runner()

    def new_runner(self) -> ActionRunner:
        return ActionRunner(
            database=self.database,
            events=EventLog(Bus()),
            clock=self.clock,
            settings=Settings(access=self.access),
            services=self.services,
        )

    async def run(
        self, action: Action, caller: Caller = ROOT, *, uuid: str = UUID, seconds: float = 30, again: bool = False
    ) -> Outcome:
        runner = self.new_runner() if again else self.runner
        expires_at = self.clock.now().fromtimestamp(self.clock.monotonic() + seconds, self.clock.now().tzinfo)
        return await runner.run(action, caller=caller, uuid=uuid, expires_at=expires_at)

    async def audit(self) -> list[AuditEntry]:
        return await self.database.read(list_audit)

    async def rows(self) -> int:
        return len(await self.database.read(lambda reader: reader.all("SELECT id FROM events")))


@pytest.fixture
async def desk(database: Database) -> Desk:
    return Desk(database)


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    faults.disarm()
