from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from pulsetui import faults
from pulsetui.pipeline.downloader.contract import Head, Request
from pulsetui.pipeline.downloader.ingest import Media
from pulsetui.pipeline.downloader.sources import Source
from pulsetui.pipeline.downloader.transfer import Downloader, MediaCheck
from pulsetui.settings.models import Downloads

MIB = 1024 * 1024
DEADLINE_S = 20.0
OPEN = {"allow_http": True, "allow_private_addresses": True, "requests_per_second_per_host": 1_000.0}
"""Settings with which a server on loopback can be reached."""


def media(size: int, seed: int = 1) -> bytes:
    """Bytes that start like an MP4 and are the same for the same seed."""
    return b"\0\0\0\x18ftypmp42" + random.Random(seed).randbytes(size - 12)


async def accept(_path: Path, extension: str) -> Media:
    """A media check that accepts: the real probe has its own tests."""
    return Media(extension, "mp4", 12.5)


@dataclass
class Ledger:
    """An observer that keeps what it was told, and grants what it is asked for up to `most`."""

    reserved_bytes: int = 1 << 40
    most: int = 1 << 40
    heads: list[Head] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    progressed: list[tuple[int, int]] = field(default_factory=list)
    on_headers: Callable[[], None] = lambda: None
    on_extend: Callable[[], None] = lambda: None

    async def headers(self, head: Head) -> None:
        self.on_headers()
        self.heads.append(head)

    async def extend(self, total_bytes: int) -> None:
        self.on_extend()
        self.asked.append(total_bytes)
        self.reserved_bytes = min(total_bytes, self.most)

    def progress(self, written_bytes: int, allocated_bytes: int) -> None:
        self.progressed.append((written_bytes, allocated_bytes))


@dataclass(frozen=True)
class Place:
    """Where a test's downloads go."""

    root: Path
    folder: Path

    @property
    def partial(self) -> Path:
        return self.folder / "job.partial"

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def request(self, url: str, head: Head | None = None) -> Request:
        """Ask for a URL; `head` is what the service recorded of the attempt before."""
        if head is None:
            return Request("job", url, self.folder, self.root)
        return Request("job", url, self.folder, self.root, head.etag, head.last_modified, head.declared_bytes)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root = tmp_path / "videos"
    root.mkdir()
    return Place(root, root / "show" / "season")


class Make(Protocol):
    def __call__(
        self, *, sources: Iterable[Source] | None = None, check: MediaCheck = accept, **settings: object
    ) -> Downloader: ...


@pytest_asyncio.fixture
async def make() -> AsyncIterator[Make]:
    """Make downloaders that reach loopback unless a setting says otherwise, and are closed after the test."""
    async with AsyncExitStack() as stack:

        def made(
            *, sources: Iterable[Source] | None = None, check: MediaCheck = accept, **settings: object
        ) -> Downloader:
            downloader = Downloader(Downloads.model_validate({**OPEN, **settings}), sources=sources, check=check)
            stack.push_async_callback(downloader.close)
            return downloader

        yield made


@pytest.fixture
def downloader(make: Make) -> Downloader:
    return make()


@pytest.fixture(autouse=True)
def no_faults_left() -> Iterator[None]:
    yield
    faults.disarm()


async def within(awaitable: Awaitable[object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        await awaitable
