"""What the commands print: JSON to standard output, tables and sentences for people, messages to standard error.

The only place that prints. Text from outside is escaped before it reaches a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulsetui.clock import rfc3339
from pulsetui.errors import PulseError
from pulsetui.files.names import display_text


def plain(value: Any) -> Any:
    """Return `value` as JSON takes it: times as RFC 3339, tuples as lists."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def print_json(value: Any, *, lines: bool = False) -> None:
    """Print one JSON value; on one line with `lines`. ASCII only, so that no terminal can be moved by it."""
    print(json.dumps(plain(value), indent=None if lines else 2, ensure_ascii=True), flush=True)


def print_line(text: str) -> None:
    """Print one line for people."""
    print(display_text(text), flush=True)


def note(text: str) -> None:
    """Print a message beside the output, to standard error."""
    print(display_text(text), file=sys.stderr, flush=True)


def print_table(columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people; a column is its title and whether it holds figures, which are right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, figures in columns:
        table.add_column(title, justify="right" if figures else "left", no_wrap=figures, overflow="fold")
    for row in rows:
        table.add_row(*(Text(display_text(cell)) for cell in row))
    # A pipe gets plain lines that are never wrapped: scripts and grep want one row a line.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000, soft_wrap=not sys.stdout.isatty())
    console.print(table)


def print_error(error: PulseError, *, as_json: bool) -> None:
    """Print what happened and what to do next, to standard error."""
    if as_json:
        body = {"error": {"code": error.code, "message": str(error), "hint": error.hint}}
        print(json.dumps(body, ensure_ascii=True), file=sys.stderr, flush=True)
        return
    for line in str(error).splitlines() or [type(error).__name__]:
        note(f"pulsetui: {line}")
    if error.hint:
        note(f"  {error.hint}")
