"""Layouts: how the path of a folder below a root names an entity, such as `{project}/{character}/{scene}/{segment}`.

Pure, on bytes: a folder's bytes are its identity, whether or not they are text. The invariant: a folder belongs to one
entity at most, the deepest that its path names, and everything below that entity's folder belongs to it as well unless
a deeper level names it. Syntax is checked in `settings`, where layouts are given.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pulsetui.settings.storage import layout_parts

UNASSIGNED = b"unassigned"
"""The folder, directly below a root, for what belongs to no entity."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a path names."""

    names: tuple[bytes, ...] = ()
    """The folder names of the entity and those above it, from the top level down; empty: no entity."""
    fits: bool = True
    """Whether the path follows the layout as far as it goes. Without names: it is a folder above all entities."""


NOWHERE = Match(fits=False)


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of a path below a root: None for the folder of an entity of the next level, bytes for a fixed name."""

    parts: tuple[bytes | None, ...]

    @classmethod
    def parse(cls, text: str, levels: Sequence[str]) -> Self:
        """Return the layout that `text` writes down.

        Raises:
            ValueError: it is no layout for these levels; says what to write.
        """
        return cls(tuple(None if level else os.fsencode(name) for level, name in layout_parts(text, levels)))

    @classmethod
    def of_levels(cls, levels: Sequence[str]) -> Self:
        """Return the layout with a folder for each level and nothing else."""
        return cls((None,) * len(levels))

    def match(self, path: bytes) -> Match:
        """Return what a path below the root (parts joined by `/`, empty for the root itself) names.

        A path that leaves the layout inside an entity's folder belongs to that entity.
        """
        if not path:
            return Match()
        given = path.split(b"/", len(self.parts))[: len(self.parts)]
        if given[0] == UNASSIGNED:
            return NOWHERE
        names: list[bytes] = []
        for part, name in zip(self.parts, given, strict=False):
            if part is None:
                if name == UNASSIGNED:
                    return Match(tuple(names), fits=False)
                names.append(name)
            elif part != name:
                return Match(tuple(names), fits=False)
        return Match(tuple(names))
