"""The picture of a sunburst: layout, drawing, and what is said of the arc that is selected.

The invariant: only lines that came out otherwise are painted. Keys, mouse and messages are left to `sunburst`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime

from textual.content import Content
from textual.geometry import Offset

from pulsetui.storage.treemap.colours import palette
from pulsetui.storage.views import StorageNode
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.place import Spot, focus_lines, stand_in
from pulsetui.tui.renderables.rings import as_tile, lay_rings
from pulsetui.tui.renderables.storage import Measure, index_of
from pulsetui.tui.renderables.sunburst import SunburstPicture
from pulsetui.tui.renderables.vacant import storage_vacant
from pulsetui.tui.theme import SIXTEEN_THEME
from pulsetui.tui.widgets.lines import at_or_blank, state_of
from pulsetui.tui.widgets.node_picture import NodePicture

_LABEL_ROWS = 2
_FEWEST_ROWS = 4


class RingPicture(NodePicture):
    """Draws a frozen tree as rings; the selected arc has a rim."""

    def __init__(self, *, id: str | None = None, labelled: bool = False) -> None:  # noqa: A002 - Textual's name
        """Start empty; `labelled` says below the rings what is selected, where nobody else does."""
        super().__init__(id=id)
        self._label_rows = _LABEL_ROWS if labelled else 0
        self._laid: tuple[Hashable, StorageNode, SunburstPicture] | None = None
        self._drawn: Sequence[Content] = ()

    @property
    def picture(self) -> SunburstPicture | None:
        """The rings in the present size, or None while there is nothing to show or no room."""
        view, size = self.view, self.content_size
        rows = min(size.height - self._label_rows, size.width // 2)
        measure = Measure(self.apparent, self.hidden)
        if view is None or view.snapshot_at is None or rows < _FEWEST_ROWS or not measure(view.tree):
            return None
        how = (rows, measure)
        if self._laid is None or self._laid[0] != how or self._laid[1] is not view.tree:
            self._laid = how, view.tree, SunburstPicture(lay_rings(view.tree, rows * 2, measure), rows)
        return self._laid[2]

    @property
    def shown_key(self) -> str:
        """The key of the arc that the selected node shows in: its own, the others', or what it is in."""
        picture = self.picture
        if picture is None or self.view is None:
            return ""
        index = index_of(self.view.tree)
        key = self.selected
        while key is not None and picture.rings.find(key) is None:
            if (others := picture.rings.find_others(key)) is not None:
                return others
            above = index.parent(key)
            key = above.key if above is not None else None
        return key or ""

    def spot(self, key: str) -> Spot | None:
        """Return what is said of an arc, or None where there is none of that key."""
        picture, view = self.picture, self.view
        arc = picture.rings.find(key) if picture is not None else None
        if picture is None or view is None or arc is None or (node := stand_in(as_tile(arc, picture.rings))) is None:
            return None
        inside = index_of(view.tree).path(arc.parent) if arc.parent is not None else ()
        above = (*view.ancestors, *inside)
        return Spot(node, above, view.whole, self.growth_s, view.snapshot_at, self.apparent)

    def repaint(self) -> None:
        """Draw the rings anew, and paint the lines that came out otherwise."""
        picture = self.picture
        self._drawn = self._draw(picture) if picture is not None else self._vacant()
        super().repaint()

    def line_state(self, y: int) -> Hashable:
        """Return the drawn line."""
        return self.mode, state_of(at_or_blank(self._drawn, y))

    def draw_line(self, y: int, width_cells: int) -> tuple[Content, str]:  # noqa: ARG002 - drawn already
        """Return the drawn line."""
        return at_or_blank(self._drawn, y), ""

    def _draw(self, picture: SunburstPicture) -> Sequence[Content]:
        """Return the rings in the middle, and the lines about the selected arc below."""
        now = self.now or datetime.now(UTC)
        scale = palette(self.mode, now=now)
        steps = scale.steps_of([as_tile(arc, picture.rings) for arc in picture.arcs])
        by_key = {arc.key: step for arc, step in zip(picture.arcs, steps, strict=True)}
        paint = Paint(scale, few=self.app.theme == SIXTEEN_THEME, none=self.app.no_color)
        key = self.shown_key
        left, top = self._offset(picture)
        rings = [line.pad_left(left) for line in picture.draw(paint, by_key, key)]
        if not self._label_rows:
            return [*[Content("")] * top, *rings]
        blank = [Content("")] * (self.content_size.height - self._label_rows - top - len(rings))
        return [*[Content("")] * top, *rings, *blank, *focus_lines(self.spot(key), now, self.content_size.width)]

    def _offset(self, picture: SunburstPicture) -> tuple[int, int]:
        """Return the cells to the left of the rings and above them."""
        width, height = self.content_size
        return (width - picture.side) // 2, (height - self._label_rows - picture.rows) // 2

    def _vacant(self) -> Sequence[Content]:
        """Return the lines for while there are no rings."""
        return storage_vacant(self.view, self.failure, *self.content_size)

    def middle_of(self, key: str) -> Offset:
        """Return the cell of the screen where an arc's name would begin, or the widget's middle."""
        at, picture = self.content_region, self.picture
        found = picture.middle_of(key) if picture is not None else None
        if picture is None or found is None:
            return at.offset + Offset(at.width // 2, at.height // 2)
        left, top = self._offset(picture)
        return at.offset + Offset(left + found[0], top + found[1])

    def on_resize(self) -> None:
        """Draw in the new size."""
        self.changed()
