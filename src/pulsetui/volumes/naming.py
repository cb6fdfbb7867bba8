"""What volumes are called, and which of them an order means. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pulsetui.errors import UsageError, VolumeNotFoundError
from pulsetui.files.names import display_text
from pulsetui.volumes.judgement import Standing
from pulsetui.volumes.records import Detected, Record

LEAST_DIGITS = 4
_DIGITS = re.compile(r"[0-9a-f]{1,32}")
_HINT = "`pulsetui volumes` lists them with their fingerprints"


def raw_name(record: Record | None, detected: Detected | None) -> str:
    """Return what a volume is called, as it was read: its display name, else its mount point, else its device."""
    if record is not None and record.display_name:
        return record.display_name
    if detected is not None:
        return str(detected.mount_points[0])
    assert record is not None
    return record.device if record.mount_point is None else str(record.mount_point)


def name_of(record: Record | None, detected: Detected | None) -> str:
    """Return what a volume is called, fit for a screen."""
    return display_text(raw_name(record, detected))


def fingerprint_of(standing: Standing) -> str:
    """Return the fingerprint of a volume, tracked or mounted."""
    one = standing.record or standing.detected
    assert one is not None
    return one.fingerprint


def find(wanted: str, standings: Sequence[Standing]) -> str:
    """Return the fingerprint that is meant: written in whole, by the first four or more digits, or as a mount point.

    Raises:
        VolumeNotFoundError: there is none.
        UsageError: there are several, or it is neither a fingerprint nor a path.
    """
    if wanted.startswith("/"):
        return _at(Path(wanted), standings)
    prefix = wanted.strip().casefold()
    if not _DIGITS.fullmatch(prefix):
        raise UsageError(
            f"{display_text(wanted)!r} is no fingerprint: those are 32 hex digits, of which the first ones do",
            hint=f"{_HINT}; a mount point is written as its whole path",
        )
    if len(prefix) < LEAST_DIGITS:
        raise UsageError(f"{prefix!r} is too short; write {LEAST_DIGITS} digits or more", hint=_HINT)
    found = {fingerprint_of(one): one for one in standings if fingerprint_of(one).startswith(prefix)}
    if not found:
        raise VolumeNotFoundError(f"no mounted or tracked volume has the fingerprint {prefix}", hint=_HINT)
    if len(found) > 1:
        raise UsageError(f"{prefix} is the beginning of {_listed(found.items())}", hint="write more digits")
    return next(iter(found))


def _at(point: Path, standings: Sequence[Standing]) -> str:
    for one in standings:
        if one.detected is not None and point in one.detected.mount_points:
            return one.detected.fingerprint
    for one in standings:
        if one.detected is None and one.record is not None and one.record.mount_point == point:
            return one.record.fingerprint
    raise VolumeNotFoundError(f"no volume is mounted at {display_text(str(point))}", hint=_HINT)


def _listed(found: Iterable[tuple[str, Standing]]) -> str:
    several = sorted(found, key=lambda pair: pair[0])
    return " and ".join(f"{fingerprint} ({name_of(one.record, one.detected)})" for fingerprint, one in several)
