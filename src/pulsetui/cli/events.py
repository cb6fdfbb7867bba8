"""`pulsetui events`: the activity feed, once or as it comes."""

from __future__ import annotations

import asyncio
import sys

from pulsetui.cli.context import Context
from pulsetui.cli.output import print_json, print_line
from pulsetui.clock import rfc3339
from pulsetui.db.database import Database, Reader
from pulsetui.events import store as events_store
from pulsetui.events.base import SEVERITIES
from pulsetui.events.store import StoredEvent

POLL_S = 0.25
"""How often a follower asks whether anything was committed; it costs microseconds."""
_AT_A_TIME = 1000


async def events(context: Context) -> int:
    """Print the newest events, oldest of them first, then follow if asked to."""
    async with context.reading() as database:
        found, last = await database.read(lambda reader: _newest(context, reader))
        for event in reversed(found):
            _print(context, event)
        if context.arguments.follow:
            await _follow(context, database, last)
    return 0


async def _newest(context: Context, reader: Reader) -> tuple[list[StoredEvent], int]:
    """Return the newest events that match, and the id of the last one that a follower needn't see."""
    wanted = context.arguments
    found = await events_store.list_events(
        reader,
        before=wanted.before,
        category=wanted.category,
        severity=wanted.severity,
        entity=wanted.project,
        limit=wanted.limit or -1,
    )
    return found, await events_store.last_id(reader)


async def _follow(context: Context, database: Database, last: int) -> None:
    version = -1
    while True:
        current = await database.data_version()
        if current != version:
            version = current
            last = await _print_since(context, database, last)
        await asyncio.sleep(POLL_S)


async def _print_since(context: Context, database: Database, last: int) -> int:
    """Print what came after `last` and return the id of the newest event."""
    more = True
    while more:
        after = last
        found = await database.read(lambda reader: events_store.since(reader, after, limit=_AT_A_TIME))  # noqa: B023
        for event in found:
            last = event.id
            if _matches(context, event):
                _print(context, event)
        more = len(found) == _AT_A_TIME
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
        at = f"{event.at.astimezone():%m-%d %H:%M:%S}" if sys.stdout.isatty() else rfc3339(event.at)
        print_line(f"{at} {event.severity:<8} {event.text}")
