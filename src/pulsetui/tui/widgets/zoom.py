"""The animation between a tree and one in it: a few frames in which a tile grows to the whole picture, or back.

Pure drawing of strips: it knows neither the clock nor the widget. The invariant: every frame has the size of the
picture, and the last one before the end still shows both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Region
from textual.strip import Strip

FRAMES = 5
FRAME_S = 0.06
"""5 frames take 300 ms; the whole way is done in 400 ms."""

Paint = Callable[[int, int], Sequence[Strip]]
"""Draws the inner tree in a picture of that width and height."""


class Zoom:
    """One way in or out, frame by frame."""

    def __init__(self, under: Sequence[Strip], paint: Paint, tile: Region, *, opening: bool) -> None:
        """Take the outer tree's picture, what draws the inner one, and its tile in the outer one."""
        self._under = under
        self._paint = paint
        self._tile = tile
        self._opening = opening
        self.frame = 0
        self._at: Region = tile
        self._over: Sequence[Strip] = ()

    def advance(self, width_cells: int, height_cells: int) -> bool:
        """Go on to the next frame; tell whether there is one."""
        if self.frame >= FRAMES:
            return False
        self.frame += 1
        done = self.frame / (FRAMES + 1)
        eased = 1 - (1 - done) ** 2
        grown = eased if self._opening else 1 - eased
        tile, whole = self._tile, Region(0, 0, width_cells, height_cells)
        left = round(tile.x * (1 - grown))
        top = round(tile.y * (1 - grown))
        right = round(tile.right + (whole.right - tile.right) * grown)
        bottom = round(tile.bottom + (whole.bottom - tile.bottom) * grown)
        self._at = Region.from_corners(left, top, min(right, whole.right), min(bottom, whole.bottom))
        self._over = self._paint(self._at.width, self._at.height)
        return True

    def strip(self, y: int, width_cells: int) -> Strip:
        """Return one row of the frame."""
        under = self._under[y] if y < len(self._under) else Strip.blank(width_cells)
        row = y - self._at.y
        if not 0 <= row < len(self._over):
            return under.adjust_cell_length(width_cells)
        joined = Strip.join([under.crop(0, self._at.x), self._over[row], under.crop(self._at.right, width_cells)])
        return joined.adjust_cell_length(width_cells)
