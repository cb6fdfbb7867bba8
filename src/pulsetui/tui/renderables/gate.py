"""The header: where, who, the gate with its budget bar, the time; below it what needs saying now."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from rich.cells import cell_len
from textual.content import Content

from pulsetui.pipeline.views import GateView, OwnerView, PulseView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.bars import budget_bar
from pulsetui.tui.renderables.text import end_cut, left, line, middle_cut, safe, size, spread
from pulsetui.units import format_age, format_duration, format_size

SILENT_AFTER_S = 30.0
"""An owner whose heartbeat is older than this is said to be silent (pipeline.md: a heartbeat is stale after 30 s)."""
_ONE_LINE_CELLS = 100
_BAR_CELLS = 14
"""The narrowest budget bar in the header."""
_KEPT_GATES = 8
"""Readings of the gate whose parts are kept drawn: the clock beside them ticks each second, and they stay."""


def header(view: PulseView | None, now: datetime, clock: str, width_cells: int) -> list[Content]:
    """Return the header in one line, or in two below 100 cells."""
    name = line(" ", ("pulsetui", "bold $accent"), "  ")
    time = line((f"{clock} ", "$quiet"))
    if view is None:
        return [spread(name, time, width_cells)]
    owner = _owner(view.owner, view.attached, now)
    if width_cells < _ONE_LINE_CELLS:
        room = width_cells - name.cell_length - owner.cell_length - time.cell_length - 4
        first = line(name, (middle_cut(view.data_dir, room), "$quiet"))
        word = line(" ", _word(view.gate), "  ", _committed(view.gate), "  ")
        bar_cells = max(12, width_cells - word.cell_length - 1)
        return [spread(first, line(owner, "  ", time), width_cells), line(word, _bar(view.gate, bar_cells))]
    figures = line(_word(view.gate), "  ", _committed(view.gate), "  ")
    texts = name.cell_length + owner.cell_length + figures.cell_length + 2 + time.cell_length + 4
    place = middle_cut(view.data_dir, max(8, min(40, width_cells - texts - _BAR_CELLS)))
    bar_cells = max(_BAR_CELLS, min(width_cells // 5, width_cells - texts - cell_len(place)))
    end = line(figures, _bar(view.gate, bar_cells), "  ", time)
    return [spread(line(name, (place, "$quiet"), "  ", owner), end, width_cells)]


def notice(
    view: PulseView | None, failure: str, stale_s: float | None, now: datetime, width_cells: int
) -> Content | None:
    """Return the one line that needs saying now, or None: a failed read, old figures, a gate that isn't open."""
    shown = f"  these figures are {format_age(stale_s)} old" if stale_s is not None and view is not None else ""
    if failure:
        key = "  ctrl+r reads again"
        room = width_cells - 4 - len(shown) - len(key)
        said = end_cut(f"can't read the pipeline: {failure}", room)
        return line(" ", (f"{glyphs.FAILED} {said}", "$bad"), (shown, "$warn"), (key, "$quiet"))
    if shown:
        return line((f" {glyphs.WARNING}{shown}", "$warn"), ("  ctrl+r reads again", "$quiet"))
    if view is None:
        return None
    gate = view.gate
    since = format_age((now - gate.since).total_seconds())
    if not gate.is_open:
        word = line((f" {glyphs.GATE} closed {since}: ", "$warn"))
        opens = f"  opens at ≤ {format_size(gate.resume_bytes)}" + (" after p" if gate.operator_paused else "")
        room = width_cells - 1 - word.cell_length - len(opens)
        reason = safe(gate.reason or "closed")
        # What it is made of gives way first: the activity has it, too.
        reason = end_cut(reason if cell_len(reason) <= room else reason.partition(" (")[0], room)
        return line(word, reason, (opens, "$quiet"))
    if gate.operator_paused:
        said = "downloads are paused by the operator; running ones finish"
        return line((f" {glyphs.GATE} {said}", "$warn"), ("  p resumes", "$quiet"))
    return None


@lru_cache(_KEPT_GATES)
def _word(gate: GateView) -> Content:
    """Return the gate's state as words."""
    if not gate.is_open:
        return line(("gate ", "$quiet"), ("CLOSED", "bold $warn"))
    if gate.operator_paused:
        return line(("gate ", "$quiet"), ("PAUSED", "bold $warn"))
    return line(("gate ", "$quiet"), ("OPEN", "bold $good"))


@lru_cache(_KEPT_GATES)
def _committed(gate: GateView) -> Content:
    """Return the committed bytes against the hard limit."""
    return line(("committed ", "$quiet"), size(gate.committed_bytes), (" of ", "$quiet"), size(gate.hard_limit_bytes))


@lru_cache(_KEPT_GATES)
def _bar(gate: GateView, width_cells: int) -> Content:
    """Return the budget bar on the scale of the hard limit."""
    return budget_bar(
        gate.usage_bytes,
        gate.in_flight_bytes,
        gate.hard_limit_bytes,
        width_cells,
        marks=(gate.resume_bytes, gate.pause_bytes),
        limit=gate.hard_limit_bytes,
        style=fill_style(gate),
    )


def fill_style(gate: GateView) -> str:
    """Return the bar's colour: the accent, amber once the pause threshold is reached, red at the hard limit."""
    if gate.committed_bytes >= gate.hard_limit_bytes:
        return "$bad"
    return "$warn" if gate.committed_bytes >= gate.pause_bytes else "$fill"


def _owner(owner: OwnerView | None, attached: bool, now: datetime) -> Content:
    """Return who runs the pipeline and since when, or for how long nothing was heard of them."""
    if owner is None:
        return line(("no owner", "$warn"))
    silent_s = (now - owner.heartbeat_at).total_seconds()
    who = f"attached to {safe(owner.user)}@{safe(owner.host)} {owner.pid}" if attached else "owner"
    if silent_s > SILENT_AFTER_S:
        return line((left(who, min(len(who), 40)), "$quiet"), (f" silent {format_age(silent_s)}", "$bad"))
    up = format_duration((now - owner.started_at).total_seconds())
    return line((f"{middle_cut(who, 40)} · {up}", "$quiet"))
