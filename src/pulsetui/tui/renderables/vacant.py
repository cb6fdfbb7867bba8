"""What stands where the tree of sizes will be: that it is being read, why it isn't, or the key that starts it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from pulsetui.storage.views import StorageView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.place import progress
from pulsetui.tui.renderables.text import broken, line, safe


def storage_vacant(view: StorageView | None, failure: str, width_cells: int, height_cells: int) -> Sequence[Content]:
    """Return the lines, in the middle of that many cells."""
    lines = vacant_lines(view, failure, width_cells)
    blank = [Content("")] * max(0, (height_cells - len(lines)) // 2)
    return [*blank, *(one.pad_left(max(0, (width_cells - one.cell_length) // 2)) for one in lines)]


def vacant_lines(view: StorageView | None, failure: str, width_cells: int) -> Sequence[Content]:
    """Return the lines as they are, for a list."""
    room = max(20, width_cells - 4)
    if view is None or (failure and view.snapshot_at is None):
        if not failure:
            return [line((f"reading{glyphs.CUT}", "$quiet"))]
        return [
            *(line((part, "$bad")) for part in broken(f"{glyphs.FAILED} {safe(failure)}", room)),
            line("ctrl+r", (" reads again", "$quiet")),
        ]
    if view.snapshot_at is None:
        return _before_the_first(view, room)
    if view.failure:
        return [line((part, "$bad")) for part in broken(f"{glyphs.FAILED} {safe(view.failure)}", room)]
    if view.history_at is not None and view.tree.size.file_count:
        return [
            line(("Which files were in it then isn't kept.", "$quiet")),
            line("esc", (" comes back to now", "$quiet")),
        ]
    return [line(("Nothing takes space here.", "$quiet")), line("u", (" goes up", "$quiet"))]


def _before_the_first(view: StorageView, room: int) -> list[Content]:
    """Return what there is before any refresh has ended."""
    said = "What takes the space will be here: a tile for each project, as large as what it takes."
    lines = [line((part, "$quiet")) for part in broken(said, room)]
    if view.refreshing is not None:
        reading = broken(f"{glyphs.RETRY} {progress(view)}", room)
        return [*lines, Content(""), *(line((part, "$accent")) for part in reading)]
    if view.failure:
        lines += [
            Content(""),
            *(line((part, "$bad")) for part in broken(f"{glyphs.FAILED} {safe(view.failure)}", room)),
        ]
    return [*lines, Content(""), line(("r", "bold $accent"), (" reads all sizes for the first time", "$quiet"))]
