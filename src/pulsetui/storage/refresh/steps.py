"""One refresh, step by step: what to read and how, reading it, and writing the difference in one transaction.

The invariant: nothing is written before `write`, and that is one transaction; so a refresh that fails, is cancelled or
dies at any point leaves the snapshot before it whole. Ids of new roots alone are given out earlier: they hold nothing.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pulsetui.catalog import store as catalog_store
from pulsetui.catalog.entities import Placed
from pulsetui.clock import to_ms
from pulsetui.db.database import Database, Reader, Transaction
from pulsetui.errors import DatabaseError
from pulsetui.settings.storage import Storage
from pulsetui.storage.categories import BUILT_IN, category_table
from pulsetui.storage.discovery import unknown_folders
from pulsetui.storage.placing import NodeKey
from pulsetui.storage.refresh import folder_store, snapshot_store, store
from pulsetui.storage.refresh.delta import Delta, Known, delta
from pulsetui.storage.refresh.look_again import LookAgain, Round, look_again
from pulsetui.storage.refresh.marks import Marks, by_root
from pulsetui.storage.refresh.reading import Found, Homes, RootReader, Wanted
from pulsetui.storage.refresh.store import Cause, RefreshRow, StoredRoot
from pulsetui.storage.roots import Root, roots_of
from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.tree import tree_store
from pulsetui.storage.views import RefreshView
from pulsetui.waiting import in_thread


@dataclass(frozen=True, slots=True)
class Begun:
    """What a refresh starts from."""

    cause: Cause
    at: datetime
    complete: bool
    """Whether every folder is listed."""
    rules: str
    """Digest of what decides how a file is counted: under other rules nothing that is known can be kept."""
    library_id: int
    roots: tuple[Root, ...]
    stored: Mapping[str, StoredRoot]
    categories: Mapping[str, int]
    entities: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a refresh has left, for the next one and for who waited."""

    row: RefreshRow
    known: Known
    roots: tuple[Root, ...]
    failed: tuple[tuple[Root, str], ...]
    """Roots that could be read before and can't be now, and why."""
    back: tuple[tuple[Root, datetime], ...]
    """Roots that can be read again, and since when they could not."""


async def load(reader: Reader) -> Known:
    """Return what is stored, as it is kept in memory from then on."""
    rows = await snapshot_store.stored(reader)
    packed = await in_thread(lambda: {(row[0], row[1]): snapshot_store.packed(row) for row in rows})
    records: dict[int, Mapping[bytes, FolderRecord]] = {}
    nodes_of: dict[int, Mapping[bytes, NodeKey]] = {}
    for root in await store.roots(reader):
        folders = await folder_store.rows_in(reader, root.id)
        records[root.id], nodes_of[root.id] = await in_thread(_decoded, folders)
    return Known(records, nodes_of, packed)


async def begin(
    database: Database, settings: Storage, data_dir: Path, storage_dir: Path, *, cause: Cause, full: bool, now: datetime
) -> Begun:
    """Return what the refresh goes by.

    Raises:
        SettingsError: a root of the user's lies in or around a folder that is accounted for already.
    """
    configured = roots_of(settings, data_dir, storage_dir)
    names = {root.name: root.path for root in configured}
    if names.keys() - {root.name for root in await database.read(store.roots)}:
        await database.write(lambda tx: store.add_roots(tx, names.items()))

    async def read(reader: Reader) -> Begun:
        stored = {root.name: root for root in await store.roots(reader)}
        state = await store.state(reader)
        types = {**BUILT_IN, **await store.file_types(reader), **settings.file_types}
        library = await tree_store.library(reader)
        if library is None:
            raise DatabaseError("the database has no library", hint="restore a backup")
        roots = tuple(replace(root, id=stored[root.name].id) for root in configured)
        rules = _digest(types, roots)
        stale = state.walked_at is None or now - state.walked_at >= settings.full_walk_interval
        return Begun(
            cause=cause,
            at=now,
            complete=full or rules != state.rules or (stale and cause != "watch"),
            rules=rules,
            library_id=library[1],
            roots=roots,
            stored=stored,
            categories=category_table(types),
            entities=await catalog_store.list_placed(reader, library[1]),
        )

    return await database.read(read)


async def read_roots(
    begun: Begun,
    known: Known,
    marks: Marks,
    *,
    share: float,
    left: Round,
    homes: Homes,
    on_progress: Callable[[RefreshView], None],
) -> tuple[Found, LookAgain]:
    """Scan the roots: all, or of a refresh because of watches those in which something was marked.

    `share` and `left` are the rolling share's, for `look_again`, whose answer comes back; `homes` are tracked volumes.
    """
    marked = by_root(marks.folders, begun.roots)
    only_marked = begun.cause == "watch" and not begun.complete and not marks.lost
    roots = [root for root in begun.roots if not only_marked or root.id in marked]
    now_ms = to_ms(begun.at)
    usable = {
        root.id: known.records[root.id]
        for root in roots
        if not begun.complete and root.id in known.records and begun.stored[root.name].path == root.path
    }
    wanted_share = 0.0 if only_marked else share
    again = await in_thread(look_again, usable, marked, share=wanted_share, left=left, now_ms=now_ms)
    if begun.complete:
        again = LookAgain()
    wanted = Wanted(
        every=begun.roots,
        kept=known.records,
        known=usable,
        again=again.folders,
        volumes={root.id: volume for root in begun.stored.values() if (volume := root.volume) is not None},
        homes={
            root.id: home
            for root in begun.roots
            if (home := homes.get(begun.stored[root.name].volume or "")) and begun.stored[root.name].path == root.path
        },
        categories=begun.categories,
        now_ms=now_ms,
    )
    found = await RootReader(on_progress).read(roots, wanted)
    for root in begun.roots:
        if root.id not in found.records:
            found.records[root.id] = known.records.get(root.id, {})
            found.reused += len(found.records[root.id])
            if begun.stored[root.name].error:
                found.failures[root.id] = begun.stored[root.name].error
    return found, again


async def write(
    tx: Transaction,
    begun: Begun,
    known: Known,
    found: Found,
    new: Sequence[bytes],
    *,
    levels: Sequence[str],
    prepared: Delta | None,
    seconds: float,
) -> Outcome:
    """Write the difference; `new` names folders that get an entity, `prepared` is the delta if none does."""
    if prepared is None:
        await catalog_store.ensure_by_folders(tx, new, levels=levels, now=begun.at)
        entities = await catalog_store.list_placed(tx, begun.library_id)
        prepared = await in_thread(computed, begun, known, found, entities)
    await folder_store.put(tx, prepared.put_folders)
    await folder_store.remove(tx, prepared.gone_folders)
    await snapshot_store.put(tx, prepared.put_nodes)
    await snapshot_store.remove(tx, prepared.gone_nodes)
    await snapshot_store.put_history(tx, prepared.sizes)
    await store.record_roots(tx, _roots_after(begun, found))
    size = prepared.library.size
    row = RefreshRow(
        at=begun.at,
        cause=begun.cause,
        complete=begun.complete,
        levels=tuple((level, prepared.levels.get(level, 0)) for level in levels),
        folders=sum(map(len, found.records.values())),
        reused_folders=found.reused,
        file_count=size.file_count,
        total_bytes=size.total_bytes,
        allocated_bytes=size.allocated_bytes,
        errors=prepared.library.unreadable + len(found.failures),
        seconds=seconds,
    )
    await store.record_refresh(tx, row, rules=begun.rules)
    return Outcome(row, prepared.known, begun.roots, tuple(_failed(begun, found)), tuple(_back(begun, found)))


def computed(begun: Begun, known: Known, found: Found, entities: Sequence[Placed]) -> Delta:
    """Return what to write. Takes a while for many folders: call it in a thread."""
    return delta(
        known,
        begun.roots,
        found.records,
        entities,
        library_id=begun.library_id,
        failures=found.failures,
        at_ms=to_ms(begun.at),
    )


async def new_folders(begun: Begun, found: Found) -> list[bytes]:
    """Return the folders that fit a layout and have no entity yet."""
    return await in_thread(unknown_folders, begun.roots, found.records, begun.entities)


def _roots_after(begun: Begun, found: Found) -> Iterable[StoredRoot]:
    for root in begun.roots:
        before = begun.stored[root.name]
        error = found.failures.get(root.id, "")
        volume = found.volumes.get(root.id)
        yield replace(
            before,
            path=before.path if error else root.path,
            volume=before.volume if volume is None or error else volume.id,
            volume_path=before.volume_path if volume is None or error else volume.path,
            error=error,
            error_since=(before.error_since or begun.at) if error else None,
            read_at=before.read_at if error else begun.at,
        )


def _failed(begun: Begun, found: Found) -> Iterable[tuple[Root, str]]:
    for root in begun.roots:
        if root.id in found.failures and not begun.stored[root.name].error:
            yield root, found.failures[root.id]


def _back(begun: Begun, found: Found) -> Iterable[tuple[Root, datetime]]:
    for root in begun.roots:
        since = begun.stored[root.name].error_since
        if since is not None and root.id not in found.failures:
            yield root, since


def _decoded(rows: Iterable[sqlite3.Row]) -> tuple[dict[bytes, FolderRecord], dict[bytes, NodeKey]]:
    records: dict[bytes, FolderRecord] = {}
    nodes: dict[bytes, NodeKey] = {}
    for row in rows:
        _, record, node = folder_store.decoded(row)
        records[record.path], nodes[record.path] = record, node
    return records, nodes


def _digest(types: Mapping[str, str], roots: Iterable[Root]) -> str:
    rules = (sorted(types.items()), [(root.name, root.category, root.exclude) for root in roots])
    return hashlib.blake2b(repr(rules).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
