"""What goes on with all volumes, a line each: a speed test that runs, and what is the matter with the monitor."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from pulsetui.tui import glyphs
from pulsetui.tui.renderables.bars import bar
from pulsetui.tui.renderables.text import age, end_cut, line, middle_cut, safe, spread
from pulsetui.tui.renderables.volume_figures import tested
from pulsetui.units import format_duration, format_percent
from pulsetui.volumes.views import MonitorView, SpeedTestView, VolumesView

_LOOKS_MISSED = 3
"""Figures are old once so many looks should have come, and none has."""
_BAR_CELLS = 24


def volume_notes(view: VolumesView | None, now: datetime, width_cells: int) -> list[Content]:
    """Return the lines; none where nothing needs saying."""
    if view is None:
        return []
    notes = [_monitor(view.monitor, now, width_cells)]
    if view.testing is not None:
        running = tested(view)
        notes.append(_test(view.testing, running.name if running else "a volume", width_cells))
    return [note for note in notes if note.plain]


def is_stale(monitor: MonitorView, now: datetime) -> bool:
    """Tell whether the last look is longer ago than it should be."""
    if monitor.refreshed_at is None:
        return False
    return (now - monitor.refreshed_at).total_seconds() > _LOOKS_MISSED * monitor.interval_s


def progress_line(test: SpeedTestView, width_cells: int) -> Content:
    """Return how far a speed test is: bar, percent, what it does, how long already."""
    done = line(bar(test.progress, min(_BAR_CELLS, width_cells // 3)), " ", format_percent(test.progress))
    room = width_cells - done.cell_length - 2
    said = f"{test.step} · {format_duration(test.elapsed_s)}"
    return line(done, "  ", (end_cut(said, room), "$quiet"))


def _test(test: SpeedTestView, name: str, width_cells: int) -> Content:
    """Return how a test goes, and the key that stops it."""
    key = line(("x", "bold $accent"), (" stops it ", "$quiet"))
    room = width_cells - key.cell_length - 5
    named = middle_cut(name, max(8, room // 4))
    drawn = progress_line(test, room - len(named))
    return spread(line((f" {glyphs.TRANSCRIBE} ", "$accent"), (named, "bold"), "  ", drawn), key, width_cells)


def _monitor(monitor: MonitorView, now: datetime, width_cells: int) -> Content:
    """Return what is the matter with the monitor, how old that makes the figures, and the key; or nothing."""
    old = f"these figures are {age(monitor.refreshed_at, now)} old" if monitor.refreshed_at else "nothing was seen yet"
    if monitor.failure:
        icon, tone, said, key = glyphs.FAILED, "$bad", f"the last look failed: {safe(monitor.failure)}", "r looks again"
    elif not monitor.is_running:
        icon, tone, said, key = glyphs.WARNING, "$warn", "the monitor is stopped", "M starts it"
    elif is_stale(monitor, now):
        icon, tone, said, key = glyphs.WARNING, "$warn", "the monitor is late", "r looks again"
    else:
        return Content("")
    end = line((f"  {old}" if monitor.failure else f": {old}", tone if not monitor.failure else "$warn"))
    word = line((f"  {key.partition(' ')[0]}", "bold $accent"), (f" {key.partition(' ')[2]} ", "$quiet"))
    room = width_cells - 3 - end.cell_length - word.cell_length
    return line((f" {icon} {end_cut(said, room)}", tone), end, word)
