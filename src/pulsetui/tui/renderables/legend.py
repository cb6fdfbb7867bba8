"""What the colours of storage stand for, and the keys that change the picture, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style

from pulsetui.storage.treemap.colours import UNKNOWN, LegendEntry, Mode
from pulsetui.tui import keys
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.text import line

_SWATCH_CELLS = 2
_LABEL_CELLS = (16, 5, 3)
"""How long labels are, as there is room."""


def legend(paint: Paint | None, steps: frozenset[int], words: Sequence[tuple[str, str]], width_cells: int) -> Content:
    """Return the scale, if there is one, and the keys with what they are at.

    `steps` are those on display: what has no order lists no others. `words` are ids of actions with what to say for
    them, the most telling first; they give way from the end, but for the first, and then the labels of the scale do.
    """
    items = [_item(name, word) for name, word in words]
    gap = "   " if width_cells >= 100 else "  "
    scales = _scales(paint, steps)
    for shown in range(len(items), 0, -1):
        after = line(gap).join(items[:shown])
        for scale in scales:
            joined = line(" ", scale, gap if scale.plain else "", after)
            if joined.cell_length <= width_cells:
                return joined
    return line(" ", scales[-1], gap, items[0]).truncate(width_cells)


def _scales(paint: Paint | None, steps: frozenset[int]) -> list[Content]:
    """Return the scale in full and in short; of what has no order every step keeps a label."""
    if paint is None:
        return [Content("")]
    entries = _entries(paint, steps)
    if _has_no_order(paint):
        return [_full(paint, entries, cells) for cells in _LABEL_CELLS]
    return [_full(paint, entries, _LABEL_CELLS[0]), _short(paint, entries)]


def _item(name: str, word: str) -> Content:
    action = keys.action(name)
    item = line((action.key_text, "bold $accent"), (f" {word}", "$quiet"))
    return item.stylize(Style.from_meta({"@click": action.click}))


def _has_no_order(paint: Paint) -> bool:
    return paint.palette.mode is Mode.CATEGORY


def _entries(paint: Paint, steps: frozenset[int]) -> list[LegendEntry]:
    """Return what the legend lists: the whole scale, or of what has no order, what is there."""
    entries = paint.palette.legend()
    return [entry for entry in entries if entry.step in steps or not (_has_no_order(paint) or entry.label == UNKNOWN)]


def _full(paint: Paint, entries: Sequence[LegendEntry], label_cells: int) -> Content:
    """Return each step with its label, or the beginning of it."""
    shown = ((entry.step, entry.label[:label_cells]) for entry in entries)
    return line("  ").join(line(_swatch(paint, step), (f" {label}", "$quiet")) for step, label in shown)


def _short(paint: Paint, entries: Sequence[LegendEntry]) -> Content:
    """Return the steps side by side, with the labels of both ends."""
    if not entries:
        return Content("")
    swatches = (_swatch(paint, entry.step) for entry in entries)
    return line((f"{entries[0].label} ", "$quiet"), *swatches, (f" {entries[-1].label}", "$quiet"))


def _swatch(paint: Paint, step: int) -> Content:
    """Return a step as its tiles look."""
    if paint.none:
        return line(f"[{paint.texture(step)}]")
    return line((" " * _SWATCH_CELLS, f"on {paint.ground(step)}"))
