"""`pulsetui add`: queue episodes from the command line or from a list (text, CSV, JSONL)."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from pulsetui.catalog.store import parse_entity
from pulsetui.cli.context import Context
from pulsetui.cli.output import note, print_json, print_line
from pulsetui.errors import UsageError
from pulsetui.pipeline.actions import MOST_AT_ONCE, AddEpisodes, Episode

FIELDS = ("source", "title", "entity", "priority")
_PROGRESS_FROM = 5 * MOST_AT_ONCE


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("add", help="queue episodes: URLs, local files, or a list")
    parser.add_argument("sources", nargs="*", metavar="URL", help="an https URL or a path")
    parser.add_argument(
        "--from",
        dest="list_file",
        metavar="FILE",
        help="a list: one URL a line, .csv with a header, or .jsonl; - is standard input",
    )
    parser.add_argument(
        "--entity", default="", metavar='"P/C/S/G"', help="project/character/scene/segment, from the left"
    )
    parser.add_argument("--title", default="", help="for a single source")
    parser.add_argument("--priority", type=int, default=0, help="higher goes first (default 0)")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=add)


async def add(context: Context) -> int:
    """Queue what is named, a thousand in an order."""
    wanted = context.arguments
    if not wanted.sources and not wanted.list_file:
        raise UsageError("nothing to add", hint="name URLs or files, or a list with --from FILE")
    if wanted.title and (len(wanted.sources) != 1 or wanted.list_file):
        raise UsageError("--title is for a single source", hint="put titles into the list's `title` column")
    if wanted.entity:
        parse_entity(wanted.entity)
    # All of it is read and checked before the first order, so that a bad line adds nothing.
    episodes = list(_episodes(context))
    added: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for batch in _batches(episodes):
        outcome = await context.order(AddEpisodes(episodes=batch))
        added += outcome["added"]
        skipped += outcome["skipped"]
        if len(episodes) >= _PROGRESS_FROM:
            note(f"{len(added) + len(skipped)} of {len(episodes)} read, {len(added)} queued")
    if context.as_json:
        print_json({"added": added, "skipped": skipped})
    else:
        _tell(added, skipped)
    return 0 if added or not skipped else 1


def _tell(added: list[dict[str, Any]], skipped: list[dict[str, Any]]) -> None:
    if len(added) == 1:
        print_line(f"job {added[0]['id']} queued")
    elif added:
        print_line(f"{len(added)} jobs queued, {added[0]['id']} to {added[-1]['id']}")
    for each in skipped[:20]:
        note(f"skipped {each['source']}: {each['reason']}")
    if len(skipped) > 20:
        note(f"… and {len(skipped) - 20} more skipped")


def _episodes(context: Context) -> Iterator[Episode]:
    wanted = context.arguments
    common = {"entity": wanted.entity, "priority": wanted.priority}
    for number, source in enumerate(wanted.sources, start=1):
        yield _episode({**common, "source": source, "title": wanted.title}, f"source {number}")
    if wanted.list_file:
        for where, row in _rows(wanted.list_file):
            yield _episode({**common, **row}, where)


def _episode(row: dict[str, Any], where: str) -> Episode:
    """Return the episode of a row.

    Raises:
        UsageError: the row can't be read; says where.
    """
    try:
        episode = Episode.model_validate({**row, "source": _absolute(str(row.get("source", "")))})
        if episode.entity:
            parse_entity(episode.entity)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{where}: {field}: {first['msg']}", hint=f"a row has {', '.join(FIELDS)}") from error
    except UsageError as error:
        raise UsageError(f"{where}: {error}", hint=error.hint) from error
    return episode


def _absolute(source: str) -> str:
    """Return a path as an absolute one, and a URL as it is."""
    source = source.strip()
    if not source or ":" in source.split("/", 1)[0]:
        return source
    return str(Path(source).expanduser().absolute())


def _rows(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a list with where each stands."""
    if name == "-":
        yield from _lines("standard input", sys.stdin)
        return
    path = Path(name)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = {".csv": _csv, ".jsonl": _jsonl}.get(path.suffix.lower(), _lines)
            yield from reader(name, file)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} can't be read: {error}", hint="a list is UTF-8 text") from error


def _lines(name: str, file: TextIO) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield f"{name} line {number}", {"source": text}


def _csv(name: str, file: TextIO) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(file)
    header = reader.fieldnames or []
    unknown = [column for column in header if column not in FIELDS]
    if "source" not in header or unknown:
        raise UsageError(
            f"{name} line 1: the header is {', '.join(header) or 'empty'}",
            hint=f"columns are {', '.join(FIELDS)}; source is a must",
        )
    for row in reader:
        yield f"{name} line {reader.line_num}", {key: value for key, value in row.items() if value}


def _jsonl(name: str, file: TextIO) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{name} line {number}: not JSON: {error}", hint="one JSON object a line") from error
        if not isinstance(row, dict):
            raise UsageError(f"{name} line {number}: not an object", hint=f"an object with {', '.join(FIELDS)}")
        yield f"{name} line {number}", row


def _batches(episodes: Iterable[Episode]) -> Iterator[tuple[Episode, ...]]:
    rest = iter(episodes)
    while batch := tuple(islice(rest, MOST_AT_ONCE)):
        yield batch
