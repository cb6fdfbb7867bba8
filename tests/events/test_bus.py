from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from pulsetui.events.bus import Bus, Recorded
from tests.events.samples import JobQueued

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def recorded(number: int) -> Recorded:
    return Recorded(number, NOW, JobQueued(title=str(number)))


async def test_callbacks_hear_at_once_until_they_leave() -> None:
    bus, heard = Bus(), list[Recorded]()
    leave = bus.on(heard.append)
    bus.publish(recorded(1))
    leave()
    bus.publish(recorded(2))

    assert heard == [recorded(1)]


async def test_a_subscription_gets_what_is_published_from_then_on_in_order() -> None:
    bus = Bus()
    bus.publish(recorded(1))
    with bus.subscribe() as subscription:
        bus.publish(recorded(2))
        waiting = asyncio.create_task(anext(subscription))
        assert await waiting == recorded(2)

        waiting = asyncio.create_task(anext(subscription))
        await asyncio.sleep(0)
        assert not waiting.done()
        bus.publish(recorded(3))
        assert await asyncio.wait_for(waiting, 5) == recorded(3)


async def test_a_slow_subscriber_loses_the_oldest_is_told_and_holds_nobody_up() -> None:
    bus = Bus()
    with bus.subscribe(length=2) as slow, bus.subscribe() as quick:
        for number in range(5):
            bus.publish(recorded(number))

        assert slow.take_missed() == 3
        assert slow.take_missed() == 0
        assert [(await anext(slow)).id for _ in range(2)] == [3, 4]
        assert quick.take_missed() == 0
        assert [(await anext(quick)).id for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_a_closed_subscription_ends_its_iteration_and_hears_no_more() -> None:
    bus = Bus()
    subscription = bus.subscribe()
    collected = asyncio.create_task(collect(subscription))
    await asyncio.sleep(0)
    bus.publish(recorded(1))
    subscription.close()
    subscription.close()
    bus.publish(recorded(2))

    assert await asyncio.wait_for(collected, 5) == [1]


async def collect(subscription: object) -> list[int | None]:
    return [event.id async for event in subscription]  # type: ignore[attr-defined]
