"""Prints a treemap: what it is of, the picture, and what its colours stand for.

In as many colours as the terminal has, down to 16. Where it has none, and on a pipe, textures take their place. The
picture itself, with every name in it made safe and cut to its width, comes from `storage.treemap`.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pulsetui.cli.output import print_line
from pulsetui.storage.treemap.canvas import Part, Run, Style, draw
from pulsetui.storage.treemap.colours import NEUTRAL, Mode, Palette, palette
from pulsetui.storage.treemap.layout import GROUP_CELLS, TreemapLayout, allocated, apparent
from pulsetui.units import format_size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from pulsetui.storage.views import StorageNode

__all__ = ["GROUP_CELLS", "LEVELS", "Wanted", "picture_size", "print_picture"]

LEVELS = 3
"""How many levels a picture shows unless told otherwise."""
_BESIDE_ROWS = 3
"""The line above the picture, the one below it, and the shell's next one."""
_ON_GROUND = {Part.NAME: "bold", Part.PICKED_NAME: "bold", Part.RULE: "bright_black", Part.GHOST: "bright_black"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the picture is to be."""

    size_cells: tuple[int, int]
    levels: int
    by: str
    apparent: bool
    now: datetime


def picture_size(asked: tuple[int, int] | None) -> tuple[int, int]:
    """Return columns and rows of the picture: those asked for, or what the terminal has room for."""
    if asked is not None:
        return asked
    columns, rows = shutil.get_terminal_size()
    return max(20, columns), max(5, rows - _BESIDE_ROWS)


def print_picture(tree: StorageNode, wanted: Wanted, *, remark: str = "") -> None:
    """Print the treemap of a tree, with a `remark` behind its size."""
    print_line(_said(tree, remark))
    measure = apparent if wanted.apparent else allocated
    if not measure(tree) and not tree.incoming_bytes:
        print_line("there is nothing in it")
        return
    console = _console(wanted.size_cells[0])
    few = console.color_system == "standard"
    plain = console.color_system is None or console.no_color
    colours = palette(Mode(wanted.by), now=wanted.now)
    layout = TreemapLayout().lay_out(tree, *wanted.size_cells, measure=measure, depth_limit=wanted.levels)
    ascii_only = sys.stdout.encoding == "ascii"
    picture = draw(layout, colours, ascii_only=ascii_only, textured=plain, outlined=few)
    painter = _Painter(colours, few=few, plain=plain)
    for row in picture.rows:
        _print(console, painter.row(row))
    _print(console, painter.legend())


def _said(tree: StorageNode, remark: str) -> str:
    size = tree.size
    files = "1 file" if size.file_count == 1 else f"{size.file_count:,} files"
    parts = [f"{format_size(size.allocated_bytes)} on disk", f"{format_size(size.total_bytes)} in {files}", remark]
    return f"{tree.name}: {', '.join(filter(None, parts))}"


def _console(columns: int) -> Console:
    from rich.console import Console  # for pictures alone: it takes a tenth of a second

    return Console(width=columns, highlight=False, markup=False, emoji=False)


def _print(console: Console, line: Text) -> None:
    console.print(line, soft_wrap=True)


class _Painter:
    """Turns runs into lines of a terminal."""

    def __init__(self, colours: Palette, *, few: bool, plain: bool) -> None:
        self._colours = colours
        self._few = few
        self._plain = plain
        self._styles: dict[Style, str] = {}

    def row(self, runs: Sequence[Run]) -> Text:
        return self._text((text, self._style(style)) for text, style in runs)

    def legend(self) -> Text:
        """Return what the colours, or the textures, stand for."""
        pieces = [(f"{self._colours.mode}: ", "")]
        for entry in self._colours.legend():
            if self._plain:
                mark = self._colours.steps[entry.step].texture
                pieces.append((f"{mark * 2 if mark.strip() else '(empty)'} {entry.label}  ", ""))
            else:
                pieces.append((f" {entry.label} ", self._style(Style(Part.FIGURE, entry.step, 0))))
        return self._text(pieces)

    def _text(self, pieces: Iterable[tuple[str, str]]) -> Text:
        from rich.text import Text

        return Text.assemble(*pieces, no_wrap=True, end="")

    def _style(self, style: Style) -> str:
        found = self._styles.get(style)
        if found is None:
            found = self._styles[style] = "" if self._plain else self._make(style)
        return found

    def _make(self, style: Style) -> str:
        if style.step == NEUTRAL or style.part in (Part.GHOST, Part.PICKED_RULE):
            return _ON_GROUND.get(style.part, "")
        look = self._colours.look(style.step, style.shade)
        bold = "bold " if style.part in (Part.NAME, Part.PICKED_NAME) else ""
        if self._few:
            return f"{bold}{look.named_foreground} on {look.named_background}"
        quiet = style.part in (Part.RULE, Part.HATCH)
        return f"{bold}{look.rule if quiet else look.foreground} on {look.background}"
