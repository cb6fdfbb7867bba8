"""Bars in eighth blocks, and the budget bar with its marks and its hatched part."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.content import Content

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.text import line

_EIGHTHS = (" ", "▎", "▎", "▍", "▌", "▋", "▊", "▉", "█")
"""What so many eighths of a cell look like. The first eighth has no sign of its own: `▏` is the right cap, and an ASCII
terminal couldn't tell the two apart."""


def blocks(fraction: float, width_cells: int) -> str:
    """Return a bar of exactly `width_cells`. Anything above 0 shows, and only the whole shows as full."""
    if width_cells <= 0:
        return ""
    whole = width_cells * 8
    eighths = math.floor(min(1.0, max(0.0, fraction)) * whole)
    if fraction > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return (glyphs.FULL * full + (_EIGHTHS[rest] if rest else "")).ljust(width_cells)


def bar(fraction: float | None, width_cells: int, style: str = "$fill", note: str = "") -> Content:
    """Return a framed bar of exactly `width_cells`, caps included; None draws `note` in an empty one."""
    inner = max(0, width_cells - 2)
    body = (note[:inner].center(inner), "$quiet") if fraction is None else (blocks(fraction, inner), style)
    return line((glyphs.LEFT_CAP, "$rule"), body, (glyphs.RIGHT_CAP, "$rule"))


def budget_bar(
    used: float,
    in_flight: float,
    scale: float,
    width_cells: int,
    *,
    marks: Sequence[float] = (),
    limit: float | None = None,
    style: str = "$fill",
) -> Content:
    """Return a framed bar of exactly `width_cells`: used solid, in-flight hatched, thresholds on top.

    `marks` (resume, pause) are dotted, `limit` is a solid line; where one lies on the filled part it is cut out of it.
    All values are on the same `scale`; a limit at the scale's end stands in place of the right cap.
    """
    ends_at_limit = limit is not None and limit >= scale
    cells = max(1, width_cells - 2)
    fills = _fills(used, in_flight, max(scale, 1e-9), cells)
    placed = {_cell(mark, scale, cells): glyphs.MARK for mark in marks}
    if limit is not None and not ends_at_limit:
        placed[_cell(limit, scale, cells)] = glyphs.LIMIT
    parts: list[Content] = [line((glyphs.LEFT_CAP, "$rule"))]
    for index, character in enumerate(fills):
        mark = placed.get(index)
        colour = "$hatch" if character == glyphs.HATCH else style
        if mark is None:
            parts.append(line((character, colour)))
        elif character in (glyphs.FULL, glyphs.HATCH):
            parts.append(line((mark, f"$background on {colour}")))
        else:
            parts.append(line((mark, "$foreground")))
    parts.append(line((glyphs.LIMIT, "$foreground") if ends_at_limit else (glyphs.RIGHT_CAP, "$rule")))
    return Content("").join(parts)


def _fills(used: float, in_flight: float, scale: float, cells: int) -> str:
    """Return the solid and the hatched cells. Work in flight shows at least one cell while there is room."""
    solid = blocks(used / scale, cells).rstrip()
    end = math.floor(min(1.0, max(0.0, (used + in_flight) / scale)) * cells)
    if in_flight > 0:
        end = min(cells, max(end, len(solid) + 1))
    return (solid + glyphs.HATCH * (end - len(solid))).ljust(cells)


def _cell(value: float, scale: float, cells: int) -> int:
    """Return the cell that a threshold lies in."""
    return min(cells - 1, max(0, math.floor(value / scale * cells))) if scale > 0 else 0
