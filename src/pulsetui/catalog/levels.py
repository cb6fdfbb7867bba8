"""How entities are named from outside: as a path of names, or as `TYPE:ID`. Pure; the levels are handed in."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from pulsetui.errors import UsageError
from pulsetui.files.names import clean_title, display_text

SEPARATOR = "/"
"""Joins the names of an entity's path; no name holds it."""
PLACES = ("library", "unassigned", "system", "part")
"""What `TYPE:ID` can name besides entities."""
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Reference:
    """What a `TYPE:ID` says, whether or not there is such a thing."""

    entity_type: str
    """A level, or one of `PLACES`."""
    id: int | None
    """Its integer, or None: it was named by uuid."""
    uuid: str | None
    """Its uuid in the usual form, or None: it was named by integer."""

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.entity_type}:{self.uuid if self.id is None else self.id}"


def parse_entity(text: str, levels: Sequence[str]) -> tuple[str, ...]:
    """Return the names in a path such as `Harbor/Cast/Scene 1`, cleaned, from the top level down.

    Raises:
        UsageError: a name is empty, or there are more names than levels.
    """
    names = tuple(clean_title(part) for part in text.split(SEPARATOR))
    if not all(names):
        raise UsageError(
            f"entity {text!r} has an empty name", hint=f"write it as {SEPARATOR.join(levels)}, from the left"
        )
    if len(names) > len(levels):
        raise UsageError(
            f"entity {text!r} has {len(names)} levels, and there are {len(levels)}",
            hint=f"the levels are {', '.join(levels)}",
        )
    return names


def parse_reference(text: str, levels: Sequence[str]) -> Reference:
    """Return what `TYPE:ID` names, such as `scene:17` or `scene:0b7e…`.

    Raises:
        UsageError: it isn't written like that, or there is no such type.
    """
    kind, sign, written = (part.strip() for part in text.partition(":"))
    types = (*levels, *PLACES)
    if not sign or not written:
        raise UsageError(
            f"{display_text(text)!r} names no entity", hint=f"write TYPE:ID, such as {levels[0]}:17, or with its uuid"
        )
    if kind not in types:
        near = difflib.get_close_matches(kind, types, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the types are {', '.join(types)}"
        raise UsageError(f"there is no type {display_text(kind)!r}", hint=hint)
    if written.isascii() and written.isdigit():
        number = int(written) if len(written) < 20 else _LARGEST_ID + 1
        if number <= _LARGEST_ID:
            return Reference(kind, number, None)
    try:
        return Reference(kind, None, str(uuid.UUID(written)))
    except ValueError:
        raise UsageError(
            f"{display_text(written)!r} is neither an integer nor a uuid",
            hint=f"write TYPE:ID, such as {levels[0]}:17",
        ) from None
