"""A widget that is a few drawn lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from pulsetui.tui.widgets.panel import strip


class Drawn(Widget):
    """Shows the lines that `draw` returns, each cut or filled to the width; as high as they are many."""

    DEFAULT_CSS = """
    Drawn { height: auto; width: 1fr; color: $foreground; }
    """

    _drawn: tuple[int, Sequence[Content]] | None = None

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the lines."""
        raise NotImplementedError

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Forget what was drawn, so that each change is drawn once and not once a line."""
        self._drawn = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def redraw(self) -> None:
        """Draw anew; the layout follows where the number of lines changed."""
        lines = self.draw(self.content_size.width) if self.content_size.width else ()
        self.refresh(layout=len(lines) != self.content_size.height and self.styles.auto_dimensions)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return the number of lines."""
        return len(self.draw(width))

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width = self.content_size.width
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, self.draw(width))
        lines = self._drawn[1]
        return strip(self, lines[y] if y < len(lines) else Content(""), width)
