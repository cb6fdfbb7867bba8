"""Opens what lies below the last level: the folders and files of an entity, of what it has itself, or of one folder.

What is needed from the database is read first, then the disk is asked in a worker thread, without the database. Which
folders are meant comes from the folders' records, which name their node, so that no layout is asked backwards.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pulsetui.db.database import Reader
from pulsetui.errors import NotFoundError
from pulsetui.files.names import display_text
from pulsetui.settings.storage import Storage
from pulsetui.storage.categories import BUILT_IN, category_of, category_table
from pulsetui.storage.placing import NodeKey, Placing
from pulsetui.storage.refresh import folder_store, store
from pulsetui.storage.roots import Root, roots_of
from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.tree import listing
from pulsetui.storage.tree.keys import Key
from pulsetui.storage.tree.listing import Place
from pulsetui.storage.views import CATEGORIES, NOTHING, StorageNode
from pulsetui.waiting import in_thread


@dataclass(frozen=True, slots=True)
class Opened:
    """What there is to know before the disk is asked."""

    node: NodeKey
    """The node that the folders belong to."""
    records: Mapping[int, Mapping[bytes, FolderRecord]]
    """Its folders, by root's id and path."""
    roots: Mapping[int, Root]
    table: Mapping[str, int]
    """Categories by extension."""


class Opener:
    """Lists files for the hierarchy."""

    def __init__(self, settings: Storage, data_dir: Path, storage_dir: Path) -> None:
        """Take where the roots are."""
        self._settings = settings
        self._data_dir = data_dir
        self._storage_dir = storage_dir

    async def read(self, reader: Reader, key: Key) -> Opened:
        """Read what is known of the folders of a key.

        Raises:
            NotFoundError: the folder that it names isn't known.
        """
        node = key.node
        if key.kind in ("folder", "file"):
            folder = key.path if key.kind == "folder" else key.path.rpartition(b"/")[0]
            found = await folder_store.node_of(reader, key.root_id, folder)
            if found is None:
                raise NotFoundError(f"there is no folder {display_text(os.fsdecode(folder))!r} in root {key.root_id}")
            node = found
        rows = await folder_store.rows_of(reader, node)
        stored = {root.name: root for root in await store.roots(reader)}
        ids = {name: root.id for name, root in stored.items()}
        roots = roots_of(self._settings, self._data_dir, self._storage_dir, ids)
        by_id = {root.id: replace(root, path=stored[root.name].path) for root in roots if root.id}
        types = await store.file_types(reader)
        records = await in_thread(_by_root, rows)
        return Opened(node, records, by_id, category_table(BUILT_IN, types, self._settings.file_types))

    async def fill(self, node: StorageNode, key: Key, opened: Opened) -> StorageNode:
        """Return `node` with what lies in it just now; its size is that of what was found."""
        children, error = await in_thread(listing.listed, _places(key, opened))
        return _filled(node, children, error)

    async def open(self, key: Key, opened: Opened) -> StorageNode:
        """Return the node of a folder with what lies in it, or that of a file.

        Raises:
            NotFoundError: there is no such file in its folder, or none that is large enough to be named.
        """
        path = key.path if key.kind == "folder" else key.path.rpartition(b"/")[0]
        folder = replace(key, kind="folder", path=path)
        children, error = await in_thread(listing.listed, _places(folder, opened))
        if key.kind == "file":
            for child in children:
                if child.key == f"file:{key.root_id}:{os.fsdecode(key.path)}":
                    return child
            raise NotFoundError(f"there is no file {display_text(os.fsdecode(key.path))!r} any more")
        return _filled(_folder_node(folder, opened), children, error)


def folders_above(key: Key, opened: Opened) -> tuple[StorageNode, ...]:
    """Return the folders that a folder or file is in, the outermost first; those listed as the node are left out."""
    records = opened.records.get(key.root_id, {})
    tops = _tops(records)
    found: list[StorageNode] = []
    path = key.path.rpartition(b"/")[0]
    while path in records and path not in tops:
        found.append(_folder_node(replace(key, kind="folder", path=path), opened))
        path = path.rpartition(b"/")[0]
    return tuple(reversed(found))


def _tops(records: Mapping[bytes, FolderRecord]) -> frozenset[bytes]:
    """Return the folders of a node whose own folder isn't one of its."""
    return frozenset(path for path in records if not path or path.rpartition(b"/")[0] not in records)


def _places(key: Key, opened: Opened) -> list[Place]:
    return [
        _place(opened, root, path, records)
        for root_id, records in sorted(opened.records.items())
        if (root := opened.roots.get(root_id)) is not None and (key.root_id in (0, root_id))
        for path in (sorted(_tops(records)) if key.kind in ("node", "files") else [key.path])
    ]


def _place(opened: Opened, root: Root, path: bytes, records: Mapping[bytes, FolderRecord]) -> Place:
    files, folder = Placing((), 0).place(root, path)
    category = root.category
    return Place(
        root_id=root.id,
        root=root.path,
        path=path,
        category_of=partial(category_of, table=opened.table) if category is None else lambda _: category,
        records=records,
        exclude=root.exclude,
        counts_itself=files == folder,  # a root's own folder is the system's, files right in it are unassigned
    )


def _folder_node(key: Key, opened: Opened) -> StorageNode:
    """Return the node of a folder with the sums of its records."""
    records = opened.records.get(key.root_id, {})
    root = opened.roots.get(key.root_id)
    if root is None or key.path not in records:
        raise NotFoundError(f"there is no folder {display_text(os.fsdecode(key.path))!r} in root {key.root_id}")
    above = key.path.rpartition(b"/")[0] if key.path else b""
    sums = listing.Sums()
    for path, record in records.items():
        if path == key.path or not key.path or path.startswith(key.path + b"/"):
            sums.add_record(record)
    name = os.fsdecode(key.path.rpartition(b"/")[2]) if key.path else root.name
    return listing.summed("folder", _place(opened, root, above, records), key.path, name, sums, has_more=True)


def _filled(node: StorageNode, children: Sequence[StorageNode], error: str) -> StorageNode:
    """Return a node that is the sum of `children`, or as it was if the disk could not be asked."""
    if error and not children:
        return replace(node, has_more=False, error=error)
    return replace(
        node,
        size=sum((child.size for child in children), NOTHING),
        categories=tuple(
            sum((child.categories[index] for child in children), NOTHING) for index in range(len(CATEGORIES))
        ),
        newest_at=max((child.newest_at for child in children if child.newest_at), default=None),
        children=tuple(children),
        has_more=False,
        error="; ".join(filter(None, (node.error, error))),
    )


def _by_root(rows: Iterable[sqlite3.Row]) -> dict[int, dict[bytes, FolderRecord]]:
    found: dict[int, dict[bytes, FolderRecord]] = {}
    for row in rows:
        root_id, record, _ = folder_store.decoded(row)
        found.setdefault(root_id, {})[record.path] = record
    return found
