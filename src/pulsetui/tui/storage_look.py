"""How the operator wants storage to be shown: as what, sized and coloured by what, as of when.

Plain state without I/O, shared by the parts of the Storage screen; each of them draws from it and none keeps its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Literal

from pulsetui.storage.treemap.colours import Mode
from pulsetui.storage.views import HistoryPoint
from pulsetui.tui.storage_source import GROWTH_S

Form = Literal["treemap", "sunburst", "tree"]
FORMS: tuple[Form, ...] = ("treemap", "sunburst", "tree")


@dataclass(frozen=True, slots=True)
class Colouring:
    """What colours stand for."""

    label: str
    mode: Mode
    growth_s: float = GROWTH_S
    """The window of growth, in seconds."""


COLOURINGS: tuple[Colouring, ...] = (
    Colouring("size", Mode.SIZE),
    Colouring("category", Mode.CATEGORY),
    Colouring("age", Mode.AGE),
    Colouring("growth over 1 h", Mode.GROWTH, 3_600.0),
    Colouring("growth over 24 h", Mode.GROWTH, 86_400.0),
    Colouring("growth over 7 d", Mode.GROWTH, 604_800.0),
    Colouring("reclaimable", Mode.RECLAIMABLE),
)


@dataclass(slots=True)
class StorageLook:
    """What was chosen."""

    form: Form = "treemap"
    chosen: Colouring = COLOURINGS[0]
    apparent: bool = False
    hidden: frozenset[str] = frozenset()
    """Categories that are left out."""
    marked: frozenset[str] = frozenset()
    """Keys of what is marked."""
    at: datetime | None = None
    """The time of the past that is shown, or None for now."""
    times: Sequence[datetime] = field(default_factory=tuple)
    """The times that can be shown, oldest first."""
    points: Sequence[HistoryPoint] = field(default_factory=tuple)
    """How large what is open was, oldest first; read while the past is shown."""

    @property
    def colouring(self) -> Colouring:
        """What colours stand for: in the past, how much each tile grew since the time before."""
        if self.at is None:
            return self.chosen
        since = [(later - earlier).total_seconds() for earlier, later in pairwise(self.times) if later == self.at]
        return Colouring("change since the time before", Mode.GROWTH, since[0] if since else GROWTH_S)

    def next_form(self) -> None:
        """Go on to the next form."""
        self.form = FORMS[(FORMS.index(self.form) + 1) % len(FORMS)]

    def next_colouring(self) -> None:
        """Go on to the next meaning of colours."""
        self.chosen = COLOURINGS[(COLOURINGS.index(self.chosen) + 1) % len(COLOURINGS)]
