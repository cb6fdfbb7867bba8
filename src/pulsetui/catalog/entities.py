"""Entities as they are read: where one is in the hierarchy, what it is called, where its files lie."""

from __future__ import annotations

from dataclasses import dataclass

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
