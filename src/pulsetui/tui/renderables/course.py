"""The course of a size as a picture of some lines, with its scale and the times at its ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual.content import Content

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.sparkline import columns, sparkline
from pulsetui.tui.renderables.text import age, line, size, spread

_SCALE_CELLS = 8
"""For the largest and the least size, left of the picture."""


def course_picture(
    sizes: Sequence[tuple[datetime, int]], now: datetime, zone: tzinfo | None, width_cells: int, height_cells: int
) -> list[Content]:
    """Return a course of at least two sizes in bytes, oldest first, in `height_cells` lines, two at the least."""
    rows = max(1, height_cells - 1)
    cells = max(4, width_cells - _SCALE_CELLS - 2)
    drawn = sparkline(columns(sizes, cells * 2), rows)
    most, least = (pick(size_bytes for _, size_bytes in sizes) for pick in (max, min))
    lines = []
    for row, text in enumerate(drawn):
        scale = size(most, _SCALE_CELLS) if row == 0 else size(least, _SCALE_CELLS) if row == rows - 1 else None
        lines.append(line(scale or " " * _SCALE_CELLS, (f" {glyphs.LIMIT}", "$rule"), (text, "$fill")))
    start = line(" " * (_SCALE_CELLS + 2), (f"{sizes[0][0].astimezone(zone):%Y-%m-%d %H:%M}", "$quiet"))
    end = line((f"{age(sizes[-1][0], now)} ago", "$quiet"))
    return [*lines, spread(start, end, width_cells)]
