"""Turns what the owner's rooms give into what a screen shows: events, transcripts, failures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TypeVar

from pulsetui.errors import PulseError, UsageError
from pulsetui.events.store import StoredEvent
from pulsetui.pipeline.jobs import Job
from pulsetui.pipeline.transcriber.transcript import Transcript
from pulsetui.pipeline.views import EventView

W = TypeVar("W", bound=str)

TRANSCRIPT_BYTES = 1 << 20
"""The longest transcript file that is read for its preview; a day of speech stays below it."""
PREVIEW_LENGTH = 20_000
"""Characters of a transcript that the preview shows: about twenty minutes of speech."""


@contextlib.contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn what the system or damaged data raises into an error that a screen can show.

    Raises:
        PulseError: `what` can't be read.
    """
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise PulseError(f"{what} can't be read: {error}", hint="`pulsetui doctor` checks the set-up") from error


def one_of(word: str | None, words: tuple[W, ...], what: str) -> W | None:
    """Return `word` as one of `words`, None for None.

    Raises:
        UsageError: it is none of them.
    """
    if word is None:
        return None
    for known in words:
        if known == word:
            return known
    raise UsageError(f"there is no {what} {word!r}", hint=f"use one of {', '.join(words)}")


def event_view(event: StoredEvent) -> EventView:
    """Return an event as the feed shows it."""
    return EventView(
        id=event.id,
        at=event.at,
        category=event.category,
        severity=event.severity,
        kind=event.kind,
        text=event.text,
        entity=event.entity,
        job_id=event.job_id,
        name=str(event.data.get("name", "")),
    )


def transcript_text(job: Job) -> str:
    """Return the plain text of a job's transcript, empty if there is none that can be read. Blocks."""
    if job.transcript is None or job.transcript.size_bytes > TRANSCRIPT_BYTES:
        return ""
    try:
        return Transcript.from_json(job.transcript.path.read_bytes()).to_text()
    except (OSError, ValueError):
        return ""


def transcript_preview(job: Job) -> str:
    """Return the start of a job's transcript, and where all of it is. Blocks."""
    if job.transcript is None:
        return ""
    text = transcript_text(job)
    if not text:
        return f"It can't be shown here: see {job.transcript.path}"
    if len(text) <= PREVIEW_LENGTH:
        return text
    shown = text[:PREVIEW_LENGTH].rpartition("\n")[0]
    return f"{shown}\n\nAll of it is in {job.transcript.path}"
