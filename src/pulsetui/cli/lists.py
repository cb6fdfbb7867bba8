"""Reads lists of episodes: a source a line, CSV with a header, or a JSON object a line.

The invariant: a list is read whole or refused with the place of the first thing that is wrong with it. What a source is
and whether it may be queued is left to `add` and to the order.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, TextIO

from pulsetui.cli.context import absolute
from pulsetui.errors import UsageError

FIELDS = ("source", "title", "entity", "priority")
STANDARD_INPUT = "-"

Rows = Iterator[tuple[str, dict[str, Any]]]
"""Where each row stands, and its fields."""


def rows_of(name: str) -> Rows:
    """Yield the rows of a list; `-` is standard input, in whichever of the forms.

    Raises:
        UsageError: it can't be read, or a row of it isn't in the list's form; says where.
    """
    try:
        if name == STANDARD_INPUT:
            yield from _standard_input()
            return
        path = absolute(name)
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _reader_for(path.suffix)(name, file)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8: {error.reason}", hint="a list is UTF-8 text") from error
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror}", hint="check its path and its rights") from error
    except csv.Error as error:
        raise UsageError(f"{name} is not CSV: {error}", hint="see what is in it; a list is plain text") from error


def _standard_input() -> Rows:
    if sys.stdin is None:
        return
    with io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        # A source begins with neither a brace nor the name of a column.
        kind = ".jsonl" if first.lstrip().startswith("{") else ""
        kind = ".csv" if first.strip().split(",")[0].strip('" ') in FIELDS else kind
        yield from _reader_for(kind)("standard input", chain([first], file))


def _reader_for(suffix: str) -> Callable[[str, Any], Rows]:
    return {".csv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl}.get(suffix.lower(), _lines)


def _lines(name: str, file: TextIO) -> Rows:
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield f"{name} line {number}", {"source": text}


def _csv(name: str, file: TextIO) -> Rows:
    reader = csv.DictReader(file, skipinitialspace=True, strict=True)
    header = reader.fieldnames or []
    if "source" not in header or not set(header) <= set(FIELDS) or len(set(header)) < len(header):
        raise UsageError(
            f"{name} line 1: the header is {', '.join(header) or 'empty'}",
            hint=f"columns are {', '.join(FIELDS)}; source is a must",
        )
    for row in reader:
        where = f"{name} line {reader.line_num}"
        if None in row:
            raise UsageError(f"{where}: more cells than columns", hint="put a cell that holds a comma in quotes")
        yield where, {key: value.strip() for key, value in row.items() if value}


def _jsonl(name: str, file: TextIO) -> Rows:
    for number, line in enumerate(file, start=1):
        where = f"{name} line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{where}: not JSON: {error}", hint="one JSON object a line") from error
        if _has_half_characters(row):
            raise UsageError(f"{where}: half of a character (a lone \\ud800 to \\udfff)", hint="write it as UTF-8")
        if not isinstance(row, dict):
            raise UsageError(f"{where}: not an object", hint=f"an object with {', '.join(FIELDS)}")
        yield where, row


def _has_half_characters(row: object) -> bool:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
