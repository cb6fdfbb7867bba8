"""The keys that matter here."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style

from pulsetui.tui import keys
from pulsetui.tui.renderables.text import line
from pulsetui.tui.widgets.drawn import Drawn


class KeyLine(Drawn):
    """Shows the keys of one place from the table of actions; each can be clicked."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; }
    """

    def __init__(self, place: keys.Place, *, here: str = "") -> None:
        """Take the place, and the id of the action that led here, which stands out."""
        super().__init__()
        self._place = place
        self._here = here

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return as many keys as fit, in the order of the table."""
        items = [self._item(action) for action in keys.footer(self._place)]
        cells = sum(item.cell_length for item in items)
        gap = 3 if cells + 3 * len(items) <= width_cells else 2 if cells + 2 * len(items) <= width_cells else 1
        while items and 1 + sum(item.cell_length + gap for item in items) - gap > width_cells:
            items.pop()
        return [line(" ", line(" " * gap).join(items))]

    def _item(self, action: keys.Action) -> Content:
        """Return one key with its label."""
        here = action.id == self._here
        label = "bold $foreground" if here else "$quiet"
        item = line((action.key_text, "bold $accent"), (f" {action.label}", label))
        return item.stylize(Style.from_meta({"@click": action.click}))
