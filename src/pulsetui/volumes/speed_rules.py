"""The rules of speed tests: on which volume, how much, and what is made of the times. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pulsetui.errors import RefusedError, VolumeAwayError
from pulsetui.units import format_size
from pulsetui.volumes.judgement import Standing
from pulsetui.volumes.measuring import BLOCK_BYTES
from pulsetui.volumes.naming import name_of
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.views import SpeedView

MOST_SHARE = 0.01
"""A test takes no more than this of what is free."""


def usable(standing: Standing) -> tuple[Record, Detected]:
    """Return the record and the mount of a volume that may be tested.

    Raises:
        VolumeAwayError: it is away, or doesn't answer.
        RefusedError: it is in quarantine, read-only, or not tracked.
    """
    name = name_of(standing.record, standing.detected)
    if standing.state in ("offline", "unresponsive") or (standing.detected is not None and _is_silent(standing)):
        raise VolumeAwayError(f"{name} is away: {standing.trouble}", hint="`pulsetui volumes` says how it is")
    if standing.state == "quarantine":
        raise RefusedError(
            f"{name} is in quarantine: {standing.trouble}", hint="say which one it is: `pulsetui volumes accept`"
        )
    if standing.record is None or standing.detected is None:
        raise RefusedError(f"{name} is not tracked", hint="track it first: `pulsetui volumes track`")
    if standing.detected.is_read_only:
        raise RefusedError(f"{name} is read-only", hint="mount it for writing")
    return standing.record, standing.detected


def size_for(found: Detected, name: str, wanted_bytes: int | None, usual_bytes: int) -> int:
    """Return how much to write: what was ordered, else the usual size or what a hundredth of free space allows.

    Raises:
        RefusedError: it is more than a hundredth of what is free, or there is room for no test at all.
    """
    most = int(found.probe.available_bytes * MOST_SHARE)
    free = f"{format_size(found.probe.available_bytes)} free"
    if wanted_bytes is not None and wanted_bytes > most:
        raise RefusedError(
            f"{format_size(wanted_bytes)} is more than a hundredth of what {name} has left ({free})",
            hint=f"test it with {format_size(most)} or less (--size), or free space on it",
        )
    size = min(usual_bytes, most) if wanted_bytes is None else wanted_bytes
    if size < BLOCK_BYTES:
        raise RefusedError(
            f"{format_size(size)} is too little for a speed test of {name} ({free})",
            hint=f"it takes {format_size(BLOCK_BYTES)} or more, and a hundredth of free space or less",
        )
    return size // BLOCK_BYTES * BLOCK_BYTES


def speed_of(taken: Mapping[str, Any], size_bytes: int, *, beside: str, now: datetime) -> SpeedView:
    """Return the speeds by the medians of the rounds."""
    return SpeedView(
        read_bps=size_bytes / statistics.median(taken["read_s"]),
        write_bps=size_bytes / statistics.median(taken["write_s"]),
        tested_at=now,
        method=taken["method"],
        size_bytes=size_bytes,
        beside=beside,
    )


def in_words(running: Mapping[str, int]) -> str:
    """Return what runs, such as `2 downloads, 1 transcription`; empty if nothing does."""
    return ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for what, count in running.items() if count)


def _is_silent(standing: Standing) -> bool:
    probe = standing.detected.probe if standing.detected else None
    return probe is not None and (probe.is_hanging or bool(probe.error))
