"""The head of an entity's page, and its history as a picture with growth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from itertools import pairwise

from textual.content import Content

from pulsetui.storage.views import HistoryPoint, StorageView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.course import course_picture
from pulsetui.tui.renderables.storage import Measure
from pulsetui.tui.renderables.storage_rows import growth_figures
from pulsetui.tui.renderables.text import count, line, middle_cut, safe


def head_lines(view: StorageView, width_cells: int) -> list[Content]:
    """Return what the page is about: its name after what it is in, and where on disk it is."""
    node = view.tree
    above = [safe(one.name) for one in view.ancestors[1:]]
    trail = f" {glyphs.CURSOR} ".join(above)
    mark = f" {glyphs.CURSOR} " if above else ""
    name = middle_cut(node.name, max(8, width_cells - len(mark) - (12 if above else 0)))
    named = line((name, "bold $foreground"))
    room = width_cells - named.cell_length - len(mark)
    before = line((middle_cut(trail, max(0, room)), "$quiet"), (mark, "$rule"))
    return [line(before, named), line((middle_cut(_where(view), width_cells), "$quiet"))]


def _where(view: StorageView) -> str:
    """Return where the entity is on disk; not yet safe to draw."""
    node = view.tree
    kind = f"{node.entity_type} {node.entity_id}" if node.entity_id is not None else node.entity_type
    if node.path is not None:
        return f"{kind} · {node.path.decode(errors='surrogateescape')}"
    inside = f"{len(node.children):,} in it" if node.children else "several folders"
    return f"{kind} · {inside}"


def history_picture(
    points: Sequence[HistoryPoint],
    now_bytes: int,
    now: datetime,
    zone: tzinfo | None,
    width_cells: int,
    height_cells: int,
    measure: Measure,
) -> list[Content]:
    """Return the course of sizes with its scale, the times at its ends, and growth over an hour, a day and a week."""
    growth = _joined(growth_figures(points, now_bytes, now, measure), width_cells)
    if len(points) < 2:
        said = "Its size over time will be here: each refresh adds to it."
        return [line((middle_cut(said, width_cells), "$quiet")), Content(""), *growth]
    sizes = [(point.at, measure.of(point.size)) for point in points]
    drawn = course_picture(sizes, now, zone, width_cells, height_cells - 1 - len(growth))
    return [*drawn, Content(""), *growth]


def _joined(figures: Sequence[Content], width_cells: int) -> list[Content]:
    """Return figures in one line, or one below the other."""
    joined = line((" · ", "$rule")).join(list(figures))
    return [joined] if joined.cell_length <= width_cells else list(figures)


def pace(points: Sequence[HistoryPoint], measure: Measure) -> str:
    """Return how many times it was measured, and how many of those it had changed."""
    sizes = [measure.of(point.size) for point in points]
    changes = sum(before != after for before, after in pairwise(sizes))
    return f"{count(len(sizes), 'time')}, {count(changes, 'change')}" if sizes else ""
