"""`pulsetui audit list`: who ordered what, through what, and how it ended."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pulsetui.actions import store
from pulsetui.actions.store import AuditEntry
from pulsetui.cli.context import Context
from pulsetui.cli.output import print_json, print_table
from pulsetui.clock import rfc3339
from pulsetui.units import format_duration

_COLUMNS = (
    ("id", True),
    ("at", False),
    ("by", False),
    ("order", False),
    ("took", True),
    ("of", False),
    ("ended", False),
)
_SHOWN = 200
"""How much of an order's arguments or outcome a table takes; --json has all."""


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
    took = "" if entry.duration_s is None else f"{entry.duration_s:.1f}s" if entry.duration_s < 60 else ""
    took = took or ("" if entry.duration_s is None else format_duration(entry.duration_s))
    by = f"{entry.user} ({entry.through})"
    return str(entry.id), rfc3339(entry.at), by, entry.verb, took, _short(entry.arguments), _ended(entry)


def _ended(entry: AuditEntry) -> str:
    if entry.error is not None:
        return f"{entry.error.get('code', 'failed')}: {entry.error.get('message', '')}"[:_SHOWN]
    return "not over" if entry.outcome is None else _short(entry.outcome)


def _short(plain: dict[str, Any]) -> str:
    """Return arguments or an outcome in a line: `fingerprint=3f2a… name=Big`; what isn't set is left out."""
    parts = (f"{name}={_value(value)}" for name, value in plain.items() if value not in (None, "", [], {}))
    text = " ".join(parts)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
