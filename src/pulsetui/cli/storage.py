"""`pulsetui storage refresh`, `breakdown` and `history`: reads the sizes again, and tells what they are and were."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pulsetui.cli.context import Context
from pulsetui.cli.following import Followed, follow
from pulsetui.cli.output import note, print_fields, print_json, print_line, print_table
from pulsetui.cli.tree_sources import Detail, hierarchy, how_far, of_entities
from pulsetui.cli.words import WINDOWS
from pulsetui.clock import SystemClock, rfc3339
from pulsetui.storage.tree.history import growth_bytes, trend
from pulsetui.storage.views import CATEGORIES, HistoryPoint, RefreshView, StorageNode
from pulsetui.trends import Trend
from pulsetui.units import format_duration, format_percent, format_size
from pulsetui.waiting import in_thread

POINTS_SHOWN = 30
"""How many points of the past a person is shown, the newest; --json has all."""


async def refresh(context: Context) -> int:
    """Read the sizes again, through the owner if there is one."""
    from pulsetui.storage.actions import RefreshStorage

    reading = Followed(
        context,
        here=lambda core: _how_far(core.refresher.progress),
        there=lambda figures: _how_far(_told(figures)),
        beginning="the refresh is about to begin",
    )
    _tell_refresh(context, await follow(reading, RefreshStorage(full=context.arguments.full)))
    return 0


def _how_far(progress: RefreshView | None) -> str | None:
    return None if progress is None else how_far(progress)


def _told(figures: Mapping[str, Any]) -> RefreshView | None:
    refreshing = figures["storage"]["refreshing"]
    return None if refreshing is None else RefreshView(**refreshing)


def _tell_refresh(context: Context, outcome: dict[str, Any]) -> None:
    levels = {_plural(level): count for level, count in outcome.pop("levels").items()}
    if context.as_json:
        print_json({**levels, **outcome})
        return
    listed = outcome["folders"] - outcome["reused_folders"]
    counts = ", ".join(f"{count:,} {level}" for level, count in levels.items())
    print_line(f"{format_size(outcome['allocated_bytes'])} on disk in {outcome['files']:,} files; {counts}")
    print_line(f"{listed:,} of {outcome['folders']:,} folders listed in {outcome['seconds']:.1f} s")
    if outcome["errors"]:
        note(f"{outcome['errors']:,} folders could not be read: `pulsetui storage treemap --json` names them")


def _plural(level: str) -> str:
    """Return the key of a level's count: `projects`, and `series` for `series`."""
    return level if level.endswith("s") else f"{level}s"


async def breakdown(context: Context) -> int:
    """Print how much of each category there is."""
    found = await of_entities(context, Detail(0))
    node = found.tree
    if context.as_json:
        categories = [
            {
                "name": name,
                "bytes": amount.total_bytes,
                "allocated_bytes": amount.allocated_bytes,
                "count": amount.file_count,
            }
            for name, amount in zip(CATEGORIES, node.categories, strict=True)
        ]
        print_json({**_named(node), "snapshot_at": found.at, **_size(node), "categories": categories})
        return 0
    whole = node.size.total_bytes
    rows = [
        (name, format_size(amount.total_bytes), _share(amount.total_bytes, whole), f"{amount.file_count:,}")
        for name, amount in zip(CATEGORIES, node.categories, strict=True)
    ]
    rows.append(("all", format_size(whole), _share(whole, whole), f"{node.size.file_count:,}"))
    print_table((("category", False), ("size", True), ("share", True), ("files", True)), rows)
    return 0


def _share(part: int, whole: int) -> str:
    return format_percent(part / whole) if whole else ""


def _named(node: StorageNode) -> dict[str, Any]:
    return {"name": node.name, "entity_type": node.entity_type, "entity_id": node.entity_id}


def _size(node: StorageNode) -> dict[str, Any]:
    return {
        "total_bytes": node.size.total_bytes,
        "allocated_bytes": node.size.allocated_bytes,
        "file_count": node.size.file_count,
        "reclaimable_bytes": node.reclaimable_bytes,
    }


@dataclass(frozen=True, slots=True)
class _Past:
    """What is known of how something grew."""

    node: StorageNode
    points: Sequence[HistoryPoint]
    growth: dict[str, int | None]
    """Allocated bytes by window; None: not known for so long."""
    trend: Trend | None
    room_bytes: int


async def history(context: Context) -> int:
    """Print how large something was, how it grows, and when it will be full."""
    past = await _past(context)
    if context.as_json:
        print_json(_past_json(past))
        return 0
    older = len(past.points) - POINTS_SHOWN
    print_table((("at", False), ("on disk", True), ("change", True), ("files", True)), _point_rows(past.points))
    if older > 0:
        note(f"{older:,} older points; --json has all")
    print_fields(_past_fields(past))
    return 0


async def _past(context: Context) -> _Past:
    now = SystemClock().now()
    async with hierarchy(context) as sizes:
        key = await sizes.resolve(context.arguments.entity) if context.arguments.entity is not None else None
        node = (await sizes.view(key, depth=0)).tree
        points = await sizes.history(node.key)
    room_bytes = await in_thread(_room_bytes, context, node if key is None else None)
    growth = {name: growth_bytes(points, now, timedelta(seconds=seconds)) for name, seconds in WINDOWS.items()}
    return _Past(node, points, growth, trend(points, now, room_bytes=room_bytes), room_bytes)


def _room_bytes(context: Context, library: StorageNode | None) -> int:
    """Return how much more fits: what the disk has free, and what the budget leaves if the whole library is meant."""
    from pulsetui.core.disks import limits_on
    from pulsetui.storage.disks import disks

    storage_dir = context.loaded.settings.paths.storage.resolve()
    limits = limits_on(context.loaded, context.data_dir, storage_dir)
    room = [disk.free_bytes - limits.floor_bytes for disk in disks((storage_dir,))]
    if library is not None:
        room.append(limits.hard_bytes - library.size.allocated_bytes - library.reclaimable_bytes)
    return max(0, min(room))


def _past_json(past: _Past) -> dict[str, Any]:
    full_in = past.trend.full_in if past.trend else None
    return {
        **_named(past.node),
        "points": [
            {
                "at": point.at,
                "total_bytes": point.size.total_bytes,
                "allocated_bytes": point.size.allocated_bytes,
                "file_count": point.size.file_count,
            }
            for point in past.points
        ],
        "growth_bytes": past.growth,
        "trend_bytes_per_day": past.trend.bytes_per_day if past.trend else None,
        "room_bytes": past.room_bytes,
        "full_in_s": full_in.total_seconds() if full_in is not None else None,
    }


def _point_rows(points: Sequence[HistoryPoint]) -> Iterator[tuple[str, ...]]:
    first = max(0, len(points) - POINTS_SHOWN)
    for at in range(first, len(points)):
        size = points[at].size
        change = "" if at == 0 else _signed(size.allocated_bytes - points[at - 1].size.allocated_bytes)
        yield _shown(points[at].at), format_size(size.allocated_bytes), change, f"{size.file_count:,}"


def _past_fields(past: _Past) -> Iterator[tuple[str, str]]:
    for window, grown in past.growth.items():
        yield f"in {window}", "not known for so long" if grown is None else _signed(grown)
    if past.trend is None:
        yield "trend", "not known: there is less than an hour to judge by"
        return
    yield "trend", f"{_signed(round(past.trend.bytes_per_day))} a day"
    full_in = past.trend.full_in
    room = f"{format_size(past.room_bytes)} left"
    yield "full in", f"{format_duration(full_in.total_seconds())}, {room}" if full_in is not None else f"never, {room}"


def _signed(size_bytes: int) -> str:
    return f"+{format_size(size_bytes)}" if size_bytes > 0 else format_size(size_bytes)


def _shown(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}" if sys.stdout.isatty() else rfc3339(at)
