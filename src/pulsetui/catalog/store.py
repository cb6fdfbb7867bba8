"""All SQL of the catalog: libraries and the entities of the content hierarchy, with their folders on disk.

Invariant: an entity's folder is unique under its parent and never changes; the name may. Names and folders are found in
`levels` and `entities`; how much lies in the folders is left to storage.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from pulsetui.catalog.entities import UNASSIGNED, Entity, Library, NewEntity, Placed, plan
from pulsetui.catalog.levels import SEPARATOR, Reference
from pulsetui.clock import from_ms, to_ms
from pulsetui.db.database import Reader, Transaction
from pulsetui.errors import NotFoundError, SettingsError, UsageError
from pulsetui.files.names import display_text, folder_name
from pulsetui.waiting import in_thread

DEFAULT_LIBRARY = "main"
_INSERT = (
    "INSERT INTO entities (id, uuid, library_id, parent_id, level, name, path, folders, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


async def ensure_library(tx: Transaction, name: str = DEFAULT_LIBRARY, *, now: datetime) -> int:
    """Return the id of the library called `name`, made if there is none."""
    await tx.execute(
        "INSERT OR IGNORE INTO libraries (uuid, name, created_at) VALUES (?, ?, ?)",
        (str(uuid.uuid4()), name, to_ms(now)),
    )
    found = await tx.value("SELECT id FROM libraries WHERE name = ?", (name,))
    return int(found or 0)


async def get_library(reader: Reader, name: str) -> int:
    """Return the id of the library called `name`.

    Raises:
        NotFoundError: there is none.
    """
    found = await reader.value("SELECT id FROM libraries WHERE name = ?", (name,))
    if found is None:
        raise NotFoundError(
            f"there is no library {display_text(name)!r}", hint="`pulsetui library list` lists them, `add` makes one"
        )
    return int(found)


async def list_libraries(reader: Reader) -> tuple[Library, ...]:
    """Return all libraries by name, with how many entities each has."""
    rows = await reader.all(
        "SELECT l.*, (SELECT count(*) FROM entities e WHERE e.library_id = l.id) AS entities"
        " FROM libraries l ORDER BY name"
    )
    return tuple(
        Library(row["id"], row["uuid"], row["name"], from_ms(row["created_at"]), row["entities"]) for row in rows
    )


async def add_library(tx: Transaction, name: str, library_uuid: str, *, now: datetime) -> int:
    """Make a library and return its id."""
    return await tx.insert(
        "INSERT INTO libraries (uuid, name, created_at) VALUES (?, ?, ?)", (library_uuid, name, to_ms(now))
    )


async def count_entities(reader: Reader, library_id: int) -> int:
    """Return how many entities a library has."""
    return int(await reader.value("SELECT count(*) FROM entities WHERE library_id = ?", (library_id,)) or 0)


async def remove_library(tx: Transaction, library_id: int) -> None:
    """Remove a library that has no entities."""
    await tx.execute("DELETE FROM libraries WHERE id = ?", (library_id,))


async def library_uuid(reader: Reader, name: str = DEFAULT_LIBRARY) -> str | None:
    """Return the uuid of the library called `name`, or None if there is none."""
    found = await reader.value("SELECT uuid FROM libraries WHERE name = ?", (name,))
    return None if found is None else str(found)


async def ensure_entity(
    tx: Transaction, names: tuple[str, ...], *, levels: Sequence[str], now: datetime, library: str = DEFAULT_LIBRARY
) -> int:
    """Return the id of the entity at the end of `names`, made with its ancestors where they are missing."""
    if not names:
        raise UsageError("an entity needs at least one name")
    library_id = await ensure_library(tx, library, now=now)
    parent: int | None = None
    path, folders = "", b""
    for level, name in zip(levels, names, strict=False):
        path = f"{path}{SEPARATOR}{name}" if path else name
        row = await tx.one("SELECT id, folders FROM entities WHERE library_id = ? AND path = ?", (library_id, path))
        if row is None:
            folders = await _free_folder(tx, library_id, folders, folder_name(name))
            made = NewEntity(await _next_id(tx), str(uuid.uuid4()), parent, level, name, path, folders)
            await tx.execute(_INSERT, _row(made, library_id, to_ms(now)))
            parent = made.id
        else:
            parent, folders = row["id"], row["folders"]
    return parent or 0


async def ensure_by_folders(
    tx: Transaction,
    wanted: Collection[bytes],
    *,
    levels: Sequence[str],
    now: datetime,
    library: str = DEFAULT_LIBRARY,
) -> int:
    """Make the entities of folders that were found on disk, and return how many are new.

    Each of `wanted` is the folder names from the top level down, joined by `/`. Names are made from the folders. A
    hundred thousand take a few seconds in one transaction; nothing of it holds the event loop.
    """
    if not wanted:
        return 0
    library_id = await ensure_library(tx, library, now=now)
    first_id, at_ms = await _next_id(tx), to_ms(now)
    known = await tx.all("SELECT id, path, folders FROM entities WHERE library_id = ?", (library_id,))

    def planned() -> list[tuple[int | str | bytes | None, ...]]:
        found = plan(wanted, ((row[0], row[1], row[2]) for row in known), levels, first_id=first_id)
        return [_row(made, library_id, at_ms) for made in found]

    rows = await in_thread(planned)
    return await tx.many(_INSERT, rows) if rows else 0


async def check_levels(reader: Reader, levels: Sequence[str]) -> None:
    """Compare the levels of the settings with those of the entities that there are.

    Levels may be added and dropped at the lower end as long as no entity has them.

    Raises:
        SettingsError: an entity has another level than the settings give to its depth.
    """
    rows = await reader.all(
        "SELECT level, length(path) - length(replace(path, ?, '')) AS depth, count(*) AS entities, "
        "min(path) AS example FROM entities GROUP BY 1, 2 ORDER BY 2, 1",
        (SEPARATOR,),
    )
    for row in rows:
        wanted = levels[row["depth"]] if row["depth"] < len(levels) else None
        if row["level"] != wanted:
            there = " > ".join(dict.fromkeys(row["level"] for row in rows))
            raise SettingsError(
                f"storage.levels is {' > '.join(levels)}, but the database has {row['entities']:,} entities of the "
                f"level {row['level']!r}, such as {display_text(row['example'])!r}",
                hint=f"set storage.levels so that it begins with {there}, or use another data folder",
            )


async def list_placed(reader: Reader, library_id: int) -> tuple[Placed, ...]:
    """Return where every entity of a library is; a hundred thousand, if need be."""
    rows = await reader.all("SELECT id, parent_id, level, folders FROM entities WHERE library_id = ?", (library_id,))
    return await in_thread(lambda: tuple(Placed(*row) for row in rows))


async def get_entity(reader: Reader, entity_id: int) -> Entity:
    """Return an entity.

    Raises:
        NotFoundError: there is none.
    """
    row = await reader.one("SELECT * FROM entities WHERE id = ?", (entity_id,))
    if row is None:
        raise NotFoundError(f"there is no entity {entity_id}")
    return Entity.from_row(row)


async def find_entity(reader: Reader, reference: Reference) -> Entity:
    """Return the entity that a `TYPE:ID` names.

    Raises:
        NotFoundError: there is none, or it is of another type.
    """
    column, wanted = ("uuid", reference.uuid) if reference.id is None else ("id", reference.id)
    row = await reader.one(f"SELECT * FROM entities WHERE {column} = ?", (wanted,))  # noqa: S608 - one of two words
    if row is None:
        raise NotFoundError(f"there is no {reference}", hint="`pulsetui storage treemap --json` lists what there is")
    if row["level"] != reference.entity_type:
        raise NotFoundError(f"there is no {reference}", hint=f"did you mean {row['level']}:{wanted}?")
    return Entity.from_row(row)


async def mark_archived(tx: Transaction, entity_id: int, *, archived: bool) -> bool:
    """Archive an entity, or take it back; return whether that changed anything.

    Raises:
        NotFoundError: there is none.
    """
    await get_entity(tx, entity_id)
    return bool(
        await tx.execute("UPDATE entities SET archived = ?1 WHERE id = ?2 AND archived <> ?1", (archived, entity_id))
    )


async def rename_entity(tx: Transaction, entity_id: int, name: str) -> None:
    """Give an entity another name. Its folder, and so every file in it, stays where it is.

    Raises:
        NotFoundError: there is no such entity.
        UsageError: one beside it is called that.
    """
    entity = await get_entity(tx, entity_id)
    above, sign, _ = entity.path.rpartition(SEPARATOR)
    path = f"{above}{sign}{name}"
    library_id = await tx.value("SELECT library_id FROM entities WHERE id = ?", (entity_id,))
    if await tx.one(
        "SELECT 1 FROM entities WHERE library_id = ? AND path = ? AND id <> ?", (library_id, path, entity_id)
    ):
        raise UsageError(f"there is a {entity.level} called {name!r} already", hint="take another name")
    await tx.execute("UPDATE entities SET name = ? WHERE id = ?", (name, entity_id))
    # By range and not by LIKE, which knows wildcards and no index here: "0" is the character behind "/".
    await tx.execute(
        "UPDATE entities SET path = ?1 || substr(path, length(?2) + 1) "
        "WHERE library_id = ?3 AND (path = ?2 OR (path >= ?2 || '/' AND path < ?2 || '0'))",
        (path, entity.path, library_id),
    )


async def _next_id(tx: Transaction) -> int:
    newest = await tx.value("SELECT max(id) FROM entities")
    return (newest if isinstance(newest, int) else 0) + 1


async def _free_folder(tx: Reader, library_id: int, above: bytes, wanted: str) -> bytes:
    """Return the folders of a new entity: `wanted` below `above`, with a number behind it where that is taken."""
    folder, number = wanted, 1
    while True:
        folders = b"/".join((above, os.fsencode(folder))) if above else os.fsencode(folder)
        taken = await tx.one("SELECT 1 FROM entities WHERE library_id = ? AND folders = ?", (library_id, folders))
        if folder != UNASSIGNED and taken is None:
            return folders
        number += 1
        folder = f"{wanted}~{number}"


def _row(made: NewEntity, library_id: int, at_ms: int) -> tuple[int | str | bytes | None, ...]:
    return made.id, made.uuid, library_id, made.parent_id, made.level, made.name, made.path, made.folders, at_ms
