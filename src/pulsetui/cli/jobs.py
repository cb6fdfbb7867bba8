"""`pulsetui jobs`: the queue as a table or JSON, one job in full, its transcript, retry and cancel."""

from __future__ import annotations

import argparse
from typing import Any

from pulsetui.cli.context import Context
from pulsetui.cli.output import note, print_json, print_line, print_table
from pulsetui.clock import SystemClock
from pulsetui.db.database import Reader
from pulsetui.errors import NotFoundError
from pulsetui.events import store as events_store
from pulsetui.pipeline import store as jobs_store
from pulsetui.pipeline import view_store
from pulsetui.pipeline.actions import CancelJobs, RetryJobs
from pulsetui.pipeline.jobs import Job
from pulsetui.pipeline.views import JobView
from pulsetui.units import format_age, format_percent, format_size

HISTORY = 50
FORMATS = ("txt", "srt", "vtt", "json")


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("jobs", help="the queue: list, show, retry, cancel, transcript")
    _list_arguments(parser)
    parser.set_defaults(run=list_jobs)
    verbs = parser.add_subparsers(metavar="VERB")
    listing = verbs.add_parser("list", help="list jobs (what `jobs` alone does)")
    _list_arguments(listing)
    listing.set_defaults(run=list_jobs)
    shown = verbs.add_parser("show", help="one job with its history and receipt")
    shown.add_argument("id", type=int)
    shown.add_argument("--json", action="store_true")
    shown.set_defaults(run=show_job)
    transcript = verbs.add_parser("transcript", help="print a job's transcript")
    transcript.add_argument("id", type=int)
    transcript.add_argument("--format", choices=FORMATS, default="txt")
    transcript.set_defaults(run=print_transcript)
    for verb, run, text in (
        ("retry", retry, "try held, dead or cancelled jobs again, and waiting ones at once"),
        ("cancel", cancel, "give jobs up; their files stay"),
    ):
        changing = verbs.add_parser(verb, help=text)
        changing.add_argument("ids", type=int, nargs="+", metavar="ID")
        changing.add_argument("--json", action="store_true")
        changing.set_defaults(run=run)


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stage", help="only this stage, such as queued, held, dead")
    parser.add_argument("--project", help="only what lies below this entity")
    parser.add_argument("--text", help="only what has this in its title, URL, entity or error")
    parser.add_argument("--limit", type=int, default=50, help="how many at most (0: all; default 50)")
    parser.add_argument("--json", action="store_true", help="as a JSON array")


async def list_jobs(context: Context) -> int:
    """Print the jobs that match."""
    wanted = context.arguments
    now = SystemClock().now()
    page = await context.read(
        lambda reader: view_store.page(
            reader,
            now=now,
            stage=wanted.stage,
            project=wanted.project,
            text=wanted.text,
            limit=wanted.limit if wanted.limit > 0 else -1,
        )
    )
    if context.as_json:
        print_json([view_store.row_of(job) for job in page.jobs])
        return 0
    columns = (("id", True), ("stage", False), ("done", True), ("size", True), ("name", False), ("note", False))
    print_table(columns, [_row(job) for job in page.jobs])
    if page.total > len(page.jobs):
        note(f"{len(page.jobs)} of {page.total} jobs; --limit 0 shows all")
    return 0


def _row(job: JobView) -> tuple[str, ...]:
    name = f"{job.entity} / {job.title}" if job.entity else job.title
    done = "" if job.progress is None else format_percent(job.progress)
    size = "" if job.video_size_bytes is None else format_size(job.video_size_bytes)
    remark = job.error or ""
    if job.queue_position is not None and not remark:
        remark = f"position {job.queue_position}"
    return str(job.id), job.stage, done, size, name, remark


async def show_job(context: Context) -> int:
    """Print one job with its history and receipt."""
    job, view, history = await context.read(lambda reader: _whole(reader, context.arguments.id))
    receipt = view_store.receipt_rows(job)
    if context.as_json:
        events = [{"at": event.at, "kind": event.kind, "text": event.text} for event in history]
        print_json({**view_store.row_of(view), "receipt": dict(receipt), "history": events})
        return 0
    for label, value in (*view_store.row_of(view).items(), *receipt):
        if value is not None:
            print_line(f"{label:<22} {value}")
    now = SystemClock().now()
    for event in history:
        print_line(f"{format_age((now - event.at).total_seconds()):>4}  {event.text}")
    return 0


async def _whole(reader: Reader, job_id: int) -> tuple[Job, JobView, list[events_store.StoredEvent]]:
    job = await jobs_store.get(reader, job_id)
    view = await view_store.one(reader, job, now=SystemClock().now())
    return job, view, await events_store.list_events(reader, job_id=job_id, limit=HISTORY)


async def print_transcript(context: Context) -> int:
    """Print a job's transcript in the wanted format."""
    from pulsetui.pipeline.transcriber.transcript import Transcript

    job = await context.read(lambda reader: jobs_store.get(reader, context.arguments.id))
    if job.transcript is None:
        raise NotFoundError(f"job {job.id} has no transcript: it is {job.stage}", hint=f"`pulsetui jobs show {job.id}`")
    try:
        data = job.transcript.path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"its transcript {job.transcript.path} can't be read: {error.strerror}") from error
    transcript = Transcript.from_json(data)
    write = {"txt": transcript.to_text, "srt": transcript.to_srt, "vtt": transcript.to_vtt, "json": data.decode}
    print(write[context.arguments.format](), end="")
    return 0


async def retry(context: Context) -> int:
    """Try jobs again."""
    return _told(context, await context.order(RetryJobs(ids=tuple(context.arguments.ids))), "will be tried again")


async def cancel(context: Context) -> int:
    """Give jobs up."""
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
