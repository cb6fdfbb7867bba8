"""Brings the records of one root up to date: lists what changed or is to be looked at again, and keeps the rest.

The invariant: a result is whole. Each folder that is there has a record, each record's figures are of one listing, and
a root that is missing, or goes missing meanwhile, is an error and never an empty result. Settling files with several
names, adding up and storing are left to others.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulsetui.errors import NotFoundError, PulseError, WorkerFailedError
from pulsetui.storage.scan.collecting import Collected
from pulsetui.storage.scan.crew import Crew
from pulsetui.storage.scan.few import FEW, list_few, pattern_of
from pulsetui.storage.scan.listing import Sums
from pulsetui.storage.scan.merging import merged
from pulsetui.storage.scan.opening import ROOT_LOST
from pulsetui.storage.scan.place import Place
from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.scan.unchanged import Checked, check
from pulsetui.storage.scan.work import Item, Work
from pulsetui.storage.views import CATEGORIES, OTHER
from pulsetui.waiting import finished, in_thread

_PROGRESS_S = 0.1
_HUGE = 10_000
"""Names in a folder from which on its walkers share it: below, listing it twice costs more than it saves."""
_FOLDERS_A_WALKER = 500
"""A refresh starts a second walker at once for more folders than this: starting one takes as long as some hundred."""


@dataclass(frozen=True, slots=True)
class ScanRoot:
    """What to scan."""

    id: int
    path: Path
    category: int | None = None
    """The category of all its files, or None: by their names."""
    exclude: tuple[str, ...] = ()
    """Names (fnmatch patterns) of files and folders that are left out, at any depth."""
    cross_mounts: bool = False
    """Whether other file systems below it belong to it."""


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is."""

    folders: int
    """Kept as they were known or listed; files and bytes are those of the listed ones."""
    files: int
    total_bytes: int
    files_per_s: float
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class ScanResult:
    """One root as it is now, and what of that is new."""

    records: Mapping[bytes, FolderRecord]
    """Every folder, by its path below the root."""
    changed: frozenset[bytes]
    """Folders that are new, or whose record is another one than before."""
    gone: frozenset[bytes]
    """Folders that were known and aren't there any more."""
    reused: int
    """How many folders were kept as known, without a listing."""
    errors: tuple[tuple[bytes, str], ...]
    """What could not be read: path below the root, and why."""
    seconds: float


async def scan(
    root: ScanRoot,
    *,
    known: Mapping[bytes, FolderRecord],
    look_again: Collection[bytes],
    categories: Mapping[str, int],
    now_ms: int,
    on_progress: Callable[[ScanProgress], None],
    workers: int = 2,
    leave_out: frozenset[tuple[int, int]] = frozenset(),
) -> ScanResult:
    """Scan `root` and return every folder's record.

    A folder in `known` whose device, inode, mtime and ctime are as they were, and which isn't in `look_again`, keeps
    its record; so an empty `known` means a full walk, which a change of `exclude`, `category` or `categories` calls
    for. `categories` maps extensions (case folded, without the dot) to category indexes. `leave_out` names folders as
    (device, inode) that somebody else accounts for. `on_progress` is called ten times a second, and once at the end.
    Cancelling the task ends its processes within 200 ms.

    Raises:
        NotFoundError: the root is not there, or went away meanwhile.
        PulseError: the root's own folder can't be read.
        WorkerLostError: processes died over the same folder twice.
    """
    begun = _Scan(root, known, look_again, categories, now_ms, workers)
    place = await _opened(root, leave_out)
    reporting = asyncio.create_task(begun.report(on_progress))
    try:
        result = await begun.run(place)
        await in_thread(place.verify)
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        place.close()
    on_progress(begun.progress())
    return result


async def _opened(root: ScanRoot, leave_out: frozenset[tuple[int, int]]) -> Place:
    """Open the root in a thread; a cancelled caller leaves no descriptor behind."""
    opening = asyncio.ensure_future(asyncio.to_thread(Place.open, root.path, leave_out, cross_mounts=root.cross_mounts))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await finished(asyncio.create_task(_close(opening)))
        raise


async def _close(opening: asyncio.Future[Place]) -> None:
    with suppress(PulseError):
        (await opening).close()


class _Scan:
    def __init__(
        self,
        root: ScanRoot,
        known: Mapping[bytes, FolderRecord],
        look_again: Collection[bytes],
        categories: Mapping[str, int],
        now_ms: int,
        workers: int,
    ) -> None:
        self._root = root
        self._known = known if b"" in known else {}
        self._before = known
        self._look_again = frozenset(look_again)
        self._categories = categories
        self._workers = workers
        self._began = time.monotonic()
        self._collected = Collected(now_ms)
        self._checked = Checked()
        self._kept = 0
        self._found: dict[bytes, set[bytes]] = {}

    async def run(self, place: Place) -> ScanResult:
        items: list[Item] = [(b"", 0, 1, True)]
        if self._known:
            self._checked = await self._check(place)
            self._kept = len(self._known) - len(self._checked.to_list) - len(self._checked.gone)
            items = [(path, 0, 1, False) for path in self._checked.to_list]
            if len(items) <= FEW:
                items = await self._list_few(place)
        if items:
            at_once = min(self._workers, 1 + len(items) // _FOLDERS_A_WALKER) if self._known else self._workers
            crew = Crew(self._arguments(place), Work(items), self._collected, self._to_list_below)
            try:
                await crew.list_all(at_once, self._workers - at_once)
            except WorkerFailedError as error:
                if error.kind != ROOT_LOST:
                    raise
                raise NotFoundError(f"{place.shown()} went away during the scan: {error}") from error
        return await in_thread(self._result, place)

    async def report(self, on_progress: Callable[[ScanProgress], None]) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_S)
            on_progress(self.progress())

    def progress(self) -> ScanProgress:
        elapsed_s = time.monotonic() - self._began
        collected = self._collected
        folders = self._kept + len(collected.records)
        return ScanProgress(folders, collected.files, collected.total_bytes, collected.files / elapsed_s, elapsed_s)

    async def _check(self, place: Place) -> Checked:
        """Look at the known folders in a thread, which ends early when the scan is cancelled."""
        stop = threading.Event()
        wanted = (place.descriptor, self._known, self._look_again, place.bounds, stop.is_set)
        checking = asyncio.ensure_future(asyncio.to_thread(check, *wanted))
        try:
            await asyncio.wait({checking})
        finally:
            stop.set()
            checked = await finished(checking)
        return checked

    async def _list_few(self, place: Place) -> list[Item]:
        """List the folders that are to be listed, if they are few, and return what is left to walkers."""
        sums = Sums(self._categories, self._root.category, OTHER, len(CATEGORIES))
        exclude = pattern_of(self._root.exclude)
        parts, left = await in_thread(list_few, place.descriptor, self._checked.to_list, sums, exclude, place.bounds)
        items: list[Item] = [(path, 0, 1, False) for path in left]
        for path, part, below in parts:
            self._collected.add(path, 1, part)
            items += self._to_list_below(path, below)
        return items

    def _arguments(self, place: Place) -> dict[str, Any]:
        """Return what a walker is told at its start."""
        bounds = place.bounds
        return {
            "root": os.fsdecode(self._root.path),
            "identity": place.identity,
            "device": bounds.device,
            "mounts": [path.decode("latin-1") for path in bounds.mounts],
            "leave_out": list(bounds.leave_out),
            "exclude": pattern_of(self._root.exclude),
            "categories": dict(self._categories),
            "fixed": self._root.category,
            "other": OTHER,
            "number_of_categories": len(CATEGORIES),
            "shares": self._workers,
            "huge": _HUGE,
        }

    def _to_list_below(self, path: bytes, below: Sequence[bytes]) -> list[Item]:
        """Note what a known folder holds now, and return what of it isn't known: that is to be listed to its end."""
        self._found.setdefault(path, set()).update(below)
        gone = self._checked.gone
        return [(name, 0, 1, True) for name in below if name not in self._known or name in gone]

    def _result(self, place: Place) -> ScanResult:
        known, listed = self._before, self._collected.records
        records: Mapping[bytes, FolderRecord] = listed
        if self._known:
            changes = bool(listed or self._checked.to_list or self._checked.gone)
            records = merged(self._known, self._checked, self._found, listed) if changes else self._known
        top = records.get(b"")
        if top is None:
            raise NotFoundError(f"{place.shown()} went away during the scan")
        if top.error and len(records) == 1 and not top.counts and not top.links:
            raise PulseError(f"{place.shown()} can't be read: {top.error}")
        return ScanResult(
            records=records,
            changed=frozenset(path for path in listed if path in records and known.get(path) != records[path]),
            gone=frozenset() if records is known else frozenset(path for path in known if path not in records),
            reused=len(records) - sum(1 for path in listed if path in records),
            errors=tuple((path, record.error) for path, record in listed.items() if record.error and path in records),
            seconds=time.monotonic() - self._began,
        )
