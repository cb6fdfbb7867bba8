"""One place in the tree of sizes in words: the breadcrumbs to it, and what is said of the tile under the cursor.

Pure drawing over frozen values. Names come from outside and are made safe here; a breadcrumb's click names its level by
number, so that no name is ever part of an action.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from pulsetui.storage.treemap.layout import Tile
from pulsetui.storage.views import CATEGORIES, NOTHING, Amount, StorageNode, StorageView
from pulsetui.tui import glyphs, keys
from pulsetui.tui.renderables.storage import percent, signed, window
from pulsetui.tui.renderables.text import age, count, end_cut, line, middle_cut, safe, size, spread
from pulsetui.units import format_duration, format_rate, format_size

STALE_AFTER_S = 1800.0
"""Twice the usual time between two refreshes: older sizes are marked."""
HOME = "Storage"
_TOOLTIP_CELLS = 60
_TYPES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """A tile, and what it is seen in relation to."""

    node: StorageNode
    above: tuple[StorageNode, ...]
    """What it is in, from the library down."""
    whole: Amount
    growth_s: float = 3600.0
    snapshot_at: datetime | None = None
    apparent: bool = False

    def measured(self, amount: Amount) -> int:
        """Return the size that is meant."""
        return amount.total_bytes if self.apparent else amount.allocated_bytes


def stand_in(tile: Tile) -> StorageNode | None:
    """Return a tile's node; for the small ones, or for what is still to come, a node that says so and holds them."""
    if tile.node is not None:
        return tile.node
    if tile.kind == "ghost":
        name = "incoming: what running jobs will still write"
        return StorageNode(tile.key, name, tile.kind, None, NOTHING, incoming_bytes=tile.size_bytes)
    known = all(node.categories for node in tile.others)
    return StorageNode(
        key=tile.key,
        name=count(len(tile.others), "other"),
        entity_type=tile.kind,
        entity_id=None,
        size=sum((node.size for node in tile.others), NOTHING),
        categories=tuple(
            sum((node.categories[at] for node in tile.others), NOTHING) for at in range(len(CATEGORIES) if known else 0)
        ),
        reclaimable_bytes=sum(node.reclaimable_bytes for node in tile.others),
        candidate_bytes=sum(node.candidate_bytes for node in tile.others),
        newest_at=max((node.newest_at for node in tile.others if node.newest_at), default=None),
        children=tile.others,
    )


def full_path(node: StorageNode, above: Sequence[StorageNode]) -> str:
    """Return where a node is on disk, or by its names if it is in several places; safe to draw."""
    if node.path is not None:
        return safe(node.path.decode(errors="surrogateescape"))
    return " / ".join(safe(one.name) for one in (*above[1:], node))


def crumbs(view: StorageView | None, now: datetime, width_cells: int) -> Content:
    """Return the way to what is open, each step of it to be clicked, and what that takes, as of when."""
    if view is None:
        return line((f" {HOME}", "bold"))
    refresh = keys.action("storage.refresh")
    key = line((refresh.key_text, "bold $accent"), (f" {refresh.label}", "$quiet"))
    key = key.stylize(Style.from_meta({"@click": refresh.click}))
    end = line(_figures(view, now, width_cells), "  ", key, " ")
    nodes = (*view.ancestors, view.tree)
    room = max(10, width_cells - end.cell_length - 2)
    names = [HOME, *(safe(node.name) for node in nodes[1:])]
    return spread(line(" ", _steps(names, room)), end, width_cells)


def _steps(names: Sequence[str], room: int) -> Content:
    """Return the names with a mark between them; where they don't all fit, those in the middle are cut the most."""
    mark = f" {glyphs.CURSOR} "
    cells = room - len(mark) * (len(names) - 1)
    longest = max(cell_len(name) for name in names)
    while longest > 3 and sum(min(cell_len(name), longest) for name in names) > cells:
        longest -= 1
    parts: list[Content] = []
    for at, name in enumerate(names):
        up = len(names) - 1 - at
        if parts:
            parts.append(line((mark, "$rule")))
        shown = line((middle_cut(name, longest), "$accent" if up else "bold $foreground"))
        parts.append(shown.stylize(Style.from_meta({"@click": f"screen.leave({up})"})) if up else shown)
    return Content("").join(parts)


def _figures(view: StorageView, now: datetime, width_cells: int) -> Content:
    """Return what the open node takes, and how old that is."""
    tree, dot = view.tree, ("  ·  " if width_cells >= 140 else " · ", "$rule")
    parts = [size(tree.size.allocated_bytes)]
    if width_cells >= 100:
        parts.append(line((count(tree.size.file_count, "file"), "$quiet")))
    if tree.reclaimable_bytes and width_cells >= 110:
        parts.append(line(("reclaimable ", "$quiet"), size(tree.reclaimable_bytes)))
    parts.append(state(view, now))
    return line(dot).join(parts)


def state(view: StorageView, now: datetime) -> Content:
    """Return how old the sizes are, how far a refresh is, or that it failed."""
    if view.history_at is not None:
        return line((f"as it was {age(view.history_at, now)} ago", "$accent"))
    if view.refreshing is not None:
        run = view.refreshing
        done = f"{glyphs.RETRY} {count(run.files, 'file')} read, {run.files_per_s:,.0f}/s"
        return line((done, "$accent"))
    if view.snapshot_at is None:
        return line(("never read", "$quiet"))
    old_s = (now - view.snapshot_at).total_seconds()
    text = f"as of {age(view.snapshot_at, now)} ago"
    if view.failure:
        return line((f"{glyphs.FAILED} refresh failed", "$bad"), (f" {text}", "$warn"))
    return line((text, "$warn" if old_s > STALE_AFTER_S else "$quiet"))


def progress(view: StorageView) -> str:
    """Return how far a refresh is, in full, or nothing while none runs."""
    run = view.refreshing
    if run is None:
        return ""
    rate = format_rate(run.total_bytes / run.elapsed_s) if run.elapsed_s > 0 else "–"
    read = f"{count(run.files, 'file')} in {count(run.folders, 'folder')}, {format_size(run.total_bytes)}"
    return f"{read}, {run.files_per_s:,.0f} files/s, {rate}, for {format_duration(run.elapsed_s)}"


def shares(spot: Spot) -> Iterator[str]:
    """Yield the shares of the parent and of everything."""
    own = spot.measured(spot.node.size)
    if spot.above and spot.node.size.file_count:
        within = spot.above[-1]
        if len(spot.above) > 1:
            yield f"{percent(own, spot.measured(within.size))} of {middle_cut(within.name, 24)}"
        yield f"{percent(own, spot.measured(spot.whole))} of all"


def types(node: StorageNode, apparent: bool) -> str:
    """Return the largest categories with their shares: `video 91 %, image 5 %`."""
    of = [(one.total_bytes if apparent else one.allocated_bytes) for one in node.categories]
    whole = sum(of)
    ranked = sorted(zip(of, CATEGORIES, strict=False), key=lambda pair: -pair[0])[:_TYPES_SHOWN]
    return ", ".join(f"{name} {percent(part, whole)}" for part, name in ranked if part and part * 100 >= whole)


def _parts(spot: Spot, now: datetime) -> Iterator[Content]:
    """Yield the lesser figures, the most telling first."""
    node = spot.node
    if node.entity_type == "ghost":
        yield line(("not on disk yet; reserved by downloads and transcriptions", "$quiet"))
        return
    if node.error:
        yield line((f"{glyphs.WARNING} {safe(node.error)}", "$warn"))
    yield line((count(node.size.file_count, "file"), "$quiet"))
    if found := types(node, spot.apparent):
        yield line((found, "$quiet"))
    other = node.size.allocated_bytes if spot.apparent else node.size.total_bytes
    yield line((("allocated " if spot.apparent else "apparent ") + format_size(other), "$quiet"))
    if node.growth_bytes:
        yield line((f"{signed(node.growth_bytes)} in {window(spot.growth_s)}", "$foreground"))
    for word, size_bytes in (
        ("reclaimable", node.reclaimable_bytes),
        ("candidates", node.candidate_bytes),
        ("incoming", node.incoming_bytes),
    ):
        if size_bytes:
            yield line((f"{word} ", "$quiet"), size(size_bytes))
    if node.newest_at:
        yield line((f"newest {age(node.newest_at, now)} ago", "$quiet"))
    if spot.snapshot_at:
        yield line((f"as of {age(spot.snapshot_at, now)} ago", "$quiet"))


def spot_ages(spot: Spot, now: datetime) -> tuple[str, ...]:
    """Return what of the time shows in `focus_lines`."""
    return tuple(age(moment, now) for moment in (spot.node.newest_at, spot.snapshot_at) if moment is not None)


def focus_lines(spot: Spot | None, now: datetime, width_cells: int) -> list[Content]:
    """Return the two lines about what is under the cursor; what doesn't fit goes from the end."""
    if spot is None:
        return [Content(""), Content("")]
    node = spot.node
    own = node.incoming_bytes if node.entity_type == "ghost" else spot.measured(node.size)
    end = line(size(own), *(part for text in shares(spot) for part in ((" · ", "$rule"), (text, "$quiet"))), " ")
    room = width_cells - end.cell_length - 5
    name = middle_cut(node.name, max(8, room))
    path = full_path(node, spot.above)
    left = room - cell_len(name)
    first = line(" ", (name, "bold"), "  ", (middle_cut(path, left) if left > 8 and path != name else "", "$quiet"))
    second = Content(" ")
    for part in _parts(spot, now):
        joined = line(second, (" · ", "$rule") if len(second.plain) > 1 else "", part)
        if joined.cell_length > width_cells - 1:
            break
        second = joined
    return [spread(first, end, width_cells), second]


def tooltip(spot: Spot, now: datetime) -> Content:
    """Return all that is said of a tile under the mouse."""
    node = spot.node
    own = node.incoming_bytes if node.entity_type == "ghost" else spot.measured(node.size)
    head = line((middle_cut(node.name, _TOOLTIP_CELLS), "bold"), "  ", size(own))
    path = middle_cut(full_path(node, spot.above), _TOOLTIP_CELLS)
    lines = [head, line((path, "$quiet"))]
    if said := " · ".join(shares(spot)):
        lines.append(line((end_cut(said, _TOOLTIP_CELLS), "$quiet")))
    return line("\n").join([*lines, *_parts(spot, now)])
