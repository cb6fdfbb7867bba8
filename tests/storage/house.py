"""A data directory with a database, files in its roots, and what refreshes and reads them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.events.base import Event
from pulsetui.events.bus import Bus
from pulsetui.events.store import EventLog
from pulsetui.settings.storage import Storage
from pulsetui.storage.refresh import steps as refreshing
from pulsetui.storage.refresh.delta import Known
from pulsetui.storage.refresh.reading import Found
from pulsetui.storage.refresh.refresher import Refresher
from pulsetui.storage.refresh.steps import Begun, Outcome
from pulsetui.storage.refresh.store import Cause
from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.tree.hierarchy import Hierarchy
from pulsetui.storage.views import NOTHING, StorageNode
from tests.db.tools import FakeClock

BLOCK = 4096


class StillClock(FakeClock):
    """Goes on when it is told to only; who sleeps wakes then."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[datetime, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        entry = (self.moment + timedelta(seconds=seconds), asyncio.Event())
        self.waiting.append(entry)
        try:
            await entry[1].wait()
        finally:
            self.waiting.remove(entry)

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        for until, woken in self.waiting:
            if until <= self.moment:
                woken.set()


@dataclass
class House:
    """The parts, and shorter words for what tests do with them."""

    data_dir: Path
    database: Database
    clock: FakeClock
    settings: Storage
    refresher: Refresher
    hierarchy: Hierarchy
    told: list[Event] = field(default_factory=list)
    known: Known = field(default_factory=Known)
    """What `take` has stored."""

    @property
    def videos(self) -> Path:
        return self.data_dir / "storage" / "videos"

    def write(self, path: str, size_bytes: int) -> Path:
        """Write a file below the videos."""
        file = self.videos / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size_bytes)
        return file

    async def take(self, folders: Mapping[str, Mapping[int, int]], cause: Cause = "order") -> Outcome:
        """Store a refresh that found `folders` in the videos: by path, files' sizes by category. Nothing is on disk.

        Each size is one file. Folders above those that are named are there as well.
        """
        return await self.store(*await self.found(folders, cause))

    async def found(self, folders: Mapping[str, Mapping[int, int]], cause: Cause = "order") -> tuple[Begun, Found]:
        """Return what a refresh would have begun with and found."""
        begun = await refreshing.begin(
            self.database, self.settings, self.data_dir, self.data_dir / "storage", cause=cause, full=True,
            now=self.clock.now(),
        )  # fmt: skip
        root = next(root for root in begun.roots if root.name == "videos")
        before = self.known.records.get(root.id, {})
        records = {}
        for number, (path, sizes) in enumerate(sorted(with_those_above(folders).items())):
            made = record(path.encode(), number + 2, sizes)
            known = before.get(made.path)
            records[made.path] = known if known == made and known is not None else made
        return begun, Found(records={other.id: {} for other in begun.roots} | {root.id: records})

    async def store(self, begun: Begun, found: Found) -> Outcome:
        """Write what was found."""
        new = await refreshing.new_folders(begun, found)
        outcome = await self.database.write(
            lambda tx: refreshing.write(
                tx, begun, self.known, found, new, levels=self.settings.levels, prepared=None, seconds=0.1
            )
        )
        self.known = outcome.known
        return outcome

    async def tree(self, key: str | None = None, **wanted: Any) -> StorageNode:
        return (await self.hierarchy.view(key, **wanted)).tree

    async def node(self, name: str) -> StorageNode:
        """Return the largest node of a name."""
        found = await self.hierarchy.find(name, 10)
        return next(view.tree for view in found if view.tree.name == name)

    def said(self) -> list[str]:
        return [event.kind for event in self.told]


def with_those_above(folders: Mapping[str, Mapping[int, int]]) -> dict[str, Mapping[int, int]]:
    """Return the folders with all that they are in."""
    every: dict[str, Mapping[int, int]] = {"": {}}
    for path in folders:
        parts = path.split("/")
        every |= {"/".join(parts[:end]): {} for end in range(1, len(parts))}
    return every | dict(folders)


def record(path: bytes, inode: int, sizes: Mapping[int, int], **more: Any) -> FolderRecord:
    """Return a folder with one file of a size in each of some categories."""
    counts = tuple((category, 1, size, -(-size // BLOCK) * BLOCK) for category, size in sorted(sizes.items()))
    values: dict[str, Any] = {"newest_ns": 10**18 if sizes else 0, "verified_ms": 1_790_000_000_000, **more}
    return FolderRecord(path, 1, inode, 10**18, 10**18, BLOCK, counts, **values)


def broken_sums(top: StorageNode) -> list[str]:
    """Return the keys of the nodes whose children don't sum to them, or whose categories don't."""
    broken = []
    for node in top.walk():
        if node.children and sum((child.size for child in node.children), NOTHING) != node.size:
            broken.append(node.key)
        if node.categories and sum(node.categories, NOTHING) != node.size:
            broken.append(f"{node.key} by category")
    return broken


@contextlib.asynccontextmanager
async def housed(folder: Path, clock: FakeClock | None = None, **settings: Any) -> AsyncIterator[House]:
    """Open a data directory."""
    (folder / "storage" / "videos").mkdir(parents=True, exist_ok=True)
    clock, wanted, events = clock or FakeClock(), Storage(**settings), EventLog(Bus())
    async with await Database.open(folder / DATABASE_NAME, owner=True, clock=clock) as database:
        storage_dir = folder / "storage"
        refresher = Refresher(
            database=database, events=events, clock=clock, settings=wanted, data_dir=folder, storage_dir=storage_dir
        )
        hierarchy = Hierarchy(database, wanted, clock, data_dir=folder, storage_dir=storage_dir)
        house = House(folder, database, clock, wanted, refresher, hierarchy)
        events.bus.on(lambda recorded: house.told.append(recorded.event))
        try:
            yield house
        finally:
            await refresher.stop()


__all__ = ["BLOCK", "House", "StillClock", "broken_sums", "housed", "record"]
