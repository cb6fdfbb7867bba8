"""A picture that is drawn once and on which the selection moves, since moving it is what every key press does.

The invariant: with any tile selected, the rows are those that `canvas.draw` returns for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len

from pulsetui.storage.treemap.colours import Palette
from pulsetui.storage.treemap.drawing import Drawing, Run
from pulsetui.storage.treemap.layout import Layout

Row = tuple[Run, ...]
"""A row in a form that can be compared."""


GAP_CELLS = 8
"""Cells between two changes that cost less to paint again than to jump over."""


def changed_spans(before: Row, after: Row) -> list[tuple[int, int]]:
    """Return where two rows differ, as first cells and the cells behind the last, in order.

    Rows of two widths, or with characters that are no cell wide or two, count as changed whole.
    """
    width = sum(cell_len(text) for text, _ in after)
    plain = all(cell_len(text) == len(text) for row in (before, after) for text, _ in row)
    if not plain or sum(len(text) for text, _ in before) != width:
        return [(0, width)]
    spans: list[tuple[int, int]] = []
    for start, end in _differences(before, after):
        if spans and start - spans[-1][1] <= GAP_CELLS:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return spans


def _differences(before: Row, after: Row) -> Iterator[tuple[int, int]]:
    """Yield the cells that differ, as far as runs of both rows go on side by side."""
    old, new = iter(before), iter(after)
    old_text, old_style = next(old, ("", None))
    new_text, new_style = next(new, ("", None))
    at = 0
    while old_text and new_text:
        cells = min(len(old_text), len(new_text))
        if old_style != new_style:
            yield at, at + cells
        elif (left := old_text[:cells]) != (right := new_text[:cells]):
            unlike = [index for index in range(cells) if left[index] != right[index]]
            yield at + unlike[0], at + unlike[-1] + 1
        at += cells
        old_text, new_text = old_text[cells:], new_text[cells:]
        if not old_text:
            old_text, old_style = next(old, ("", None))
        if not new_text:
            new_text, new_style = next(new, ("", None))


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
