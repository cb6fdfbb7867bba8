"""The gate: may new downloads start? A pure rule with hysteresis.

It closes at committed ≥ pause and opens at committed ≤ resume, so that it doesn't flap. It also closes when a file
system is below its floor or full, and when usage can't be known: unknown means closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pulsetui.budget.limits import Limits
from pulsetui.units import format_in_unit_of, format_size


class Cause(StrEnum):
    """Why the gate is as it is."""

    FLOWING = "flowing"
    BUDGET = "budget"
    FREE_SPACE = "free-space"
    DISK_FULL = "disk-full"
    UNKNOWN = "usage-unknown"
    AWAY = "volume-away"


_UNKNOWN = (Cause.UNKNOWN, Cause.AWAY)
"""Causes that say nothing of bytes."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate as stored: it survives restarts."""

    is_open: bool
    cause: Cause
    reason: str
    """One phrase with numbers, for people."""
    since: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """What the gate is judged by. Bytes; `committed_bytes` is None when usage can't be known."""

    committed_bytes: int | None
    usage_bytes: int
    videos_bytes: int
    in_flight_bytes: int
    free_bytes: int
    """The least free space of the file systems in use, less what is in flight."""
    disk_full: bool = False
    """A write met ENOSPC and free space hasn't been seen above the floor since."""
    trouble: str = ""
    """Why usage is unknown."""
    away: str = ""
    """Why a disk of the pipeline's is away, in which case usage is unknown."""


def decide(gate: Gate, reading: Reading, limits: Limits, now: datetime) -> Gate:
    """Return the gate after `reading`; the same object when nothing changes."""
    cause = _obstacle(gate, reading, limits)
    if cause is None:
        if gate.is_open:
            return gate
        committed = format_size(reading.committed_bytes or 0)
        return Gate(True, Cause.FLOWING, f"committed {committed} ≤ {format_size(limits.resume_bytes)}", now)
    # A pause for bytes goes on while usage is unknown: as a pause of another kind it would end above resume.
    if not gate.is_open and (cause is gate.cause or (cause in _UNKNOWN and gate.cause not in _UNKNOWN)):
        return gate
    return Gate(False, cause, _reason(cause, reading, limits), now if gate.is_open else gate.since)


def _obstacle(gate: Gate, reading: Reading, limits: Limits) -> Cause | None:
    """Return what holds the gate closed, or None."""
    if reading.committed_bytes is None:
        return Cause.AWAY if reading.away else Cause.UNKNOWN
    if reading.disk_full:
        return Cause.DISK_FULL
    if reading.free_bytes < limits.floor_bytes:
        return Cause.FREE_SPACE
    opens_at = limits.pause_bytes - 1 if gate.is_open or gate.cause in _UNKNOWN else limits.resume_bytes
    return None if reading.committed_bytes <= opens_at else Cause.BUDGET


def _reason(cause: Cause, reading: Reading, limits: Limits) -> str:
    """Say what holds the gate closed, with numbers."""
    free, floor = format_size(max(0, reading.free_bytes)), format_size(limits.floor_bytes)
    if cause is Cause.AWAY:
        return reading.away
    if cause is Cause.UNKNOWN:
        return f"usage unknown: {reading.trouble}"
    if cause is Cause.DISK_FULL:
        return f"the disk is full: {free} free, opens at {floor}"
    if cause is Cause.FREE_SPACE:
        return f"free space {free} after what is in flight < {floor}"
    committed = reading.committed_bytes or 0
    mark, sign = (limits.pause_bytes, "≥") if committed >= limits.pause_bytes else (limits.resume_bytes, ">")
    videos, in_flight = (format_in_unit_of(size, mark) for size in (reading.videos_bytes, reading.in_flight_bytes))
    return f"committed {format_size(committed)} {sign} {format_size(mark)} (videos {videos}, in flight {in_flight})"


def fullness(committed_bytes: int, limits: Limits) -> float:
    """Return where `committed_bytes` lies from resume (0) to pause (1); below 0 and above 1 beyond them."""
    return (committed_bytes - limits.resume_bytes) / (limits.pause_bytes - limits.resume_bytes)
