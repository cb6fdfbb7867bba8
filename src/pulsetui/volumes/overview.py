"""What screens and commands are shown of volumes, made from a look. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pulsetui.files.names import display_text
from pulsetui.volumes import capacity
from pulsetui.volumes.changes import Look, point_of
from pulsetui.volumes.judgement import Standing
from pulsetui.volumes.naming import raw_name
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.views import CapacityPoint, VolumeView

UNMARKED = "it could not be marked, so a clone of it is taken for it"

Past = Mapping[int, Sequence[CapacityPoint]]
"""How full tracked volumes were, by their records' ids, oldest first."""
Roots = Sequence[tuple[str, Path]]
"""Names and folders of the storage roots."""


def view_of(look: Look, past: Past, roots: Roots) -> tuple[VolumeView, ...]:
    """Return all volumes: tracked ones first, then those that are mounted only, each in order of name."""
    on = roots_on(look.standings, roots)
    volumes = [_volume(one, past, on[index], look.at) for index, one in enumerate(look.standings)]
    return tuple(sorted(volumes, key=lambda one: (not one.is_tracked, one.name.casefold(), one.name, one.fingerprint)))


def roots_on(standings: Sequence[Standing], roots: Roots) -> list[tuple[str, ...]]:
    """Return the names of the roots on each of the volumes: on the one whose mount point is the deepest above it.

    One that is away counts where it was last seen, beside what is mounted there now.
    """
    places: dict[Path, list[int]] = {}
    for index, one in enumerate(standings):
        for point in one.detected.mount_points if one.detected is not None else ():
            places.setdefault(point, []).append(index)
    for index, one in enumerate(standings):
        if one.detected is None and one.record is not None and one.record.mount_point is not None:
            places.setdefault(one.record.mount_point, []).append(index)
    found: list[list[str]] = [[] for _ in standings]
    for name, folder in roots:
        above = [point for point in (folder, *folder.parents) if point in places]
        for index in places[above[0]] if above else ():
            found[index].append(name)
    return [tuple(names) for names in found]


def _volume(one: Standing, past: Past, roots: tuple[str, ...], now: datetime) -> VolumeView:
    record, detected = one.record, one.detected
    of: Record | Detected | None = detected or record
    assert of is not None
    total, available = _capacity(one)
    points = () if record is None else past.get(record.id, ())
    trend = None
    if record is not None and one.state == "online":
        live = point_of(record, now)
        trend = capacity.outlook(points, live)
        points = (*points, live) if not points or points[-1].at < now else points
    return VolumeView(
        fingerprint=of.fingerprint,
        uuid=None if record is None else record.uuid,
        library=None if record is None else record.library,
        name=raw_name(record, detected),
        display_name=None if record is None else record.display_name,
        kind=of.kind,
        identity=of.identity,
        fs_type=of.fs_type,
        device=of.device,
        mount_points=() if detected is None else detected.mount_points,
        last_mount_point=_last_point(one),
        state=one.state,
        trouble=display_text(one.trouble),
        quarantine=display_text(one.trouble) if one.state == "quarantine" else record.quarantine if record else "",
        warnings=_warnings(record, detected),
        is_read_only=of.is_read_only,
        is_removable=detected is not None and detected.is_removable,
        is_network=of.kind == "network",
        total_bytes=total,
        available_bytes=available,
        total_inodes=None if detected is None else detected.probe.total_inodes,
        free_inodes=None if detected is None else detected.probe.free_inodes,
        tracked_at=None if record is None else record.tracked_at,
        last_seen_at=now if record is None else record.last_seen_at,
        speed=None if record is None else record.speed,
        growth_bytes_per_day=None if trend is None else trend.bytes_per_day,
        full_in_s=None if trend is None or trend.full_in is None else trend.full_in.total_seconds(),
        history=capacity.shown(points),
        roots=roots,
    )


def _capacity(one: Standing) -> tuple[int | None, int | None]:
    """Return total and available bytes: as found, else as last seen, else nothing."""
    probe = None if one.detected is None else one.detected.probe
    if probe is not None and not probe.is_hanging and not probe.error:
        return probe.total_bytes, probe.available_bytes
    if one.record is None:
        return None, None
    return one.record.total_bytes, one.record.available_bytes


def _last_point(one: Standing) -> Path | None:
    if one.record is not None and one.record.mount_point is not None:
        return one.record.mount_point
    return None if one.detected is None else one.detected.mount_points[0]


def _warnings(record: Record | None, detected: Detected | None) -> tuple[str, ...]:
    found = () if detected is None else detected.warnings
    return found if record is None or record.marker else (*found, UNMARKED)
