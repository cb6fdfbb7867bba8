"""`Downloader`: one fetch from the request to a checked file that is durable under its final name.

The order is: take over or create the partial file and lock it → open the source, going on where the file ends if that
is provably the same body → room for the declared size → write and hash → length → fsync → media check → rename
without replacing → fsync of the folder. A kill between any two steps leaves what the next fetch of the same request
goes on from.

Errors are `SourceError` with a failure class, or `SpaceError`; after a permanent one no partial file is left, after
any other it is kept for resuming. Retries, back-off, reservations and the queue are left to the service.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from pulsetui import units
from pulsetui.clock import Clock, SystemClock
from pulsetui.errors import FailureClass, SourceError, SpaceError, VolumeAwayError
from pulsetui.files.folders import Folder
from pulsetui.files.names import display_text
from pulsetui.pipeline.downloader import ingest
from pulsetui.pipeline.downloader.contract import Fetched, Head, Observer, Request, allocation
from pulsetui.pipeline.downloader.pacing import SlowWatch, TokenBucket
from pulsetui.pipeline.downloader.partial import Enter, Partial
from pulsetui.pipeline.downloader.ranges import Recorded
from pulsetui.pipeline.downloader.receiving import Reception, Tools, reserve
from pulsetui.pipeline.downloader.sources import Source, Stream, by_scheme, load_sources, scheme_of, shown_url
from pulsetui.pipeline.downloader.threads import Threads
from pulsetui.settings.models import Downloads
from pulsetui.volumes.ground_watch import is_of_disk

__all__ = ["Downloader", "Fetched", "Head", "Observer", "Request", "allocation"]

_THREADS = 8

MediaCheck = Callable[[Path, str], Awaitable[ingest.Media]]


class Downloader:
    """Fetches sources. There is one for all downloads: bandwidth and what a host gets are limited over all of them."""

    def __init__(
        self,
        settings: Downloads,
        *,
        sources: Iterable[Source] | None = None,
        check: MediaCheck = ingest.check_media,
        clock: Clock | None = None,
        enter: Enter = Folder.open,
    ) -> None:
        """Take the settings; `sources` (None: the built-in ones and plug-ins), `check` and `enter` are seams."""
        self._settings = settings
        self._sources = tuple(load_sources(settings) if sources is None else sources)
        self._by_scheme = by_scheme(self._sources)
        self._check = check
        self._enter = enter
        self._doubted: set[str] = set()
        """Whose partial files lost their disk: the kernel may have dropped bytes of theirs, whatever their size is."""
        self._tools = Tools(
            Threads(_THREADS), TokenBucket(settings.bandwidth_limit), clock or SystemClock(), settings.max_size
        )

    async def fetch(self, request: Request, observer: Observer) -> Fetched:
        """Fetch a source and return the file. Cancelled, it keeps the partial file and waits for writes in flight.

        Raises:
            SourceError: the source can't be fetched; carries the class of the failure.
            SpaceError: the disk or the budget has no room.
            RefusedError: the folder isn't below `videos_root`, or a symbolic link is on the way to it.
            VolumeAwayError: the disk of `videos_root` is away.
            WorkerLostError: the file killed its probe.
        """
        source = self._source(request.url)
        threads = self._tools.threads
        partial = self._partial(request)
        try:
            try:
                await threads.run(partial.open)
                self._doubted.discard(request.uuid)
                return await self._fetch(source, request, partial, observer)
            except BaseException as error:
                await self._leave(request, partial, error)
                raise
            finally:
                await threads.run(partial.close)
        except OSError as error:
            reason = display_text(error.strerror or str(error))
            raise SourceError(f"{display_text(str(partial.path))}: {reason}", failure=FailureClass.TRANSIENT) from error

    async def _leave(self, request: Request, partial: Partial, error: BaseException) -> None:
        """Remove what a permanent failure leaves; of what else is left, find out whether it surely is on disk.

        Raises:
            VolumeAwayError: its disk is away, so the failure says nothing: media there can't be found, which the check
                takes for no media.
        """
        threads = self._tools.threads
        try:
            await threads.run(lambda: self._enter(request.videos_root).close())
        except (VolumeAwayError, OSError):
            try:
                await threads.run(partial.sync)
            except (OSError, SpaceError):
                self._doubted.add(request.uuid)
            if isinstance(error, Exception):  # a cancelled download stays that
                raise
        if isinstance(error, OSError) and is_of_disk(error):
            self._doubted.add(request.uuid)
        if isinstance(error, SourceError) and error.failure is FailureClass.PERMANENT:
            await threads.run(partial.discard)

    async def discard(self, request: Request) -> None:
        """Remove the partial file of a job that won't go on; nothing happens if there is none.

        Raises:
            SourceError: somebody is writing it.
            VolumeAwayError: its disk is away.
        """
        partial = self._partial(request)
        await self._tools.threads.run(partial.remove_leftover)

    async def close(self) -> None:
        """Let connections and threads go; no fetch may be running."""
        for source in self._sources:
            await source.close()
        self._tools.threads.close()

    @property
    def schemes(self) -> frozenset[str]:
        """The schemes that can be fetched."""
        return frozenset(self._by_scheme)

    def _partial(self, request: Request) -> Partial:
        return Partial(
            request.videos_root,
            request.folder,
            request.uuid,
            request.modes,
            enter=self._enter,
            doubted=request.uuid in self._doubted,
        )

    def _source(self, url: str) -> Source:
        source = self._by_scheme.get(scheme_of(url))
        if source is None:
            raise SourceError(
                f"{shown_url(url)} is neither an address that can be fetched nor an absolute path",
                failure=FailureClass.PERMANENT,
                hint=f"known are {', '.join(sorted(self._by_scheme))}",
            )
        return source

    async def _fetch(self, source: Source, request: Request, partial: Partial, observer: Observer) -> Fetched:
        recorded = Recorded(partial.size_bytes, request.etag, request.last_modified, request.declared_bytes)
        await self._hash(partial)
        stream = await source.open(request.url, recorded)
        try:
            await self._begin(stream, partial, observer)
            await self._receive(stream, partial, observer)
        finally:
            await stream.close()
        return await self._finish(partial, stream.body.extension)

    async def _hash(self, partial: Partial) -> None:
        while await self._tools.threads.run(partial.hash_more):
            pass

    async def _begin(self, stream: Stream, partial: Partial, observer: Observer) -> None:
        """Make the partial file what the body goes on from, and have room for the whole."""
        body = stream.body
        declared = body.declared_bytes
        if declared is not None and declared > self._settings.max_size:
            raise SourceError(
                f"{body.final_url} has {units.format_size(declared)}, more than downloads.max_size of "
                f"{units.format_size(self._settings.max_size)}",
                failure=FailureClass.PERMANENT,
                hint="raise downloads.max_size and retry",
            )
        if body.start_bytes not in {0, partial.size_bytes}:
            raise SourceError(f"{body.final_url} goes on at the wrong place", failure=FailureClass.TRANSIENT)
        if body.start_bytes == 0 and partial.size_bytes:
            await self._tools.threads.run(partial.restart)
        await observer.headers(
            Head(declared, body.start_bytes, body.etag, body.last_modified, body.extension, body.final_url)
        )
        if declared is not None:
            await reserve(observer, declared)

    async def _receive(self, stream: Stream, partial: Partial, observer: Observer) -> None:
        """Get the body into the file, shared or read, and check its length."""
        body = stream.body
        if not body.is_complete and not await self._cloned(stream, partial, observer):
            slow = SlowWatch(self._settings.slowest_speed, self._settings.slowest_speed_after.total_seconds())
            await Reception(
                stream,
                partial,
                observer,
                self._tools,
                slow=slow,
                check_start=lambda start: ingest.extension_for(start, body.extension),
            ).run()
        if body.declared_bytes is not None and partial.size_bytes != body.declared_bytes:
            raise SourceError(
                f"{body.final_url} ended at {units.format_size(partial.size_bytes)} of "
                f"{units.format_size(body.declared_bytes)}",
                failure=FailureClass.TRANSIENT,
            )

    async def _cloned(self, stream: Stream, partial: Partial, observer: Observer) -> bool:
        source = stream.body.clone_from
        if source is None or not await self._tools.threads.run(partial.clone, source):
            return False
        observer.progress(partial.size_bytes, partial.allocated_bytes)
        await self._hash(partial)
        return True

    async def _finish(self, partial: Partial, declared_extension: str) -> Fetched:
        """Sync, check, publish."""
        threads = self._tools.threads
        await threads.run(partial.sync)
        start = await threads.run(partial.start, ingest.START_BYTES)
        extension = ingest.extension_for(start, declared_extension)
        media = await self._check(partial.path, extension)
        identity = await threads.run(partial.publish, media.extension)
        return Fetched(
            path=partial.path,
            size_bytes=identity.size_bytes,
            allocated_bytes=identity.allocated_bytes,
            sha256=partial.sha256,
            duration_s=media.duration_s,
            container=media.container,
        )
