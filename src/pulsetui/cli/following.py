"""Waiting for an order that takes its time, with a line that says how far it is.

The invariant: an order is never left behind: whoever is interrupted while it waits sees it to its end, or gives it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulsetui.actions.base import Action
from pulsetui.cli.blocking import Ticker
from pulsetui.cli.context import Context
from pulsetui.errors import PulseError

if TYPE_CHECKING:
    from pulsetui.core.runtime import Core

_ASK_EVERY_S = 0.5
_LINES_EVERY_S = 5.0


@dataclass(slots=True)
class Followed:
    """An order whose progress is known here if it runs in this process, and else asked of the owner."""

    context: Context
    here: Callable[[Core], str | None]
    """Says how far it is, from the parts of this process; None: there is nothing to say."""
    there: Callable[[Mapping[str, Any]], str | None]
    """Says it from the owner's live figures."""
    beginning: str
    """What is said before anything is known."""
    core: Core | None = None
    """This process's parts, once it is known that it runs the order itself."""

    def take(self, core: Core) -> None:
        """Take the parts of this process, which runs the order."""
        self.core = core

    async def how_far(self) -> str:
        """Return how far it is."""
        if self.core is not None:
            return self.here(self.core) or self.beginning
        with suppress(PulseError):  # an owner that is too busy to answer still works on it
            if (figures := await self.context.live()) is not None:
                return self.there(figures) or self.beginning
        return self.beginning


async def follow(
    followed: Followed,
    action: Action,
    *,
    order_uuid: str = "",
    give_up: Callable[[], Awaitable[None]] | None = None,
) -> dict[str, Any]:
    """Give an order, tell how far it is, and return its outcome. `give_up` ends it when the wait for it is cancelled.

    Raises:
        PulseError: what the order ended with.
    """
    ordering = asyncio.create_task(followed.context.order(action, on_core=followed.take, order_uuid=order_uuid))
    ticker = Ticker(lines_every_s=_LINES_EVERY_S)
    try:
        while not ordering.done():
            await asyncio.wait({ordering}, timeout=_ASK_EVERY_S)
            if not ordering.done():
                ticker.tell(await followed.how_far())
        return ordering.result()
    finally:
        ticker.end()
        if not ordering.done():
            if give_up is not None:
                await give_up()
            ordering.cancel()
            with suppress(asyncio.CancelledError, PulseError):
                await ordering
