"""Pictures of square pixels in a terminal: each cell is two of them, one above the other, in half-blocks.

A cell is about twice as high as wide, so that what is round in pixels is round on the screen. Where there is no colour,
pixels carry a texture, and a cell shows the one that both of its pixels have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from pulsetui.tui.renderables.text import line


@dataclass(frozen=True, slots=True)
class Pixel:
    """How one pixel looks."""

    colour: str
    texture: str = ""
    """The character that stands for it; empty where the colour does. One with a texture fills its whole cell."""


def half_blocks(pixels: Sequence[Pixel | None], width: int) -> list[Content]:
    """Return the lines of a picture `width` pixels wide, given row by row; its height has to be even.

    None is the ground that it is drawn on.
    """
    lines: list[Content] = []
    for top in range(0, len(pixels), 2 * width):
        pairs = zip(pixels[top : top + width], pixels[top + width : top + 2 * width], strict=True)
        lines.append(line(*runs([cell(above, below) for above, below in pairs])))
    return lines


def cell(above: Pixel | None, below: Pixel | None) -> tuple[str, str]:
    """Return sign and style of a cell. One of two textures is left blank, as the line between them."""
    if above is None:
        return (" ", "") if below is None or below.texture else ("▄", below.colour)
    if above.texture:
        return (above.texture, above.colour) if below is not None and below.texture == above.texture else (" ", "")
    if below is None:
        return "▀", above.colour
    if above.colour == below.colour:
        return " ", f"on {above.colour}"
    return "▀", f"{above.colour} on {below.colour}"


def runs(cells: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join neighbours of one style."""
    joined: list[tuple[str, str]] = []
    for sign, style in cells:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + sign, style)
        else:
            joined.append((sign, style))
    return joined
