"""`pulsetui audit list`: who ordered what, through what, and how it ended."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from pulsetui.actions import store
from pulsetui.actions.store import AuditEntry
from pulsetui.cli.context import Context
from pulsetui.cli.output import print_json, print_table
from pulsetui.cli.words import LIBRARY
from pulsetui.clock import rfc3339
from pulsetui.units import format_duration

_COLUMNS = (("id", True), ("at", False), ("by", False), ("order", False), ("of", False), ("ended", False))
_SHOWN = 200
"""How much of an order's arguments a table takes; --json has all, and the outcomes."""


async def list_audit(context: Context) -> int:
    """Print the newest orders, the newest first."""
    wanted = context.arguments
    found = await context.read(
        lambda reader: store.list_audit(reader, before=wanted.before, limit=wanted.limit or -1, verb=wanted.of_verb)
    )
    if context.as_json:
        print_json([asdict(entry) for entry in found])
        return 0
    print_table(_COLUMNS, [_row(entry) for entry in found])
    return 0


def _row(entry: AuditEntry) -> tuple[str, ...]:
    at = f"{entry.at.astimezone():%Y-%m-%d %H:%M}" if sys.stdout.isatty() else rfc3339(entry.at)
    return str(entry.id), at, f"{entry.user} ({entry.through})", entry.verb, _short(entry.arguments), _ended(entry)


def _ended(entry: AuditEntry) -> str:
    if entry.error is not None:
        return f"{entry.error.get('code', 'failed')}: {entry.error.get('message', '')}"
    if entry.outcome is None or entry.duration_s is None:
        return "not over"
    return (
        f"done in {entry.duration_s:.1f} s" if entry.duration_s < 60 else f"done in {format_duration(entry.duration_s)}"
    )


def _short(arguments: dict[str, Any]) -> str:
    """Return arguments in a line: `fingerprint=3f2a… name=Big`; what isn't set, or is as usual, is left out."""
    told = {name: value for name, value in arguments.items() if value not in (None, "", [], {})}
    if told.get("library") == LIBRARY:
        del told["library"]
    text = " ".join(f"{name}={_value(value)}" for name, value in told.items())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
