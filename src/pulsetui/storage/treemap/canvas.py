"""The picture of a layout: lines of styled text, for any screen.

The invariants: every row is exactly as wide as the picture, whatever the names are; a row's runs differ in style from
one to the next. A style says what a cell is (`Part`) and of which colour step; which colours that makes is left to
`colours.Palette.look` and, for what has no step, to the screen's theme.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.storage.treemap.colours import Palette
from pulsetui.storage.treemap.drawing import Drawing, Run
from pulsetui.storage.treemap.layout import Layout
from pulsetui.storage.treemap.styles import NEUTRAL, OTHERS_STEP, Part, Style

__all__ = ["NEUTRAL", "OTHERS_STEP", "Canvas", "Part", "Run", "Style", "draw"]


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
    outlined: bool = False,
) -> Canvas:
    """Return the picture of a layout.

    `selected` is the key of the tile that the cursor is on; the nodes whose keys are in `marked` are hatched whole.
    `outlined` gives small tiles a border too, for screens of 16 colours, where neighbours of one step don't differ in
    shade; `textured`, for screens without colours, does so and fills tiles with their step's texture. With `ascii_only`
    every character is ASCII.
    """
    drawing = Drawing(layout, palette, selected, marked, ascii_only=ascii_only, textured=textured, outlined=outlined)
    drawing.fill()
    drawing.label()
    if (picked := layout.by_key.get(selected)) is not None:
        drawing.pick(picked)
    return Canvas(drawing.runs(), layout.width)
