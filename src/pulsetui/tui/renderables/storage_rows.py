"""Rows about nodes of the tree of sizes: a child in a list, and the line of history."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from textual.content import Content

from pulsetui.storage.views import HistoryPoint, StorageNode
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.bars import blocks
from pulsetui.tui.renderables.sparkline import columns, sparkline
from pulsetui.tui.renderables.storage import Measure, percent, share, signed
from pulsetui.tui.renderables.text import age, count, end_cut, figure, left, line, right
from pulsetui.units import format_size

_SIZE_CELLS = 8
_SHARE_CELLS = 6
_COURSE_CELLS = (12, 40)
"""The least and the most for the course of sizes in the line of history."""


def child_row(node: StorageNode, measure: Measure, whole: int, width_cells: int) -> Content:
    """Return one child in exactly `width_cells`: name, bar of its share, size, percent of its parent."""
    room = width_cells - _SIZE_CELLS - _SHARE_CELLS
    bar_cells = min(24, room // 2 - 2) if room >= 14 else 0
    own = measure(node)
    drawn = line(" ", (blocks(share(own, whole), bar_cells), "$fill")) if bar_cells else Content("")
    named = left(node.name, max(2, room - (bar_cells + 1 if bar_cells else 0)))
    return line(
        (named, "$warn" if node.error else "$foreground"),
        drawn,
        figure(format_size(own), _SIZE_CELLS),
        (right(percent(own, whole), _SHARE_CELLS), "$foreground"),
    )


@dataclass(frozen=True, slots=True)
class Course:
    """The sizes of something over time, and the time that is looked at."""

    points: Sequence[HistoryPoint]
    """Oldest first."""
    times: Sequence[datetime]
    """The times that can be shown, oldest first."""
    at: datetime | None
    """None is the newest."""
    events: Sequence[str]
    measure: Measure

    def sizes(self) -> list[tuple[datetime, int]]:
        """Return the points as they are drawn."""
        return [(point.at, self.measure.of(point.size)) for point in self.points]

    def change_bytes(self) -> int | None:
        """Return how much it grew from the time that is looked at to the newest point; None if that isn't known."""
        known = self.sizes()
        if self.at is None or not known:
            return None
        then = [size_bytes for moment, size_bytes in known if moment <= self.at]
        return known[-1][1] - then[-1] if then else None


def course_cells(width_cells: int) -> int:
    """Return how wide the course of sizes is in a line of history."""
    least, most = _COURSE_CELLS
    return max(least, min(most, width_cells // 4))


def history_lines(course: Course, now: datetime, zone: tzinfo | None, width_cells: int, rows: int) -> list[Content]:
    """Return the line of history; of two, the second names what happened about that time."""
    first = line(*_course(course, course_cells(width_cells)), "  ", _where(course, now, zone))
    said = " · ".join(course.events)
    tone = "$foreground"
    if course.at is not None and not course.events:
        said, tone = "nothing of note happened then", "$quiet"
    if rows > 1:
        return [_cut(first, width_cells), line((end_cut(said, width_cells), tone))]
    room = width_cells - first.cell_length - 5
    told = line(("  ·  ", "$rule"), (end_cut(said, room), tone)) if said and room >= 12 else ""
    return [_cut(line(first, told), width_cells)]


def time_at(course: Course, cell: int, cells: int) -> datetime | None:
    """Return the time that can be shown next to a cell of the course; None is the newest."""
    if not course.times or not course.points or cell >= cells - 1:
        return None
    start, end = course.points[0].at.timestamp(), course.points[-1].at.timestamp()
    wanted = start + (end - start) * (cell + 0.5) / cells
    return min(course.times, key=lambda moment: abs(moment.timestamp() - wanted))


def next_time(times: Sequence[datetime], at: datetime | None, steps: int) -> datetime | None:
    """Return the time that many steps on, or back if negative; None is the newest, after all times."""
    here = len(times) if at is None else bisect_left(times, at)
    there = max(0, here + steps)
    return times[there] if there < len(times) else None


def _course(course: Course, cells: int) -> list[tuple[str, str]]:
    """Return the course of sizes with a mark where one looks."""
    sizes = course.sizes()
    if len(sizes) < 2:
        return [(glyphs.RULE * cells, "$rule")]
    drawn = sparkline(columns(sizes, cells * 2))[0]
    if course.at is None:
        return [(drawn, "$fill")]
    start, end = sizes[0][0].timestamp(), sizes[-1][0].timestamp()
    place = (course.at.timestamp() - start) / (end - start) if end > start else 1.0
    cell = min(cells - 1, max(0, int(place * cells)))
    return [(drawn[:cell], "$fill"), (glyphs.HERE, "bold $accent"), (drawn[cell + 1 :], "$rule")]


def _where(course: Course, now: datetime, zone: tzinfo | None) -> Content:
    """Return which time is looked at, and the change since."""
    if course.at is None:
        if not course.times:
            return line(("no history yet", "$quiet"))
        said = f" · {count(len(course.times), 'earlier time')}"
        return line("now", (said, "$quiet"), "  ", ("[", "bold $accent"), (" goes back", "$quiet"))
    number = bisect_left(course.times, course.at) + 1
    parts = [
        line((f"{course.at.astimezone(zone):%Y-%m-%d %H:%M}", "bold"), (f" · {age(course.at, now)} ago", "$quiet")),
        line((f"{number} of {len(course.times)}", "$quiet")),
    ]
    change = course.change_bytes()
    if change is not None:
        parts.append(line(signed(change) if change else "no change", (" since", "$quiet")))
    return line((" · ", "$rule")).join(parts)


def _cut(content: Content, width_cells: int) -> Content:
    """Return a line that is no wider than there is room."""
    return content if content.cell_length <= width_cells else content.truncate(width_cells, ellipsis=True)


def growth_figures(points: Sequence[HistoryPoint], now_bytes: int, now: datetime, measure: Measure) -> list[Content]:
    """Return how much something grew in an hour, a day and a week; a dash where the past isn't known so far back."""
    figures = []
    for label, seconds in (("1h", 3_600), ("24h", 86_400), ("7d", 604_800)):
        then = [point for point in points if (now - point.at).total_seconds() >= seconds]
        change = now_bytes - measure.of(then[-1].size) if then else None
        said = "–" if change is None else signed(change) if change else "no change"
        figures.append(line((f"{label} ", "$quiet"), (said, "$quiet" if not change else "$foreground")))
    return figures
