"""All SQL of the catalog: libraries and the entities of the content hierarchy, with their folders on disk.

Invariant: a folder name is unique under its parent and never changes; the name may.
"""

from __future__ import annotations

import os
import uuid
from datetime import datetime

from pulsetui.clock import to_ms
from pulsetui.db.database import Reader, Transaction
from pulsetui.errors import UsageError
from pulsetui.files.names import clean_title, folder_name

LEVELS = ("project", "character", "scene", "segment")
DEFAULT_LIBRARY = "main"
SEPARATOR = "/"
"""Joins the names of an entity's path; no name holds it."""


def parse_entity(text: str) -> tuple[str, ...]:
    """Return the names in a path such as `Harbor/Cast/Scene 1`, cleaned, from the project down.

    Raises:
        UsageError: a name is empty, or there are more names than levels.
    """
    names = tuple(clean_title(part) for part in text.split("/"))
    if not all(names):
        raise UsageError(f"entity {text!r} has an empty name", hint=f"write it as {'/'.join(LEVELS)}, from the left")
    if len(names) > len(LEVELS):
        raise UsageError(
            f"entity {text!r} has {len(names)} levels, and there are {len(LEVELS)}",
            hint=f"the levels are {', '.join(LEVELS)}",
        )
    return names


async def ensure_library(tx: Transaction, name: str, *, now: datetime) -> int:
    """Return the id of the library called `name`, made if there is none."""
    await tx.execute(
        "INSERT OR IGNORE INTO libraries (uuid, name, created_at) VALUES (?, ?, ?)",
        (str(uuid.uuid4()), name, to_ms(now)),
    )
    found = await tx.value("SELECT id FROM libraries WHERE name = ?", (name,))
    return int(found or 0)


async def ensure_entity(
    tx: Transaction, names: tuple[str, ...], *, now: datetime, library: str = DEFAULT_LIBRARY
) -> int:
    """Return the id of the entity at the end of `names`, made with its ancestors where they are missing."""
    library_id = await ensure_library(tx, library, now=now)
    parent: int | None = None
    path, folders = "", ""
    for level, name in zip(LEVELS, names, strict=False):
        path = f"{path}{SEPARATOR}{name}" if path else name
        row = await tx.one("SELECT id, folders FROM entities WHERE library_id = ? AND path = ?", (library_id, path))
        if row is None:
            folder = await _free_folder(tx, library_id, parent, folder_name(name))
            folders = f"{folders}/{folder}" if folders else folder
            parent = await tx.insert(
                "INSERT INTO entities (uuid, library_id, parent_id, level, name, folder, path, folders, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (str(uuid.uuid4()), library_id, parent, level, name, folder, path, os.fsencode(folders), to_ms(now)),
            )
        else:
            parent, folders = row["id"], os.fsdecode(row["folders"])
    if parent is None:
        raise UsageError("an entity needs at least one name")
    return parent


async def _free_folder(tx: Reader, library_id: int, parent: int | None, wanted: str) -> str:
    """Return `wanted`, or with a number behind it, so that it is free under `parent` and isn't `unassigned`."""
    folder, number = wanted, 1
    while folder == "unassigned" or await tx.one(
        "SELECT 1 FROM entities WHERE library_id = ? AND parent_id IS ? AND folder = ?", (library_id, parent, folder)
    ):
        number += 1
        folder = f"{wanted}~{number}"
    return folder
