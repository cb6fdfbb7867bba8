"""One node of the tree of sizes in figures, how old they are, and how a refresh goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from textual.content import Content

from pulsetui.storage.views import RefreshView, StorageNode, StorageView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.storage import percent, signed, window
from pulsetui.tui.renderables.text import age, broken, count, line, middle_cut, safe, size, spread
from pulsetui.units import format_duration, format_rate, format_size

STALE_S = 1800.0
"""Figures older than this, twice the default interval, are told as old."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the figures are of."""

    node: StorageNode
    parent: StorageNode | None
    """What it is in, or None for the library."""
    view: StorageView
    growth_s: float
    """The window of the growth."""


def summary_lines(subject: Subject, now: datetime, width_cells: int) -> list[Content]:
    """Return the node's figures, one subject a line; what isn't there at all is left out."""
    node = subject.node
    lines = [
        line(size(node.size.allocated_bytes), (" in ", "$quiet"), (count(node.size.file_count, "file"), "$foreground")),
        line(size(node.size.total_bytes), (" apparent", "$quiet")),
        _shares(subject, width_cells),
        *(_later(node, width_cells) if _later_is_known(subject) else []),
        *_changes(subject, now),
    ]
    if node.error:
        lines += [line((part, "$warn")) for part in broken(f"{glyphs.WARNING} {safe(node.error)}", width_cells)]
    return lines


def _shares(subject: Subject, width_cells: int) -> Content:
    """Return which share of its parent and of everything the node is."""
    here = subject.node.size.allocated_bytes
    of_all = percent(here, subject.view.whole.allocated_bytes)
    if subject.parent is None:
        return line(of_all, (" of all", "$quiet"))
    if subject.parent.entity_type == "library":
        return line(of_all, (" of all", "$quiet"))
    of_parent = percent(here, subject.parent.size.allocated_bytes)
    room = width_cells - len(of_parent) - len(" of , ") - len(of_all) - len(" of all")
    name = middle_cut(subject.parent.name, max(4, room))
    return line(of_parent, (f" of {name}, ", "$quiet"), of_all, (" of all", "$quiet"))


def _later_is_known(subject: Subject) -> bool:
    """Tell whether what can be freed is known: of the past it isn't kept."""
    node = subject.node
    return subject.view.history_at is None or bool(node.reclaimable_bytes or node.candidate_bytes)


def _later(node: StorageNode, width_cells: int) -> list[Content]:
    """Return what can be freed, and what will still come."""
    trash = line(("reclaimable ", "$quiet"), size(node.reclaimable_bytes))
    candidates = line(("candidates ", "$quiet"), size(node.candidate_bytes))
    both = line(trash, (" · ", "$quiet"), candidates)
    lines = [both] if both.cell_length <= width_cells else [trash, candidates]
    if node.incoming_bytes:
        lines.append(line(("still to come ", "$quiet"), size(node.incoming_bytes)))
    return lines


def _changes(subject: Subject, now: datetime) -> list[Content]:
    """Return growth and the newest file."""
    node, lines = subject.node, []
    if node.growth_bytes is not None:
        said = signed(node.growth_bytes) if node.growth_bytes else "no change"
        lines.append(line(said, (f" in {window(subject.growth_s)}", "$quiet")))
    if node.newest_at is not None:
        lines.append(line(("newest file ", "$quiet"), age(node.newest_at, now), (" old", "$quiet")))
    return lines


def state_lines(view: StorageView, now: datetime, width_cells: int, *, failure: str = "") -> list[Content]:
    """Return the age of the figures, or how a refresh runs or failed, and in the last line the key that refreshes."""
    key = line(("r", "bold $accent"), (" refresh", "$quiet"))
    if view.refreshing is not None:
        return _progress(view.refreshing, width_cells)
    lines = []
    if failed := failure or view.failure:
        lines = [line((part, "$bad")) for part in broken(f"{glyphs.FAILED} {safe(failed)}", width_cells)]
    if view.history_at is not None:
        said = line(("as it was ", "$quiet"), age(view.history_at, now), (" ago", "$quiet"))
        return [*lines, said]
    if view.snapshot_at is None:
        return [*lines, spread(line(("never read yet", "$quiet")), key, width_cells)]
    old = (now - view.snapshot_at).total_seconds() > STALE_S
    said = line(("as of ", "$quiet"), (age(view.snapshot_at, now), "$warn" if old else "$foreground"))
    return [*lines, spread(line(said, (" ago", "$quiet")), key, width_cells)]


def summary_ages(subject: Subject, now: datetime) -> tuple[object, ...]:
    """Return what of the time shows in `summary_lines` and `state_lines`."""
    view = subject.view
    moments = (subject.node.newest_at, view.snapshot_at, view.history_at)
    old = view.snapshot_at is not None and (now - view.snapshot_at).total_seconds() > STALE_S
    return old, *(age(moment, now) for moment in moments if moment is not None)


def _progress(running: RefreshView, width_cells: int) -> list[Content]:
    """Return how far a refresh is, and how fast."""
    said = f"{glyphs.RETRY} refreshing"
    per_s = running.total_bytes / running.elapsed_s if running.elapsed_s > 0 else 0.0
    rates = [f"{running.files_per_s:,.0f} files/s"]
    if len(rates[0]) + 3 + len(format_rate(per_s)) <= width_cells:
        rates.append(format_rate(per_s))
    files = f"{running.files:,} files · {format_size(running.total_bytes)}"
    return [
        spread(line((said, "$accent")), line((format_duration(running.elapsed_s), "$quiet")), width_cells),
        line((middle_cut(files, width_cells), "$foreground")),
        line((middle_cut(" · ".join(rates), width_cells), "$quiet")),
    ]
