"""One job in full: facts, receipt, history, transcript."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual.content import Content

from pulsetui.pipeline.views import JobDetails, JobView
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.events import history_row
from pulsetui.tui.renderables.jobs import job_name
from pulsetui.tui.renderables.text import age, broken, line, middle_cut, safe
from pulsetui.units import format_duration, format_percent, format_size

LABEL_CELLS = 13
"""What stands before the values of facts."""


class Wrapped:
    """Keeps the last text in the lines that it was broken into, since a transcript is long and is drawn each second."""

    def __init__(self) -> None:
        """Start empty."""
        self._of: tuple[str, int] = ("", 0)
        self._lines: list[Content] = []

    def lines(self, text: str, width_cells: int) -> list[Content]:
        """Return text made safe, its own line breaks kept, in lines of at most `width_cells`."""
        if self._of != (text, width_cells):
            self._of = text, width_cells
            self._lines = [
                line(part) for paragraph in text.splitlines() for part in broken(safe(paragraph), width_cells)
            ]
        return self._lines


def job_lines(
    details: JobDetails, now: datetime, zone: tzinfo | None, width_cells: int, wrapped: Wrapped | None = None
) -> list[Content]:
    """Return the panel's lines: facts are cut to the width, error and transcript are broken into lines."""
    job = details.job
    icon, style = states.stage(job.stage)
    lines = [
        line((middle_cut(job_name(job), width_cells), "bold")),
        line((f"{icon} {safe(job.stage)}", style), (_since(job, now), "$quiet")),
    ]
    if job.error:
        tone = style if job.stage in ("held", "dead") else "$warn"
        lines += [Content(""), *(line((part, tone)) for part in broken(safe(job.error), width_cells))]
    lines += [Content(""), *(fact(label, text, width_cells) for label, text in _facts(job, zone) if text)]
    if details.receipt:
        lines += section("Receipt", [fact(label, text, width_cells) for label, text in details.receipt])
    if details.history:
        lines += section("History", [history_row(event, zone, width_cells) for event in details.history])
    if details.transcript:
        return lines + section("Transcript", (wrapped or Wrapped()).lines(details.transcript, width_cells))
    return lines + section("Transcript", [line((part, "$quiet")) for part in broken(_no_transcript(job), width_cells)])


def section(title: str, lines: Sequence[Content]) -> list[Content]:
    """Return a titled group, a blank line above it."""
    return [Content(""), line((title, "bold $accent")), *lines]


def fact(label: str, text: str, width_cells: int) -> Content:
    """Return one label and its value."""
    name = middle_cut(label, LABEL_CELLS - 1).ljust(LABEL_CELLS)
    return line((name, "$quiet"), middle_cut(text, width_cells - LABEL_CELLS))


def _since(job: JobView, now: datetime) -> str:
    """Return progress, queue position and age as a phrase."""
    parts = []
    if job.progress is not None and job.stage in ("downloading", "transcribing"):
        parts.append(format_percent(job.progress))
    if job.queue_position is not None:
        parts.append(f"position {job.queue_position:,}")
    parts.append(f"submitted {age(job.submitted_at, now)} ago")
    return "".join(f" · {part}" for part in parts)


def _facts(job: JobView, zone: tzinfo | None) -> list[tuple[str, str]]:
    """Return the labelled facts; an empty one is left out."""
    when = f"{job.submitted_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    tries = str(job.attempts)
    if job.next_attempt_at is not None:
        tries += f", next at {job.next_attempt_at.astimezone(zone):%H:%M:%S}"
    return [
        ("job", f"{job.id} · {job.uuid}"),
        ("source", job.source_url),
        ("submitted", f"{when} by {job.submitted_by}"),
        ("priority", str(job.priority)),
        ("tries", tries),
        ("worker", job.worker or ""),
        ("running", format_duration(job.elapsed_s) if job.elapsed_s is not None else ""),
        ("video", _file(job.video_size_bytes, job.video_deleted, job.video_path)),
        ("audio", _file(job.audio_size_bytes, job.audio_deleted, None)),
        ("transcript", _file(job.transcript_size_bytes, False, job.transcript_path)),
        ("failed as", job.error_class or ""),
    ]


def _file(size_bytes: int | None, deleted: bool, path: str | None) -> str:
    """Return a file's size, and where it is or that it is gone."""
    if size_bytes is None:
        return ""
    where = "deleted after transcription" if deleted else (path or "")
    return f"{format_size(size_bytes)} {where}".rstrip()


def _no_transcript(job: JobView) -> str:
    """Return why there is no transcript to read."""
    if job.stage in ("dead", "cancelled"):
        return "None: the job ended before one was made. r tries again."
    if job.stage == "held":
        return "None was accepted, so the media stays. r tries again."
    if job.stage == "transcribed":
        return "None to show."
    return "Its text will be here once the episode is transcribed."
