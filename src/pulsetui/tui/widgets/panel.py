"""The frame that all panels share: a rounded border with its title left and its figures right in it.

Lines are drawn by `renderables`; here they become strips.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.content import Content
from textual.reactive import reactive
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.text import line, safe


def strip(widget: Widget, content: Content, width_cells: int, ground: str = "") -> Strip:
    """Turn one drawn line into a strip of exactly `width_cells`; `ground` is a style below all of it."""
    parse = widget.app.stylesheet.parse_style
    base = widget.visual_style + (parse(ground) if ground else Style.null())
    segments = [Segment(text, style.rich_style) for text, style in content.render(base, "", parse_style=parse)]
    return Strip(segments, content.cell_length).adjust_cell_length(width_cells, base.rich_style)


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
    foot: reactive[str] = reactive("")
    """What the bottom border says; text from outside is fine."""

    def figures(self) -> Content:
        """Return the figures for the right of the top border."""
        return Content("")

    def frame(self) -> None:
        """Draw the top border anew. Called whenever the figures or the width change."""
        width = self.outer_size.width - 6
        active = self.has_focus or self.has_focus_within
        style = ("bold reverse" if self.app.no_color else "bold $accent") if active else "bold $foreground"
        title = line((self.title, style))
        figures = self.figures()
        room = width - title.cell_length - 2
        if room < 8:
            self.border_title = title
            return
        figures = figures.truncate(room - 2, ellipsis=True) if figures.cell_length > room - 2 else figures
        rule = glyphs.RULE * (width - title.cell_length - figures.cell_length - (2 if figures.plain else 1))
        self.border_title = line(title, " ", rule, " " if figures.plain else "", figures)

    def watch_foot(self, foot: str) -> None:
        """Put the foot into the bottom border."""
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
