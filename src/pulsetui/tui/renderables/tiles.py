"""What the cells of a treemap are on the terminal: the palette's colours, and the theme's for what has none.

The invariant: a style of the picture and a look (theme, palette, number of colours) always make the same style of the
terminal, made once. The frame of the selected tile stands on the screen's own ground, so that it is seen on any colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.color import Color
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.strip import Strip

from pulsetui.storage.treemap.canvas import Part, Run, Style
from pulsetui.storage.treemap.colours import NEUTRAL, SIXTEEN, Palette
from pulsetui.storage.treemap.layout import Layout

_BOLD = {Part.NAME: True, Part.PICKED_NAME: True, Part.PICKED_RULE: True}


def hatched(layout: Layout, marked: frozenset[str]) -> frozenset[str]:
    """Return the keys of what is marked, and of all tiles in it."""
    found = set(marked)
    for tile in layout.tiles if found else ():  # groups come before what is in them
        if tile.parent in found:
            found.add(tile.key)
    return frozenset(found)


class TileStyles:
    """Turns runs into segments for one look."""

    def __init__(self, palette: Palette, theme: Mapping[str, str], *, few: bool) -> None:
        """Take the scale, the theme's variables, and whether there are 16 colours only."""
        self._palette = palette
        self._theme = theme
        self._few = few
        self._made: dict[Style, RichStyle] = {}

    def strip(self, row: Sequence[Run], width_cells: int) -> Strip:
        """Return one row."""
        made = self._made
        segments = []
        for text, style in row:
            found = made.get(style)
            if found is None:
                found = made[style] = self._make(style)
            segments.append(Segment(text, found))
        return Strip(segments, width_cells)

    def _make(self, style: Style) -> RichStyle:
        """Return one style."""
        front, back = self._colours(style)
        return RichStyle(color=Color.parse(front), bgcolor=Color.parse(back), bold=_BOLD.get(style.part))

    def _colours(self, style: Style) -> tuple[str, str]:
        """Return the colour of the text and the one behind it."""
        theme = self._theme
        if style.part in (Part.PICKED_RULE, Part.GHOST) or style.step == NEUTRAL:
            return theme[_ON_SCREEN[style.part]], theme["background"]
        look = self._palette.look(style.step, style.shade)
        if self._few:
            # By value, since Textual would turn the names into the colours of its own theme for them.
            return SIXTEEN[look.named_foreground], SIXTEEN[look.named_background]
        quiet = style.part in (Part.RULE, Part.HATCH)
        return (look.rule if quiet else look.foreground), look.background


_ON_SCREEN = {
    Part.FILL: "foreground",
    Part.RULE: "rule",
    Part.NAME: "foreground",
    Part.FIGURE: "quiet",
    Part.HATCH: "hatch",
    Part.PICKED_RULE: "accent",
    Part.PICKED_NAME: "accent",
    Part.GHOST: "hatch",
}
"""The theme's token for what stands on the screen's own ground."""
