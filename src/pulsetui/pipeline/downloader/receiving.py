"""The loop that receives one body: reads, paces, asks for room, and hands whole batches to be written and hashed.

The invariant: nothing beyond the declared size, the size cap or the reservation is ever handed to the disk, one batch
at most is in flight, and it is settled before this returns or raises, also when it is cancelled. Opening, checking
and publishing are left to `transfer`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass

from pulsetui import units
from pulsetui.clock import Clock
from pulsetui.errors import FailureClass, PulseError, SourceError, SpaceError
from pulsetui.pipeline.downloader.contract import Observer, allocation
from pulsetui.pipeline.downloader.ingest import START_BYTES
from pulsetui.pipeline.downloader.pacing import SlowWatch, TokenBucket
from pulsetui.pipeline.downloader.partial import BATCH_BYTES, Partial
from pulsetui.pipeline.downloader.sources import Stream
from pulsetui.pipeline.downloader.threads import Threads
from pulsetui.waiting import finished


@dataclass(frozen=True, slots=True)
class Tools:
    """What all receptions of a downloader share."""

    threads: Threads
    bandwidth: TokenBucket
    clock: Clock
    max_bytes: int


async def reserve(observer: Observer, size_bytes: int) -> None:
    """Have room for a file of `size_bytes`, extending the reservation if it must.

    Raises:
        SpaceError: there is no room.
    """
    needed = allocation(size_bytes)
    if needed > observer.reserved_bytes:
        await observer.extend(needed)
        if needed > observer.reserved_bytes:
            raise SpaceError(f"no room reserved for {units.format_size(needed)}")


class Reception:
    """Receives one body into one partial file."""

    def __init__(
        self,
        stream: Stream,
        partial: Partial,
        observer: Observer,
        tools: Tools,
        *,
        slow: SlowWatch,
        check_start: Callable[[bytes], object],
    ) -> None:
        """Take what to read, where to, and the check that the first bytes must pass before any is written."""
        self._stream = stream
        self._partial = partial
        self._observer = observer
        self._tools = tools
        self._slow = slow
        self._check_start = check_start
        self._position = partial.size_bytes
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._in_flight: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Receive to the end of the body.

        Raises:
            SourceError: it broke, is too slow, too large, longer than declared, or starts with the wrong bytes.
            SpaceError: the disk or the budget has no room.
        """
        try:
            try:
                await self._read()
            except SourceError:
                # What came before it broke is good and worth keeping, unless it is too little to be checked.
                if self._position or self._pending_bytes >= START_BYTES:
                    await self._hand_over()
                raise
            await self._hand_over()
            await self._settle()
        finally:
            await self._drain()

    async def _read(self) -> None:
        async with aclosing(self._stream.chunks()) as chunks:
            while (chunk := await self._next(chunks)) is not None:
                self._pending.append(chunk)
                self._pending_bytes += len(chunk)
                if self._pending_bytes >= BATCH_BYTES:
                    await self._hand_over()

    async def _next(self, chunks: AsyncGenerator[bytes, None]) -> bytes | None:
        """Return the next chunk, None at the end; watch how fast they come and keep to the bandwidth limit."""
        clock = self._tools.clock
        began = clock.monotonic()
        chunk = await anext(chunks, None)
        now = clock.monotonic()
        if chunk is None:
            return None
        if self._slow.note(len(chunk), now - began):
            raise SourceError("the source sends too slowly", failure=FailureClass.TRANSIENT)
        wait_s = self._tools.bandwidth.take(len(chunk), now)
        if wait_s:
            await clock.sleep(wait_s)
        return chunk

    async def _hand_over(self) -> None:
        """Start writing what is pending, once the batch before it is on its way and there is room for this one."""
        batch, self._pending = self._pending, []
        size, self._pending_bytes = self._pending_bytes, 0
        if not batch:
            return
        end = self._position + size
        self._refuse_more_than(self._stream.body.declared_bytes, end, "its declared size")
        self._refuse_more_than(self._tools.max_bytes, end, "downloads.max_size")
        if self._position == 0:
            self._check_start(b"".join(batch)[:START_BYTES])
        await self._settle()
        await reserve(self._observer, end)
        self._position = end
        self._in_flight = self._tools.threads.start(self._partial.append, batch)

    async def _settle(self) -> None:
        """Await the batch in flight and report it."""
        future, self._in_flight = self._in_flight, None
        if future is not None:
            await finished(future)
            self._observer.progress(self._partial.size_bytes, self._partial.allocated_bytes)

    async def _drain(self) -> None:
        """Settle the batch in flight, whatever becomes of it: another error is on its way already."""
        with suppress(OSError, PulseError):
            await self._settle()

    def _refuse_more_than(self, limit: int | None, end: int, name: str) -> None:
        if limit is not None and end > limit:
            raise SourceError(
                f"the body is longer than {name} of {units.format_size(limit)}", failure=FailureClass.PERMANENT
            )
