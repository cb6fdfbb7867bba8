"""The picture of a treemap: layout, drawing, and the animation between two trees.

The invariants: the cuts of every tree that was shown are kept, so that neither a refresh nor coming back shuffles
tiles; and only rows that came out otherwise are painted. Keys, mouse and messages are left to `treemap`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from textual.content import Content
from textual.geometry import Region
from textual.reactive import var
from textual.strip import Strip
from textual.timer import Timer

from pulsetui.storage.treemap.colours import Mode, Palette, palette
from pulsetui.storage.treemap.layout import Layout, TreemapLayout
from pulsetui.storage.treemap.picture import Picture, Row, changed_spans
from pulsetui.storage.views import StorageNode, StorageView
from pulsetui.tui.renderables.storage import Measure
from pulsetui.tui.renderables.tiles import TileStyles, hatched
from pulsetui.tui.renderables.vacant import storage_vacant
from pulsetui.tui.theme import SIXTEEN_THEME
from pulsetui.tui.widgets.lines import at_or_blank, state_of
from pulsetui.tui.widgets.node_picture import NodePicture
from pulsetui.tui.widgets.zoom import FRAME_S, Zoom

DEPTH = 3
"""Levels that are drawn where there is room."""


class _Tiles(NamedTuple):
    """What a row of tiles is drawn from."""

    mode: Mode
    row: Row


class TilePicture(NodePicture):
    """Draws a frozen tree as tiles; the selected one has a heavy frame."""

    marked: var[frozenset[str]] = var(frozenset())
    """Keys of tiles that are hatched."""
    ascii_only: var[bool] = var(False)

    def __init__(self, *, id: str | None = None, depth: int = DEPTH) -> None:  # noqa: A002 - Textual's name
        """Take how many levels are drawn."""
        super().__init__(id=id)
        self._depth = depth
        self._cuts = TreemapLayout()
        self._laid: tuple[Hashable, StorageNode, Layout] | None = None
        self._scale: Palette = palette(Mode.SIZE, now=datetime.now(UTC))
        self._picture: tuple[Hashable, Layout, Picture] | None = None
        self._rows: tuple[Row, ...] = ()
        self._drawn_cells = 0
        self._styles: tuple[Hashable, TileStyles] | None = None
        self._zoom: Zoom | None = None
        self._frames: Timer | None = None

    @property
    def tiles(self) -> Layout | None:
        """Where the tiles are, or None while there is nothing to show."""
        view, size = self.view, self.content_size
        if view is None or view.snapshot_at is None or not (view.tree.children and size.area):
            return None
        how = (size, self.apparent, self.hidden)
        if self._laid is None or self._laid[0] != how or self._laid[1] is not view.tree:
            self._laid = how, view.tree, self._lay_out(view.tree, size.width, size.height)
        return self._laid[2]

    @property
    def shown_key(self) -> str:
        """The key of the tile that the selected node shows in; empty where it is in none."""
        layout, wanted = self.tiles, self.selected
        if layout is None or wanted is None or wanted in layout.by_key:
            return wanted or ""
        for tile in reversed(layout.tiles):
            within = tile.others or ((tile.node,) if tile.node is not None else ())
            if any(node.key == wanted for top in within for node in top.walk()):
                return tile.key
        return ""

    @property
    def steps(self) -> frozenset[int]:
        """The steps of the scale that are on display, for the legend."""
        layout = self.tiles
        return self._picture_of(layout).steps if layout else frozenset()

    @property
    def _now(self) -> datetime:
        return self.now or datetime.now(UTC)

    def repack(self) -> None:
        """Lay all tiles out anew, by their sizes alone."""
        self._cuts.repack()
        self._laid = None
        self.changed()

    def _lay_out(self, tree: StorageNode, width_cells: int, height_cells: int) -> Layout:
        measure = Measure(self.apparent, self.hidden)
        return self._cuts.lay_out(tree, width_cells, height_cells, measure=measure, depth_limit=self._depth)

    def on_resize(self) -> None:
        """Draw in the new size."""
        self.end_zoom()
        self.repaint()

    def repaint(self) -> None:
        """Draw the tiles anew, and paint the rows that came out otherwise."""
        layout = self.tiles
        self._rows = self._picture_of(layout).rows(self.shown_key) if layout else ()
        self._drawn_cells = layout.width if layout else 0
        super().repaint()

    def line_state(self, y: int) -> Hashable:
        """Return the drawn row, or the frame of an animation."""
        if self._zoom is not None:
            return self._zoom, self._zoom.frame, y
        if self._rows:
            return _Tiles(self._scale.mode, self._rows[y] if y < len(self._rows) else ())
        return state_of(at_or_blank(self._vacant(), y))

    def changed_spans(self, y: int, before: Hashable, after: Hashable, width_cells: int) -> Sequence[tuple[int, int]]:
        """Return where two rows of tiles differ: to move the frame, a terminal far away gets that and no more."""
        if isinstance(before, _Tiles) and isinstance(after, _Tiles) and before.mode is after.mode:
            return changed_spans(before.row, after.row)
        return super().changed_spans(y, before, after, width_cells)

    def draw_line(self, y: int, width_cells: int) -> tuple[Content, str]:  # noqa: ARG002 - drawn already
        """Return what stands there while there are no tiles."""
        return at_or_blank(self._vacant(), y), ""

    def strip_of(self, y: int, width_cells: int) -> Strip:
        """Return one row as the terminal gets it."""
        if self._zoom is not None:
            return self._zoom.strip(y, width_cells)
        if y >= len(self._rows):
            return super().strip_of(y, width_cells)
        # Between a change of size and the new picture, the old one is painted once.
        return self._strip_of(self._rows[y], self._drawn_cells).adjust_cell_length(width_cells)

    def _picture_of(self, layout: Layout) -> Picture:
        """Return a layout drawn as it is to be now, without the selection; it is drawn once."""
        few, none = self.app.theme == SIXTEEN_THEME, self.app.no_color
        how = (self.mode, self._now if self.mode is Mode.AGE else None, self.marked, self.ascii_only, few, none)
        if self._picture is None or self._picture[0] != how or self._picture[1] is not layout:
            self._scale = palette(self.mode, now=self._now)
            marked = hatched(layout, self.marked)
            drawn = Picture(layout, self._scale, marked, ascii_only=self.ascii_only, textured=none, outlined=few)
            self._picture = how, layout, drawn
        return self._picture[2]

    def _strip_of(self, row: Row, width_cells: int) -> Strip:
        """Return a drawn row as the terminal gets it."""
        look = self.app.theme, self._scale.mode
        if self._styles is None or self._styles[0] != look:
            self._styles = look, TileStyles(self._scale, self.app.theme_variables, few=self.app.theme == SIXTEEN_THEME)
        return self._styles[1].strip(row, width_cells)

    def _vacant(self) -> Sequence[Content]:
        """Return the lines for while there are no tiles."""
        return storage_vacant(self.view, self.failure, *self.content_size)

    def watch_view(self, old: StorageView | None, new: StorageView | None) -> None:
        """Show another tree; the way into a tile of the old one, or out to what that was in, is animated."""
        if old is None or new is None:
            self.end_zoom()
        elif old.tree.key != new.tree.key:
            self.end_zoom()
            self._begin_zoom(old.tree, new.tree)
        self.changed()

    def _begin_zoom(self, old: StorageNode, new: StorageNode) -> None:
        size = self.content_size
        if self.app.animation_level == "none" or not self._rows or not self.is_on_screen or not self.tiles:
            return
        before, after = self._lay_out(old, *size), self._lay_out(new, *size)
        opening = new.key in before.by_key
        tile = before.by_key.get(new.key) or after.by_key.get(old.key)
        if tile is None:
            return
        under = self._rows if opening else self._picture_of(after).rows()
        inner = new if opening else old

        def paint(width_cells: int, height_cells: int) -> list[Strip]:
            rows = self._picture_of(self._lay_out(inner, width_cells, height_cells)).rows()
            return [self._strip_of(row, width_cells) for row in rows]

        strips = [self._strip_of(row, size.width) for row in under]
        self._zoom = Zoom(strips, paint, Region(tile.x, tile.y, tile.width + 1, tile.height + 1), opening=opening)
        self._frames = self.set_interval(FRAME_S, self._advance)
        self._advance()

    def _advance(self) -> None:
        """Show the next frame, or the tree as it is."""
        if self._zoom is None or not self._zoom.advance(*self.content_size):
            self.end_zoom()
        self.changed()

    @property
    def is_zooming(self) -> bool:
        """Whether an animation is on."""
        return self._zoom is not None

    def end_zoom(self) -> None:
        """End the animation at once."""
        if self._frames is not None:
            self._frames.stop()
            self._frames = None
        if self._zoom is not None:
            self._zoom = None
            self.changed()

    def watch_marked(self) -> None:
        """Show what is marked."""
        self.changed()
