"""The bus: tells subscribers in this process what was just committed.

The invariant: publishing never waits and never fails because of a subscriber: one that is too slow loses its oldest
events and is told so, and then re-reads the store, which is the truth. Everything runs on the event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pulsetui.events.base import Event

_QUEUE_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its id in the log and its time; `id` is None for one that isn't stored, such as progress."""

    id: int | None
    at: datetime
    event: Event


class Subscription:
    """An endless async iterator over what is published from now on; a context manager that ends itself."""

    def __init__(self, bus: Bus, length: int) -> None:
        """Take the bus to leave at the end, and how many events may wait."""
        self._bus = bus
        self._waiting: deque[Recorded] = deque(maxlen=length)
        self._wake = asyncio.Event()
        self._closed = False
        self._missed = 0

    def take_missed(self) -> int:
        """Return how many events were lost since the last call: if any, read the store again."""
        missed, self._missed = self._missed, 0
        return missed

    def offer(self, event: Recorded) -> None:
        """Queue an event; the oldest one gives way if there is no room. For the bus."""
        if len(self._waiting) == self._waiting.maxlen:
            self._missed += 1
        self._waiting.append(event)
        self._wake.set()

    def close(self) -> None:
        """Leave the bus; the iteration ends after what is waiting."""
        self._closed = True
        self._bus.leave(self)
        self._wake.set()

    def __aiter__(self) -> Self:
        """Iterate over itself."""
        return self

    async def __anext__(self) -> Recorded:
        """Wait for the next event."""
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bus."""
        self.close()


class Bus:
    """Carries events to callbacks, at once, and to subscriptions, when they get to it."""

    def __init__(self) -> None:
        """Start without subscribers."""
        self._callbacks: list[Callable[[Recorded], None]] = []
        self._subscriptions: list[Subscription] = []

    def publish(self, event: Recorded) -> None:
        """Hand an event to everyone. Call it after the commit that made it true."""
        for callback in tuple(self._callbacks):
            callback(event)
        for subscription in tuple(self._subscriptions):
            subscription.offer(event)

    def on(self, callback: Callable[[Recorded], None]) -> Callable[[], None]:
        """Call `callback` with each event; it must be quick and must not raise. Returns what ends it."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def subscribe(self, length: int = _QUEUE_LENGTH) -> Subscription:
        """Return a subscription in which up to `length` events may wait."""
        subscription = Subscription(self, length)
        self._subscriptions.append(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forget a subscription; one that left already is fine."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
