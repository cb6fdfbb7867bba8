"""The frame that all panels share: a rounded border with its title left and its figures right in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Self

from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive
from textual.widget import Widget

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.text import line, safe


def frame_css(name: str) -> str:
    """Return the frame's style for one class: Textual takes `DEFAULT_CSS` along the first base class only."""
    return f"""
    {name} {{
        border: round $rule;
        border-title-color: $rule;
        border-title-style: none;
        border-subtitle-color: $quiet;
        border-subtitle-style: none;
        border-subtitle-align: right;
    }}
    {name}:focus {{ border: round $accent; border-title-color: $accent; }}
    """


class Framed(Widget):
    """A panel's frame: title left, figures right, both in the top border; `foot` right in the bottom one."""

    title: str = ""
    foot: reactive[str] = reactive("", repaint=False)
    """What the bottom border says; text from outside is fine."""

    def __init__(self, *children: Widget, **options: Any) -> None:
        """Take what a widget takes."""
        super().__init__(*children, **options)
        self._top: Content | None = None
        self._edge: int | None = None

    def figures(self) -> Content:
        """Return the figures for the right of the top border."""
        return Content("")

    def frame(self) -> None:
        """Draw the top border anew if it changed. Called whenever the figures or the width change."""
        top = self._drawn_top()
        if self._top is not None and top.is_same(self._top):
            return
        self._top = top
        with self._only(0):
            self.border_title = top

    def _drawn_top(self) -> Content:
        """Return title, rule and figures for the width of the panel."""
        width = self.outer_size.width - 6
        active = self.has_focus or self.has_focus_within
        style = ("bold reverse" if self.app.no_color else "bold $accent") if active else "bold $foreground"
        title = line((self.title, style))
        room = width - title.cell_length - 2
        if room < 8:
            return title
        figures = self.figures()
        figures = figures.truncate(room - 2, ellipsis=True) if figures.cell_length > room - 2 else figures
        rule = glyphs.RULE * (width - title.cell_length - figures.cell_length - (2 if figures.plain else 1))
        return line(title, " ", rule, " " if figures.plain else "", figures)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Refresh as asked for; while a border's text is set, that border alone."""
        if self._edge is not None and not regions:
            offset = self.content_offset
            regions = (Region(-offset.x, self._edge - offset.y, self.outer_size.width, 1),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    @contextlib.contextmanager
    def _only(self, y: int) -> Iterator[None]:
        """Let a refresh of the whole panel be one of its line `y` alone: setting a border's text asks for all."""
        self._edge = y
        try:
            yield
        finally:
            self._edge = None

    def watch_foot(self, foot: str) -> None:
        """Put the foot into the bottom border."""
        with self._only(self.outer_size.height - 1):
            self.border_subtitle = line(safe(foot)) if foot else None

    def on_resize(self) -> None:
        """Fit the top border to the new width."""
        self.frame()

    def on_focus(self) -> None:
        """Show the focus in the title, too."""
        self.frame()

    def on_blur(self) -> None:
        """Take the focus out of the title."""
        self.frame()
