"""Single-line borders that neighbours share: lines by a 4-bit mask per cell, joined where they meet.

The invariant: a cell's character has an arm exactly where a line leaves it. Horizontal lines are kept row by row and
vertical ones column by column, so that a line is one slice and the masks of a row are joined in one operation.
"""

from __future__ import annotations

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8

BOXES = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"
"""The character of each mask."""
ASCII_BOXES = " |||-+++-+++-+++"
_HEAVY_ROUND = {  # the arms of a heavy frame, and its character by the light arms that meet it
    LEFT | RIGHT: {0: "━", UP: "┷", DOWN: "┯", UP | DOWN: "┿"},
    UP | DOWN: {0: "┃", LEFT: "┨", RIGHT: "┠", LEFT | RIGHT: "╂"},
    RIGHT | DOWN: {0: "┏", LEFT: "┲", UP: "┢", LEFT | UP: "╆"},
    LEFT | DOWN: {0: "┓", RIGHT: "┱", UP: "┪", RIGHT | UP: "╅"},
    RIGHT | UP: {0: "┗", LEFT: "┺", DOWN: "┡", LEFT | DOWN: "╄"},
    LEFT | UP: {0: "┛", RIGHT: "┹", DOWN: "┩", RIGHT | DOWN: "╃"},
}
HEAVY_BOXES = {(light, heavy): sign for heavy, signs in _HEAVY_ROUND.items() for light, sign in signs.items()}
"""The character by light arms and heavy arms."""
ASCII_HEAVY = "#"


class Borders:
    """The lines of a picture."""

    __slots__ = ("_across", "_down", "height", "width")

    def __init__(self, width: int, height: int) -> None:
        """Start without any line."""
        self.width = width
        self.height = height
        self._across = bytearray(width * height)
        self._down = bytearray(width * height)

    def add(self, x: int, y: int, width: int, height: int) -> None:
        """Draw a box whose right and bottom lines are `width` and `height` cells from its left and top ones."""
        across, down = self._across, self._down
        for start in (y * self.width + x, (y + height) * self.width + x):
            across[start] |= RIGHT
            across[start + 1 : start + width] = _ACROSS[: width - 1]
            across[start + width] |= LEFT
        for start in (x * self.height + y, (x + width) * self.height + y):
            down[start] |= DOWN
            down[start + 1 : start + height] = _DOWN[: height - 1]
            down[start + height] |= UP

    def masks(self) -> bytearray:
        """Return every cell's arms, row by row."""
        down = b"".join(self._down[y :: self.height] for y in range(self.height))
        joined = int.from_bytes(self._across, "big") | int.from_bytes(down, "big")
        return bytearray(joined.to_bytes(self.width * self.height, "big"))


def frame(x: int, y: int, width: int, height: int) -> dict[tuple[int, int], int]:
    """Return the arms of a box's border by cell: column and row."""
    right, bottom = x + width, y + height
    cells = {
        (x, y): RIGHT | DOWN,
        (right, y): LEFT | DOWN,
        (x, bottom): RIGHT | UP,
        (right, bottom): LEFT | UP,
    }
    cells |= {(column, line): LEFT | RIGHT for column in range(x + 1, right) for line in (y, bottom)}
    return cells | {(column, line): UP | DOWN for line in range(y + 1, bottom) for column in (x, right)}


_LONGEST = 4096
_ACROSS = bytes([LEFT | RIGHT]) * _LONGEST
_DOWN = bytes([UP | DOWN]) * _LONGEST
