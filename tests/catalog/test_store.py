"""Libraries and entities: made where they are missing, one folder each."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.catalog.store import LEVELS, ensure_entity, ensure_library, parse_entity
from pulsetui.db.database import Database
from pulsetui.errors import UsageError

NOW = datetime(2026, 11, 20, 12, 45, tzinfo=UTC)


async def entity(database: Database, *names: str, library: str = "main") -> int:
    return await database.write(lambda tx: ensure_entity(tx, names, now=NOW, library=library))


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
    assert [row["folder"] for row in await rows(database)] == ["Harbor", "Cast", "Desert", "Cast"]


async def test_no_entity_takes_the_folder_of_what_belongs_to_none(database: Database) -> None:
    await entity(database, "unassigned")
    (row,) = await rows(database)
    assert row["name"] == "unassigned"
    assert row["folder"] != "unassigned"


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
                "INSERT INTO entities (uuid, library_id, level, name, folder, path, folders, created_at) "
                "SELECT 'x', library_id, level, 'other', folder, 'other', folders, created_at FROM entities"
            )
        )


async def test_an_entity_needs_a_name(database: Database) -> None:
    with pytest.raises(UsageError):
        await entity(database)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Harbor", ("Harbor",)),
        (" Harbor / Cast ", ("Harbor", "Cast")),
        ("A/B/C/D", ("A", "B", "C", "D")),
        ("Cafe\u0301/\u202eevil", ("Café", "evil")),
    ],
)
def test_a_path_is_cleaned_name_by_name(text: str, names: tuple[str, ...]) -> None:
    assert parse_entity(text) == names


@pytest.mark.parametrize("text", ["", "/", "A//B", "A/", "/A", "A/ /B", "A/\x1b/B"])
def test_an_empty_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="empty name") as refused:
        parse_entity(text)
    assert "project/character/scene/segment" in refused.value.hint


def test_more_names_than_levels_are_refused() -> None:
    with pytest.raises(UsageError, match="5 levels, and there are 4"):
        parse_entity("A/B/C/D/E")


@given(st.text(max_size=60))
def test_whatever_is_typed_becomes_names_or_is_refused(text: str) -> None:
    try:
        names = parse_entity(text)
    except UsageError:
        return
    assert 1 <= len(names) <= len(LEVELS)
    assert all(names)
    assert not any("/" in name for name in names)


@pytest.mark.parametrize("name", ["..", ".", "a\\b", "x" * 300, "\x00", "con\ttrol", "../../etc"])
async def test_no_folder_leads_out_of_its_parent(database: Database, name: str) -> None:
    try:
        names = parse_entity(name)
    except UsageError:
        return
    await entity(database, *names)
    for row in await rows(database):
        path = PurePosixPath(os.fsdecode(row["folders"]))
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert all(0 < len(os.fsencode(part)) <= 130 for part in path.parts)
