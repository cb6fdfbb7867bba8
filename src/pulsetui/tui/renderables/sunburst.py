"""A tree of sizes drawn as rings of half-blocks, round on the screen, with names on the arcs that have room for one.

Rings and long arcs are parted by a dark pixel; short arcs of one ring, which that would eat up, by their shade. The
selected arc has a bright rim and a bold name. Where there is no colour, arcs have textures, and that one is solid.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from rich.cells import cell_len
from textual.content import Content

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.pixels import Pixel, cell, runs
from pulsetui.tui.renderables.rings import Arc, Rings
from pulsetui.tui.renderables.text import count, line, middle_cut, safe
from pulsetui.units import format_size

_FEWEST_NAME_CELLS = 7
"""A name is cut to no less."""
_PARTED_PIXELS = 6.0
"""Arcs as long as this are parted by a line."""
_TEXTURES = (glyphs.LIGHT, glyphs.HATCH)
"""Of neighbours, where there is no colour."""
_OUTSIDE = -1


class SunburstPicture:
    """The rings of one layout in one size: which pixel is whose, and where the names stand. Drawn again and again."""

    def __init__(self, rings: Rings, rows: int) -> None:
        """Take the layout, and `rows` lines for it; the picture is twice as many cells wide."""
        self.rings = rings
        self.rows = rows
        self.side = rows * 2
        self.arcs: list[Arc] = [arc for ring in rings.arcs for arc in ring]
        self._owners, self._gaps = self._pixels()
        self._names = self._place_names()

    def arc_at(self, x: int, row: int) -> Arc | None:
        """Return the arc at a cell."""
        if not (0 <= x < self.side and 0 <= row < self.rows):
            return None
        top = 2 * row * self.side + x
        owner = max(self._owners[top], self._owners[top + self.side])
        return self.arcs[owner] if owner != _OUTSIDE else None

    def middle_of(self, key: str) -> tuple[int, int] | None:
        """Return column and row of the cell in the middle of an arc, or None if there is no such arc."""
        arc = self.rings.find(key)
        if arc is None or not self.rings.whole:
            return None
        turn = (arc.start + arc.end) / 2 / self.rings.whole * math.tau
        outer = len(self.rings.arcs) - 1 - arc.ring
        distance = self.rings.radius - (outer + 0.5) * self.rings.thickness if arc.ring else 0.0
        x, y = self.rows + distance * math.sin(turn), self.rows - distance * math.cos(turn)
        return int(x), int(y / 2)

    def draw(self, paint: Paint, steps: Mapping[str, int], selected: str | None = None) -> list[Content]:
        """Return the lines; `steps` gives each arc's colour by its key."""
        shades = [index % 2 for ring in self.rings.arcs for index in range(len(ring))]
        looks: list[Pixel | None] = [_pixel(arc, paint, steps, shades[at]) for at, arc in enumerate(self.arcs)]
        looks.append(None)  # the last one, -1, is what lies outside
        pixels = [None if gap else looks[owner] for owner, gap in zip(self._owners, self._gaps, strict=True)]
        chosen = next((at for at, arc in enumerate(self.arcs) if arc.key == selected), None)
        if chosen is not None:
            rim = Pixel("$foreground", glyphs.FULL if paint.none else "")
            for at in self._inside(chosen) if paint.none else self._rim(chosen):
                pixels[at] = rim
        lines = []
        for row in range(self.rows):
            top, below, end = (self.side * (2 * row + half) for half in range(3))
            cells = [cell(*pair) for pair in zip(pixels[top:below], pixels[below:end], strict=True)]
            for at, text, owner in self._names.get(row, ()):
                arc = self.arcs[owner]
                cells[at : at + cell_len(text)] = _cells(text, _ink(arc, paint, steps, shades[owner], owner == chosen))
            lines.append(line(*runs(cells)))
        return lines

    def _pixels(self) -> tuple[list[int], list[bool]]:
        """Return whose each pixel is, and whether it is part of a line between arcs."""
        rings, owners, gaps = self.rings, [], []
        starts = [[arc.start for arc in ring] for ring in rings.arcs]
        ends = [[arc.end for arc in ring] for ring in rings.arcs]
        firsts = [sum(len(ring) for ring in rings.arcs[:at]) for at in range(len(rings.arcs))]
        for distance, turn in geometry(self.side):
            ring = _ring(rings, distance)
            place = turn * rings.whole
            at = bisect_right(starts[ring], place) - 1 if ring >= 0 and rings.whole else -1
            if at < 0 or place >= ends[ring][at]:
                owners.append(_OUTSIDE)
                gaps.append(False)
                continue
            owners.append(firsts[ring] + at)
            pixels_per_byte = math.tau * distance / rings.whole
            length = (ends[ring][at] - starts[ring][at]) * pixels_per_byte
            before = (place - starts[ring][at]) * pixels_per_byte
            edge = ring > 0 and (rings.radius - distance) % rings.thickness < 1.0 and ring < len(rings.arcs) - 1
            gaps.append(edge or (ring > 0 and before < 1.0 and length >= _PARTED_PIXELS and len(starts[ring]) > 1))
        return owners, gaps

    def _inside(self, owner: int) -> Iterator[int]:
        """Yield all pixels of an arc but the lines at its edges."""
        return (at for at, held in enumerate(self._owners) if held == owner and not self._gaps[at])

    def _rim(self, owner: int) -> Iterator[int]:
        """Yield the pixels of an arc that border on another one, or on the outside."""
        side, owners = self.side, self._owners
        for at, held in enumerate(owners):
            if held == owner:
                x = at % side
                beside = (x and owners[at - 1] == owner) and (x + 1 < side and owners[at + 1] == owner)
                over = at >= side and owners[at - side] == owner
                under = at + side < len(owners) and owners[at + side] == owner
                if not (beside and over and under):
                    yield at

    def _place_names(self) -> dict[int, list[tuple[int, str, int]]]:
        """Return, by row, the names: where, what and whose. Each is on the longest line of cells that are its arc's."""
        best: dict[int, tuple[int, int, int]] = {}
        for row in range(self.rows):
            for at, length, owner in self._stretches(row):
                if length > best.get(owner, (0,))[0]:
                    best[owner] = (length, row, at)
        names: dict[int, list[tuple[int, str, int]]] = {}
        for owner, (length, row, at) in best.items():
            text = _fitting(self.arcs[owner], length - 1) if owner else ""
            if text:
                names.setdefault(row, []).append((at + (length - cell_len(text)) // 2, text, owner))
        self._name_middle(names)
        return names

    def _stretches(self, row: int) -> Iterator[tuple[int, int, int]]:
        """Yield the runs of whole cells of one arc in a row: where, how long, whose."""
        top = 2 * row * self.side
        whole = [self._whole(top + x) for x in range(self.side)]
        at = 0
        while at < self.side:
            end = at + 1
            while end < self.side and whole[end] == whole[at]:
                end += 1
            if whole[at] != _OUTSIDE:
                yield at, end - at, whole[at]
            at = end

    def _whole(self, top: int) -> int:
        """Return whose a cell is with both of its pixels."""
        below = top + self.side
        owner = self._owners[top]
        return owner if owner == self._owners[below] and not (self._gaps[top] or self._gaps[below]) else _OUTSIDE

    def _name_middle(self, names: dict[int, list[tuple[int, str, int]]]) -> None:
        """Put name and size into the disc."""
        arc = self.arcs[0]
        inner = self.rings.radius - (len(self.rings.arcs) - 1) * self.rings.thickness
        for row, said in ((self.rows // 2 - 1, arc_name(arc)), (self.rows // 2, format_size(arc.size_bytes))):
            text = middle_cut(said, max(0, int(2 * inner) - 3))
            if cell_len(text) >= min(4, cell_len(safe(said))):
                names.setdefault(row, []).append(((self.side - cell_len(text)) // 2, text, 0))


@lru_cache(8)
def geometry(side: int) -> tuple[tuple[float, float], ...]:
    """Return distance from the middle in pixels, and part of the circle, of each pixel of a square, row by row."""
    middle = side / 2
    spots = ((x + 0.5 - middle, y + 0.5 - middle) for y in range(side) for x in range(side))
    return tuple((math.hypot(dx, dy), math.atan2(dx, -dy) / math.tau % 1.0) for dx, dy in spots)


def arc_name(arc: Arc) -> str:
    """Return what an arc is called; not yet safe to draw."""
    return arc.node.name if arc.node is not None else count(len(arc.others), "other")


def _ring(rings: Rings, distance: float) -> int:
    """Return the ring at a distance from the middle; -1 is outside."""
    if distance > rings.radius:
        return _OUTSIDE
    return max(0, len(rings.arcs) - 1 - int((rings.radius - distance) / rings.thickness))


def _pixel(arc: Arc, paint: Paint, steps: Mapping[str, int], shade: int) -> Pixel | None:
    """Return the look of an arc's inside; the disc in the middle is left as it is."""
    if arc.ring == 0:
        return None
    if paint.none:
        return Pixel("", _TEXTURES[shade])
    return Pixel(paint.ground(steps[arc.key], shade))


def _ink(arc: Arc, paint: Paint, steps: Mapping[str, int], shade: int, chosen: bool) -> str:
    """Return the style of a name."""
    bold = "bold " if chosen or arc.ring == 0 else ""
    if arc.ring == 0 or paint.none:
        return f"{bold}$foreground"
    return bold + paint.text(steps[arc.key], shade)


def _fitting(arc: Arc, room_cells: int) -> str:
    """Return an arc's name as it fits, or nothing where too little of it would."""
    name = safe(arc_name(arc))
    if cell_len(name) <= room_cells:
        return name
    if arc.node is None:
        few = f"+{len(arc.others)}"
        return few if len(few) <= room_cells else ""
    return middle_cut(name, room_cells) if room_cells >= _FEWEST_NAME_CELLS else ""


def _cells(text: str, style: str) -> Sequence[tuple[str, str]]:
    """Return text as cells; the second half of a wide character is empty, and a mark without width joins its letter."""
    cells: list[tuple[str, str]] = []
    for character in text:
        width = cell_len(character)
        if not width and cells:
            cells[-1] = (cells[-1][0] + character, style)
            continue
        cells.append((character, style))
        cells.extend([("", style)] * (width - 1))
    return cells
