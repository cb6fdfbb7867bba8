"""A widget that is a few drawn lines."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.content import Content
from textual.geometry import Size

from pulsetui.tui.widgets.lines import Lines, at_or_blank, state_of


class Drawn(Lines):
    """Shows the lines that `draw` returns, each cut or filled to the width; as high as they are many."""

    DEFAULT_CSS = """
    Drawn { height: auto; width: 1fr; color: $foreground; }
    """

    _drawn: tuple[Size, Sequence[Content]] | None = None

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the lines."""
        raise NotImplementedError

    def line_state(self, y: int) -> Hashable:
        """Return the drawn line."""
        return state_of(at_or_blank(self._lines(), y))

    def draw_line(self, y: int, width_cells: int) -> tuple[Content, str]:  # noqa: ARG002 - drawn already
        """Return the drawn line."""
        return at_or_blank(self._lines(), y), ""

    def repaint(self) -> None:
        """Draw anew; the layout follows where the number of lines changed."""
        self._drawn = None
        if self.styles.auto_dimensions and len(self._lines()) != self.content_size.height:
            self._shown_ages = self.ages()
            self.refresh(layout=True)
        else:
            super().repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return the number of lines."""
        return len(self.draw(width))

    def _lines(self) -> Sequence[Content]:
        """Return the lines for the present size, drawn once."""
        size = self.content_size
        if self._drawn is None or self._drawn[0] != size:
            self._drawn = size, self.draw(size.width) if size.width else ()
        return self._drawn[1]
