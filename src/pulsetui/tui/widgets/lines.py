"""What widgets of drawn lines share: each line is painted again only when what it is drawn from changed, and where.

Painting is what a terminal costs: a whole screen takes tens of milliseconds, one line less than one. So a widget says
of each line what it is drawn from (its state, a plain value), and a change is compared with what is on display; of a
line that changed, the cells that came out otherwise are painted. The invariant: two lines of the same state, width and
look are the same line.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from inspect import signature
from itertools import zip_longest
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

_KEPT_STRIPS = 512
"""Strips that are kept ready for when a line moves or comes back: some screens full."""
_NEAR_CELLS = 8
"""Changed cells that lie so close together are sent as one: going to a cell takes a terminal about as many bytes."""


class Lines(Widget):
    """A widget of lines; a subclass says what each is drawn from, and draws one."""

    def __init__(self, *children: Widget, **options: Any) -> None:
        """Take what a widget takes."""
        super().__init__(*children, **options)
        self._painted: dict[int, tuple[int, Hashable]] = {}
        self._strips: LRUCache[Hashable, Strip] = LRUCache(_KEPT_STRIPS)
        self._terminal_styles: dict[tuple[str, str | Style], RichStyle] = {}
        self._look: tuple[str, Style] | None = None
        self._due = False
        self._shown_ages: Hashable = None

    def line_state(self, y: int) -> Hashable:
        """Return what line `y` of the content is drawn from, its width aside."""
        raise NotImplementedError

    def draw_line(self, y: int, width_cells: int) -> tuple[Content, str]:
        """Return line `y`, and the style of the ground below all of it or an empty one."""
        raise NotImplementedError

    def changed_spans(self, y: int, before: Hashable, after: Hashable, width_cells: int) -> Sequence[tuple[int, int]]:
        """Return where line `y` differs between two states, as first cells and the cells behind the last.

        Here, by drawing the new line, which is painted in a moment anyway, and comparing it with the old one.
        """
        old = self._strips.get((width_cells, before))
        return differing_cells(old, self._kept(y, width_cells, after)) if old is not None else ((0, width_cells),)

    @property
    def lines_size(self) -> Size:
        """How wide a line is, and how many are in view."""
        return self.content_size

    def changed(self) -> None:
        """Take note of a change. However many come at once, they are looked at together, as soon as may be."""
        if not self._due:
            self._due = True
            self.call_next(_take_in, self)

    def ages(self) -> Hashable:
        """Return what shows of the present time, for who calls `ticked`: while it stays, a tick costs nothing more."""
        return None

    def ticked(self) -> None:
        """Take note that the time went on, if that shows."""
        if not self._due and self.ages() != self._shown_ages:
            self.changed()

    def take_in(self) -> None:
        """Take in what changed."""
        self._due = False
        self.repaint()

    def repaint(self) -> None:
        """Paint the lines in view that aren't what is on display."""
        self._shown_ages = self.ages()
        self._mind_look()
        width, height = self.lines_size
        stale: list[Region] = []
        for y in range(height):
            painted_width, painted = self._painted.get(y, (-1, None))
            state = self.line_state(y)
            if painted_width != width:
                stale.append(Region(0, y, width, 1))
            elif painted != state:
                spans = self.changed_spans(y, painted, state, width)
                stale += [Region(start, y, end - start, 1) for start, end in spans]
        if stale:
            self.refresh(*stale)

    def render_line(self, y: int) -> Strip:
        """Return one line; it is drawn only if it wasn't drawn before."""
        self._mind_look()
        width = self.lines_size.width
        _, state = self._painted[y] = width, self.line_state(y)
        return self._kept(y, width, state)

    def _mind_look(self) -> None:
        """Forget all strips when they would be drawn otherwise by now."""
        look = self.app.theme, self.visual_style
        if look != self._look:
            self._look = look
            self._strips.clear()
            self._terminal_styles.clear()

    def _kept(self, y: int, width_cells: int, state: Hashable) -> Strip:
        """Return line `y` in its present state, drawn only if it wasn't drawn before."""
        strip = self._strips.get((width_cells, state))
        if strip is None:
            strip = self._strips[width_cells, state] = self.strip_of(y, width_cells)
        return strip

    def strip_of(self, y: int, width_cells: int) -> Strip:
        """Return line `y` as the terminal gets it. For what isn't drawn as content."""
        return self._strip(*self.draw_line(y, width_cells), width_cells)

    def _strip(self, content: Content, ground: str, width_cells: int) -> Strip:
        """Turn one drawn line into a strip of exactly `width_cells`."""
        drawn = Strip(Segment.simplify(self._segments(content, ground)), content.cell_length)
        return drawn.adjust_cell_length(width_cells, self._terminal_style(ground, ""))

    def _segments(self, content: Content, ground: str) -> list[Segment]:
        """Return the parts of a line. Styles side by side, as ours are, need none of Textual's work on overlaps."""
        text, at = content.plain, 0
        segments: list[Segment] = []
        for start, end, style in content.spans:
            if start < at:
                base = self._style(ground)
                drawn = content.render(base, "", parse_style=self.app.stylesheet.parse_style)
                return [Segment(part, style.rich_style) for part, style in drawn]
            segments.append(Segment(text[at:start], self._terminal_style(ground, "")))
            segments.append(Segment(text[start:end], self._terminal_style(ground, style)))
            at = end
        segments.append(Segment(text[at:], self._terminal_style(ground, "")))
        return [segment for segment in segments if segment.text]

    def _terminal_style(self, ground: str, style: str | Style) -> RichStyle:
        """Return what a style on a ground is on the terminal, in this widget's look."""
        found = self._terminal_styles.get((ground, style))
        if found is None:
            found = (self._style(ground) + self._parsed(style)).rich_style
            self._terminal_styles[ground, style] = found
        return found

    def _style(self, ground: str) -> Style:
        """Return the widget's own style on a ground."""
        return self.visual_style + self._parsed(ground)

    def _parsed(self, style: str | Style) -> Style:
        """Return a style by its words, in which a theme token may stand."""
        if isinstance(style, Style):
            return style
        return self.app.stylesheet.parse_style(style) if style else Style.null()


def _take_in(lines: Lines) -> None:
    """Have a widget take in what changed."""
    lines.take_in()


# Textual asks for it at each call, and to find it out takes as long as to draw a line.
_take_in.__signature__ = signature(_take_in)  # type: ignore[attr-defined]


class ScrollLines(ScrollView, Lines):
    """Lines that scroll. A change of their number costs no layout, unless the widget is as high as its content."""

    @property
    def lines_size(self) -> Size:
        """How wide a line is, and how many are in view."""
        return self.scrollable_content_region.size

    def reckon(self, lines: int) -> None:
        """Take note of how many lines there are."""
        size = Size(self.scrollable_content_region.width, lines)
        if size == self.virtual_size:
            return
        if self.styles.auto_dimensions:
            self.virtual_size = size
        else:
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return how many lines there are, for a widget that is as high as its content."""
        return self.virtual_size.height


def state_of(content: Content) -> Hashable:
    """Return a drawn line as a state: what it says, and how."""
    return content.plain, tuple(content.spans)


def at_or_blank(lines: Sequence[Content], y: int) -> Content:
    """Return a line, or a blank one where there is none."""
    return lines[y] if 0 <= y < len(lines) else Content("")


def differing_cells(before: Strip, after: Strip) -> list[tuple[int, int]]:
    """Return where two lines of the same width differ, as first cells and the cells behind the last.

    What is wider than a cell differs as a whole, so that no span begins or ends inside it.
    """
    spans: list[tuple[int, int]] = []
    olds, news = _cells(before), _cells(after)
    for at, (old, new) in enumerate(zip_longest(olds, news)):
        if old == new:
            continue
        if spans and at - spans[-1][1] <= _NEAR_CELLS:
            spans[-1] = spans[-1][0], at + 1
        else:
            spans.append((at, at + 1))
    return spans


def _cells(strip: Strip) -> list[Hashable]:
    """Return what is in each cell; each cell of a part that isn't one sign a cell is that whole part."""
    cells: list[Hashable] = []
    for text, style, _ in strip:
        if text.isascii() or cell_len(text) == len(text):
            cells += [(sign, style) for sign in text]
        else:
            first = len(cells)
            cells += [(first, text, style)] * cell_len(text)
    return cells
