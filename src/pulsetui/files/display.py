"""Text cut by display width: what a terminal shows of it, wide and combining characters counted as they are drawn.

Everything that came from outside is made safe first (`names.display_text`). No result is wider than asked for.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len

from pulsetui.files.names import display_text

CUT = "…"
_TWINS = {CUT: "~", "·": "-", "▸": ">"}
_EXTENSION_CHARACTERS = 12
"""What follows a last dot and is longer is no extension."""
_FEWEST_STEM_CELLS = 5
"""An extension is kept only where this much of the name before it stays; where less does, the stem says more."""


def middle_cut(text: str, width_cells: int) -> str:
    """Return `text` made safe and at most `width_cells` wide; what doesn't fit goes from its middle."""
    return _cut(display_text(text), width_cells)


@lru_cache(16384)
def name_cut(name: str, width_cells: int) -> str:
    """Return a file's name made safe and at most `width_cells` wide, cut in its middle so that its extension stays.

    Where there is no room for both, the extension goes first: `Part 12.mp4` in eight cells is `Part 12`. Remembered,
    because the same names are drawn in every frame.
    """
    shown = display_text(name)
    if cell_len(shown) <= width_cells:
        return shown
    stem, dot, extension = shown.rpartition(".")
    if not stem or not 0 < len(extension) <= _EXTENSION_CHARACTERS:
        return _cut(shown, width_cells)
    stem_cells = width_cells - cell_len(dot + extension)
    if stem_cells < _FEWEST_STEM_CELLS:
        return _cut(stem, width_cells)
    return _cut(stem, stem_cells) + dot + extension


def end_cut(text: str, width_cells: int) -> str:
    """Return `text` made safe and at most `width_cells` wide; what doesn't fit goes from its end. For sentences."""
    shown = display_text(text)
    if cell_len(shown) <= width_cells:
        return shown
    return head(shown, width_cells - 1) + CUT if width_cells > 0 else ""


def head(text: str, width_cells: int) -> str:
    """Return the longest start of `text`, safe already, that fits."""
    if text.isascii() or width_cells <= 0:
        return text[: max(0, width_cells)]
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > width_cells:
            return _fitting(text[:index], width_cells)
    return _fitting(text, width_cells)


def tail(text: str, width_cells: int) -> str:
    """Return the longest end of `text`, safe already, that fits and doesn't begin with a combining mark."""
    if text.isascii() or width_cells <= 0:
        return text[max(0, len(text) - max(0, width_cells)) :]
    used = 0
    start = len(text)
    for index in range(len(text) - 1, -1, -1):
        wide = cell_len(text[index])
        used += wide
        if used > width_cells:
            break
        if wide:
            start = index
    while cell_len(text[start:]) > width_cells:
        start += 1
    return text[start:]


@lru_cache(4096)
def to_ascii(text: str) -> str:
    """Return a name in ASCII at the same display width: `~` where it was cut, accents stripped, the rest as `?`."""
    if text.isascii():
        return text
    return "".join(_TWINS.get(character) or ascii_twin(character) for character in text)


def ascii_twin(character: str) -> str:
    """Return ASCII for one character, as wide as it is: without its accent, or `?`."""
    width = cell_len(character)
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii() and part.isprintable())
    return plain if plain and len(plain) == width else "?" * width


def _cut(text: str, width_cells: int) -> str:
    if cell_len(text) <= width_cells:
        return text
    if width_cells <= 0:
        return ""
    right_cells = (width_cells - 1) // 2
    return f"{head(text, width_cells - 1 - right_cells)}{CUT}{tail(text, right_cells)}"


def _fitting(text: str, width_cells: int) -> str:
    """Drop characters from the end: some are wider together than the sum of each (an emoji and its selector)."""
    while cell_len(text) > width_cells:
        text = text[:-1]
    return text
