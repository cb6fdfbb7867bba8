"""A picture that is drawn once and on which the selection moves, since moving it is what every key press does.

The invariant: with any tile selected, the rows are those that `canvas.draw` returns for it.
"""

from __future__ import annotations

from pulsetui.storage.treemap.colours import Palette
from pulsetui.storage.treemap.drawing import Drawing, Run
from pulsetui.storage.treemap.layout import Layout

Row = tuple[Run, ...]
"""A row in a form that can be compared."""


class Picture(Drawing):
    """A layout drawn without a selection, kept to draw one into it."""

    def __init__(
        self,
        layout: Layout,
        palette: Palette,
        marked: frozenset[str] = frozenset(),
        *,
        ascii_only: bool = False,
        textured: bool = False,
        outlined: bool = False,
    ) -> None:
        """Draw all tiles; see `canvas.draw` for what is taken."""
        super().__init__(layout, palette, "", marked, ascii_only=ascii_only, textured=textured, outlined=outlined)
        self.fill()
        self.label()
        self._rows = tuple(tuple(row) for row in self.runs())
        self._codes_by_key = {tile.key: code for tile, code in zip(layout.tiles, self._codes, strict=True)}

    @property
    def steps(self) -> frozenset[int]:
        """The steps of the scale that are in the picture."""
        return frozenset(code >> 4 for code in self._codes)

    def rows(self, selected: str = "") -> tuple[Row, ...]:
        """Return the rows with a tile selected; those that it doesn't touch are always the same objects."""
        tile = self._layout.by_key.get(selected)
        if tile is None:
            return self._rows
        first, last = tile.y, min(self._height, tile.y + tile.height + 1)
        touched = slice(first * self._width, last * self._width)
        signs, styles = self._signs[touched], self._styles[touched]
        self._selected = selected
        self._say(tile, self._codes_by_key[selected])
        self.pick(tile)
        rows = tuple(tuple(row) for row in self.runs(first, last))
        self._selected = ""
        self._signs[touched], self._styles[touched] = signs, styles
        return (*self._rows[:first], *rows, *self._rows[last:])
