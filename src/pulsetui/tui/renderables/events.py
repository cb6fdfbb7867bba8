"""Rows of the activity feed, with repeats folded into one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from textual.content import Content

from pulsetui.pipeline.views import EventView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.text import age, end_cut, left, line, middle_cut

_LEAD_CELLS = 8
"""Age, icon and the blanks around them."""


@dataclass(frozen=True, slots=True)
class Folded:
    """An event and how many times in a row it happened; `event` is the newest of them."""

    event: EventView
    times: int = 1


def fold(events: Iterable[EventView]) -> tuple[Folded, ...]:
    """Fold neighbours that say the same of the same thing into one; newest first stays newest first."""
    rows: list[Folded] = []
    for event in events:
        if rows and _same(rows[-1].event, event):
            rows[-1] = Folded(rows[-1].event, rows[-1].times + 1)
        else:
            rows.append(Folded(event))
    return tuple(rows)


def event_row(row: Folded, now: datetime, width_cells: int) -> Content:
    """Return one line: how long ago, icon, what happened, how often."""
    event = row.event
    icon, style = states.event(event)
    times = f" {glyphs.TIMES}{row.times:,}" if row.times > 1 else ""
    room = width_cells - _LEAD_CELLS - len(times)
    text_style = style if event.severity in ("error", "critical") else "$foreground"
    text = end_cut(event.text, room)
    padding = " " * max(0, room - Content(text).cell_length)
    return line(
        (age(event.at, now, 4), "$quiet"), "  ", (icon, style), " ", (text, text_style), padding, (times, "$quiet")
    )


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
    return line((at, "$quiet"), "  ", (icon, style), " ", left(end_cut(event.text, width_cells - 18), width_cells - 18))


def _same(one: EventView, other: EventView) -> bool:
    """Tell whether two events say the same of the same thing."""
    return (one.kind, one.severity, one.entity, one.job_id, one.text) == (
        other.kind,
        other.severity,
        other.entity,
        other.job_id,
        other.text,
    )
