"""Rows of what runs, what waits and what ended lately."""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len
from textual.content import Content

from pulsetui.pipeline.views import DoneView, QueuedView, TaskView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.bars import bar
from pulsetui.tui.renderables.text import age, figure, left, line, middle_cut, right, spread
from pulsetui.units import format_duration, format_percent, format_rate, format_size

_PERCENT_CELLS = 5
_RATE_CELLS = 9
_ETA_CELLS = 7


def task_row(task: TaskView, width_cells: int) -> Content:
    """Return one running task in one line: icon, name, bar, percent, rate, time left."""
    return line(_first(task, width_cells - _ETA_CELLS - 2), "  ", figure(_eta(task), _ETA_CELLS, "$quiet"))


def task_rows(task: TaskView, width_cells: int) -> tuple[Content, Content]:
    """Return one running task in two lines; the second says who does it, what, since when, and the time left."""
    ends = line((f"ETA {_eta(task)}", "$quiet"))
    by = f"by {middle_cut(task.submitted_by, 16)}"
    words = [middle_cut(task.worker, 16), _doing(task), format_duration(task.elapsed_s), by]
    about = _joined(words, width_cells - 4 - ends.cell_length)
    return _first(task, width_cells), spread(line((f"  {about}", "$quiet")), ends, width_cells)


def queued_row(job: QueuedView, width_cells: int) -> Content:
    """Return one waiting job: position, the worker that it waits for, name."""
    position = right(f"{job.position:,}", 5)
    icon = glyphs.TRANSCRIBE if job.stage == "downloaded" else glyphs.DOWNLOAD
    return line((f"{position} {icon} ", "$quiet"), " ", left(job.name, max(4, width_cells - len(position) - 4)))


def done_row(job: DoneView, now: datetime, width_cells: int) -> Content:
    """Return one ended job: how it ended, name, what it freed or what went wrong, how long ago."""
    icon, style = states.stage(job.stage)
    if job.stage == "transcribed":
        said = f"freed {format_size(job.freed_bytes)}" if job.freed_bytes else job.stage
    else:
        said = f"{job.stage}: {job.error}" if job.error else job.stage
    said = middle_cut(said, max(0, width_cells // 2 - 6))
    room = max(4, width_cells - 7 - cell_len(said) - 6)
    tone = "$quiet" if job.stage == "transcribed" else style
    return line(
        "    ", (icon, style), "  ", left(job.name, room), " ", (said, tone), (age(job.ended_at, now, 5), "$quiet")
    )


def _first(task: TaskView, width_cells: int) -> Content:
    """Return icon, name, bar, percent and rate in exactly `width_cells`."""
    icon = glyphs.DOWNLOAD if task.kind == "download" else glyphs.TRANSCRIBE
    bar_cells = min(26, max(10, width_cells // 4))
    name_cells = max(4, width_cells - 2 - 1 - bar_cells - 1 - _PERCENT_CELLS - 2 - _RATE_CELLS)
    fraction = None if not task.total else min(1.0, task.done / task.total)
    percent = "–" if fraction is None else format_percent(fraction)
    note = format_size(round(task.done)) if task.kind == "download" else format_duration(task.done)
    return line(
        (icon, "$accent"),
        " ",
        left(task.name, name_cells),
        " ",
        bar(fraction, bar_cells, note=note if task.done else "waiting"),
        " ",
        figure(percent, _PERCENT_CELLS),
        "  ",
        _rate(task),
    )


def _rate(task: TaskView) -> Content:
    """Return the speed of a download, or the real-time factor of a transcription."""
    if not task.rate_per_s:
        return line((right("–", _RATE_CELLS), "$quiet"))
    if task.kind == "download":
        return figure(format_rate(task.rate_per_s), _RATE_CELLS)
    factor = 1 / task.rate_per_s
    shown = f"rtf {factor:.2f}" if factor < 100 else "rtf >99"
    return line(" " * max(0, _RATE_CELLS - len(shown)), ("rtf", "$quiet"), (shown[3:], "$foreground"))


def _eta(task: TaskView) -> str:
    """Return the time left, or a dash."""
    return "–" if task.eta_s is None else format_duration(task.eta_s)


def _joined(words: list[str], width_cells: int) -> str:
    """Join as many words as fit, the first one always."""
    said = words[0]
    for word in words[1:]:
        longer = f"{said} · {word}"
        if cell_len(longer) > width_cells:
            break
        said = longer
    return said


def _doing(task: TaskView) -> str:
    """Return how far it is, in its own unit, and the phase where the icon doesn't say it already."""
    write = format_size if task.kind == "download" else format_duration
    phase = middle_cut(task.phase, 16)
    if not task.done:
        return phase
    of = f" of {write(round(task.total))}" if task.total else ""
    amount = f"{write(round(task.done))}{of}"
    return amount if task.phase in ("downloading", "transcribing") else f"{phase} {amount}"
