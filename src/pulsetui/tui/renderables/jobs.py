"""The job table's columns and rows, and the flow of stages above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from textual.content import Content

from pulsetui.pipeline.jobs import shown_name
from pulsetui.pipeline.views import JobView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.text import age, end_cut, left, line, right, size
from pulsetui.units import format_age, format_percent

_STAGE_CELLS = 12
_FLOW = ("queued", "downloading", "downloaded", "transcribing", "transcribed")
_ASIDE = ("held", "dead", "cancelled")
_NOTE_FROM_CELLS = 90
_FEWEST_NAME_CELLS = 24
_FEWEST_NOTE_CELLS = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; 0 leaves a column out. Each is followed by two blanks but the last."""

    job_id: int
    name: int
    progress: int
    size: int
    tries: int
    submitted: int
    age: int
    note: int


def columns(width_cells: int, name_cells: int | None = None) -> Columns:
    """Share the width: the name always, the note from 90 cells, the rest as it fits.

    The name gets what the longest one takes, `name_cells`, and the note the rest; not known, they share.
    """
    job_id = 7 if width_cells >= 90 else 0
    tries = 5 if width_cells >= 90 else 0
    submitted = 12 if width_cells >= 130 else 0
    fixed = [job_id, 5, 7, tries, submitted, 4]
    used = 2 + 2 + _STAGE_CELLS + 2 + sum(fixed) + 2 * sum(1 for cells in fixed if cells)
    room = width_cells - used
    if width_cells < _NOTE_FROM_CELLS:
        return Columns(job_id, max(6, room), 5, 7, tries, submitted, 4, 0)
    name = room * 3 // 5 if name_cells is None else max(_FEWEST_NAME_CELLS, min(name_cells, room - _FEWEST_NOTE_CELLS))
    return Columns(job_id, name, 5, 7, tries, submitted, 4, room - name - 2)


def head_row(width_cells: int, sort: str, *, name_cells: int | None = None) -> Content:
    """Return the column heads, the one that is sorted by marked."""
    width = columns(width_cells, name_cells)

    def head(text: str, cells: int, sorts: str = "", figure: bool = False) -> str:
        said = text + (glyphs.SORTED if sorts == sort else "")
        return (right(said, cells) if figure else left(said, cells)) if cells else ""

    cells = [
        "    " + head("stage", _STAGE_CELLS, "queue"),
        head("job", width.job_id, "newest", figure=True),
        head("name", width.name, "title"),
        head("done", width.progress, figure=True),
        head("size", width.size, "size", figure=True),
        head("tries", width.tries, "attempts", figure=True),
        head("by", width.submitted),
        head("age", width.age, figure=True),
        head("note", width.note),
    ]
    return line(("  ".join(cell for cell in cells if cell), "$quiet"))


def job_row(
    job: JobView, now: datetime, width_cells: int, *, marked: bool = False, name_cells: int | None = None
) -> Content:
    """Return one job as a row of the table, exactly as wide as its head."""
    width = columns(width_cells, name_cells)
    icon, style = states.stage(job.stage)
    parts: list[Content] = [
        line(
            (glyphs.MARKED if marked else " ", "$accent"),
            " ",
            (icon, style),
            " ",
            (left(job.stage, _STAGE_CELLS), style),
        )
    ]
    if width.job_id:
        parts.append(line((right(str(job.id), width.job_id), "$quiet")))
    blank = Content(" " * width.size)
    parts += [line(left(job_name(job), width.name)), _progress(job, width.progress)]
    known = job.video_size_bytes is not None
    parts.append(size(job.video_size_bytes, width.size, "$quiet" if job.video_deleted else "") if known else blank)
    if width.tries:
        parts.append(
            line((right(str(job.attempts or ""), width.tries), "$foreground" if job.attempts > 1 else "$quiet"))
        )
    if width.submitted:
        parts.append(line((left(job.submitted_by, width.submitted), "$quiet")))
    parts.append(line((age(job.submitted_at, now, width.age), "$quiet")))
    if width.note:
        tone = style if job.stage in ("held", "dead") else "$quiet"
        parts.append(line((left(end_cut(note(job, now), width.note), width.note), tone)))
    return line("  ").join(parts)


def job_name(job: JobView) -> str:
    """Return entity and title, or the source where there is no title. Not yet safe to draw."""
    return shown_name(job.entity, job.title or job.source_url)


def note(job: JobView, now: datetime) -> str:
    """Return why the job is where it is: its error, its next try, its position. Not yet safe to draw."""
    if job.next_attempt_at is not None and job.next_attempt_at > now:
        wait = format_age((job.next_attempt_at - now).total_seconds())
        return f"next try in {wait}" + (f": {job.error}" if job.error else "")
    if job.error and job.stage in ("queued", "downloaded", "held", "dead"):
        return job.error
    if job.queue_position is not None:
        return f"position {job.queue_position:,}"
    return job.worker or ""


def stage_flow(stages: Sequence[tuple[str, int]], chosen: str | None, width_cells: int) -> list[Content]:
    """Return the count of each stage, along the way and aside; the filtered one stands out. Two lines if need be."""
    counts = dict(stages)
    parts = [_count(name, counts.get(name, 0), chosen) for name in _FLOW]
    arrow = line((f" {glyphs.NEXT} ", "$rule"))
    way = arrow.join(parts)
    aside = line("   ").join([_count(name, counts.get(name, 0), chosen) for name in _ASIDE])
    gap = width_cells - way.cell_length - aside.cell_length - 2
    return [line(" ", way, " " * gap, aside)] if gap >= 3 else [line(" ", way), line(" ", aside)]


def _count(name: str, number: int, chosen: str | None) -> Content:
    """Return one stage with its count; none is muted."""
    tone = states.stage(name)[1] if number and name in (*_ASIDE, "transcribed") else ""
    label = "bold underline $accent" if name == chosen else "$quiet"
    return line((name, label), " ", (f"{number:,}", (tone or "$foreground") if number else "$quiet"))


def _progress(job: JobView, width_cells: int) -> Content:
    """Return the percent of a running job; others have none."""
    running = job.stage in ("downloading", "transcribing") and job.progress is not None
    return line((right(format_percent(job.progress or 0.0) if running else "", width_cells), "$foreground"))
