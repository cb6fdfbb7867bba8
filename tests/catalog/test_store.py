"""Libraries and entities: made where they are missing, one folder each."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pytest

from pulsetui.catalog.entities import Entity
from pulsetui.catalog.levels import Reference, parse_entity
from pulsetui.catalog.store import (
    check_levels,
    ensure_by_folders,
    ensure_entity,
    ensure_library,
    find_entity,
    get_entity,
    list_placed,
    mark_archived,
    rename_entity,
)
from pulsetui.db.database import Database
from pulsetui.errors import NotFoundError, SettingsError, UsageError
from pulsetui.settings.storage import DEFAULT_LEVELS

NOW = datetime(2026, 11, 20, 12, 45, tzinfo=UTC)


async def entity(database: Database, *names: str, library: str = "main") -> int:
    return await database.write(lambda tx: ensure_entity(tx, names, levels=DEFAULT_LEVELS, now=NOW, library=library))


async def rows(database: Database) -> list[dict[str, Any]]:
    found = await database.read(lambda reader: reader.all("SELECT * FROM entities ORDER BY id"))
    return [dict(row) for row in found]


async def test_an_entity_is_made_with_its_ancestors_once(database: Database) -> None:
    scene = await entity(database, "Harbor", "Cast", "Scene 1")
    assert await entity(database, "Harbor", "Cast", "Scene 1") == scene
    found = await rows(database)
    assert [(row["level"], row["path"], os.fsdecode(row["folders"])) for row in found] == [
        ("project", "Harbor", "Harbor"),
        ("character", "Harbor/Cast", "Harbor/Cast"),
        ("scene", "Harbor/Cast/Scene 1", "Harbor/Cast/Scene 1"),
    ]
    assert [row["parent_id"] for row in found] == [None, found[0]["id"], found[1]["id"]]
    assert await entity(database, "Harbor") == found[0]["id"]


async def test_names_that_need_the_same_folder_get_one_each(database: Database) -> None:
    for name in ("...Night", "..Night", "Night"):
        await entity(database, "Harbor", name)
    folders = [os.fsdecode(row["folders"]) for row in await rows(database)][1:]
    assert len(set(folders)) == 3
    assert folders[0] + "~2" == folders[1]


async def test_the_same_name_elsewhere_keeps_its_folder(database: Database) -> None:
    await entity(database, "Harbor", "Cast")
    await entity(database, "Desert", "Cast")
    assert [row["folders"] for row in await rows(database)] == [b"Harbor", b"Harbor/Cast", b"Desert", b"Desert/Cast"]


async def test_no_entity_takes_the_folder_of_what_belongs_to_none(database: Database) -> None:
    await entity(database, "unassigned")
    (row,) = await rows(database)
    assert row["name"] == "unassigned"
    assert row["folders"] != b"unassigned"


async def test_libraries_keep_their_entities_apart(database: Database) -> None:
    one, other = await entity(database, "Harbor"), await entity(database, "Harbor", library="archive")
    assert one != other
    first = await database.write(lambda tx: ensure_library(tx, "main", now=NOW))
    assert await database.write(lambda tx: ensure_library(tx, "main", now=NOW)) == first


async def test_a_folder_is_unique_under_its_parent_whoever_writes(database: Database) -> None:
    await entity(database, "Harbor")
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(
            lambda tx: tx.execute(
                "INSERT INTO entities (uuid, library_id, level, name, path, folders, created_at) "
                "SELECT 'x', library_id, level, 'other', 'other', folders, created_at FROM entities"
            )
        )


async def test_an_entity_needs_a_name(database: Database) -> None:
    with pytest.raises(UsageError):
        await entity(database)


@pytest.mark.parametrize("name", ["..", ".", "a\\b", "x" * 300, "\x00", "con\ttrol", "../../etc"])
async def test_no_folder_leads_out_of_its_parent(database: Database, name: str) -> None:
    try:
        names = parse_entity(name, DEFAULT_LEVELS)
    except UsageError:
        return
    await entity(database, *names)
    for row in await rows(database):
        path = PurePosixPath(os.fsdecode(row["folders"]))
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert all(0 < len(os.fsencode(part)) <= 130 for part in path.parts)


async def found(database: Database, *folders: bytes, levels: tuple[str, ...] = DEFAULT_LEVELS) -> int:
    return await database.write(lambda tx: ensure_by_folders(tx, folders, levels=levels, now=NOW))


async def test_a_folder_that_is_found_becomes_an_entity_with_those_above(database: Database) -> None:
    assert await found(database, b"Harbor/Cast/Scene 1") == 3
    assert [(row["level"], row["path"], row["folders"]) for row in await rows(database)] == [
        ("project", "Harbor", b"Harbor"),
        ("character", "Harbor/Cast", b"Harbor/Cast"),
        ("scene", "Harbor/Cast/Scene 1", b"Harbor/Cast/Scene 1"),
    ]
    assert await found(database, b"Harbor/Cast/Scene 1", b"Harbor/Cast") == 0
    assert await found(database, b"Harbor/Crew") == 1
    assert [row["parent_id"] for row in await rows(database)] == [None, 1, 2, 1]


async def test_an_entity_from_a_job_and_one_from_its_folder_are_one(database: Database) -> None:
    cast = await entity(database, "Harbor", "...Cast")
    assert await found(database, b"Harbor/Cast") == 0
    await found(database, b"Desert/Cast")
    assert await entity(database, "Desert", "Cast") == (await rows(database))[-1]["id"]
    assert (await database.read(lambda reader: get_entity(reader, cast))).folders == b"Harbor/Cast"


async def test_folders_keep_their_bytes_whatever_they_are_and_names_can_be_read(database: Database) -> None:
    odd = [b"\xff\xfe", b"a\nb", b"\x1b[31mred", b"Cafe\xcc\x81", b" ", b"-rf", b"\xe2\x80\xaegnp", b"x" * 255]
    assert await found(database, *odd) == len(odd)
    assert {row["folders"] for row in await rows(database)} == set(odd)
    names = {row["folders"]: row["name"] for row in await rows(database)}
    assert names[b"\xff\xfe"] == "\\xff\\xfe"
    assert names[b"a\nb"] == "a\\nb"
    assert names[b"\x1b[31mred"] == "\\x1b[31mred"
    assert names[b"Cafe\xcc\x81"] == "Café"
    assert names[b" "] == "_"
    assert names[b"\xe2\x80\xaegnp"] == "\\u202egnp"
    assert await found(database, *odd) == 0


async def test_folders_that_read_the_same_get_names_of_their_own(database: Database) -> None:
    await found(database, b"\xff", b"\\xff", b"a b", b"a  b", b"a   b")
    listed = await rows(database)
    assert len({row["path"] for row in listed}) == 5
    assert sorted(row["name"] for row in listed if row["name"].startswith("a")) == ["a b", "a b~2", "a b~3"]


async def test_what_lies_deeper_than_the_levels_or_unassigned_is_no_entity(database: Database) -> None:
    assert await found(database, b"A/B/C", b"unassigned/x", b"D/unassigned", levels=("series", "season")) == 3
    assert [(row["level"], row["folders"]) for row in await rows(database)] == [
        ("series", b"A"),
        ("season", b"A/B"),
        ("series", b"D"),
    ]


async def test_ten_thousand_folders_are_one_round_trip(database: Database) -> None:
    many = [b"p%d/c%d" % (number % 100, number) for number in range(10_000)]
    assert await found(database, *many) == 10_100
    placed = await database.read(lambda reader: list_placed(reader, 1))
    assert {each.folders for each in placed} >= set(many)
    parents = {each.id: each.folders for each in placed}
    assert all(parents[each.parent_id] == each.folders.split(b"/")[0] for each in placed if each.parent_id)


async def test_an_entity_is_found_by_integer_and_by_uuid_if_the_type_is_right(database: Database) -> None:
    await entity(database, "Harbor", "Cast")
    cast = await database.read(lambda reader: get_entity(reader, 2))

    async def find(reference: Reference) -> Entity:
        return await database.read(lambda reader: find_entity(reader, reference))

    assert await find(Reference("character", 2, None)) == cast
    assert await find(Reference("character", None, cast.uuid)) == cast
    with pytest.raises(NotFoundError, match="there is no scene:2") as refused:
        await find(Reference("scene", 2, None))
    assert refused.value.hint == "did you mean character:2?"
    with pytest.raises(NotFoundError, match="there is no scene:9"):
        await find(Reference("scene", 9, None))
    with pytest.raises(NotFoundError, match="there is no entity 9"):
        await database.read(lambda reader: get_entity(reader, 9))


async def test_an_entity_is_archived_and_taken_back(database: Database) -> None:
    harbor = await entity(database, "Harbor")

    async def mark(*, archived: bool) -> bool:
        return await database.write(lambda tx: mark_archived(tx, harbor, archived=archived))

    for archived in (True, False):
        assert await mark(archived=archived)
        assert not await mark(archived=archived)
        assert (await database.read(lambda reader: get_entity(reader, harbor))).archived is archived
    with pytest.raises(NotFoundError):
        await database.write(lambda tx: mark_archived(tx, 9, archived=True))


async def test_a_renamed_entity_keeps_every_folder(database: Database) -> None:
    await found(database, b"A/b/c", b"A%/b", b"A0", b"AB/x")
    before = [(row["id"], row["folders"]) for row in await rows(database)]
    ids = {folders: entity_id for entity_id, folders in before}
    await database.write(lambda tx: rename_entity(tx, ids[b"A"], "Harbor"))
    await database.write(lambda tx: rename_entity(tx, ids[b"A/b"], "Cast"))
    after = await rows(database)
    assert [(row["id"], row["folders"]) for row in after] == before
    assert {row["path"]: row["name"] for row in after} == {
        "Harbor": "Harbor",
        "Harbor/Cast": "Cast",
        "Harbor/Cast/c": "c",
        "A%": "A%",
        "A%/b": "b",
        "A0": "A0",
        "AB": "AB",
        "AB/x": "x",
    }
    with pytest.raises(UsageError, match="there is a project called 'A0' already"):
        await database.write(lambda tx: rename_entity(tx, ids[b"A"], "A0"))


async def test_levels_may_change_below_what_entities_have(database: Database) -> None:
    await entity(database, "Harbor", "Cast")
    for levels in (DEFAULT_LEVELS, ("project", "character"), ("project", "character", "take")):
        await database.read(partial(check_levels, levels=levels))


@pytest.mark.parametrize("levels", [("series", "season"), ("project",), ("character", "project")])
async def test_levels_that_entities_have_cannot_change(database: Database, levels: tuple[str, ...]) -> None:
    await entity(database, "Harbor", "Cast")
    with pytest.raises(SettingsError, match=r"storage\.levels is") as refused:
        await database.read(lambda reader: check_levels(reader, levels))
    assert "project > character" in refused.value.hint
    assert [row["level"] for row in await rows(database)] == ["project", "character"]
