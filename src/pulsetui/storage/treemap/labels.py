"""What a tile says: its name cut to its width, its size, its true share.

The invariant: a label is never wider than asked for, and says less rather than something cut: a size or a percentage is
there whole or not at all.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len

from pulsetui.files.display import name_cut
from pulsetui.storage.treemap.layout import Tile
from pulsetui.units import format_size

SEPARATOR = " · "
_FEWEST_NAME_CELLS = 6
"""A group's figures give way where less would be left of its name."""
FEWEST_SIZE_CELLS = 6
"""No size from 1 kB on is written shorter: `123 GB`."""

size_text = lru_cache(8192)(format_size)
"""The same sizes are written in every frame."""


def percent_text(share: float) -> str:
    """Return a share as people write it: `43 %`, `0.4 %` below one percent, `< 0.1 %` below what that can say."""
    percent = share * 100
    if percent >= 1:
        return f"{int(percent + 1e-9)} %"
    return f"{percent:.1f} %" if percent >= 0.1 else "< 0.1 %"


def name_of(tile: Tile) -> str:
    """Return a tile's name as it came: raw text from outside where it is a node's."""
    if tile.node is not None:
        return tile.node.name
    if tile.kind == "ghost":
        return "incoming"
    number = len(tile.others)
    return f"{number:,} {'other' if number == 1 else 'others'}"


def title(tile: Tile, width_cells: int) -> str:
    """Return a tile's name at most `width_cells` wide."""
    if tile.node is None:
        whole = name_of(tile)
        return whole if len(whole) <= width_cells else short(tile, width_cells)
    return name_cut(tile.node.name, width_cells)


def short(tile: Tile, width_cells: int) -> str:
    """Return what names a tile in the least room."""
    if tile.node is not None:
        return name_cut(tile.node.name, width_cells)
    number = f"+{len(tile.others):,}"
    return number if tile.kind == "others" and len(number) <= width_cells else ""


@lru_cache(16384)
def filling(name: str, width_cells: int) -> str:
    """Return a name in exactly so many cells, with a blank before it: the line of a small tile. Remembered."""
    shown = name_cut(name, width_cells - 1)
    return f" {shown}{' ' * (width_cells - 1 - cell_len(shown))}"


def figures(tile: Tile, width_cells: int) -> str:
    """Return a tile's size and share, or its size, or nothing, as there is room."""
    if width_cells < FEWEST_SIZE_CELLS and tile.size_bytes >= 1000:
        return ""
    size = size_text(tile.size_bytes)
    if len(size) > width_cells:
        return ""
    if tile.kind == "ghost":
        return size
    both = f"{size}{SEPARATOR}{percent_text(tile.share)}"
    return both if len(both) <= width_cells else size


def group_title(tile: Tile, width_cells: int) -> tuple[str, str]:
    """Return a group's name and what follows it: ` · 612 GB · 43 %` or as much of that as leaves a name."""
    least = min(_FEWEST_NAME_CELLS, len(name_of(tile)))
    said = figures(tile, width_cells - least - len(SEPARATOR))
    behind = f"{SEPARATOR}{said}" if said else ""
    return title(tile, width_cells - len(behind)), behind
