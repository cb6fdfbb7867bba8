from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from pulsetui import faults
from pulsetui.demo.server import Server, demo_server
from pulsetui.errors import WorkerFailedError, WorkerLostError

CONTENT = bytes(range(256)) * 4_000
NAME = "001.mp4"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    (served / NAME).write_bytes(CONTENT)
    return served


@pytest_asyncio.fixture
async def server(folder: Path) -> AsyncIterator[Server]:
    async with demo_server(folder) as running:
        yield running


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def etag_of(client: aiohttp.ClientSession, url: str) -> str:
    async with client.head(url) as response:
        return response.headers["ETag"]


async def test_a_whole_file_comes_with_length_type_and_validators(
    server: Server, client: aiohttp.ClientSession
) -> None:
    async with client.get(server.url(f"{NAME}?episode=3")) as response:
        body = await response.read()

    assert response.status == HTTPStatus.OK
    assert body == CONTENT
    assert response.content_length == len(CONTENT)
    assert response.content_type == "video/mp4"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["ETag"].startswith('"')
    assert response.headers["Last-Modified"].endswith(" GMT")


async def test_head_has_the_same_headers_and_no_body(server: Server, client: aiohttp.ClientSession) -> None:
    async with client.get(server.url(NAME)) as whole:
        await whole.read()
    async with client.head(server.url(NAME)) as response:
        body = await response.read()

    assert response.status == HTTPStatus.OK
    assert body == b""
    assert response.content_length == len(CONTENT)
    assert response.headers["ETag"] == whole.headers["ETag"]


async def test_a_range_of_the_same_version_comes_as_206(server: Server, client: aiohttp.ClientSession) -> None:
    etag = await etag_of(client, server.url(NAME))

    headers = {"Range": "bytes=1000-", "If-Range": etag}
    async with client.get(server.url(NAME), headers=headers) as response:
        body = await response.read()

    assert response.status == HTTPStatus.PARTIAL_CONTENT
    assert body == CONTENT[1000:]
    assert response.headers["Content-Range"] == f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"


async def test_after_a_change_the_range_is_ignored_and_the_whole_comes(
    server: Server, client: aiohttp.ClientSession, folder: Path
) -> None:
    etag = await etag_of(client, server.url(NAME))
    changed = CONTENT[::-1]
    (folder / NAME).write_bytes(changed)
    os.utime(folder / NAME, (1_000_000, 1_000_000))

    headers = {"Range": "bytes=1000-", "If-Range": etag}
    async with client.get(server.url(NAME), headers=headers) as response:
        body = await response.read()

    assert response.status == HTTPStatus.OK
    assert body == changed


async def test_a_range_behind_the_end_is_416_with_the_size(server: Server, client: aiohttp.ClientSession) -> None:
    async with client.get(server.url(NAME), headers={"Range": f"bytes={len(CONTENT)}-"}) as response:
        assert response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        assert response.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


async def test_a_busy_address_asks_to_wait_the_first_times(server: Server, client: aiohttp.ClientSession) -> None:
    url = server.busy_url(NAME, times=2, retry_after_s=7)
    answers = []
    for _ in range(3):
        async with client.get(url) as response:
            answers.append((response.status, response.headers.get("Retry-After")))

    assert answers == [(503, "7"), (503, "7"), (200, None)]


async def test_a_short_address_hangs_up_before_the_declared_end(server: Server, client: aiohttp.ClientSession) -> None:
    async with client.get(server.short_url(NAME)) as response:
        assert response.content_length == len(CONTENT)
        assert await response.content.readexactly(len(CONTENT) // 2) == CONTENT[: len(CONTENT) // 2]
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.read()


async def test_a_short_address_lets_a_download_be_resumed(server: Server, client: aiohttp.ClientSession) -> None:
    async with client.get(server.short_url(NAME), headers={"Range": "bytes=1000-"}) as response:
        assert response.status == HTTPStatus.PARTIAL_CONTENT
        assert response.content_length == len(CONTENT) - 1000


async def test_an_unsized_address_sends_the_whole_without_a_length(
    server: Server, client: aiohttp.ClientSession
) -> None:
    async with client.get(server.unsized_url(NAME), headers={"Range": "bytes=1000-"}) as response:
        body = await response.read()

    assert response.status == HTTPStatus.OK
    assert response.content_length is None
    assert "ETag" not in response.headers
    assert body == CONTENT


@pytest.mark.parametrize("name", ["002.mp4", "..%2Fsecret", "link.mp4", "folder", "%2E%2E"])
async def test_what_is_no_plain_file_of_the_folder_is_404(server: Server, folder: Path, name: str) -> None:
    (folder.parent / "secret").write_bytes(b"secret")
    (folder / "link.mp4").symlink_to(folder.parent / "secret")
    (folder / "folder").mkdir()

    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET /{name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 404 ")


async def test_the_rate_limits_each_request(folder: Path, client: aiohttp.ClientSession) -> None:
    async with demo_server(folder, rate_bytes_per_s=4 * len(CONTENT)) as server:
        began_s = time.monotonic()
        async with client.get(server.url(NAME)) as response:
            await response.read()
        took_s = time.monotonic() - began_s

    assert took_s >= 0.2


async def test_nobody_listens_after_the_block(folder: Path, client: aiohttp.ClientSession) -> None:
    async with demo_server(folder) as server:
        await etag_of(client, server.url(NAME))

    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get(server.url(NAME))


async def test_a_client_that_hangs_up_leaves_the_server_serving(server: Server, client: aiohttp.ClientSession) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET /{NAME} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readexactly(100)
    writer.transport.abort()

    assert await etag_of(client, server.url(NAME))


async def test_a_folder_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(WorkerFailedError, match="no folder"):
        async with demo_server(tmp_path / "missing"):
            pytest.fail("it served nothing")


async def test_an_error_in_the_block_comes_out_as_it_is(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with demo_server(folder):
            raise ZeroDivisionError


async def test_a_server_that_dies_at_the_start_is_said_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.ENVIRONMENT, "demo.server.bind=kill")

    with pytest.raises(WorkerLostError):
        async with demo_server(folder):
            pytest.fail("it served nothing")
