"""`pulsetui add`: queue episodes from the command line or from a list."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from pydantic import ValidationError

from pulsetui.catalog.levels import parse_entity
from pulsetui.cli.context import Context
from pulsetui.cli.lists import FIELDS, rows_of
from pulsetui.cli.output import Progress, note, print_json, print_line
from pulsetui.errors import UsageError
from pulsetui.pipeline.actions import MOST_AT_ONCE, AddEpisodes, Episode
from pulsetui.pipeline.given import NO_FILE, is_missing, source_of
from pulsetui.units import format_duration

_SKIPPED_SHOWN = 20


async def add(context: Context) -> int:
    """Queue what is named, a thousand in an order."""
    wanted = context.arguments
    if not wanted.sources and wanted.list_file is None:
        raise UsageError("nothing to add", hint="name URLs or files, or a list with --from FILE")
    if wanted.title and (len(wanted.sources) != 1 or wanted.list_file is not None):
        raise UsageError("--title is for a single source", hint="put titles into the list's `title` column")
    # All of it is read and checked before the first order, so that a bad line adds nothing.
    there, missing = _parted(_episodes(context))
    added, skipped = await _queued(context, there)
    skipped = [{"source": source, "reason": NO_FILE} for source in missing] + skipped
    if context.as_json:
        print_json({"added": added, "skipped": skipped})
    else:
        _tell(added, skipped)
    return 0 if added or not skipped else 1


async def _queued(context: Context, episodes: Sequence[Episode]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Order what can be queued, and tell how far it is where that takes more than an order."""
    added: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    progress, began = Progress(), time.monotonic()
    try:
        for batch in _batches(episodes):
            outcome = await context.order(AddEpisodes(episodes=batch))
            added += outcome["added"]
            skipped += outcome["skipped"]
            if len(episodes) > MOST_AT_ONCE:
                progress.tell(_progress(len(added) + len(skipped), len(episodes), time.monotonic() - began))
    except BaseException:
        progress.end()
        if added:
            note(f"{len(added)} of {len(episodes)} were queued before this; given again, they are skipped")
        raise
    progress.end()
    return added, skipped


def _progress(done: int, total: int, elapsed_s: float) -> str:
    rate = done / max(elapsed_s, 0.001)
    left = f", {format_duration((total - done) / rate)} left" if done < total else ""
    return f"{done:,} of {total:,} given in, {rate:,.0f} a second{left}"


def _tell(added: list[dict[str, Any]], skipped: list[dict[str, Any]]) -> None:
    if len(added) == 1:
        print_line(f"job {added[0]['id']} queued")
    elif added:
        print_line(f"{len(added):,} jobs queued, {added[0]['id']} to {added[-1]['id']}")
    for each in skipped[:_SKIPPED_SHOWN]:
        note(f"skipped {each['source']}: {each['reason']}")
    if len(skipped) > _SKIPPED_SHOWN:
        note(f"… and {len(skipped) - _SKIPPED_SHOWN:,} more skipped; --json lists all")


def _episodes(context: Context) -> Iterator[Episode]:
    wanted = context.arguments
    levels = context.loaded.settings.storage.levels
    common = {"entity": wanted.entity, "priority": wanted.priority}
    for number, source in enumerate(wanted.sources, start=1):
        yield _episode({**common, "source": source, "title": wanted.title}, f"source {number}", levels)
    if wanted.list_file is not None:
        for where, row in rows_of(wanted.list_file):
            yield _episode({**common, **row}, where, levels)


def _episode(row: dict[str, Any], where: str, levels: Sequence[str]) -> Episode:
    """Return the episode of a row.

    Raises:
        UsageError: the row can't be read; says where.
    """
    try:
        source = row.get("source", "")
        episode = Episode.model_validate({**row, "source": source_of(source) if isinstance(source, str) else source})
        if episode.entity:
            parse_entity(episode.entity, levels)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{where}: {field}: {first['msg']}", hint=f"a row has {', '.join(FIELDS)}") from error
    except UsageError as error:
        raise UsageError(f"{where}: {error}", hint=error.hint) from error
    return episode


def _parted(episodes: Iterable[Episode]) -> tuple[list[Episode], list[str]]:
    """Return the episodes that may be there, and the local paths that aren't: better said now than by a dead job."""
    there: list[Episode] = []
    missing: list[str] = []
    for episode in episodes:
        if is_missing(episode.source):
            missing.append(episode.source)
        else:
            there.append(episode)
    return there, missing


def _batches(episodes: Iterable[Episode]) -> Iterator[tuple[Episode, ...]]:
    rest = iter(episodes)
    while batch := tuple(islice(rest, MOST_AT_ONCE)):
        yield batch
