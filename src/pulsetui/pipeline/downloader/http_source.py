"""The HTTP(S) source: redirects followed by hand, each hop checked, resumed only with a strong validator.

The invariant: before a byte is sent, the scheme and the address of that hop were checked, and the connection goes to
the address that was checked. Nothing is decoded on the way (`Accept-Encoding: identity`), no cookies are kept, no
proxy is used (it would connect in our place, unchecked). Credentials in a URL are sent to its own host only and never
shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

import pulsetui
from pulsetui import faults
from pulsetui.clock import Clock, SystemClock
from pulsetui.errors import FailureClass, SourceError
from pulsetui.pipeline.downloader import ranges
from pulsetui.pipeline.downloader.addresses import check_literal, checked_resolver, checked_socket
from pulsetui.pipeline.downloader.http_errors import http_errors, refusal
from pulsetui.pipeline.downloader.ingest import extension_of
from pulsetui.pipeline.downloader.pacing import Spacing
from pulsetui.pipeline.downloader.ranges import Answer, Recorded
from pulsetui.pipeline.downloader.sources import Body, shown_url
from pulsetui.settings.models import Downloads

_REDIRECTS = {301, 302, 303, 307, 308}
_READ_BYTES = 256 * 1024
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": f"pulsetui/{pulsetui.__version__}"}


class HttpSource:
    """Opens http and https URLs with one session, which is made at the first use."""

    schemes = frozenset({"http", "https"})

    def __init__(
        self,
        settings: Downloads,
        *,
        resolver: Callable[[], AbstractResolver] = ThreadedResolver,
        clock: Clock | None = None,
    ) -> None:
        """Take the settings, and where names are looked up; whatever is found there is checked."""
        self._settings = settings
        self._resolver = resolver
        self._clock = clock or SystemClock()
        self._spacing = Spacing(settings.requests_per_second_per_host)
        self._session: aiohttp.ClientSession | None = None

    async def open(self, url: str, recorded: Recorded) -> HttpStream:
        """Request a URL through its redirects, to go on from `recorded` if that is provably the same body.

        Raises:
            SourceError: a hop isn't allowed, or the answer isn't a body.
        """
        asked = ranges.range_headers(recorded)
        response = await self._follow(url, asked)
        answer = ranges.judge(response.status, response.headers, recorded) if asked else Answer.WHOLE
        if answer is Answer.MISMATCH:
            response.close()
            response, answer = await self._follow(url, {}), Answer.WHOLE
        try:
            return HttpStream(response, self._body(response, answer, recorded))
        except BaseException:
            response.close()
            raise

    async def close(self) -> None:
        """Close the session and its connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _follow(self, url: str, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Return the first answer that is no redirect."""
        target = self._checked(_parsed(url), None)
        for _ in range(self._settings.max_redirects + 1):
            response = await self._request(target, headers)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return response
            response.close()  # not read to its end: a redirect's body may have none
            target = self._checked(_parsed(location, base=target), target)
        raise SourceError(
            f"{shown_url(url)} redirects more than {self._settings.max_redirects} times",
            failure=FailureClass.PERMANENT,
            hint="raise downloads.max_redirects, or use the address that it leads to",
        )

    async def _request(self, target: URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        await self._clock.sleep(self._spacing.reserve(target.host or "", self._clock.monotonic()))
        session = self._opened()
        with http_errors(shown_url(str(target))):
            await faults.async_point("download.request")
            async with asyncio.timeout(None) as answering:
                return await session.get(target, headers=headers, allow_redirects=False, trace_request_ctx=answering)

    def _checked(self, target: URL, origin: URL | None) -> URL:
        """Check the scheme and a literal address of a hop; `origin` is the hop before it."""
        shown = shown_url(str(target))
        if target.scheme not in self.schemes or not target.host:
            raise SourceError(f"{shown} is not a web address", failure=FailureClass.PERMANENT)
        if target.scheme == "http" and not self._settings.allow_http:
            downgrade = " (a redirect from https)" if origin is not None and origin.scheme == "https" else ""
            raise SourceError(
                f"{shown} is not encrypted{downgrade}",
                failure=FailureClass.PERMANENT,
                hint="use https, or set downloads.allow_http",
            )
        check_literal(target.host, allow_private=self._settings.allow_private_addresses)
        return target

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            private = self._settings.allow_private_addresses
            connector = aiohttp.TCPConnector(
                resolver=checked_resolver(self._resolver(), allow_private=private),
                socket_factory=partial(checked_socket, allow_private=private),
                limit=0,
                limit_per_host=self._settings.connections_per_host,
            )
            # aiohttp's default total timeout of 300 s would end every long download.
            timeout = aiohttp.ClientTimeout(
                total=None,
                sock_connect=self._settings.connect_timeout.total_seconds(),
                sock_read=self._settings.read_timeout.total_seconds(),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                headers=_HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trace_configs=[self._answer_in_time()],
                read_bufsize=_READ_BYTES,
            )
        return self._session

    def _answer_in_time(self) -> aiohttp.TraceConfig:
        """Have the headers of an answer come whole within the read timeout, which aiohttp counts anew for each byte.

        It starts when the request was sent: waiting for a free connection to the host may take as long as it takes.
        """
        trace = aiohttp.TraceConfig()

        async def sent(
            _session: aiohttp.ClientSession, context: SimpleNamespace, _params: aiohttp.TraceRequestHeadersSentParams
        ) -> None:
            answering: asyncio.Timeout = context.trace_request_ctx
            limit_s = self._settings.read_timeout.total_seconds()
            answering.reschedule(asyncio.get_running_loop().time() + limit_s)

        trace.on_request_headers_sent.append(sent)
        return trace

    def _body(self, response: aiohttp.ClientResponse, answer: Answer, recorded: Recorded) -> Body:
        url = shown_url(str(response.url))
        if answer is Answer.COMPLETE:
            return Body(
                recorded.have_bytes, recorded.declared_bytes, recorded.etag, recorded.last_modified, "", url, None, True
            )
        if response.status != (206 if answer is Answer.APPEND else 200):
            raise refusal(url, response.status, response.headers, self._clock.now())
        headers = response.headers
        if headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise SourceError(f"{url} answered with an encoding that wasn't asked for", failure=FailureClass.PERMANENT)
        resumed = answer is Answer.APPEND
        return Body(
            start_bytes=recorded.have_bytes if resumed else 0,
            declared_bytes=ranges.declared_size(response.status, headers),
            etag=recorded.etag if resumed else ranges.strong_etag(headers.get("ETag")),
            last_modified=recorded.last_modified
            if resumed
            else ranges.strong_last_modified(headers.get("Last-Modified"), headers.get("Date")),
            extension=extension_of(
                response.url.path,
                disposition=headers.get("Content-Disposition", ""),
                content_type=headers.get("Content-Type", ""),
            ),
            final_url=url,
        )


class HttpStream:
    """The body of one answer."""

    def __init__(self, response: aiohttp.ClientResponse, body: Body) -> None:
        """Take over the answer."""
        self._response = response
        self.body = body

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give the bytes as they come, at most 256 KiB at a time.

        Raises:
            SourceError: the connection broke, stalled, or ended before the declared size.
        """
        if self.body.is_complete:
            return
        with http_errors(self.body.final_url):
            async for chunk in self._response.content.iter_chunked(_READ_BYTES):
                await faults.async_point("download.read")
                yield chunk

    async def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        if self._response.content.at_eof() and not self.body.is_complete:
            self._response.release()
        else:
            self._response.close()


def _parsed(text: str, *, base: URL | None = None) -> URL:
    try:
        url = URL(text) if base is None else base.join(URL(text))
        return url.with_fragment(None)
    except ValueError as error:
        raise SourceError(f"{shown_url(text)} is not a valid address", failure=FailureClass.PERMANENT) from error
