"""Panels of drawn lines: a picture as high as its panel, and a text that scrolls in it.

Invariant: frame and lines are of the same moment: whatever has the lines drawn anew has the frame drawn, too.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.content import Content

from pulsetui.tui import keys
from pulsetui.tui.widgets.drawn import Drawn
from pulsetui.tui.widgets.lines import ScrollLines, at_or_blank, state_of
from pulsetui.tui.widgets.panel import Framed


class FramedDrawn(Drawn, Framed):
    """A panel of a few drawn lines."""

    def repaint(self) -> None:
        """Draw frame and lines anew where they changed."""
        self.frame()
        super().repaint()

    def on_resize(self) -> None:
        """Fit frame and lines to the new size."""
        self.repaint()


class FramedText(ScrollLines, Framed, can_focus=True):
    """A panel with a text that scrolls; a subclass draws its lines."""

    DEFAULT_CSS = """
    FramedText {
        overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; padding: 0 1; color: $foreground;
    }
    """
    BINDINGS = keys.bindings("scroll")

    _lines: Sequence[Content] = ()

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the text's lines."""
        raise NotImplementedError

    def line_state(self, y: int) -> Hashable:
        """Return the drawn line."""
        return state_of(at_or_blank(self._lines, y + self.scroll_offset.y))

    def draw_line(self, y: int, width_cells: int) -> tuple[Content, str]:  # noqa: ARG002 - drawn already
        """Return the drawn line."""
        return at_or_blank(self._lines, y + self.scroll_offset.y), ""

    def repaint(self) -> None:
        """Draw the text anew, and paint what changed of it."""
        self._lines = self.draw(self.lines_size.width)
        self.reckon(len(self._lines))
        self.frame()
        super().repaint()

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self.repaint()
