"""One volume in full: its state and what to do about it, how full it is, what it is made of, how fast it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual.content import Content

from pulsetui.tui import glyphs
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.course import course_picture
from pulsetui.tui.renderables.details import LABEL_CELLS, fact, section
from pulsetui.tui.renderables.sparkline import columns, sparkline
from pulsetui.tui.renderables.storage import percent, signed
from pulsetui.tui.renderables.text import age, broken, line, middle_cut, safe, size, spread
from pulsetui.tui.renderables.volume_figures import answers, figure_of, gauge, is_full_soon, level, marks, record_of
from pulsetui.units import format_duration, format_rate, format_size
from pulsetui.volumes.views import Method, SpeedView, VolumesView, VolumeView

_METHODS: dict[Method, str] = {
    "direct": "read past the page cache",
    "dropped-cache": "read after its cache was dropped",
    "cache-affected": "cache-affected: some of it was read from memory",
}
_PICTURE_CELLS = 17
"""The most lines for the course in its panel: higher it is a wall of dots, and says no more."""
_COURSE_CELLS = 40
"""The most for the course of what is used, where it has no panel."""


def volume_lines(
    volume: VolumeView, view: VolumesView, now: datetime, zone: tzinfo | None, width_cells: int, *, course: bool
) -> list[Content]:
    """Return the panel's lines; `course`: with the history in a line, where it has no panel of its own."""
    lines = [
        line((middle_cut(volume.name, width_cells), "bold")),
        *_troubles(volume, view, width_cells),
        Content(""),
        *_fullness(volume, view, width_cells),
        *([trended] if (trended := _trend_line(volume, view, width_cells, course=course)).plain else []),
        *section(
            "What it is",
            [fact(label, text, width_cells) for label, text in _identity(volume, now, zone, width_cells) if text],
        ),
        *section("Speed", _speed(volume, now, width_cells)),
    ]
    return [one if one.cell_length <= width_cells else one.truncate(width_cells, ellipsis=True) for one in lines]


def volume_ages(volume: VolumeView, now: datetime) -> tuple[str, ...]:
    """Return what of the time shows in the lines."""
    moments = (volume.last_seen_at, volume.tracked_at, volume.speed.tested_at if volume.speed else None)
    return tuple(age(moment, now) for moment in moments if moment is not None)


def standing(volume: VolumeView, now: datetime) -> Content:
    """Return a volume's state, and of one that isn't mounted when it was last seen."""
    icon, style = states.volume(volume.state)
    seen = volume.last_seen_at
    away = f" · seen {age(seen, now)} ago" if seen is not None and not volume.mount_points else ""
    return line((f"{icon} {volume.state}", style), (away, "$warn"))


def history_lines(
    volume: VolumeView, view: VolumesView, now: datetime, zone: tzinfo | None, width_cells: int, height_cells: int
) -> list[Content]:
    """Return the course of what is used on a volume, as high as there is room."""
    sizes = used_over_time(volume, view)
    if not volume.is_tracked:
        said = "How full it was will be here once it is tracked."
        return [line((middle_cut(said, width_cells), "$quiet")), line("t", (" tracks it", "$quiet"))]
    if len(sizes) < 2:
        return [
            line((part, "$quiet")) for part in broken("How full it was will be here: a look adds to it.", width_cells)
        ]
    return course_picture(sizes, now, zone, width_cells, max(2, min(height_cells, _PICTURE_CELLS)))


def trend(volume: VolumeView, view: VolumesView) -> Content:
    """Return how fast a volume fills up, and when it is full."""
    growth = volume.growth_bytes_per_day
    if growth is None:
        return line(("growth is known after an hour" if volume.is_online else "", "$quiet"))
    if not round(growth):
        return line(("no change in a day", "$quiet"))
    said = line(figure_of(signed(round(growth))), (" a day", "$quiet"))
    if volume.full_in_s is None:
        return line(said, (" · not full in sight", "$quiet")) if growth > 0 else said
    tone = "$warn" if is_full_soon(volume, view) else "$foreground"
    return line(said, (" · full in ", "$quiet"), (format_duration(volume.full_in_s), tone))


def used_over_time(volume: VolumeView, view: VolumesView) -> list[tuple[datetime, int]]:
    """Return what was used, oldest first; of one that is mounted up to the last look."""
    sizes = [(point.at, point.used_bytes) for point in volume.history]
    used = volume.used_bytes
    if sizes and volume.mount_points and used is not None and view.at > sizes[-1][0]:
        sizes.append((view.at, used))
    return sizes


def _troubles(volume: VolumeView, view: VolumesView, width_cells: int) -> list[Content]:
    """Return why a volume is not online, what one should know of it, and the key that helps."""
    tone = states.volume(volume.state)[1] if volume.is_tracked or volume.state == "quarantine" else "$foreground"
    said = [volume.trouble] if volume.trouble else []
    if volume.quarantine and volume.quarantine not in volume.trouble:
        said.insert(0, volume.quarantine)
    lines = [line((part, tone)) for text in said for part in broken(safe(text), width_cells)]
    lines += [
        line((part, "$warn"))
        for text in volume.warnings
        for part in broken(f"{glyphs.WARNING} {safe(text)}", width_cells)
    ]
    record = record_of(volume, view) if volume.state == "quarantine" and volume.mount_points else None
    if record is not None:
        name = middle_cut(record.name, max(8, width_cells - 24))
        lines.append(line(("a", "bold $accent"), (f" decides whether it is {name}", "$quiet")))
    elif volume.state == "untracked":
        lines.append(line(("t", "bold $accent"), (" tracks it, for its history and so that jobs mind it", "$quiet")))
    return lines


def _fullness(volume: VolumeView, view: VolumesView, width_cells: int) -> list[Content]:
    """Return the gauge and its figures."""
    used, total = volume.used_bytes, volume.total_bytes
    drawn = gauge(volume, view, max(8, width_cells - 16))
    if used is None or not total:
        return [drawn]
    word, style = states.level(level(volume, view))
    known = answers(volume)
    told = line(f"  {percent(used, total)}  ", (word, style) if known else "")
    as_seen = "" if known else " as last seen"
    figures = line(
        size(used),
        (" used · ", "$quiet"),
        size(volume.available_bytes),
        (" free of ", "$quiet"),
        size(total),
        (as_seen, "$quiet"),
    )
    return [line(drawn, told), figures]


def _trend_line(volume: VolumeView, view: VolumesView, width_cells: int, *, course: bool) -> Content:
    """Return the trend, and the course of what is used beside it."""
    said = trend(volume, view)
    sizes = used_over_time(volume, view)
    cells = min(_COURSE_CELLS, width_cells - said.cell_length - 2)
    if not course or len(sizes) < 2 or cells < 8:
        return said
    return spread(said, line((sparkline(columns(sizes, cells * 2))[0], "$fill")), width_cells)


def _identity(volume: VolumeView, now: datetime, zone: tzinfo | None, width_cells: int) -> list[tuple[str, str]]:
    """Return the labelled facts; an empty one is left out."""
    points = [str(point) for point in volume.mount_points]
    was = str(volume.last_mount_point) if not points and volume.last_mount_point is not None else ""
    kind = " · ".join([volume.fs_type, *marks(volume)])
    holds = broken(safe(", ".join(volume.roots)), max(1, width_cells - LABEL_CELLS))
    return [
        ("mounted at" if points else "was at", points[0] if points else was),
        *(("", point) for point in points[1:]),
        ("type", kind),
        ("device", volume.device),
        ("identity", volume.identity),
        ("fingerprint", volume.fingerprint),
        ("tracked", _tracked(volume, now, zone)),
        ("seen", _seen(volume, now, zone)),
        ("inodes", _inodes(volume)),
        *(("" if index else "holds", part) for index, part in enumerate(holds)),
    ]


def _tracked(volume: VolumeView, now: datetime, zone: tzinfo | None) -> str:
    """Return in which library it is, and since when."""
    if volume.tracked_at is None:
        return ""
    day = f"{volume.tracked_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"in {volume.library} since {day}, {age(volume.tracked_at, now)} ago"


def _seen(volume: VolumeView, now: datetime, zone: tzinfo | None) -> str:
    """Return when it was last seen."""
    at = volume.last_seen_at
    return f"{age(at, now)} ago, {at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at is not None else ""


def _inodes(volume: VolumeView) -> str:
    """Return how many files may still come; file systems without a limit say 0."""
    if not volume.total_inodes or volume.free_inodes is None:
        return ""
    return f"{volume.free_inodes:,} free of {volume.total_inodes:,}"


def _speed(volume: VolumeView, now: datetime, width_cells: int) -> Sequence[Content]:
    """Return the newest test, or the key that makes one."""
    if volume.speed is None:
        if not volume.is_online:
            return [line(("Not tested yet.", "$quiet"))]
        return [line(("Not tested yet. ", "$quiet"), ("s", "bold $accent"), (" tests it", "$quiet"))]
    made, read = _told(volume.speed, now)
    tone = "$warn" if volume.speed.method == "cache-affected" else "$quiet"
    return [
        line(
            (format_rate(volume.speed.read_bps), "$foreground"),
            (" reading · ", "$quiet"),
            (format_rate(volume.speed.write_bps), "$foreground"),
            (" writing", "$quiet"),
        ),
        *(line((part, "$quiet")) for part in broken(made, width_cells)),
        *(line((part, tone)) for part in broken(read, width_cells)),
    ]


def _told(speed: SpeedView, now: datetime) -> tuple[str, str]:
    """Return how the test was made, and how it read."""
    beside = f", beside {safe(speed.beside)}" if speed.beside else ""
    return f"{age(speed.tested_at, now)} ago with {format_size(speed.size_bytes)}{beside}", _METHODS[speed.method]
