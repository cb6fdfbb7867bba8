"""Text on the screen: made safe, cut by display width, figures with their unit muted.

Everything that came from outside passes `safe` before it is measured or drawn. Nothing here parses markup.
"""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len
from textual.content import Content

from pulsetui.files.display import end_cut, head, middle_cut
from pulsetui.files.names import display_text
from pulsetui.tui import glyphs
from pulsetui.units import format_age, format_size

__all__ = [
    "age",
    "broken",
    "count",
    "end_cut",
    "figure",
    "heading",
    "left",
    "line",
    "middle_cut",
    "right",
    "safe",
    "size",
    "spread",
]

Part = str | Content | tuple[str, str]


def line(*parts: Part) -> Content:
    """Join strings, `(text, style)` pairs and contents into one line; a style may name a theme token (`$quiet`)."""
    return Content.assemble(*parts)


def safe(text: str) -> str:
    """Return text from outside with everything that could move the cursor or colour the screen made visible."""
    return display_text(text)


def broken(text: str, width_cells: int) -> list[str]:
    """Return `text`, safe already, in lines of at most `width_cells`; it is broken at blanks, or inside a long word."""
    lines: list[str] = []
    held, room = "", width_cells
    for word in text.split(" "):
        cells = cell_len(word)
        if held and cells + 1 > room:
            lines.append(held)
            held, room = "", width_cells
        while cells > width_cells > 1:
            start = head(word, width_cells)
            lines.append(start)
            word = word[len(start) :]
            cells = cell_len(word)
        held = f"{held} {word}" if held else word
        room = width_cells - cell_len(held)
    return [*lines, held]


def left(text: str, width_cells: int) -> str:
    """Return a name cut in the middle and padded to exactly `width_cells`."""
    shown = middle_cut(text, width_cells)
    return shown + " " * (width_cells - cell_len(shown))


def right(text: str, width_cells: int) -> str:
    """Return a figure padded on its left to at least `width_cells`."""
    return " " * (width_cells - cell_len(text)) + text


def figure(text: str, width_cells: int = 0, style: str = "") -> Content:
    """Return a figure such as `231 GB`, right-aligned, its unit muted; a dash stands for what isn't known."""
    number, space, unit = text.partition(" ")
    padding = " " * max(0, width_cells - cell_len(text))
    return line(padding, (number, style or "$foreground"), (space + unit, "$quiet"))


def size(size_bytes: int | None, width_cells: int = 0, style: str = "") -> Content:
    """Return bytes as a figure; None is a dash."""
    if size_bytes is None:
        return line((right("–", width_cells), "$quiet"))
    return figure(format_size(size_bytes), width_cells, style)


def age(moment: datetime, now: datetime, width_cells: int = 0) -> str:
    """Return how long ago `moment` was: `12s`, `4m`, `3h`, `2d`."""
    return right(format_age((now - moment).total_seconds()), width_cells)


def count(number: int, singular: str, plural: str = "") -> str:
    """Return `1 job` or `1,204 jobs`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def spread(start: Content, end: Content, width_cells: int) -> Content:
    """Return one line with `start` at its left and `end` at its right edge; `start` is cut where both don't fit."""
    room = width_cells - end.cell_length
    if start.cell_length >= room:
        start = start.truncate(max(0, room - 1), ellipsis=True)
    return line(start, " " * max(0, room - start.cell_length), end)


def heading(text: str, width_cells: int) -> Content:
    """Return what parts the rows of a list: a text in a rule."""
    rest = width_cells - cell_len(text) - 6
    return line((glyphs.RULE * 4, "$rule"), (f" {text} ", "$quiet"), (glyphs.RULE * max(0, rest), "$rule"))
