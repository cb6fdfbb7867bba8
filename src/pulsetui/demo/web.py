"""What the demo's web server answers; runs in the process that `server` starts.

Owns what a downloader meets: strong validators, ranges, HEAD, a rate limit per request, and, at addresses of their own,
the ways in which servers misbehave. It answers for plain files of one folder only, and writes nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path, PurePath
from typing import Any

from aiohttp import web

from pulsetui import faults
from pulsetui.demo.ranges import UnsatisfiableError, select, still_holds
from pulsetui.errors import NotFoundError, RefusedError
from pulsetui.files.folders import Folder
from pulsetui.processes.task import Emit

_PIECE_BYTES = 64 * 1024
_TYPES = {".mp4": "video/mp4", ".mkv": "video/x-matroska", ".opus": "audio/ogg"}


def serve(arguments: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Serve until the process is ended, after an event with the port: the task behind `server.demo_server`.

    Raises:
        NotFoundError: there is no such folder.
    """
    try:
        folder = Folder.open(Path(arguments["folder"]).resolve())
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no folder {arguments['folder']} to serve") from error
    with folder:
        asyncio.run(_serve(Site(folder, arguments["rate_bytes_per_s"]), arguments["address"], emit))
    return {}


async def _serve(site: Site, address: str, emit: Emit) -> None:
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await faults.async_point("demo.server.bind")
        await web.TCPSite(runner, address, 0).start()
        emit({"port": runner.addresses[0][1]})
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


@dataclass(frozen=True, slots=True)
class _File:
    """An open file, with what its headers say."""

    descriptor: int
    size_bytes: int
    etag: str
    last_modified: str
    content_type: str

    @classmethod
    def of(cls, name: str, descriptor: int) -> _File:
        status = os.fstat(descriptor)
        return cls(
            descriptor=descriptor,
            size_bytes=status.st_size,
            etag=f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"',
            last_modified=formatdate(status.st_mtime, usegmt=True),
            content_type=_TYPES.get(PurePath(name).suffix, "application/octet-stream"),
        )

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": self.content_type,
            "ETag": self.etag,
            "Last-Modified": self.last_modified,
            "Accept-Ranges": "bytes",
        }


class Site:
    """The files of one folder; `rate_bytes_per_s` limits each request, None doesn't."""

    def __init__(self, folder: Folder, rate_bytes_per_s: int | None) -> None:
        """Take the open folder, which the caller closes."""
        self._folder = folder
        self._rate_bytes_per_s = rate_bytes_per_s
        self._refused: Counter[str] = Counter()

    def application(self) -> web.Application:
        """Return the application with its addresses."""
        application = web.Application()
        application.router.add_get("/{name}", self._plain)
        application.router.add_get("/busy/{times}/{retry_after_s}/{name}", self._busy)
        application.router.add_get("/short/{name}", self._short)
        application.router.add_get("/unsized/{name}", self._unsized)
        return application

    async def _plain(self, request: web.Request) -> web.StreamResponse:
        with self._file(request) as file:
            return await self._answer(request, file)

    async def _busy(self, request: web.Request) -> web.StreamResponse:
        if self._refused[request.path] < int(request.match_info["times"]):
            self._refused[request.path] += 1
            raise web.HTTPServiceUnavailable(headers={"Retry-After": request.match_info["retry_after_s"]})
        return await self._plain(request)

    async def _short(self, request: web.Request) -> web.StreamResponse:
        with self._file(request) as file:
            return await self._answer(request, file, sent_share=0.5)

    async def _unsized(self, request: web.Request) -> web.StreamResponse:
        with self._file(request) as file:
            response = web.StreamResponse(headers={"Content-Type": file.content_type})
            response.enable_chunked_encoding()
            await response.prepare(request)
            await self._send(response, file, 0, file.size_bytes)
            return response

    @contextmanager
    def _file(self, request: web.Request) -> Iterator[_File]:
        name = request.match_info["name"]
        try:
            descriptor = self._folder.open_existing(name)
        except (FileNotFoundError, RefusedError) as error:
            raise web.HTTPNotFound from error
        try:
            yield _File.of(name, descriptor)
        finally:
            os.close(descriptor)

    async def _answer(self, request: web.Request, file: _File, *, sent_share: float = 1.0) -> web.StreamResponse:
        asked = request.headers.get("Range") if _may_range(request, file) else None
        try:
            part = select(asked, file.size_bytes)
        except UnsatisfiableError:
            headers = {**file.headers, "Content-Range": f"bytes */{file.size_bytes}"}
            raise web.HTTPRequestRangeNotSatisfiable(headers=headers) from None
        start, stop = part or (0, file.size_bytes)
        response = web.StreamResponse(status=206 if part else 200, headers=file.headers)
        response.content_length = stop - start
        if part:
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size_bytes}"
        await response.prepare(request)
        if request.method != "HEAD":
            sent_to = start + int((stop - start) * sent_share)
            await self._send(response, file, start, sent_to)
            if sent_to < stop and request.transport is not None:
                request.transport.close()
        return response

    async def _send(self, response: web.StreamResponse, file: _File, start: int, stop: int) -> None:
        """Send the bytes from `start` up to `stop`, no faster than the rate; a client that hangs up ends it."""
        loop = asyncio.get_running_loop()
        began_s, position = loop.time(), start
        with suppress(ConnectionError):
            while position < stop:
                # Read on the loop: the files were just written, and nothing else runs in this process.
                piece = os.pread(file.descriptor, min(_PIECE_BYTES, stop - position), position)
                if not piece:
                    return
                await response.write(piece)
                position += len(piece)
                if self._rate_bytes_per_s:
                    await asyncio.sleep(began_s + (position - start) / self._rate_bytes_per_s - loop.time())


def _may_range(request: web.Request, file: _File) -> bool:
    if_range = request.headers.get("If-Range")
    return request.method == "GET" and still_holds(if_range, etag=file.etag, last_modified=file.last_modified)
