"""The budget and the disks: bars with marks, and bytes by kind."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from pulsetui.pipeline.views import DiskView, GateView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables import states
from pulsetui.tui.renderables.bars import bar, budget_bar
from pulsetui.tui.renderables.gate import fill_style
from pulsetui.tui.renderables.text import left, line, middle_cut, right, size, spread
from pulsetui.units import format_duration, format_percent, format_size

_ONE_LINE_CELLS = 60
_FEWEST_MARK_CELLS = 6
"""Marks are left out where the whole budget would be narrower than this on the disk's bar."""


def disk_lines(
    gate: GateView,
    usage: Sequence[tuple[str, int]],
    disks: Sequence[DiskView],
    width_cells: int,
    height_cells: int | None = None,
) -> list[Content]:
    """Return the panel's lines: one a gauge where it is wide, else a block each and bytes by kind below.

    The first disk holds the media, so the budget's marks stand on its bar. Where the blocks are higher than
    `height_cells`, empty kinds go first, then the figures of the other disks.
    """
    if width_cells >= _ONE_LINE_CELLS:
        rows = [_budget_line(gate, width_cells)]
        return rows + [_disk_line(disk, gate if first else None, width_cells) for first, disk in _firsts(disks)]
    full = _blocks(gate, usage, disks, width_cells, brief=False)
    if height_cells is None or len(full) <= height_cells:
        return full
    some = [(kind, size_bytes) for kind, size_bytes in usage if size_bytes]
    fewer = _blocks(gate, some, disks, width_cells, brief=False)
    return fewer if len(fewer) <= height_cells else _blocks(gate, some, disks, width_cells, brief=True)


def _blocks(
    gate: GateView, usage: Sequence[tuple[str, int]], disks: Sequence[DiskView], width_cells: int, *, brief: bool
) -> list[Content]:
    """Return budget, disks and kinds below one another; `brief` leaves only name and bar of the other disks."""
    lines = _budget_block(gate, width_cells)
    for first, disk in _firsts(disks):
        block = _disk_block(disk, gate if first else None, width_cells)
        lines += [Content(""), *(block[:2] if brief and not first else block)]
    return [*lines, Content(""), *_kinds(usage, width_cells)]


def _firsts(disks: Sequence[DiskView]) -> list[tuple[bool, DiskView]]:
    """Pair each disk with whether it is the first."""
    return [(index == 0, disk) for index, disk in enumerate(disks)]


def _share(part: float, whole: float) -> str:
    """Return a percentage, or a dash of nothing."""
    return format_percent(part / whole) if whole else "–"


def _gate_state(gate: GateView) -> tuple[str, str]:
    """Return word and style of the budget."""
    return ("ok", "$good") if gate.is_open else ("closed", "$warn")


def _budget_bar(gate: GateView, width_cells: int) -> Content:
    """Return the budget on the scale of the hard limit."""
    return budget_bar(
        gate.usage_bytes,
        gate.in_flight_bytes,
        gate.hard_limit_bytes,
        width_cells,
        marks=(gate.resume_bytes, gate.pause_bytes),
        limit=gate.hard_limit_bytes,
        style=fill_style(gate),
    )


def _disk_bar(disk: DiskView, gate: GateView | None, width_cells: int) -> Content:
    """Return a disk's bar; with the budget's marks moved up by what others keep on the disk."""
    style = "$fill" if disk.level == "ok" else states.level(disk.level)[1]
    if gate is None or gate.hard_limit_bytes * (width_cells - 2) < _FEWEST_MARK_CELLS * disk.total_bytes:
        return bar(disk.used_bytes / disk.total_bytes if disk.total_bytes else 0.0, width_cells, style)
    others = max(0, disk.used_bytes - gate.usage_bytes)
    marks = [others + gate.resume_bytes, others + gate.pause_bytes]
    limit = others + gate.hard_limit_bytes
    return budget_bar(
        disk.used_bytes,
        gate.in_flight_bytes,
        disk.total_bytes,
        width_cells,
        marks=[mark for mark in marks if mark < disk.total_bytes],
        limit=limit if limit < disk.total_bytes else None,
        style=style,
    )


def _budget_line(gate: GateView, width_cells: int) -> Content:
    """Return the budget in one line."""
    word, style = _gate_state(gate)
    end = line(
        size(gate.usage_bytes, 7),
        (" used ", "$quiet"),
        size(gate.in_flight_bytes, 7),
        (" coming", "$quiet"),
    )
    return _one_line(
        "budget", _share(gate.committed_bytes, gate.hard_limit_bytes), word, style, end, width_cells, gate, None
    )


def _disk_line(disk: DiskView, gate: GateView | None, width_cells: int) -> Content:
    """Return a disk in one line."""
    word, style = states.level(disk.level)
    end = line(size(disk.used_bytes, 7), (" used ", "$quiet"), size(disk.free_bytes, 7), (" free  ", "$quiet"))
    return _one_line(disk.path, format_percent(disk.percent / 100), word, style, end, width_cells, gate, disk)


def _one_line(
    name: str,
    percent: str,
    word: str,
    style: str,
    end: Content,
    width_cells: int,
    gate: GateView | None,
    disk: DiskView | None,
) -> Content:
    """Return name, bar, percent, state word and figures in one line."""
    name_cells = max(8, min(16, width_cells // 6))
    bar_cells = max(8, width_cells - name_cells - 1 - 1 - 5 - 1 - 8 - 1 - end.cell_length)
    drawn = _disk_bar(disk, gate, bar_cells) if disk else _budget_bar(gate, bar_cells) if gate else Content("")
    state = (word.ljust(8), style)
    return line(left(name, name_cells), " ", drawn, " ", right(percent, 5), " ", state, " ", end)


def _budget_block(gate: GateView, width_cells: int) -> list[Content]:
    """Return the budget as a block: state, bar, figures, marks."""
    word, style = _gate_state(gate)
    share = _share(gate.committed_bytes, gate.hard_limit_bytes)
    return [
        spread(line("budget"), line(share + " ", (word, style)), width_cells),
        _budget_bar(gate, width_cells),
        line(size(gate.usage_bytes), (" + ", "$quiet"), size(gate.in_flight_bytes), (" coming", "$quiet")),
        _marks(gate),
    ]


def _marks(gate: GateView) -> Content:
    """Return what the three marks stand for: where downloads resume, where they pause, the hard limit."""
    limit, _, unit = format_size(gate.hard_limit_bytes).partition(" ")
    numbers = [_number(value, unit) for value in (gate.resume_bytes, gate.pause_bytes)]
    return line(
        (f"{glyphs.MARK} {numbers[0]}  {glyphs.MARK} {numbers[1]}  {glyphs.LIMIT} ", "$quiet"),
        limit,
        (f" {unit}", "$quiet"),
    )


def _number(size_bytes: int, unit: str) -> str:
    """Return a size without its unit where that is `unit`, else with it."""
    number, _, own = format_size(size_bytes).partition(" ")
    return number if own == unit else f"{number} {own}"


def _disk_block(disk: DiskView, gate: GateView | None, width_cells: int) -> list[Content]:
    """Return a disk as a block: path and state, bar, figures, time to full."""
    word, style = states.level(disk.level)
    state = line(format_percent(disk.percent / 100) + " ", (word, style))
    unit = format_size(disk.free_bytes).partition(" ")[2]
    room = width_cells - state.cell_length - 1
    lines = [
        spread(line(middle_cut(disk.path, room)), state, width_cells),
        _disk_bar(disk, gate, width_cells),
        line(_number(disk.used_bytes, unit), (" used · ", "$quiet"), size(disk.free_bytes), (" free", "$quiet")),
    ]
    if disk.full_in_s is not None:
        lines.append(line(("full in ", "$quiet"), format_duration(disk.full_in_s)))
    return lines


def _kinds(usage: Sequence[tuple[str, int]], width_cells: int) -> list[Content]:
    """Return bytes by kind, each with its share of the largest as a bar."""
    largest = max((size_bytes for _, size_bytes in usage), default=0)
    name_cells = min(14, max([5, *(len(kind) for kind, _ in usage)]))
    bar_cells = width_cells - name_cells - 1 - 8
    lines = []
    for kind, size_bytes in usage:
        share = size_bytes / largest if largest else 0.0
        drawn = bar(share, bar_cells + 2).plain[1:-1] if bar_cells >= 3 else ""
        lines.append(line((left(kind, name_cells), "$quiet"), " ", (drawn, "$hatch"), size(size_bytes, 8)))
    return lines
