"""`pulsetui jobs`: the queue as a table or JSON, one job in full, its transcript, retry and cancel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pulsetui.cli.context import Context
from pulsetui.cli.output import note, print_document, print_fields, print_json, print_line, print_table
from pulsetui.clock import SystemClock, rfc3339
from pulsetui.db.database import Reader
from pulsetui.errors import NotFoundError, PulseError
from pulsetui.events import store as events_store
from pulsetui.pipeline import store as jobs_store
from pulsetui.pipeline import table_store, view_store
from pulsetui.pipeline.jobs import Job, shown_name
from pulsetui.pipeline.views import JobView
from pulsetui.units import format_age, format_duration, format_percent, format_size
from pulsetui.waiting import in_thread

HISTORY = 50
_NEXT = {"held": "its media stays; ", "dead": "", "cancelled": ""}
"""What is said of the stages that a job leaves only when somebody asks for it."""
_COLUMNS = (("id", True), ("stage", False), ("done", True), ("size", True), ("name", False), ("note", False))


async def list_jobs(context: Context) -> int:
    """Print the jobs that match."""
    wanted = context.arguments
    now = SystemClock().now()
    page = await context.read(
        lambda reader: table_store.page(
            reader,
            now=now,
            stage=wanted.stage,
            project=wanted.project,
            text=wanted.text,
            limit=wanted.limit or -1,
        )
    )
    if context.as_json:
        print_json([table_store.row_of(job) for job in page.jobs])
        return 0
    print_table(_COLUMNS, [_row(job) for job in page.jobs])
    if page.total > len(page.jobs):
        note(f"{len(page.jobs):,} of {page.total:,} jobs; --limit 0 shows all")
    return 0


def _row(job: JobView) -> tuple[str, ...]:
    done = "" if job.progress is None else format_percent(job.progress)
    size = "" if job.video_size_bytes is None else format_size(job.video_size_bytes)
    remark = job.error or ""
    if job.queue_position is not None and not remark:
        remark = f"position {job.queue_position}"
    return str(job.id), job.stage, done, size, shown_name(job.entity, job.title), remark


async def show_job(context: Context) -> int:
    """Print one job with its history and receipt."""
    job, view, history = await context.read(lambda reader: _whole(reader, context.arguments.id))
    receipt = view_store.receipt_rows(job)
    if context.as_json:
        events = [{"at": event.at, "kind": event.kind, "text": event.text} for event in history]
        print_json({**table_store.row_of(view), "receipt": dict(receipt), "history": events})
        return 0
    print_fields([*_fields(view), *receipt])
    now = SystemClock().now()
    for event in history:
        print_line(f"{format_age((now - event.at).total_seconds()):>4}  {event.text}")
    return 0


def _fields(job: JobView) -> Iterator[tuple[str, str]]:
    """Yield what is known of a job, for people."""
    progress = "" if job.progress is None else f", {format_percent(job.progress)}"
    since = "" if job.elapsed_s is None else f", for {format_duration(job.elapsed_s)}"
    worker = "" if job.worker is None else f", by {job.worker}"
    yield "job", f"{job.id}  {job.uuid}"
    yield "name", shown_name(job.entity, job.title)
    yield "source", job.source_url
    yield "stage", f"{job.stage}{progress}{since}{worker}"
    yield "priority", str(job.priority)
    if job.queue_position is not None:
        yield "position", str(job.queue_position)
    yield "attempts", str(job.attempts)
    if job.next_attempt_at is not None:
        yield "next try", rfc3339(job.next_attempt_at)
    yield "submitted", f"{rfc3339(job.submitted_at)} by {job.submitted_by}"
    yield from _files(job)
    if job.error is not None:
        yield "error", f"{job.error} ({job.error_class})"
    if job.stage in _NEXT:
        yield "next", f"{_NEXT[job.stage]}`pulsetui jobs retry {job.id}` tries again"


def _files(job: JobView) -> Iterator[tuple[str, str]]:
    if job.video_size_bytes is not None:
        where = "deleted" if job.video_deleted else job.video_path
        yield "video", f"{format_size(job.video_size_bytes)}, {where}"
    if job.audio_size_bytes is not None:
        yield "audio", f"{format_size(job.audio_size_bytes)}{', deleted' if job.audio_deleted else ''}"
    if job.transcript_size_bytes is not None:
        yield "transcript", f"{format_size(job.transcript_size_bytes)}, {job.transcript_path}"


async def _whole(reader: Reader, job_id: int) -> tuple[Job, JobView, list[events_store.StoredEvent]]:
    job = await jobs_store.get(reader, job_id)
    now: datetime = SystemClock().now()
    view = await table_store.one(reader, job, now=now)
    return job, view, await events_store.list_events(reader, job_id=job_id, limit=HISTORY)


async def print_transcript(context: Context) -> int:
    """Print a job's transcript in the wanted form."""
    from pulsetui.pipeline.transcriber.transcript import Transcript

    wanted = context.arguments
    form = wanted.format or ("json" if context.as_json else "txt")
    job = await context.read(lambda reader: jobs_store.get(reader, wanted.id))
    if job.transcript is None:
        raise NotFoundError(
            f"job {job.id} has no transcript: it is {job.stage}", hint=f"`pulsetui jobs show {job.id}` says why"
        )
    path = job.transcript.path
    try:
        transcript = Transcript.from_json(await in_thread(path.read_bytes))
    except FileNotFoundError as error:
        raise NotFoundError(
            f"the transcript {path} of job {job.id} is gone", hint="bring it back from a copy"
        ) from error
    except ValueError as error:
        raise PulseError(f"the transcript {path} is damaged: {error}", hint="bring it back from a copy") from error
    if form == "json":
        print_json(_parsed(transcript.to_json()))
    else:
        print_document({"txt": transcript.to_text, "srt": transcript.to_srt, "vtt": transcript.to_vtt}[form]())
    return 0


def _parsed(data: bytes) -> Any:
    import json

    return json.loads(data)


async def retry(context: Context) -> int:
    """Try jobs again."""
    from pulsetui.pipeline.actions import RetryJobs

    return _told(context, await context.order(RetryJobs(ids=tuple(context.arguments.ids))), "will be tried again")


async def cancel(context: Context) -> int:
    """Give jobs up."""
    from pulsetui.pipeline.actions import CancelJobs

    return _told(context, await context.order(CancelJobs(ids=tuple(context.arguments.ids))), "cancelled")


def _told(context: Context, outcome: dict[str, Any], done: str) -> int:
    if context.as_json:
        print_json(outcome)
    else:
        for job_id in outcome["changed"]:
            print_line(f"job {job_id} {done}")
        for reason in outcome["refused"].values():
            note(reason)
    return 1 if outcome["refused"] else 0
