"""A course of values as a filled line of Braille dots: two columns of values a cell, four steps a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

_STEPS = 4
_LEFT = (0, 0x40, 0x44, 0x46, 0x47)
_RIGHT = (0, 0x80, 0xA0, 0xB0, 0xB8)
"""Dots of the left and the right column of a cell, filled from below (Unicode Braille patterns, U+2800 on)."""


def columns(points: Sequence[tuple[datetime, int]], count: int) -> list[int]:
    """Return the value at each of `count` equal steps of time: the last one known by then. Nothing without points.

    `points` are in the order of time. Equal steps keep a pause in the record as long as it was.
    """
    if not points:
        return []
    start, end = points[0][0].timestamp(), points[-1][0].timestamp()
    step_s = (end - start) / max(1, count - 1)
    values: list[int] = []
    at = 0
    for column in range(count):
        until = start + step_s * column + 1e-6
        while at + 1 < len(points) and points[at + 1][0].timestamp() <= until:
            at += 1
        values.append(points[at][1])
    return values


def sparkline(values: Sequence[int], height_cells: int = 1) -> list[str]:
    """Return lines of `len(values) / 2` cells, the highest first.

    The scale begins at the least value, which has one dot, so that a small change shows. A course without change is a
    line at half the height.
    """
    low = min(values, default=0)
    spread = max(values, default=0) - low
    steps = height_cells * _STEPS

    def level(value: int) -> int:
        return 1 + round((value - low) / spread * (steps - 1)) if spread > 0 else max(1, steps // 2)

    levels = [level(value) for value in values]
    levels += [0] * (len(levels) % 2)
    pairs = [pair for index, pair in enumerate(pairwise(levels)) if index % 2 == 0]
    return ["".join(_cell(pair, line * _STEPS) for pair in pairs) for line in reversed(range(height_cells))]


def _cell(levels: tuple[int, int], base: int) -> str:
    """Return the sign of two columns in the line that begins at `base` steps."""
    left, right = (min(_STEPS, max(0, level - base)) for level in levels)
    dots = _LEFT[left] | _RIGHT[right]
    return chr(0x2800 + dots) if dots else " "
