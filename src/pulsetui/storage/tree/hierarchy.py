"""Reads the tree of sizes, from any node and to any depth, for screens, commands and reports.

Entities come from the newest snapshot, whole below `WHOLE` nodes and level by level above that; below the last level
files are listed as they are now. The invariant: a node's children sum to it exactly, with what it has itself as a child
of its own. Works in the owner and in processes that only read.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pulsetui.catalog import store as catalog_store
from pulsetui.catalog.levels import PLACES, parse_reference
from pulsetui.clock import Clock
from pulsetui.db.database import Database, Reader
from pulsetui.errors import NotFoundError
from pulsetui.files.names import display_text
from pulsetui.settings.storage import Storage
from pulsetui.storage.placing import NodeKey
from pulsetui.storage.refresh import snapshot_store, store
from pulsetui.storage.tree import tree_store
from pulsetui.storage.tree.growing import grown, own_node
from pulsetui.storage.tree.keys import Key, key_of, parse_key
from pulsetui.storage.tree.nested import to_json
from pulsetui.storage.tree.opening import Opened, Opener, folders_above
from pulsetui.storage.tree.tree_store import Then
from pulsetui.storage.views import HistoryPoint, StorageNode, StorageView
from pulsetui.trends import spaced
from pulsetui.waiting import in_thread

__all__ = ["LEVEL_MOST", "WHOLE", "Hierarchy", "to_json"]

WHOLE = 10_000
"""How many nodes are read at once; where there are more, they come level by level."""
LEVEL_MOST = 2_000
"""How many nodes such a step gives; the smallest children of a larger level are in one node for all."""
TIMES_APART = timedelta(minutes=5)
"""How far apart the times are that history can show."""
_ANY_DEPTH = 1_000


@dataclass(frozen=True, slots=True)
class _Read:
    """What one state of the database says about a view."""

    rows: list[sqlite3.Row]
    left_out: int
    ancestors: list[sqlite3.Row]
    library: sqlite3.Row
    then: Then | None
    opened: Opened | None
    """What the disk is to be asked for, None if nothing."""
    snapshot_at: datetime | None
    failure: str


class Hierarchy:
    """Answers what takes how much, out of the database and, for files, from the disk."""

    def __init__(
        self, database: Database, settings: Storage, clock: Clock, *, data_dir: Path, storage_dir: Path
    ) -> None:
        """Take the database and where the roots are."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._opener = Opener(settings, data_dir, storage_dir)

    async def view(
        self,
        key: str | None = None,
        *,
        depth: int | None = None,
        whole_if_small: bool = False,
        growth_s: float | None = None,
        history_at: datetime | None = None,
    ) -> StorageView:
        """Return the tree from a node, None for the library, with `depth` levels below it, None for all.

        Trees of more than `WHOLE` nodes come one or a few levels at a time; `whole_if_small` gives all of a smaller one
        whatever its depth. `growth_s` is the window of growth; `history_at` shows the sizes of then, of entities only:
        files are shown as they are now.

        Raises:
            NotFoundError: there is no such node (any more).
        """
        wanted = None if key is None else parse_key(key)
        of_files = wanted is not None and wanted.kind != "node"
        then = None
        if history_at is not None and not of_files:
            then = Then(history_at, shown=True)
        elif growth_s is not None:
            then = Then(self._clock.now() - timedelta(seconds=growth_s))
        if of_files:
            depth, whole_if_small = 0, False
        read = await self._database.read(lambda reader: self._read(reader, wanted, then, depth, whole_if_small))
        tree = await in_thread(grown, read.rows, read.then, left_out=read.left_out)
        ancestors = [tree_store.node_of(row, (), read.then, has_more=True) for row in read.ancestors]
        if wanted is not None and read.opened is not None:
            if of_files:
                ancestors += [replace(tree, has_more=True), *folders_above(wanted, read.opened)]
            tree = await self._open(wanted, tree, read.rows[0], read.opened)
        return StorageView(
            tree=tree,
            ancestors=tuple(ancestors),
            whole=tree_store.size_of(read.library, read.then),
            snapshot_at=read.snapshot_at,
            history_at=read.then.at if read.then is not None and read.then.shown else None,
            failure=read.failure,
        )

    async def resolve(self, text: str) -> str:
        """Return the key of what `TYPE:ID` names, with an integer or a uuid.

        Raises:
            UsageError: it isn't written like that.
            NotFoundError: there is no such thing.
        """
        reference = parse_reference(text, self._settings.levels)

        async def find(reader: Reader) -> str:
            if reference.entity_type not in PLACES:
                entity = await catalog_store.find_entity(reader, reference)
                return key_of((entity.level, entity.id))
            if reference.id is None or await tree_store.node(reader, (reference.entity_type, reference.id)) is None:
                raise _missing(str(reference))
            return str(reference)

        return await self._database.read(find)

    async def find(self, text: str, limit: int) -> tuple[StorageView, ...]:
        """Return the nodes whose name contains `text`, in any case, the largest first, each with what it is in."""
        if not text:
            return ()

        async def read(reader: Reader) -> tuple[StorageView, ...]:
            whole = tree_store.size_of(await _library(reader, None), None)
            views = []
            for key in await tree_store.found_by_name(reader, text, limit=limit):
                above = await tree_store.above(reader, key)
                node, *ancestors = (
                    tree_store.node_of(row, (), None, has_more=True) for row in (await _row(reader, key, None), *above)
                )
                views.append(StorageView(node, tuple(ancestors), whole))
            return tuple(views)

        return await self._database.read(read)

    async def times(self) -> tuple[datetime, ...]:
        """Return the times that `view` can show, oldest first."""
        return tuple(spaced(await self._database.read(store.refresh_times), TIMES_APART))

    async def history(self, key: str) -> tuple[HistoryPoint, ...]:
        """Return how large a node was, oldest first, up to the newest refresh. Files and folders have no history.

        Raises:
            NotFoundError: there is no such node (any more).
        """
        wanted = parse_key(key)
        if wanted.kind != "node":
            return ()

        async def read(reader: Reader) -> tuple[HistoryPoint, ...]:
            row = await _row(reader, wanted.node, None)
            points = await snapshot_store.history(reader, wanted.node)
            newest = await store.newest_refresh(reader)
            if newest is not None and (not points or points[-1].at < newest.at):
                points.append(HistoryPoint(newest.at, tree_store.size_of(row, None)))
            return tuple(points)

        return await self._database.read(read)

    async def _read(
        self, reader: Reader, wanted: Key | None, then: Then | None, depth: int | None, whole_if_small: bool
    ) -> _Read:
        opened = await self._opener.read(reader, wanted) if wanted is not None and wanted.kind != "node" else None
        if then is not None and not then.shown and not await tree_store.is_known_since(reader, then.at):
            then = None  # all of it would count as growth
        library = await _library(reader, then)
        node = tree_store.keys_of(library)[0]
        if wanted is not None:
            node = wanted.node if opened is None else opened.node
        rows, left_out = await _rows(reader, node, then, depth, whole_if_small)
        is_last_level = wanted is not None and depth != 0 and not rows[0]["has_children"]
        if wanted is not None and is_last_level and not (then is not None and then.shown):
            opened = await self._opener.read(reader, wanted)
        newest = await store.newest_refresh(reader)
        return _Read(
            rows=rows,
            left_out=left_out,
            ancestors=await tree_store.above(reader, node, then),
            library=library,
            then=then,
            opened=opened,
            snapshot_at=newest.at if newest else None,
            failure=(await store.state(reader)).failure,
        )

    async def _open(self, wanted: Key, tree: StorageNode, row: sqlite3.Row, opened: Opened) -> StorageNode:
        if wanted.kind in ("folder", "file"):
            return await self._opener.open(wanted, opened)
        return await self._opener.fill(tree if wanted.kind == "node" else own_node(row), wanted, opened)


async def _rows(
    reader: Reader, key: NodeKey, then: Then | None, depth: int | None, whole_if_small: bool
) -> tuple[list[sqlite3.Row], int]:
    """Return the rows of a tree, parents first, and how many children of its top are not among them."""
    top = await _row(reader, key, then)
    deepest = _ANY_DEPTH if depth is None else depth
    for reach in (_ANY_DEPTH, deepest) if whole_if_small else (deepest,):
        if await tree_store.count_below(reader, key, depth=reach, most=WHOLE + 1) <= WHOLE:
            return await tree_store.below(reader, key, then, depth=reach), 0
    level = await tree_store.largest_below(reader, key, then, limit=LEVEL_MOST)
    left_out = await tree_store.count_children(reader, [key], most=-1) - len(level)
    rows = [top, *level]
    for _ in range(1, deepest):
        parents = [tree_store.keys_of(row)[0] for row in level if row["has_children"]]
        more = await tree_store.count_children(reader, parents, most=LEVEL_MOST + 1)
        if not more or len(rows) + more > LEVEL_MOST:
            break
        level = await tree_store.children(reader, parents, then)
        rows += level
    return rows, left_out


async def _library(reader: Reader, then: Then | None) -> sqlite3.Row:
    key = await tree_store.library(reader)
    if key is None:
        raise NotFoundError("there is no library yet", hint="start pulsetui once")
    return await _row(reader, key, then)


async def _row(reader: Reader, key: NodeKey, then: Then | None) -> sqlite3.Row:
    row = await tree_store.node(reader, key, then)
    if row is None:
        raise _missing(key_of(key))
    return row


def _missing(what: str) -> NotFoundError:
    return NotFoundError(
        f"there is no {display_text(what)}", hint="`pulsetui storage treemap --json` lists what there is"
    )
