"""What is stored of folders, roots and refreshes comes back as it was, whatever names and numbers it holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulsetui.db.database import Database
from pulsetui.db.migrations import _migrate, migrations
from pulsetui.storage.aggregate import Usage
from pulsetui.storage.categories import BUILT_IN
from pulsetui.storage.refresh import folder_store, snapshot_store, store
from pulsetui.storage.refresh import steps as refreshing
from pulsetui.storage.refresh.store import LARGEST
from pulsetui.storage.scan.records import FolderRecord, LinkedFile
from pulsetui.storage.views import CATEGORIES, NOTHING, Amount
from tests.storage.house import House

sizes = st.integers(0, 2**62)
inodes = st.integers(0, 2**64 - 1)
names = st.binary(max_size=20).filter(lambda name: b"/" not in name and b"\0" not in name)
links = st.builds(LinkedFile, inodes, inodes, names, st.integers(0, 7), sizes, sizes, st.integers(-(2**62), 2**62))
records = st.builds(
    FolderRecord,
    names,
    device=inodes,
    inode=inodes,
    mtime_ns=st.integers(-(2**62), 2**62),
    ctime_ns=st.integers(0, 2**62),
    allocated_bytes=sizes,
    counts=st.lists(st.tuples(st.integers(0, 7), sizes, sizes, sizes), max_size=3).map(tuple),
    links=st.lists(links, max_size=2).map(tuple),
    newest_ns=st.integers(-(2**62), 2**62),
    error=st.sampled_from(["", "Permission denied"]),
    verified_ms=st.integers(0, 2**40),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records)
async def test_a_folder_comes_back_as_it_was(house: House, record: FolderRecord) -> None:
    await house.database.write(lambda tx: store.add_roots(tx, [("videos", house.videos)]))
    await house.database.write(lambda tx: folder_store.put(tx, [folder_store.encoded(1, record, ("scene", 7))]))
    (row,) = await house.database.read(lambda reader: folder_store.rows_in(reader, 1))
    assert folder_store.decoded(row) == (1, record, ("scene", 7))
    await house.database.write(lambda tx: folder_store.remove(tx, [(1, record.path)]))


async def test_a_folder_of_the_far_future_can_be_stored(house: House) -> None:
    far = FolderRecord(b"x", 1, 2, 2**63, 2**64, 0, newest_ns=2**63)
    await house.database.write(lambda tx: store.add_roots(tx, [("videos", house.videos)]))
    await house.database.write(lambda tx: folder_store.put(tx, [folder_store.encoded(1, far, ("scene", 7))]))
    (row,) = await house.database.read(lambda reader: folder_store.rows_of(reader, ("scene", 7)))
    assert folder_store.decoded(row)[1] == replace(far, mtime_ns=LARGEST, ctime_ns=LARGEST, newest_ns=LARGEST)


async def test_sparse_files_that_claim_more_than_64_bits_can_say_are_capped(house: House) -> None:
    huge = (Amount(2**63, 4096, 2), *[NOTHING] * (len(CATEGORIES) - 1))
    row = snapshot_store.encoded(("scene", 1), Usage(("library", 1), huge, huge), name=None, place=None)
    await house.database.write(lambda tx: snapshot_store.put(tx, [(*row, 0)]))
    assert snapshot_store.size_in(snapshot_store.packed(row)) == (LARGEST, 4096, 2)


async def test_equal_rows_are_equal_when_packed_before_and_after_they_were_stored(house: House) -> None:
    outcome = await house.take({"Harbor/Cast": {0: 5000, 1: 70}})
    stored = await house.database.read(snapshot_store.stored)
    assert {(row[0], row[1]): snapshot_store.packed(row) for row in stored} == outcome.known.rows


async def test_what_was_stored_is_what_the_next_start_knows(house: House) -> None:
    outcome = await house.take({"Harbor/Cast": {0: 5000}, "Harbor/unassigned": {1: 9}})
    loaded = await house.database.read(refreshing.load)
    assert {root: dict(records) for root, records in loaded.records.items() if records} == {
        root: dict(records) for root, records in outcome.known.records.items() if records
    }
    assert loaded.rows == outcome.known.rows


async def test_the_library_is_in_the_tree_before_anything_is_read(house: House) -> None:
    view = await house.hierarchy.view()
    assert (view.tree.key, view.tree.size, view.snapshot_at) == ("library:1", NOTHING, None)


async def test_the_database_knows_the_built_in_file_types(house: House) -> None:
    assert await house.database.read(store.file_types) == dict(BUILT_IN)


async def test_a_root_s_id_stays_and_one_that_is_not_wanted_goes_with_its_folders(house: House) -> None:
    await house.database.write(lambda tx: store.add_roots(tx, [("a", Path("/a")), ("b", Path("/b"))]))
    await house.database.write(lambda tx: store.add_roots(tx, [("b", Path("/moved")), ("c", Path("/c"))]))
    found = await house.database.read(store.roots)
    assert [(root.id, root.name, root.path) for root in found] == [
        (1, "a", Path("/a")), (2, "b", Path("/b")), (3, "c", Path("/c")),
    ]  # fmt: skip
    row = folder_store.encoded(1, FolderRecord(b"", 1, 1, 1, 1, 0), ("unassigned", 1))
    await house.database.write(lambda tx: folder_store.put(tx, [row]))
    kept = replace(found[1], path=Path("/new"), error="gone", error_since=house.clock.now(), volume="ab")
    await house.database.write(lambda tx: store.record_roots(tx, [kept]))
    assert await house.database.read(store.roots) == (kept,)
    assert await house.database.read(lambda reader: folder_store.rows_in(reader, 1)) == []


async def test_an_older_database_has_its_library_and_entities_in_the_tree(tmp_path: Path) -> None:
    path = tmp_path / "pulse.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        _migrate(connection, path, migrations()[:2])
        connection.execute("INSERT INTO libraries VALUES (4, 'u', 'main', 5)")
        connection.execute(
            "INSERT INTO entities (id, uuid, library_id, level, name, folder, path, folders, created_at)"
            " VALUES (9, 'v', 4, 'project', 'Harbor', 'Harbor', 'Harbor', x'48', 5)"
        )
    async with await Database.open(path, owner=True) as database:
        found = await database.read(
            lambda reader: reader.all("SELECT entity_type, entity_id, parent_id FROM storage_usage_snapshots")
        )
    assert [tuple(row) for row in found] == [("library", 4, None), ("project", 9, 4)]
