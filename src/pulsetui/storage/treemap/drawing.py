"""How a picture is made: a character and a byte of style for each cell, filled slice by slice.

The invariants: borders are shared between neighbours and joined where they meet; the cells of a tile are of its colour
up to the last one. Thousands of tiles are drawn in a frame, so a row of a tile is one slice, and no cell is an object.
"""

from __future__ import annotations

import re
from codecs import charmap_decode

from rich.cells import cell_len

from pulsetui.files.display import to_ascii
from pulsetui.storage.treemap import borders, labels
from pulsetui.storage.treemap.borders import Borders
from pulsetui.storage.treemap.colours import Palette
from pulsetui.storage.treemap.layout import Kind, Layout, Tile
from pulsetui.storage.treemap.styles import NEUTRAL, PARTS, STYLES, Part, Style, code_of

Run = tuple[str, Style]

BORDERED_CELLS = (8, 3)
"""Width and height from which a tile has a border with its name in it."""
NAMED_CELLS = (4, 2)
"""... and from which it has a short name on its colour; smaller ones are colour only."""

HATCH, GHOST, POINTER = "╱", "░", "▸"
_ASCII = {HATCH: "/", GHOST: ":", POINTER: ">", "": ""}
_NAME, _FIGURE, _PICKED_NAME = int(Part.NAME), int(Part.FIGURE), int(Part.PICKED_NAME)
_UNDER_FRAME = (Part.RULE, Part.FILL, Part.HATCH, Part.GHOST)
"""What gives way to the border of the selected tile; names and figures stay."""
_FILLS = [bytes([code]) * 4096 for code in range(256)]
_BARE = 2
"""Marks, in place of a part, the cells of tiles without borders, while cells have only their colour."""
_NOT_BARE = bytes(0 if code & PARTS == _BARE else 255 for code in range(256))
_COLOUR = bytes(code & ~PARTS for code in range(256))
_RULED = bytes([0] + [int(Part.RULE)] * 255)
_RUNS = re.compile(rb"(.)\1*", re.DOTALL)


def hatched_share(tile: Tile, marked: frozenset[str]) -> float:
    """Return how much of a tile is marked, trash or a candidate for cleaning up, 0 to 1."""
    if tile.key in marked:
        return 1.0
    node = tile.node
    if node is None or not (node.candidate_bytes or node.reclaimable_bytes):
        return 0.0
    # An entity's trash isn't part of its size: it lies in the trash's own tile, which is all reclaimable.
    reclaimable = node.reclaimable_bytes if node.entity_type == "part" else 0
    return min(1.0, (node.candidate_bytes + reclaimable) / max(1, node.size.allocated_bytes))


class Drawing:
    """One picture being made: `fill`, then `label`, then `pick`, then `runs`."""

    def __init__(
        self,
        layout: Layout,
        palette: Palette,
        selected: str,
        marked: frozenset[str],
        *,
        ascii_only: bool,
        textured: bool,
        outlined: bool = False,
    ) -> None:
        """Start with an empty picture; each tile's place in its group decides its shade."""
        self._layout = layout
        self._width, self._height = layout.width, layout.height
        self._selected = selected
        self._marked = marked
        self._ascii = ascii_only
        self._outlined = outlined or textured
        self._bordered = NAMED_CELLS if self._outlined else BORDERED_CELLS
        self._textures = {index: step.texture for index, step in enumerate(palette.steps)} if textured else {}
        neutral = code_of(NEUTRAL, 0)
        self._codes = [
            neutral if tile[0] == "group" or tile[0] == "ghost" else code_of(step, index & 1)
            for index, (tile, step) in enumerate(zip(layout.tiles, palette.steps_of(layout.tiles), strict=True))
        ]
        self._styles = bytearray([neutral]) * (self._width * self._height)
        self._masks = b""
        self._signs: list[str] = []

    def fill(self) -> None:
        """Give each tile its colour and draw all borders.

        The last tiles of a group also colour the column and row of the group's closing lines. Tiles without a border
        have no room for their neighbours' lines; there, colour alone tells tiles apart.
        """
        width, styles = self._width, self._styles
        (bordered_width, bordered_height), bare = self._bordered, 0 if self._outlined else _BARE
        lines = Borders(width, self._height)
        ends = {self._layout.root: (width - 1, self._height - 1)}
        for tile, code in zip(self._layout.tiles, self._codes, strict=True):
            kind, key, _, x, y, columns, rows, _, parent, _, _, _ = tile
            right, bottom = ends[parent]
            if kind == "group":
                lines.add(x, y, columns, rows)
                ends[key] = x + columns - 1, y + rows - 1
                continue
            bordered = columns >= bordered_width and rows >= bordered_height
            if bordered:
                lines.add(x, y, columns, rows)
            columns += x + columns == right
            rows += y + rows == bottom
            colour = _FILLS[code if bordered else code | bare][:columns]
            for start in range(y * width + x, (y + rows) * width + x, width):
                styles[start : start + columns] = colour
        self._rule(lines.masks())

    def label(self) -> None:
        """Write what each tile says, and hatch what is marked."""
        marked, textures = self._marked, self._textures
        for tile, code in zip(self._layout.tiles, self._codes, strict=True):
            node = tile[2]
            if node is None:
                share = 1.0 if tile[0] == "ghost" else 0.0
            elif marked or node.candidate_bytes or node.reclaimable_bytes:
                share = hatched_share(tile, marked)
            else:
                share = 0.0
            if (share or textures) and tile[0] != "group":
                self._pattern(tile, code, share)
            self._say(tile, code)

    def pick(self, tile: Tile) -> None:
        """Set the selected tile apart by the weight of its border, or by a pointer where it has none."""
        if not self._has_border(tile.kind, tile.width, tile.height):
            code = self._styles[tile.y * self._width + tile.x] & ~PARTS
            self._write(tile.x, tile.y, POINTER, code | Part.PICKED_NAME)
            return
        for (column, line), heavy in borders.frame(tile.x, tile.y, tile.width, tile.height).items():
            at = line * self._width + column
            if self._styles[at] & PARTS in _UNDER_FRAME:
                light = self._masks[at] & ~heavy
                self._signs[at] = borders.ASCII_HEAVY if self._ascii else borders.HEAVY_BOXES[light, heavy]
                self._styles[at] = self._styles[at] & ~PARTS | Part.PICKED_RULE

    def runs(self, first: int = 0, last: int | None = None) -> list[list[Run]]:
        """Return the rows from `first` up to `last`, cut where the style changes."""
        width, signs, rows = self._width, self._signs, []
        for start in range(first * width, width * (self._height if last is None else last), width):
            line = bytes(self._styles[start : start + width])
            text = "".join(signs[start : start + width])
            spans = [each.span() for each in _RUNS.finditer(line)]
            if len(text) == width:
                rows.append([(text[first:end], STYLES[line[first]]) for first, end in spans])
            else:  # wide or combining characters: cells and characters differ
                cells = signs[start : start + width]
                rows.append([("".join(cells[first:end]), STYLES[line[first]]) for first, end in spans])
        return rows

    def _rule(self, masks: bytearray) -> None:
        """Turn lines into characters, outside of the tiles that stay bare."""
        size = len(masks)
        drawn = int.from_bytes(masks, "big") & int.from_bytes(self._styles.translate(_NOT_BARE), "big")
        self._masks = drawn.to_bytes(size, "big")
        coloured = int.from_bytes(self._styles.translate(_COLOUR), "big")
        ruled = coloured | int.from_bytes(self._masks.translate(_RULED), "big")
        self._styles = bytearray(ruled.to_bytes(size, "big"))
        boxes = borders.ASCII_BOXES if self._ascii else borders.BOXES
        self._signs = list(charmap_decode(self._masks, "strict", boxes)[0])

    def _has_border(self, kind: Kind, width: int, height: int) -> bool:
        return kind == "group" or (width >= self._bordered[0] and height >= self._bordered[1])

    def _say(self, tile: Tile, code: int) -> None:
        """Write name and figures of one tile."""
        kind, key, node, x, y, columns, rows, _, _, _, _, _ = tile
        if kind == "group":
            self._title(tile, code, *labels.group_title(tile, columns - 3))
        elif columns >= BORDERED_CELLS[0] and rows >= BORDERED_CELLS[1]:
            self._title(tile, code, labels.title(tile, columns - 3), "")
            if said := labels.figures(tile, columns - 3):
                self._write(x + 1, y + 1, f" {said} ", code | _FIGURE)
        elif columns >= NAMED_CELLS[0] and (rows >= NAMED_CELLS[1] or columns >= BORDERED_CELLS[0]):
            name_code = code | (_PICKED_NAME if key == self._selected else _NAME)
            if self._outlined and rows >= NAMED_CELLS[1]:
                self._write(x + 1, y + 1, labels.short(tile, columns - 1), name_code)
                return
            # Blanks up to both sides: one run of style a row, and hatching doesn't touch the text.
            name = node.name if node is not None else labels.short(tile, columns - 1)
            self._write(x, y, labels.filling(name, columns), name_code)
            if rows > 1 and columns > labels.FEWEST_SIZE_CELLS and (said := labels.figures(tile, columns - 1)):
                self._write(x, y + 1, f" {said:<{columns - 1}}", code | _FIGURE)

    def _title(self, tile: Tile, code: int, name: str, behind: str) -> None:
        """Write into a tile's top border."""
        if not name:
            return
        picked = tile.key == self._selected
        start, part = (POINTER, Part.PICKED_NAME) if picked else (" ", Part.NAME)
        used = self._write(tile.x + 1, tile.y, f"{start}{name}{'' if behind else ' '}", code | part)
        if behind:
            self._write(tile.x + 1 + used, tile.y, f"{behind} ", code | Part.FIGURE)

    def _pattern(self, tile: Tile, code: int, share: float) -> None:
        """Hatch a share of a tile, from its bottom; fill a ghost; add textures."""
        x, y, columns, rows = tile.x, tile.y, tile.width, tile.height
        if self._has_border(tile.kind, columns, rows):
            x, y, columns, rows = x + 1, y + 1, columns - 1, rows - 1
        if self._textures:
            self._texture(x, y, columns, rows, self._textures.get(code >> 4, " "))
        sign, part = (GHOST, Part.GHOST) if tile.kind == "ghost" else (HATCH, Part.HATCH)
        sign = _ASCII[sign] if self._ascii else sign
        count = max(1, round(share * columns * rows)) if share else 0
        for line in range(y + rows - 1, y - 1, -1):
            cells = min(count, columns)
            if cells <= 0:
                return
            at = line * self._width + x
            self._signs[at : at + cells] = [sign] * cells
            self._styles[at : at + cells] = _FILLS[code | part][:cells]
            count -= cells

    def _texture(self, x: int, y: int, columns: int, rows: int, sign: str) -> None:
        """Strew a sign over a tile, in every second cell."""
        for line in range(y, y + rows):
            at = line * self._width
            for column in range(x + (x + line) % 2, x + columns, 2):
                if not self._masks[at + column]:
                    self._signs[at + column] = sign

    def _write(self, x: int, y: int, text: str, code: int) -> int:
        """Write text that is known to fit; return its width in cells."""
        at = y * self._width + x
        cells = len(text)
        if not text.isascii():
            text = to_ascii(text) if self._ascii else text
            cells = cell_len(text)
            if cells != len(text):
                # What is wide, combines or joins can't be told apart by cells: the first cell holds all of it.
                self._signs[at : at + cells] = [text, *[""] * (cells - 1)]
                self._styles[at : at + cells] = _FILLS[code][:cells]
                return cells
        end = at + cells
        self._signs[at:end] = text
        self._styles[at:end] = _FILLS[code][:cells]
        return cells
