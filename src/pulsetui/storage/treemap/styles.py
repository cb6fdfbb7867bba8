"""What each cell of a picture is, apart from its colours: the vocabulary between drawing and screens."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

OTHERS_STEP = 14
"""The step of `N others`, which have no common colour."""
NEUTRAL = 15
"""The step of what has the colours of the theme: groups, ghosts, the ground."""


class Part(IntEnum):
    """What a cell shows."""

    FILL = 0
    """Nothing but its colour, or its texture."""
    RULE = 1
    """A border."""
    NAME = 2
    """A name: of a tile on its colour, of a group in its border."""
    FIGURE = 3
    """A size or a share."""
    HATCH = 4
    """The share of a tile that is marked, in the trash or a candidate."""
    PICKED_RULE = 5
    """The heavy border of the selected tile."""
    PICKED_NAME = 6
    """The name and pointer of the selected tile."""
    GHOST = 7
    """What running jobs will still write."""


class Style(NamedTuple):
    """How a cell is to be painted."""

    part: Part
    step: int
    """Of the palette; `OTHERS_STEP` for others, `NEUTRAL` for the theme's own background."""
    shade: int
    """0 or 1: neighbours of the same step differ in it."""


def code_of(step: int, shade: int) -> int:
    """Return the byte that stands for a step while a picture is made; a part is added to it."""
    return step << 4 | shade << 3


STYLES = tuple(Style(Part(code & 7), code >> 4, code >> 3 & 1) for code in range(256))
"""Every style there is, by its byte."""
PARTS = 7
"""The bits of a style's byte that are its part."""
