"""Bytes by category: a stacked bar, a pie of half-blocks, and a row of figures for each.

The shares are of everything, hidden categories included: those are hatched where they lie, so that leaving one out
moves nothing. Where there is no colour, the texture of each category stands in bar, pie and rows.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from textual.content import Content

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.pixels import Pixel, half_blocks
from pulsetui.tui.renderables.storage import percent, share
from pulsetui.tui.renderables.text import end_cut, figure, left, line, right
from pulsetui.units import format_size

_FEWEST_LABEL_CELLS = 4
_COUNT_CELLS = 7


@dataclass(frozen=True, slots=True)
class Part:
    """One category of a node."""

    step: int
    """Its place in the scale of categories."""
    name: str
    size_bytes: int
    file_count: int
    hidden: bool


def stacked_bar(parts: Sequence[Part], width_cells: int, paint: Paint) -> Content:
    """Return all parts side by side in exactly `width_cells`, named where they have room.

    A cell is of the part that has its middle; what is narrower than that is left to the rows.
    """
    whole = sum(part.size_bytes for part in parts)
    if not whole:
        return line((glyphs.WAITING * width_cells, "$rule"))
    ends = list(accumulate(part.size_bytes for part in parts))
    cells = [bisect_right(ends, (2 * cell + 1) * whole // (2 * width_cells)) for cell in range(width_cells)]
    pieces: list[Content] = []
    at = 0
    while at < width_cells:
        part = parts[min(cells[at], len(parts) - 1)]
        end = at + cells[at:].count(cells[at])
        pieces.append(_piece(part, end - at, paint, first=at == 0))
        at = end
    return Content("").join(pieces)


def _piece(part: Part, cells: int, paint: Paint, *, first: bool) -> Content:
    """Return one part of the stacked bar, its name on it where that fits; a thin line parts it from the one before."""
    if part.hidden:
        return line((glyphs.LIGHT * cells, "$rule"))
    edge = "" if first else glyphs.LIMIT if paint.none else glyphs.RIGHT_CAP
    room = cells - 2
    shown = part.name if len(part.name) <= room else part.name[:room] if room >= _FEWEST_LABEL_CELLS else ""
    text = f" {shown}" if shown else ""
    if paint.none:
        filled = (f"{edge}{text} " if text else edge).ljust(cells, paint.texture(part.step))
        return line(filled[:cells])
    body = f"{text}".ljust(cells - len(edge))
    return line((edge, f"$background on {paint.ground(part.step)}"), (body[: cells - len(edge)], paint.text(part.step)))


def pie(parts: Sequence[Part], rows: int, paint: Paint) -> list[Content]:
    """Return a round pie, `rows` lines high and twice as many cells wide, from the top clockwise."""
    ends = list(accumulate(part.size_bytes for part in parts))
    whole = ends[-1] if ends else 0
    looks = [_pixel(part, paint) for part in parts]
    pixels = [
        None if turn is None or not whole else looks[min(bisect_right(ends, int(turn * whole)), len(parts) - 1)]
        for turn in _turns(rows * 2)
    ]
    return half_blocks(pixels, rows * 2)


def _pixel(part: Part, paint: Paint) -> Pixel:
    """Return how one pixel of a part looks."""
    if part.hidden:
        return Pixel("$rule", glyphs.LIGHT)
    return Pixel(paint.ground(part.step), paint.texture(part.step) if paint.none else "")


@lru_cache(8)
def _turns(side: int) -> tuple[float | None, ...]:
    """Return, for each pixel of a square, how far around the circle it lies (0 to 1, from the top clockwise)."""
    middle = side / 2
    turns: list[float | None] = []
    for y in range(side):
        for x in range(side):
            dx, dy = x + 0.5 - middle, y + 0.5 - middle
            outside = math.hypot(dx, dy) > middle
            turns.append(None if outside else math.atan2(dx, -dy) / math.tau % 1.0)
    return tuple(turns)


def part_row(part: Part, whole: int, width_cells: int, paint: Paint) -> Content:
    """Return one category: swatch, name, size, percent of everything, and files where there is room."""
    counted = width_cells >= 36
    name_cells = max(4, width_cells - 2 - 8 - 6 - (_COUNT_CELLS + 1 if counted else 0))
    tone = "$quiet" if part.hidden or not part.size_bytes else "$foreground"
    end: list[Content | tuple[str, str]] = []
    if counted:
        end = [(right(f"{part.file_count:,}" if part.file_count else "–", _COUNT_CELLS + 1), "$quiet")]
    amount = figure(format_size(part.size_bytes), 8, tone) if part.size_bytes else line((right("–", 8), "$quiet"))
    said = "off" if part.hidden else percent(part.size_bytes, whole) if part.size_bytes else ""
    return line(_swatch(part, paint), (left(part.name, name_cells), tone), amount, (right(said, 6), tone), *end)


def _swatch(part: Part, paint: Paint) -> Content:
    """Return the sign that ties a row to its part of bar and pie."""
    if part.hidden:
        return line((f"{glyphs.OFF} ", "$quiet"))
    if paint.none:
        return line(f"{paint.texture(part.step)} ")
    return line((glyphs.SWATCH, paint.ground(part.step)), " ")


def exact_lines(part: Part, whole: int, width_cells: int) -> list[Content]:
    """Return two lines of exact figures: bytes, and percent in two decimals with files."""
    files = "file" if part.file_count == 1 else "files"
    exact = f"{share(part.size_bytes, whole) * 100:.2f} % in {part.file_count:,} {files}"
    return [
        line((end_cut(f"{part.size_bytes:,} B", width_cells), "$foreground")),
        line((end_cut(exact, width_cells), "$quiet")),
    ]
