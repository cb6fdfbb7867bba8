"""Writes the table of `docs/events.md` from the declared events, keeping the text around it.

Run after an event changed: `python tools/document_events.py`. A test fails while the page is behind.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pulsetui.core import assembly  # the composition root imports every room, and with it every event
from pulsetui.events.base import Event, registered_events

PAGE = Path(__file__).resolve().parent.parent / "docs" / "events.md"
START, END = f"<!-- made by tools/{Path(__file__).name} -->\n", "<!-- end -->\n"


def events() -> dict[str, type[Event]]:
    """Return pulsetui's own events by kind."""
    package = assembly.__name__.partition(".")[0]
    return {kind: event for kind, event in registered_events().items() if event.__module__.startswith(f"{package}.")}


def table() -> str:
    """Return the Markdown table of all events."""
    lines = ["| kind | category | severity | means | `data` |", "|---|---|---|---|---|"]
    for kind, event in events().items():
        fields = [field.name for field in dataclasses.fields(event) if field.name not in ("entity", "job_id")]
        means = " ".join((event.__doc__ or "").split("\n\n")[0].split())
        kept = ", kept for good" if event.keep else ""
        lines.append(f"| `{kind}` | {event.category} | {event.severity}{kept} | {means} | `{' '.join(fields)}` |")
    return "\n".join(lines)


def page(current: str) -> str:
    """Return the page with its table made anew."""
    before, _, rest = current.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
