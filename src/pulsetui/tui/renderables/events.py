"""Rows of the activity feed, with repeats folded into one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from rich.cells import cell_len
from textual.content import Content

from pulsetui.pipeline.views import EventView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.text import age, end_cut, left, line, middle_cut, safe

_LEAD_CELLS = 8
"""Age, icon and the blanks around them."""
_FEWEST_NAME_CELLS = 12
_BURSTS = {"job.queued": "queued"}
"""Kinds that come in bursts about one job after another, which fold into one row as well, and how that is said."""
_BURST_GAP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Folded:
    """An event and how many times in a row it happened; `event` is the newest of them, `jobs` counts theirs."""

    event: EventView
    times: int = 1
    jobs: int = 1


def fold(events: Iterable[EventView]) -> tuple[Folded, ...]:
    """Fold neighbours that say the same of the same thing, or are of one burst; newest first stays newest first."""
    rows: list[Folded] = []
    before: EventView | None = None
    for event in events:
        if before is not None and (_same(before, event) or _one_burst(before, event)):
            last = rows[-1]
            jobs = last.jobs + (event.job_id != before.job_id)
            rows[-1] = Folded(last.event, last.times + 1, jobs)
        else:
            rows.append(Folded(event))
        before = event
    return tuple(rows)


def event_row(row: Folded, now: datetime, width_cells: int) -> Content:
    """Return one line: how long ago, icon, about what, what happened, how often."""
    event = row.event
    icon, style = states.event(event)
    times = f" {glyphs.TIMES}{row.times:,}" if row.times > 1 and row.jobs == 1 else ""
    room = width_cells - _LEAD_CELLS - len(times)
    name, said = _cut(row, room)
    quiet = "$quiet" if name else "$foreground"
    tone = style if event.severity in ("error", "critical") else quiet
    padding = " " * max(0, room - cell_len(name) - cell_len(said))
    lead = line((age(event.at, now, 4), "$quiet"), "  ", (icon, style), " ")
    return line(lead, (name, "$foreground"), (said, tone), padding, (times, "$quiet"))


def said_of(event: EventView) -> str:
    """Return what an event says of the job that it names, without the name."""
    return event.text.removeprefix(event.name)


def _cut(row: Folded, room_cells: int) -> tuple[str, str]:
    """Return name and saying, made safe, that together fit; a name gives way to figures, down to a third."""
    event = row.event
    if not event.name or not event.text.startswith(event.name):
        return "", end_cut(event.text, room_cells)
    said = said_of(event) if row.jobs == 1 else f" and {row.jobs - 1:,} more {_BURSTS[event.kind]}"
    name_cells = cell_len(safe(event.name))
    if event.kind in _BURSTS:
        short = said.partition(" from ")[0]
        name = middle_cut(event.name, room_cells - cell_len(short))
        room_cells -= cell_len(name)
        return name, end_cut(said, room_cells) if room_cells >= cell_len(short) + _FEWEST_NAME_CELLS else short
    least = min(name_cells, max(_FEWEST_NAME_CELLS, room_cells // 3))
    name = middle_cut(event.name, max(least, room_cells - cell_len(safe(said))))
    return name, middle_cut(said, room_cells - cell_len(name))


def event_foot(event: EventView, zone: tzinfo | None, width_cells: int) -> str:
    """Return the exact time of an event and what it is about."""
    parts = [f"{event.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", event.kind]
    if event.entity:
        parts.append(event.entity)
    if event.job_id is not None:
        parts.append(f"job {event.job_id}")
    return middle_cut(" · ".join(parts), width_cells)


def history_row(event: EventView, zone: tzinfo | None, width_cells: int) -> Content:
    """Return one line of a job's history with its exact time."""
    icon, style = states.event(event)
    at = f"{event.at.astimezone(zone):%m-%d %H:%M:%S}"
    said = said_of(event).removeprefix(":").strip() or event.text
    return line((at, "$quiet"), "  ", (icon, style), " ", left(end_cut(said, width_cells - 18), width_cells - 18))


def _same(one: EventView, other: EventView) -> bool:
    """Tell whether two events say the same of the same thing; of a job, the figures may differ."""
    if (one.kind, one.severity, one.entity, one.job_id) != (other.kind, other.severity, other.entity, other.job_id):
        return False
    return one.job_id is not None or one.text == other.text


def _one_burst(one: EventView, other: EventView) -> bool:
    """Tell whether two events are of one burst."""
    return one.kind == other.kind and one.kind in _BURSTS and abs(one.at - other.at) <= _BURST_GAP
