"""Where the commands get trees of sizes from: the database, any folder, an ncdu export."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pulsetui.cli.blocking import Ticker, WatchedStream, told_while
from pulsetui.cli.context import Context, absolute
from pulsetui.clock import SystemClock
from pulsetui.errors import NotFoundError, UsageError
from pulsetui.storage.categories import BUILT_IN, category_table
from pulsetui.storage.plain.tree import MOST_FILES
from pulsetui.units import format_size

if TYPE_CHECKING:
    from pulsetui.storage.scan.scanner import ScanProgress
    from pulsetui.storage.tree.hierarchy import Hierarchy
    from pulsetui.storage.views import RefreshView, StorageNode


@dataclass(frozen=True, slots=True)
class Found:
    """A tree, as of when, and what is missing from it."""

    tree: StorageNode
    at: datetime | None
    errors: Sequence[tuple[bytes, str]] = ()
    """Paths below its top, and why they could not be read; the first so many."""
    error_count: int = 0


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of a tree is wanted."""

    depth: int | None
    """Levels below the top, or None: what fits."""
    most_files: int | None = None
    """Of one folder, the largest first, or None: all, if there is a depth."""
    least_share: float = 0.0
    """The share of all bytes from which a folder's files are wanted."""
    growth_s: float | None = None

    @classmethod
    def of_picture(cls, levels: int, least_share: float, growth_s: float | None) -> Detail:
        """Return what a picture can show."""
        return cls(levels, MOST_FILES, least_share, growth_s)


@asynccontextmanager
async def hierarchy(context: Context) -> AsyncIterator[Hierarchy]:
    """Open the snapshot for reading, whoever owns the data directory.

    Raises:
        NotFoundError: there is no database, or no sizes in it yet.
        PulseError: it can't be read.
    """
    from pulsetui.storage.refresh import store
    from pulsetui.storage.tree.hierarchy import Hierarchy

    settings = context.loaded.settings
    storage_dir = settings.paths.storage.resolve()
    async with context.reading() as database:
        if await database.read(store.newest_refresh) is None:
            raise NotFoundError("no sizes have been read yet", hint="`pulsetui storage refresh` reads them")
        yield Hierarchy(database, settings.storage, SystemClock(), data_dir=context.data_dir, storage_dir=storage_dir)


async def of_entities(context: Context, detail: Detail) -> Found:
    """Return the tree of the library, or of the entity that was named."""
    async with hierarchy(context) as sizes:
        key = await sizes.resolve(context.arguments.entity) if context.arguments.entity is not None else None
        view = await sizes.view(key, depth=detail.depth, growth_s=detail.growth_s)
    return Found(view.tree, view.snapshot_at)


async def of_folder(context: Context, path: Path, detail: Detail) -> Found:
    """Scan a folder; needs no data directory."""
    from pulsetui.storage.plain.sizes import read_sizes

    now = SystemClock().now()
    ticker = Ticker()
    try:
        sizes = await read_sizes(
            path,
            categories=categories(context),
            now=now,
            on_progress=lambda progress: ticker.tell(how_far(progress)),
            depth=detail.depth,
            most_files=detail.most_files,
            least_share=detail.least_share,
        )
    finally:
        ticker.end()
    return Found(sizes.tree, now, sizes.errors, len(sizes.errors))


async def of_export(context: Context, name: str, detail: Detail) -> Found:
    """Read an ncdu export; `-` is standard input. Needs no data directory."""
    from pulsetui.storage.ncdu.imported import read_export

    stream = WatchedStream()
    table = categories(context)

    def read(stopped: Callable[[], bool]) -> Found:
        stream.stopped = stopped
        with _opened(name) as file:
            stream.source = file.read
            found = read_export(stream, categories=table, depth=detail.depth, most_files=detail.most_files)
        return Found(found.tree, found.exported_at, found.errors, found.error_count)

    return await told_while(lambda: f"{format_size(stream.read_bytes)} read", read)


def existing_folder(name: str) -> Path:
    """Return the absolute path of a folder, links to it followed. Blocks.

    Raises:
        NotFoundError: there is no such folder.
        PermissionError: this user may not read it.
    """
    path = absolute(name)
    try:
        path = path.resolve(strict=True)
        found = path.stat()
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no folder {path}", hint="check the path") from error
    if not stat.S_ISDIR(found.st_mode):
        raise NotFoundError(f"{path} is no folder", hint="name a folder")
    if not os.access(path, os.R_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return path


def categories(context: Context) -> Mapping[str, int]:
    """Return the category of each extension, with those of the settings."""
    return category_table(BUILT_IN, context.loaded.settings.storage.file_types)


def how_far(progress: ScanProgress | RefreshView) -> str:
    """Return how far a scan, or a refresh, is."""
    found = f"{progress.files:,} files in {progress.folders:,} folders, {format_size(progress.total_bytes)}"
    return f"{found}, {progress.files / max(progress.elapsed_s, 0.001):,.0f} files a second"


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name != "-":
        return absolute(name).open("rb")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("there is no export on standard input", hint="ncdu -o - DIR | pulsetui … --import -")
    return nullcontext(sys.stdin.buffer)
