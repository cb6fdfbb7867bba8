"""Runs the services in one `TaskGroup` and restarts those that fail, with doubling delay and full jitter.

Each failure is an event. A service that ends by itself counts as failed. Only cancelling ends the supervisor.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pulsetui.clock import Clock
from pulsetui.db.database import Database
from pulsetui.errors import PulseError
from pulsetui.events.base import Event
from pulsetui.events.store import EventLog
from pulsetui.units import format_duration

BASE_DELAY_S = 0.5
LONGEST_DELAY_S = 60.0
HEALTHY_AFTER_S = 60.0
"""A service that ran this long starts over with the shortest delay."""
_log = logging.getLogger("pulsetui.services")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFailed(Event, kind="system.service_failed", category="system", severity="error"):
    """A service failed and is restarted."""

    service: str
    error: str
    restarts: int
    restart_in_s: float

    def text(self) -> str:
        """Give the error and when it is restarted."""
        restart = f"restart {self.restarts} in {format_duration(self.restart_in_s)}"
        return f"service {self.service} failed: {self.error}; {restart}"


@dataclass(slots=True)
class Service:
    """A named task that runs until cancelled, and how it has been doing."""

    name: str
    run: Callable[[], Awaitable[None]]
    running: bool = False
    restarts: int = 0


class Supervisor:
    """Starts services in order, and keeps them up."""

    def __init__(self, *, database: Database, events: EventLog, clock: Clock) -> None:
        """Take what failures are told through."""
        self.services: list[Service] = []
        self._database = database
        self._events = events
        self._clock = clock

    def add(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Add a service, to be started after those that are there."""
        self.services.append(Service(name, run))

    async def run(self) -> None:
        """Run all services until cancelled."""
        async with asyncio.TaskGroup() as group:
            for service in self.services:
                group.create_task(self._keep_up(service), name=service.name)

    async def _keep_up(self, service: Service) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            service.running = True
            try:
                await service.run()
                error: Exception = PulseError("it ended by itself")
            except Exception as caught:  # noqa: BLE001 - the supervisor's: a service that dies is told of, and restarted
                error = caught
            finally:
                service.running = False
            failures = 1 if self._clock.monotonic() - began >= HEALTHY_AFTER_S else failures + 1
            service.restarts += 1
            delay_s = random.random() * min(LONGEST_DELAY_S, BASE_DELAY_S * 2.0 ** min(failures, 16))
            await self._tell(service, error, delay_s)
            await self._clock.sleep(delay_s)

    async def _tell(self, service: Service, error: Exception, delay_s: float) -> None:
        text = f"{type(error).__name__}: {error}"
        failed = ServiceFailed(service=service.name, error=text, restarts=service.restarts, restart_in_s=delay_s)
        _log.error("%s", failed.text(), exc_info=error if _log.isEnabledFor(logging.DEBUG) else None)
        try:
            await self._database.write(lambda tx: self._events.record(tx, failed, now=self._clock.now()))
        except PulseError as trouble:
            _log.error("the failure of %s could not be recorded: %s", service.name, trouble)
