"""Draws a layout as lines of styled text: borders, titles, names, hatching, ghosts, the selection.

The invariants: every row is exactly as wide as the picture, whatever the names are; a row's runs differ in style from
one to the next. A style says what a cell is (`Part`) and of which colour step; which colours that makes is left to
`colours.Palette.look` and, for what has no step, to the screen's theme.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from rich.cells import cell_len

from pulsetui.files.display import to_ascii
from pulsetui.storage.treemap import borders, labels
from pulsetui.storage.treemap.borders import Borders
from pulsetui.storage.treemap.colours import NEUTRAL, Palette
from pulsetui.storage.treemap.layout import Kind, Layout, Tile

BORDERED_CELLS = (8, 3)
"""Width and height from which a tile has a border with its name in it."""
NAMED_CELLS = (4, 2)
"""... and from which it has a short name on its colour; smaller ones are colour only."""

HATCH, GHOST, POINTER = "╱", "░", "▸"
_ASCII = {HATCH: "/", GHOST: ":", POINTER: ">"}


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
    """0 or 1: neighbours of the same step that have no border differ in it."""


Run = tuple[str, Style]
STYLES = tuple(Style(Part(code & 7), code >> 4, code >> 3 & 1) for code in range(256))
"""Every style there is, by the byte that stands for it while a picture is made."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture."""

    rows: list[list[Run]]
    width: int

    @property
    def text(self) -> str:
        """The picture without its colours, a line each row."""
        return "\n".join("".join(text for text, _ in row) for row in self.rows)


def draw(
    layout: Layout,
    palette: Palette,
    *,
    selected: str = "",
    marked: frozenset[str] = frozenset(),
    ascii_only: bool = False,
    textured: bool = False,
) -> Canvas:
    """Return the picture of a layout.

    `selected` is the key of the tile that the cursor is on; the nodes whose keys are in `marked` are hatched whole.
    `textured` fills tiles with their step's texture, for screens without colours. With `ascii_only` every character is
    ASCII.
    """
    drawing = _Drawing(layout, palette, selected, marked, ascii_only=ascii_only, textured=textured)
    drawing.fill()
    drawing.label()
    if (picked := layout.by_key.get(selected)) is not None:
        drawing.pick(picked)
    return Canvas(drawing.runs(), layout.width)


def hatched_share(tile: Tile, marked: frozenset[str]) -> float:
    """Return how much of a tile is marked, trash or a candidate for cleaning up, 0 to 1."""
    if tile.key in marked:
        return 1.0
    node = tile.node
    if node is None or not (node.candidate_bytes or node.reclaimable_bytes):
        return 0.0
    size = max(1, node.size.allocated_bytes)
    # An entity's trash isn't part of its size: it lies in the trash's own tile, which is all reclaimable.
    reclaimable = node.reclaimable_bytes if node.entity_type == "part" else 0
    return min(1.0, (node.candidate_bytes + reclaimable) / size)


class _Drawing:
    """One picture being made: a character and a byte of style for each cell."""

    def __init__(
        self,
        layout: Layout,
        palette: Palette,
        selected: str,
        marked: frozenset[str],
        *,
        ascii_only: bool,
        textured: bool,
    ) -> None:
        self._layout = layout
        self._width, self._height = layout.width, layout.height
        self._selected = selected
        self._marked = marked
        self._ascii = ascii_only
        self._bordered = NAMED_CELLS if textured else BORDERED_CELLS
        self._textures = {index: step.texture for index, step in enumerate(palette.steps)} if textured else {}
        steps = palette.steps_of(layout.tiles)
        self._codes = [
            NEUTRAL << 4
            if (tile.node is None and tile.kind == "ghost") or tile.kind == "group"
            else step << 4 | index % 2 << 3
            for index, (tile, step) in enumerate(zip(layout.tiles, steps, strict=True))
        ]
        self._styles = bytearray([NEUTRAL << 4]) * (self._width * self._height)
        self._masks = bytearray()
        self._signs: list[str] = []

    def fill(self) -> None:
        """Give each tile its colour and draw all borders.

        The last tiles of a group also colour the column and row of the group's closing lines. Tiles without a border
        have no room for their neighbours' lines; there, colour alone tells tiles apart.
        """
        width, styles = self._width, self._styles
        lines = Borders(width, self._height)
        ends = {self._layout.root: (width - 1, self._height - 1)}
        bare: list[tuple[range, int]] = []
        for tile, code in zip(self._layout.tiles, self._codes, strict=True):
            kind, key, _, x, y, columns, rows, _, parent, *_ = tile
            bordered = self._has_border(kind, columns, rows)
            if bordered:
                lines.add(x, y, columns, rows)
            right, bottom = ends[parent]
            if kind == "group":
                ends[key] = x + columns - 1, y + rows - 1
                continue
            columns += x + columns == right
            rows += y + rows == bottom
            starts = range(y * width + x, (y + rows) * width + x, width)
            colour = _FILLS[code][:columns]
            for start in starts:
                styles[start : start + columns] = colour
            if not bordered:
                bare.append((starts, columns))
        masks = lines.masks()
        if not self._textures:
            for starts, columns in bare:
                for start in starts:
                    masks[start : start + columns] = _FILLS[0][:columns]
        self._rule(masks)

    def _rule(self, masks: bytearray) -> None:
        """Turn lines into characters."""
        self._masks = masks
        ruled = int.from_bytes(self._styles, "big") | int.from_bytes(masks.translate(_RULED), "big")
        self._styles = bytearray(ruled.to_bytes(len(masks), "big"))
        boxes = borders.ASCII_BOXES if self._ascii else borders.BOXES
        self._signs = list(masks.decode("latin-1").translate(dict(enumerate(boxes))))

    def label(self) -> None:
        """Write what each tile says, and hatch what is marked."""
        for tile, code in zip(self._layout.tiles, self._codes, strict=True):
            if tile.kind == "group":
                self._title(tile, code, *labels.group_title(tile, tile.width - 3))
                continue
            self._pattern(tile, code)
            if tile.width >= BORDERED_CELLS[0] and tile.height >= BORDERED_CELLS[1]:
                self._title(tile, code, labels.title(tile, tile.width - 3), "")
                said = labels.figures(tile, tile.width - 3)
                if said:
                    self._write(tile.x + 1, tile.y + 1, f" {said} ", code | Part.FIGURE)
            elif tile.width >= NAMED_CELLS[0]:
                self._short(tile, code)

    def _short(self, tile: Tile, code: int) -> None:
        """Write into a small tile: below the line that it has in a textured picture, else from its top."""
        bordered = self._has_border(tile.kind, tile.width, tile.height)
        if not bordered and tile.height < NAMED_CELLS[1] and tile.width < BORDERED_CELLS[0]:
            return
        name = labels.short(tile, tile.width - 1)
        if name:
            self._write(tile.x + 1, tile.y + bordered, name, code | self._name_part(tile))
        if tile.height > 1 and not bordered and (said := labels.figures(tile, tile.width - 1)):
            self._write(tile.x + 1, tile.y + 1, said, code | Part.FIGURE)

    def pick(self, tile: Tile) -> None:
        """Set the selected tile apart by the weight of its border, or by a pointer where it has none."""
        x, y, right, bottom = tile.x, tile.y, tile.x + tile.width, tile.y + tile.height
        if not self._has_border(tile.kind, tile.width, tile.height):
            code = self._styles[y * self._width + x] & ~7
            self._write(x, y, _ASCII[POINTER] if self._ascii else POINTER, code | Part.PICKED_NAME)
            return
        up, down, left, rght = borders.UP, borders.DOWN, borders.LEFT, borders.RIGHT
        frame = {(x, y): rght | down, (right, y): left | down, (x, bottom): rght | up, (right, bottom): left | up}
        frame |= {(column, line): left | rght for column in range(x + 1, right) for line in (y, bottom)}
        frame |= {(column, line): up | down for line in range(y + 1, bottom) for column in (x, right)}
        for (column, line), heavy in frame.items():
            at = line * self._width + column
            light = self._masks[at] & ~heavy
            if self._styles[at] & 7 in _UNDER_FRAME:
                self._signs[at] = borders.ASCII_HEAVY if self._ascii else borders.HEAVY_BOXES[light, heavy]
                self._styles[at] = self._styles[at] & ~7 | Part.PICKED_RULE

    def runs(self) -> list[list[Run]]:
        """Return the rows, cut where the style changes."""
        width, signs, rows = self._width, self._signs, []
        for start in range(0, width * self._height, width):
            line = bytes(self._styles[start : start + width])
            rows.append(
                [
                    ("".join(signs[start + run.start() : start + run.end()]), STYLES[line[run.start()]])
                    for run in _RUNS.finditer(line)
                ]
            )
        return rows

    def _has_border(self, kind: Kind, width: int, height: int) -> bool:
        return kind == "group" or (width >= self._bordered[0] and height >= self._bordered[1])

    def _name_part(self, tile: Tile) -> Part:
        return Part.PICKED_NAME if tile.key == self._selected else Part.NAME

    def _title(self, tile: Tile, code: int, name: str, behind: str) -> None:
        """Write into a tile's top border."""
        if not name:
            return
        picked = tile.key == self._selected
        start = (_ASCII[POINTER] if self._ascii else POINTER) if picked else " "
        end = "" if behind else " "
        used = self._write(tile.x + 1, tile.y, f"{start}{name}{end}", code | self._name_part(tile))
        if behind:
            self._write(tile.x + 1 + used, tile.y, f"{behind} ", code | Part.FIGURE)

    def _pattern(self, tile: Tile, code: int) -> None:
        """Hatch the share of a tile that is marked, from its bottom; fill a ghost; add textures."""
        x, y, columns, rows = tile.x, tile.y, tile.width, tile.height
        if self._has_border(tile.kind, columns, rows):
            x, y, columns, rows = x + 1, y + 1, columns - 1, rows - 1
        if tile.kind == "ghost":
            sign, part, count = GHOST, Part.GHOST, columns * rows
        elif (share := hatched_share(tile, self._marked)) > 0:
            sign, part, count = HATCH, Part.HATCH, max(1, round(share * columns * rows))
        else:
            sign, part, count = "", Part.FILL, 0
        if self._textures:
            self._texture(x, y, columns, rows, self._textures.get(code >> 4, " "))
        sign = _ASCII.get(sign, sign) if self._ascii else sign
        for line in range(y + rows - 1, y - 1, -1):
            cells = min(count, columns)
            if cells <= 0:
                return
            at = line * self._width + x
            self._signs[at : at + cells] = [sign] * cells
            self._styles[at : at + cells] = bytes([code | part]) * cells
            count -= cells

    def _texture(self, x: int, y: int, columns: int, rows: int, sign: str) -> None:
        """Strew a sign over a tile, in every second cell."""
        for line in range(y, y + rows):
            at = line * self._width
            first = x + (x + line) % 2
            for column in range(first, x + columns, 2):
                if not self._masks[at + column]:
                    self._signs[at + column] = sign

    def _write(self, x: int, y: int, text: str, code: int) -> int:
        """Write text that is known to fit; return its width in cells."""
        at = y * self._width + x
        if self._ascii:
            text = to_ascii(text)
        if text.isascii():
            cells = len(text)
            self._signs[at : at + cells] = text
        else:
            cells = cell_len(text)
            # One cell holds all of it: what is wide, combines or joins can't be told apart by cells.
            self._signs[at : at + cells] = [text, *[""] * (cells - 1)]
        self._styles[at : at + cells] = bytes([code]) * cells
        return cells


_FILLS = [bytes([code]) * 4096 for code in range(256)]
_RULED = bytes([0] + [int(Part.RULE)] * 255)
_UNDER_FRAME = (Part.RULE, Part.FILL, Part.HATCH, Part.GHOST)
"""What gives way to the border of the selected tile; names and figures stay."""
_RUNS = re.compile(rb"(.)\1*", re.DOTALL)
