"""The columns and rows of the table of volumes, and the lines that say what goes on with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from textual.content import Content

from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.storage import percent, signed
from pulsetui.tui.renderables.text import age, figure, left, line, right, safe, size
from pulsetui.tui.renderables.volume_figures import (
    answers,
    figure_of,
    gauge,
    is_full_soon,
    level,
    marks,
    where,
)
from pulsetui.units import format_duration, format_rate
from pulsetui.volumes.views import VolumesView, VolumeView

_STATE_CELLS = 14
_PERCENT_CELLS, _FREE_CELLS, _GROWTH_CELLS, _FULL_CELLS = 6, 7, 9, 8
_TYPE_CELLS, _SPEED_CELLS, _SEEN_CELLS = 8, 10, 4
_BAR_CELLS = (10, 40)
"""The least and the most for the bar."""
_NAME_CELLS = 14
"""The least for names, and for mount points where they have a column."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; 0 leaves a column out. Two blanks part them, one the percent from its bar."""

    name: int
    fs_type: int
    mount: int
    bar: int
    growth: int
    full: int
    speed: int
    """Of each of the two."""
    seen: int


@dataclass(frozen=True, slots=True)
class Longest:
    """What the longest name, marks included, and the longest mount point take."""

    name: int = 0
    mount: int = 0


def longest(volumes: Sequence[VolumeView]) -> Longest:
    """Return what the longest texts of some volumes take."""
    names = (cell_len(safe(one.name)) + 2 + cell_len(_marks(one, short=False)) for one in volumes)
    mounts = (cell_len(safe(where(one))) for one in volumes)
    return Longest(max(names, default=0), max(mounts, default=0))


def columns(width_cells: int, needed: Longest | None = None) -> Columns:
    """Share the width: state, name, bar, percent and free always, the others as they fit.

    Names and mount points get what the longest ones need, as far as there is room; the bar takes what is left.
    """
    full = _FULL_CELLS if width_cells >= 68 else 0
    growth = _GROWTH_CELLS if width_cells >= 92 else 0
    fs_type = _TYPE_CELLS if width_cells >= 104 else 0
    speed = _SPEED_CELLS if width_cells >= 150 else 0
    seen = _SEEN_CELLS if width_cells >= 150 else 0
    taken = (_STATE_CELLS, _FREE_CELLS, full, growth, fs_type, speed, speed, seen)
    rest = width_cells - _PERCENT_CELLS - 2 - sum(cells + 2 for cells in taken if cells)
    least, most = _BAR_CELLS
    least = 2 * least if speed else least
    needed = needed or Longest(rest, rest)
    if width_cells < 112:
        name = max(min(needed.name, rest - 2 - least), _NAME_CELLS, rest - 2 - most)
        return Columns(name, fs_type, 0, rest - name, growth, full, speed, seen)
    room = rest - 2 - least
    name = max(_NAME_CELLS, min(needed.name, max(room // 2, room - needed.mount)))
    mount = max(_NAME_CELLS, min(needed.mount, room - name), rest - 2 - name - most)
    return Columns(name, fs_type, mount, rest - 2 - name - mount, growth, full, speed, seen)


def volume_head(width_cells: int, needed: Longest) -> Content:
    """Return the column heads."""
    width = columns(width_cells, needed)
    cells = [
        left("  state", _STATE_CELLS),
        left("name", width.name),
        left("type", width.fs_type),
        left("mount", width.mount),
        left(" used", width.bar + _PERCENT_CELLS),
        right("free", _FREE_CELLS),
        right("a day", width.growth) if width.growth else "",
        right("full in", width.full) if width.full else "",
        right("read", width.speed) if width.speed else "",
        right("write", width.speed) if width.speed else "",
        right("seen", width.seen) if width.seen else "",
    ]
    return line(("  ".join(cell for cell in cells if cell), "$quiet"))


def volume_row(volume: VolumeView, view: VolumesView, now: datetime, width_cells: int, needed: Longest) -> Content:
    """Return one volume as a row of the table, exactly as wide as its head."""
    width = columns(width_cells, needed)
    icon, style = states.volume(volume.state)
    tone = "$foreground" if volume.is_tracked else "$quiet"
    parts = [
        line((icon, style), " ", (left(volume.state, _STATE_CELLS - 2), style)),
        _name(volume, now, width, tone),
    ]
    if width.fs_type:
        parts.append(line((left(volume.fs_type, width.fs_type), "$quiet")))
    if width.mount:
        parts.append(line((left(where(volume), width.mount), tone if volume.mount_points else "$quiet")))
    parts += [_used(volume, view, width.bar), size(volume.available_bytes, _FREE_CELLS, _figure_tone(volume))]
    if width.growth:
        parts.append(_growth(volume, width.growth))
    if width.full:
        parts.append(_full_in(volume, view, width.full))
    if width.speed:
        parts += _speeds(volume, width.speed)
    if width.seen:
        seen = age(volume.last_seen_at, now, width.seen) if volume.last_seen_at else right("–", width.seen)
        parts.append(line((seen, "$quiet" if volume.mount_points else "$warn")))
    return line("  ").join(parts)


def row_ages(volume: VolumeView, now: datetime) -> str:
    """Return what of the time shows in a row."""
    return age(volume.last_seen_at, now) if volume.last_seen_at else ""


def _name(volume: VolumeView, now: datetime, width: Columns, tone: str) -> Content:
    """Return the name with its marks at the right; of one away, when it was last seen, unless a column says that."""
    marked = "$quiet"
    if not volume.mount_points and not width.seen and volume.last_seen_at is not None:
        said, marked = f"{age(volume.last_seen_at, now)} ago", "$warn"
    else:
        said = _marks(volume, short=False)
        if width.name - cell_len(said) - 2 < min(cell_len(safe(volume.name)), width.name * 2 // 3):
            said = _marks(volume, short=True)
    room = width.name - (cell_len(said) + 2 if said else 0)
    if not said or room < 4:
        return line((left(volume.name, width.name), tone))
    return line((left(volume.name, room), tone), "  ", (said, marked))


def _marks(volume: VolumeView, *, short: bool) -> str:
    found = marks(volume)
    return " ".join({"read-only": "ro"}.get(word, word[:3]) for word in found) if short else " ".join(found)


def _used(volume: VolumeView, view: VolumesView, bar_cells: int) -> Content:
    used, total = volume.used_bytes, volume.total_bytes
    if used is None or not total:
        return line(gauge(volume, view, bar_cells), (right("–", _PERCENT_CELLS), "$quiet"))
    full = level(volume, view)
    tone = _figure_tone(volume) if full == "ok" or not answers(volume) else states.level(full)[1]
    return line(gauge(volume, view, bar_cells), (right(percent(used, total), _PERCENT_CELLS), tone))


def _figure_tone(volume: VolumeView) -> str:
    return "$foreground" if answers(volume) else "$quiet"


def _growth(volume: VolumeView, cells: int) -> Content:
    growth = volume.growth_bytes_per_day
    if growth is None or not round(growth):
        return line((right("–", cells), "$quiet"))
    return figure_of(signed(round(growth)), cells)


def _full_in(volume: VolumeView, view: VolumesView, cells: int) -> Content:
    if volume.full_in_s is None:
        return line((right("–", cells), "$quiet"))
    tone = "$warn" if is_full_soon(volume, view) else "$foreground"
    return line((right(format_duration(volume.full_in_s), cells), tone))


def _speeds(volume: VolumeView, cells: int) -> list[Content]:
    """Return how fast it reads and writes; reads that may have come from memory are about so much."""
    speed = volume.speed
    if speed is None:
        return [line((right("–", cells), "$quiet"))] * 2
    read = figure(format_rate(speed.read_bps))
    about = line(("~", "$quiet"), read) if speed.method == "cache-affected" else read
    return [about.pad_left(max(0, cells - about.cell_length)), figure(format_rate(speed.write_bps), cells)]
