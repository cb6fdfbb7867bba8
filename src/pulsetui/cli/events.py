"""`pulsetui events`: the activity feed, once or as it comes."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from pulsetui.cli.context import Context
from pulsetui.cli.output import print_json, print_line
from pulsetui.clock import rfc3339
from pulsetui.db.database import DATABASE_NAME, Database, Reader
from pulsetui.events import store as events_store
from pulsetui.events.base import CATEGORIES, SEVERITIES
from pulsetui.events.store import StoredEvent

POLL_S = 0.25
"""How often a follower asks whether anything was committed; it costs microseconds."""


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("events", help="the activity feed")
    parser.add_argument("--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--category", choices=CATEGORIES)
    parser.add_argument("--severity", choices=SEVERITIES, help="at least this one")
    parser.add_argument("--project", help="only what lies below this entity")
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--before", type=int, metavar="ID", help="only events older than this one")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=events)


async def events(context: Context) -> int:
    """Print the newest events, oldest of them first, then follow if asked to."""
    wanted = context.arguments
    found = await context.read(
        lambda reader: events_store.list_events(
            reader,
            before=wanted.before,
            category=wanted.category,
            severity=wanted.severity,
            entity=wanted.project,
            limit=wanted.limit,
        )
    )
    for event in reversed(found):
        _print(context, event)
    if wanted.follow:
        await _follow(context, found[0].id if found else 0)
    return 0


async def _follow(context: Context, last: int) -> None:
    database = await Database.open(context.data_dir / DATABASE_NAME, owner=False)
    try:
        version = -1
        while True:
            current = await database.data_version()
            if current != version:
                version = current
                last = await database.read(partial(_print_since, context, last))
            await asyncio.sleep(POLL_S)
    finally:
        await database.close()


async def _print_since(context: Context, last: int, reader: Reader) -> int:
    for event in await events_store.since(reader, last):
        last = event.id
        if _matches(context, event):
            _print(context, event)
    return last


def _matches(context: Context, event: StoredEvent) -> bool:
    wanted = context.arguments
    if wanted.category and event.category != wanted.category:
        return False
    if wanted.severity and SEVERITIES.index(event.severity) < SEVERITIES.index(wanted.severity):
        return False
    return not wanted.project or f"{event.entity or ''}/".startswith(f"{wanted.project}/")


def _print(context: Context, event: StoredEvent) -> None:
    if context.as_json:
        names = ("id", "at", "category", "severity", "kind", "text", "entity", "job_id", "data")
        print_json({name: getattr(event, name) for name in names}, lines=True)
    else:
        print_line(f"{rfc3339(event.at)} {event.severity:<8} {event.text}")
