"""Entities as they are read, and what new ones are called. Pure.

The invariant: a folder's bytes are an entity's identity on disk and never change; its name is text for people, made
from the folder where nobody gave one, and unique beside its siblings'.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pulsetui.catalog.levels import SEPARATOR
from pulsetui.clock import from_ms
from pulsetui.files.names import UNNAMED, clean_title, display_text

UNASSIGNED = "unassigned"
"""The folder below a root for what belongs to no entity; no entity gets it as its own."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where one entity is; there may be a hundred thousand, so it holds no more than aggregation needs."""

    id: int
    parent_id: int | None
    """None at the top level."""
    level: str
    folders: bytes
    """The folder names from the top level down, joined by `/`, as they are on disk."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One node of the content hierarchy."""

    id: int
    uuid: str
    parent_id: int | None
    """None at the top level."""
    level: str
    name: str
    path: str
    """The names from the top level down, joined by `/`."""
    folders: bytes
    """The folder names likewise, as they are on disk."""
    archived: bool
    """Its work is over: it is kept, and left out of what is in progress."""
    created_at: datetime

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Return the entity of a row of `entities`."""
        return cls(
            id=row["id"],
            uuid=row["uuid"],
            parent_id=row["parent_id"],
            level=row["level"],
            name=row["name"],
            path=row["path"],
            folders=row["folders"],
            archived=bool(row["archived"]),
            created_at=from_ms(row["created_at"]),
        )


@dataclass(frozen=True, slots=True)
class NewEntity:
    """An entity to be made; ids are given out in advance, so that many go into the database in one round trip."""

    id: int
    uuid: str
    parent_id: int | None
    level: str
    name: str
    path: str
    folders: bytes


def plan(
    wanted: Iterable[bytes], known: Iterable[tuple[int, str, bytes]], levels: Sequence[str], *, first_id: int
) -> list[NewEntity]:
    """Return the entities to be made so that each of the `wanted` folders has one, parents first.

    `wanted` are folder names from the top level down, joined by `/`; what goes deeper than the levels, and what lies in
    `unassigned`, is left out. `known` are id, path and folders of every entity of the library.
    """
    there: dict[bytes, tuple[int, str]] = {}
    paths: set[str] = set()
    for known_id, path, folders in known:
        there[folders] = (known_id, path)
        paths.add(path)
    numbers: dict[str, int] = {}
    made: list[NewEntity] = []
    for folders in sorted(set(wanted)):
        parts = folders.split(b"/")
        parent: tuple[int, str] | None = None
        for depth, part in enumerate(parts[: len(levels)]):
            if not part or part == UNASSIGNED.encode():
                break
            upto = b"/".join(parts[: depth + 1])
            if upto not in there:
                path = _free_path(parent[1] if parent else "", _name_of(part), paths, numbers)
                new_id = first_id + len(made)
                made.append(
                    NewEntity(
                        new_id,
                        str(uuid.uuid4()),
                        parent[0] if parent else None,
                        levels[depth],
                        path.rpartition(SEPARATOR)[2],
                        path,
                        upto,
                    )
                )
                there[upto] = (new_id, path)
                paths.add(path)
            parent = there[upto]
    return made


def _name_of(folder: bytes) -> str:
    """Return the name of an entity whose folder somebody else made: as it is shown, since it may hold anything."""
    return clean_title(display_text(os.fsdecode(folder))) or UNNAMED


def _free_path(above: str, name: str, taken: Iterable[str] | Mapping[str, object], numbers: dict[str, int]) -> str:
    """Return the path of a new entity called `name`, with a number behind it where that is taken."""
    wanted = f"{above}{SEPARATOR}{name}" if above else name
    path = wanted
    while path in taken:
        numbers[wanted] = numbers.get(wanted, 1) + 1
        path = f"{wanted}~{numbers[wanted]}"
    return path
