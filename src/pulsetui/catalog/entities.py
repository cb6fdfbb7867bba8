"""Entities as they are read, and what new ones are called. Pure.

The invariant: a folder's bytes are an entity's identity on disk and never change; its name is text for people, made
from the folder where nobody gave one, and unique beside its siblings'.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from pulsetui.catalog.levels import SEPARATOR
from pulsetui.clock import from_ms
from pulsetui.files.names import UNNAMED, clean_title, display_text

UNASSIGNED = "unassigned"
"""The folder below a root for what belongs to no entity; no entity gets it as its own."""


@dataclass(frozen=True, slots=True)
class Library:
    """What entities belong to, and volumes are tracked in."""

    id: int
    uuid: str
    name: str
    created_at: datetime
    entity_count: int


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
    plan_so_far = _Plan(levels, first_id)
    for known_id, path, folders in known:
        plan_so_far.note(known_id, path, folders)
    for folders in sorted(set(wanted)):
        plan_so_far.want(folders.split(b"/"))
    return plan_so_far.made


@dataclass(slots=True)
class _Plan:
    levels: Sequence[str]
    first_id: int
    made: list[NewEntity] = field(default_factory=list)
    there: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    """Id and path by folders."""
    paths: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)
    """The last number that a path was given to be a free one: thousands may read the same."""

    def note(self, entity_id: int, path: str, folders: bytes) -> None:
        self.there[folders] = (entity_id, path)
        self.paths.add(path)

    def want(self, parts: Sequence[bytes]) -> None:
        """Have an entity at each level down to that of `parts`, as far as they name levels."""
        above: tuple[int | None, str] = (None, "")
        for depth, part in enumerate(parts[: len(self.levels)]):
            if not part or part == UNASSIGNED.encode():
                return
            folders = b"/".join(parts[: depth + 1])
            if folders not in self.there:
                self._make(depth, above, part, folders)
            above = self.there[folders]

    def _make(self, depth: int, above: tuple[int | None, str], part: bytes, folders: bytes) -> None:
        parent_id, parent_path = above
        path = self._free_path(f"{parent_path}{SEPARATOR}{_name_of(part)}" if parent_path else _name_of(part))
        name = path.rpartition(SEPARATOR)[2]
        new_id = self.first_id + len(self.made)
        self.made.append(NewEntity(new_id, str(uuid.uuid4()), parent_id, self.levels[depth], name, path, folders))
        self.note(new_id, path, folders)

    def _free_path(self, wanted: str) -> str:
        path = wanted
        while path in self.paths:
            self.numbers[wanted] = self.numbers.get(wanted, 1) + 1
            path = f"{wanted}~{self.numbers[wanted]}"
        return path


def _name_of(folder: bytes) -> str:
    """Return the name of an entity whose folder somebody else made: as it is shown, since it may hold anything."""
    return clean_title(display_text(os.fsdecode(folder))) or UNNAMED
