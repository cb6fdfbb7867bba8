"""What of a screen goes to the terminal: the cells that were said to have changed, and no more.

Textual renders each line of every widget that its update's bounding box might touch, and sends a changed span with all
that stands before it in its widget. On a screen whose clock ticks in the header while an age grows at the bottom, that
was most of the work of an idle second; over a slow line it is most of the wait for a key's answer. The invariant: what
is sent leaves the terminal as Textual's own update would.

This reaches into Textual's compositor, for which it has no public seam; `tests/tui/test_painting.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

_MOST_REGIONS = 100
"""Above so many changed regions, looking for the widgets that they are in costs more than rendering all of them."""


class SparingCompositor(Compositor):
    """Composes a screen; an update renders the changed lines of the widgets that changed."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self._updated: Sequence[Region] = ()

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what brings the terminal up to date, or None if nothing changed."""
        self._updated = tuple(self._dirty_regions) if len(self._dirty_regions) <= _MOST_REGIONS else ()
        try:
            update = super().render_partial_update()
        finally:
            self._updated = ()
        return None if update is None else _Spans(update.chops, update.spans, update.chop_ends)

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Return what there is of each widget in the changed regions, or in `crop`: its region, the part, its lines."""
        wanted = self._updated or ((crop,) if crop is not None else ())
        for widget, (region, clip) in self.visible_widgets.items():
            part = region.intersection(clip)
            if wanted:
                rows = [each.line_span for each in wanted if part.overlaps(each)]
                if not rows:
                    continue
                top, bottom = min(first for first, _ in rows), max(last for _, last in rows)
                part = part.intersection(Region(part.x, top, part.width, bottom - top))
            if part:
                yield region, part, widget.render_lines(part.translate(-region.offset))


class _Spans(ChopsUpdate):
    """The changed spans of a screen's lines."""

    def render_segments(self, console: Console) -> str:
        """Return them as what the terminal is sent."""
        sequences: list[str] = []
        for y, start, end in self.spans:
            for chop_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, start), min(chop_end, end)
                if strip is None or first >= last:
                    continue
                shown = strip if (first, last) == (x, chop_end) else strip.crop(first - x, last - x)
                sequences += Control.move_to(first, y).segment.text, shown.render(console)
        return "".join(sequences)
