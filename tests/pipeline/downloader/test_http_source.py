from __future__ import annotations

import asyncio
import socket
from base64 import b64encode

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from pulsetui.errors import FailureClass, SourceError
from pulsetui.pipeline.downloader.http_source import HttpSource, HttpStream
from pulsetui.pipeline.downloader.ranges import Recorded
from pulsetui.pipeline.downloader.sources import shown_url
from pulsetui.settings.models import Downloads
from tests.pipeline.downloader.conftest import OPEN
from tests.pipeline.downloader.servers import Answer, Asked, Content, fixed, send, serving

BODY = b"\0\0\0\x18ftypmp42" + b"x" * 1_000


def source_with(**settings: object) -> HttpSource:
    return HttpSource(Downloads.model_validate({**OPEN, **settings}))


async def body_of(stream: HttpStream) -> bytes:
    parts = [chunk async for chunk in stream.chunks()]
    await stream.close()
    return b"".join(parts)


async def failure(answer: Answer, *, path: str = "/talk.mp4", **settings: object) -> SourceError:
    source = source_with(**settings)
    async with serving(answer) as server:
        with pytest.raises(SourceError) as caught:
            await source.open(server.url(path), Recorded())
    await source.close()
    return caught.value


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 407, 410, 451])
async def test_a_refusal_is_permanent(status: int) -> None:
    error = await failure(fixed(f"{status} No"))
    assert error.failure is FailureClass.PERMANENT
    assert f"answered {status}" in str(error)


@pytest.mark.parametrize("status", [202, 204, 408, 425, 500, 502, 503, 504, 206])
async def test_what_may_pass_is_transient(status: int) -> None:
    assert (await failure(fixed(f"{status} Later"))).failure is FailureClass.TRANSIENT


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [(429, {}, None), (429, {"Retry-After": "120"}, 120.0), (503, {"Retry-After": "7"}, 7.0)],
)
async def test_a_server_that_asks_for_patience_is_rate_limited(
    status: int, headers: dict[str, str | int], wait_s: float | None
) -> None:
    error = await failure(fixed(f"{status} Later", headers))
    assert (error.failure, error.retry_after_s) == (FailureClass.RATE_LIMITED, wait_s)


async def test_redirects_are_followed_to_the_body() -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        hops = {"/a": "b?x=1", "/b?x=1": "/c.mp4#end"}
        if asked.path in hops:
            await send(writer, "302 Found", {"Location": hops[asked.path], "Content-Length": 0})
        else:
            await Content(BODY)(asked, writer)

    source = source_with()
    async with serving(answer) as server:
        stream = await source.open(server.url("/a"), Recorded())
        body = await body_of(stream)

    assert [asked.path for asked in server.asked] == ["/a", "/b?x=1", "/c.mp4"]
    assert (body, stream.body.extension, stream.body.final_url) == (BODY, "mp4", server.url("/c.mp4"))
    await source.close()


@pytest.mark.parametrize(("allowed", "requests"), [(0, 1), (2, 3)])
async def test_redirects_end_at_the_limit(allowed: int, requests: int) -> None:
    source = source_with(max_redirects=allowed)
    async with serving(fixed("301 Moved", {"Location": "/again"})) as server:
        with pytest.raises(SourceError, match=f"more than {allowed} times") as caught:
            await source.open(server.url(), Recorded())

    assert caught.value.failure is FailureClass.PERMANENT
    assert len(server.asked) == requests
    await source.close()


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "javascript:alert(1)", "http://", "//"]
)
async def test_a_redirect_away_from_the_web_is_refused(location: str) -> None:
    assert (await failure(fixed("302 Found", {"Location": location}))).failure is FailureClass.PERMANENT


async def test_http_is_refused_before_connecting_unless_allowed() -> None:
    source = source_with(allow_http=False)
    async with serving(Content(BODY)) as server:
        with pytest.raises(SourceError, match="not encrypted") as caught:
            await source.open(server.url(), Recorded())

    assert "allow_http" in caught.value.hint
    assert server.connections == 0
    await source.close()


async def test_credentials_are_sent_to_their_host_and_never_shown() -> None:
    async with serving(Content(BODY)) as other:
        target = f"http://localhost:{other.port}/secret.mp4?token=hush"

        async def answer(_asked: Asked, writer: asyncio.StreamWriter) -> None:
            await send(writer, "302 Found", {"Location": target, "Content-Length": 0})

        async with serving(answer) as server:
            source = source_with()
            stream = await source.open(f"http://user:hush@127.0.0.1:{server.port}/a", Recorded())
            await body_of(stream)

    assert server.asked[0].headers["authorization"] == "Basic " + b64encode(b"user:hush").decode()
    assert "authorization" not in other.asked[0].headers
    assert stream.body.final_url == f"http://localhost:{other.port}/secret.mp4?…"
    await source.close()


@pytest.mark.parametrize(
    "answer", [fixed("404 No"), fixed("500 No"), fixed("302 Found", {"Location": "ftp://a:hush@b"})]
)
async def test_no_message_shows_what_a_url_hides(answer: Answer) -> None:
    source = source_with()
    async with serving(answer) as server:
        with pytest.raises(SourceError) as caught:
            await source.open(f"http://user:hush@127.0.0.1:{server.port}/a?key=hush#hush", Recorded())

    assert "hush" not in str(caught.value) + caught.value.hint
    await source.close()


async def test_a_refused_connection_is_transient_and_shows_no_credentials() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but it doesn't listen
        source = source_with()
        with pytest.raises(SourceError) as caught:
            await source.open(f"http://user:hush@127.0.0.1:{taken.getsockname()[1]}/a?key=hush", Recorded())

    assert caught.value.failure is FailureClass.TRANSIENT
    assert "hush" not in str(caught.value)
    await source.close()


class Nowhere(AbstractResolver):
    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002 - the protocol's
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002
    ) -> list[ResolveResult]:
        raise socket.gaierror(socket.EAI_NONAME, f"no {host}")

    async def close(self) -> None:
        pass


async def test_a_name_that_does_not_resolve_is_transient() -> None:
    source = HttpSource(Downloads(), resolver=Nowhere)
    with pytest.raises(SourceError, match="can't be resolved") as caught:
        await source.open("https://nowhere.example/x", Recorded())

    assert caught.value.failure is FailureClass.TRANSIENT
    await source.close()


async def test_a_server_without_tls_behind_https_is_transient() -> None:
    def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    source = source_with()
    with pytest.raises(SourceError, match="no encrypted connection") as caught:
        await source.open(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/x", Recorded())

    assert caught.value.failure is FailureClass.TRANSIENT
    assert "clock" in caught.value.hint
    server.close()
    await source.close()


async def test_what_is_not_http_is_transient_and_harmless() -> None:
    async def answer(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-\x1b[31mhello\r\n\r\n")
        await writer.drain()

    error = await failure(answer)
    assert error.failure is FailureClass.TRANSIENT
    assert "\x1b" not in str(error)


async def test_an_answer_that_never_comes_is_transient() -> None:
    done = asyncio.Event()

    async def answer(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
        await done.wait()

    error = await failure(answer, read_timeout="150ms")
    done.set()
    assert error.failure is FailureClass.TRANSIENT


async def test_headers_that_trickle_end_at_the_read_timeout() -> None:
    done = asyncio.Event()

    async def answer(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not done.is_set():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with asyncio.timeout(10):
        error = await failure(answer, read_timeout="300ms")
    done.set()
    assert error.failure is FailureClass.TRANSIENT


async def test_an_encoded_body_is_refused() -> None:
    error = await failure(fixed("200 OK", {"Content-Encoding": "gzip"}, BODY))
    assert error.failure is FailureClass.PERMANENT


async def test_identity_is_asked_for_and_nothing_else_is_told() -> None:
    source = source_with()
    async with serving(fixed("200 OK", {"Set-Cookie": "id=1"}, BODY)) as server:
        for _ in range(2):
            await body_of(await source.open(server.url(), Recorded()))

    for asked in server.asked:
        assert set(asked.headers) == {"host", "accept", "accept-encoding", "user-agent"}
        assert asked.headers["accept-encoding"] == "identity"
    await source.close()


async def test_requests_to_a_host_are_spaced() -> None:
    waits: list[float] = []

    class Clockwork:
        def monotonic(self) -> float:
            return 0.0

        async def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    source = HttpSource(Downloads.model_validate({**OPEN, "requests_per_second_per_host": 4}), clock=Clockwork())  # type: ignore[arg-type]
    async with serving(Content(BODY)) as server:
        for _ in range(3):
            await body_of(await source.open(server.url(), Recorded()))

    assert waits == [0.0, 0.25, 0.5]
    await source.close()


async def test_connections_to_a_host_are_limited() -> None:
    content = Content(BODY, stop_after=10)
    source = source_with(connections_per_host=1)
    async with serving(content) as server:
        first = await source.open(server.url(), Recorded())
        second = asyncio.create_task(source.open(server.url(), Recorded()))
        await asyncio.wait([second], timeout=0.1)
        before = server.connections
        content.go_on.set()
        assert await body_of(first) == BODY
        assert await body_of(await second) == BODY

    assert (before, server.connections) == (1, 2)
    await source.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h.example:8443/a/b.mp4?k=v#f", "https://h.example:8443/a/b.mp4?…"),
        ("https://h/\x1b[2J", "https://h/\\x1b[2J"),
        ("http://[::1/x", "http:…"),
        ("/tmp/a.mp4", "/tmp/a.mp4"),
    ],
)
def test_a_url_is_shown_without_secrets_and_harmless(url: str, shown: str) -> None:
    assert shown_url(url) == shown
