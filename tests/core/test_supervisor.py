"""Services are kept up: a failure is told of and costs a pause, never the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pulsetui.core.supervisor import BASE_DELAY_S, HEALTHY_AFTER_S, LONGEST_DELAY_S, ServiceFailed, Supervisor
from pulsetui.db.database import Database
from pulsetui.errors import PulseError
from pulsetui.events import store as events_store
from pulsetui.events.bus import Bus
from pulsetui.events.store import EventLog
from tests.db.conftest import database
from tests.db.tools import FakeClock
from tests.until import until

__all__ = ["database"]


class Shop:
    """A supervisor over a database, with its events and pauses kept."""

    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.database = database
        self.told: list[ServiceFailed] = []
        bus = Bus()
        bus.on(lambda recorded: self.told.append(recorded.event))  # type: ignore[arg-type]
        self.supervisor = Supervisor(database=database, events=EventLog(bus), clock=self.clock)

    async def run_until(self, condition: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.supervisor.run())
        try:
            await until(lambda: condition() or running.done())
        finally:
            running.cancel()
            await asyncio.wait({running})
        assert running.cancelled()


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


async def forever() -> None:
    await asyncio.Event().wait()


def failing(times: int, *, lasting_s: float = 0.0, clock: FakeClock | None = None) -> Callable[[], Awaitable[None]]:
    left = times

    async def run() -> None:
        nonlocal left
        if clock is not None:
            clock.advance(lasting_s)
        if left:
            left -= 1
            raise PulseError("the cable is out")
        await forever()

    return run


async def test_a_service_that_fails_is_restarted_and_the_others_go_on(shop: Shop) -> None:
    shop.supervisor.add("shaky", failing(3))
    shop.supervisor.add("steady", forever)
    await shop.run_until(lambda: len(shop.clock.slept) == 3)
    shaky, steady = shop.supervisor.services
    assert (shaky.restarts, steady.restarts) == (3, 0)
    assert len(shop.told) == 3
    first = shop.told[0]
    assert (first.service, first.error, first.restarts) == ("shaky", "PulseError: the cable is out", 1)
    assert first.text().startswith("service shaky failed: PulseError: the cable is out; restart 1 in ")
    stored = await shop.database.read(events_store.list_events)
    assert [event.kind for event in stored] == ["system.service_failed"] * 3


async def test_pauses_double_with_jitter_up_to_the_longest(shop: Shop) -> None:
    shop.supervisor.add("shaky", failing(30))
    await shop.run_until(lambda: len(shop.clock.slept) == 30)
    for number, pause in enumerate(shop.clock.slept, start=1):
        assert 0 <= pause <= min(LONGEST_DELAY_S, BASE_DELAY_S * 2**number)
    assert max(shop.clock.slept[10:]) > BASE_DELAY_S * 4, "twenty draws up to a minute"
    assert len(set(shop.clock.slept)) > 25


async def test_a_service_that_ran_well_for_a_while_starts_over_with_short_pauses(shop: Shop) -> None:
    shop.supervisor.add("steady", failing(30, lasting_s=HEALTHY_AFTER_S, clock=shop.clock))
    await shop.run_until(lambda: len(shop.clock.slept) == 30)
    assert max(shop.clock.slept) <= BASE_DELAY_S * 2


async def test_a_service_that_ends_by_itself_has_failed(shop: Shop) -> None:
    async def over() -> None:
        return None

    shop.supervisor.add("short", over)
    await shop.run_until(lambda: bool(shop.told))
    assert shop.told[0].error == "PulseError: it ended by itself"


async def test_it_is_seen_which_service_runs(shop: Shop) -> None:
    went_on = asyncio.Event()

    async def waits() -> None:
        await went_on.wait()
        raise PulseError("over")

    shop.supervisor.add("waits", waits)
    (service,) = shop.supervisor.services
    assert not service.running
    running = asyncio.create_task(shop.supervisor.run())
    await until(lambda: service.running)
    running.cancel()
    await asyncio.wait({running})
    assert not service.running
    assert service.restarts == 0


async def test_a_failure_that_can_not_be_recorded_stops_nothing(shop: Shop) -> None:
    await shop.database.close()
    shop.supervisor.add("shaky", failing(2))
    await shop.run_until(lambda: len(shop.clock.slept) == 2)
    assert shop.supervisor.services[0].restarts == 2
    assert shop.told == []


async def test_cancelling_ends_every_service(shop: Shop) -> None:
    ended: list[str] = []

    def cleaning(name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            try:
                await forever()
            finally:
                ended.append(name)

        return run

    for name in ("one", "other"):
        shop.supervisor.add(name, cleaning(name))
    await shop.run_until(lambda: all(service.running for service in shop.supervisor.services))
    assert sorted(ended) == ["one", "other"]
