"""A raw HTTP server on loopback, so that tests can lie about lengths, ranges and encodings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    path: str
    headers: dict[str, str]
    """Names in lower case."""


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Answers each request by `answer`; counts connections as they are accepted."""

    answer: Answer
    port: int = 0
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)
    answering: set[asyncio.Future[None]] = field(default_factory=set)

    def url(self, path: str = "/talk.mp4", *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(re.split(r":\s*", line, maxsplit=1) for line in head[1:] if line)
            asked = Asked(head[0].split(" ")[1], {name.lower(): value for name, value in headers.items()})
            self.asked.append(asked)
            answering = asyncio.ensure_future(self.answer(asked, writer))
            self.answering.add(answering)
            await asyncio.wait([answering])
            await answering
        writer.close()


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for answering in server.answering:
            answering.cancel()
        await asyncio.gather(*server.answering, return_exceptions=True)


async def send(writer: asyncio.StreamWriter, status: str, headers: dict[str, str | int], body: bytes = b"") -> None:
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "Connection: close",
        "",
        "",
    ]
    writer.write("\r\n".join(lines).encode() + body)
    await writer.drain()


@dataclass
class Content:
    """Serves one body as a correct server does: ranges under a matching `If-Range`, 416 past its end.

    `stop_after` sends only so many bytes of a body and then waits for `go_on`, with the connection open.
    """

    body: bytes
    etag: str | None = '"one"'
    extra: dict[str, str | int] = field(default_factory=dict)
    stop_after: int | None = None
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        headers: dict[str, str | int] = {**({"ETag": self.etag} if self.etag else {}), **self.extra}
        match = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        validator = asked.headers.get("if-range")
        total = len(self.body)
        if match is None or validator not in {None, self.etag, self.extra.get("Last-Modified")}:
            await self._body(writer, "200 OK", {**headers, "Content-Length": total}, self.body)
            return
        first = int(match[1])
        if first >= total:
            await send(writer, "416 Range Not Satisfiable", {"Content-Range": f"bytes */{total}", "Content-Length": 0})
            return
        headers |= {"Content-Range": f"bytes {first}-{total - 1}/{total}", "Content-Length": total - first}
        await self._body(writer, "206 Partial Content", headers, self.body[first:])

    async def _body(
        self, writer: asyncio.StreamWriter, status: str, headers: dict[str, str | int], body: bytes
    ) -> None:
        if self.stop_after is None:
            await send(writer, status, headers, body)
            return
        await send(writer, status, headers, body[: self.stop_after])
        self.stopped.set()
        await self.go_on.wait()
        writer.write(body[self.stop_after :])
        await writer.drain()


def fixed(status: str, headers: dict[str, str | int] | None = None, body: bytes = b"") -> Answer:
    """Answer always the same; `Content-Length` as it is given, else the true one."""
    given = headers or {}

    async def answer(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        await send(
            writer, status, {**({} if "Transfer-Encoding" in given else {"Content-Length": len(body)}), **given}, body
        )

    return answer


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
