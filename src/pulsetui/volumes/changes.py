"""What a look at the volumes changed: the records as they are now, and the events that tell of it. Pure.

The invariant: an event says that something is otherwise than at the look before (or, at the first look of an owner,
than the records have it); a look that finds everything as it was makes none. Of volumes that nobody tracks only disks
and network shares are told of: containers mount the others all the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pulsetui.clock import rfc3339
from pulsetui.events.base import Event
from pulsetui.files.names import display_text
from pulsetui.volumes import capacity
from pulsetui.volumes.events import (
    VolumeAdded,
    VolumeError,
    VolumeFilling,
    VolumeMountChanged,
    VolumeRemoved,
    VolumeUpdated,
)
from pulsetui.volumes.judgement import Standing, judge
from pulsetui.volumes.naming import name_of
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.views import CapacityPoint, State

_TOLD_KINDS = ("disk", "network")


@dataclass(frozen=True, slots=True)
class Look:
    """What was found by one look at everything."""

    at: datetime
    standings: tuple[Standing, ...]
    """With the records as they are by now; see `judgement.judge`."""

    @property
    def detected(self) -> tuple[Detected, ...]:
        """What is mounted."""
        found = {id(one.detected): one.detected for one in self.standings if one.detected is not None}
        return tuple(found.values())

    @property
    def records(self) -> tuple[Record, ...]:
        """What is tracked."""
        return tuple(one.record for one in self.standings if one.record is not None)


def look(
    before: Look | None,
    detected: Sequence[Detected],
    records: Sequence[Record],
    past: Mapping[int, Sequence[CapacityPoint]],
    *,
    now: datetime,
    full_warning: timedelta,
) -> tuple[Look, tuple[Event, ...]]:
    """Judge what was detected just now; return that, and the events of what changed since `before`."""
    events: list[Event] = []
    standings: list[Standing] = []
    then = {} if before is None else {one.record.id: one for one in before.standings if one.record is not None}
    for one in judge(detected, records):
        if one.record is None:
            standings.append(one)
            continue
        record = _seen(one.record, one, now)
        if one.state == "online":
            record, told = _capacity(one.record, record, past.get(record.id, ()), now=now, full_warning=full_warning)
        else:
            told = []
        events += _moved(then.get(record.id), one, now)
        events += told
        standings.append(replace(one, record=record))
    if before is not None:
        events += _others(before, standings)
    return Look(now, tuple(standings)), tuple(events)


def point_of(record: Record, now: datetime) -> CapacityPoint:
    """Return how full an online volume is now."""
    return CapacityPoint(now, record.total_bytes - record.available_bytes, record.total_bytes)


def _seen(record: Record, standing: Standing, now: datetime) -> Record:
    """Return the record with what was found. What isn't its own for certain changes nothing in it but its state."""
    quarantine = record.quarantine if standing.needs_decision else ""
    if standing.state == "quarantine":
        quarantine = standing.trouble
    one = standing.detected
    if standing.state != "online" or one is None:
        return replace(record, is_online=False, quarantine=quarantine, needs_decision=standing.needs_decision)
    return replace(
        record,
        identity=one.identity,
        fs_type=one.fs_type,
        device=one.device,
        mount_point=record.mount_point if record.mount_point in one.mount_points else one.mount_points[0],
        last_seen_at=now,
        is_online=True,
        is_read_only=one.is_read_only,
        quarantine="",
        needs_decision=False,
        total_bytes=one.probe.total_bytes,
        available_bytes=one.probe.available_bytes,
    )


def _capacity(
    before: Record, record: Record, past: Sequence[CapacityPoint], *, now: datetime, full_warning: timedelta
) -> tuple[Record, list[Event]]:
    """Return the record with what was told of its capacity, and what is to be told."""
    events: list[Event] = []
    grown = capacity.is_to_be_told(before.told_bytes, record.available_bytes, record.total_bytes)
    if before.total_bytes != record.total_bytes or grown:
        events.append(
            VolumeUpdated(
                fingerprint=record.fingerprint,
                name=name_of(record, None),
                total_bytes=record.total_bytes,
                available_bytes=record.available_bytes,
                before_available_bytes=before.told_bytes,
            )
        )
        record = replace(record, told_bytes=record.available_bytes)
    trend = capacity.outlook(past, point_of(record, now))
    filling = capacity.is_filling(trend, full_warning, was_filling=before.is_filling)
    if filling and not before.is_filling and trend is not None and trend.full_in is not None:
        events.append(
            VolumeFilling(
                fingerprint=record.fingerprint,
                name=name_of(record, None),
                available_bytes=record.available_bytes,
                total_bytes=record.total_bytes,
                growth_bytes_per_day=trend.bytes_per_day,
                full_in_s=trend.full_in.total_seconds(),
                full_at=rfc3339(now + trend.full_in),
            )
        )
    return replace(record, is_filling=filling), events


def _moved(then: Standing | None, now_: Standing, now: datetime) -> Iterator[Event]:
    """Yield what is to be told of a tracked volume's state and mounts. Before the first look there is its record."""
    record = now_.record
    assert record is not None
    state, trouble = (then.state, then.trouble) if then is not None else _as_recorded(record)
    one = now_.detected
    if now_.state == "online" and one is not None:
        if state != "online":
            yield _added(record, one, away_s=(now - record.last_seen_at).total_seconds())
        elif _is_moved(then, record, one):
            yield _mount_changed(record, one, before=_points(then.detected if then else None, record))
    elif now_.state == "offline":
        if state != "offline":
            yield _removed(record, None, in_its_place=now_.in_its_place)
    elif (now_.state, now_.trouble) != (state, trouble):
        yield VolumeError(
            fingerprint=record.fingerprint, name=name_of(record, None), state=now_.state, error=now_.trouble
        )


def _as_recorded(record: Record) -> tuple[State, str]:
    if record.is_online:
        return "online", ""
    return ("quarantine", record.quarantine) if record.quarantine else ("offline", "")


def _is_moved(then: Standing | None, record: Record, one: Detected) -> bool:
    """Say whether a volume is mounted otherwise than before. Of before the first look there is its record only."""
    before = None if then is None else then.detected
    if before is None:
        return record.mount_point not in one.mount_points or record.is_read_only != one.is_read_only
    return (before.mount_points, before.is_read_only) != (one.mount_points, one.is_read_only)


def _points(one: Detected | None, record: Record) -> tuple[str, ...]:
    points = one.mount_points if one is not None else (record.mount_point,) if record.mount_point is not None else ()
    return tuple(display_text(str(point)) for point in points)


def _others(before: Look, standings: Sequence[Standing]) -> Iterator[Event]:
    """Yield what is to be told of the volumes that nobody tracks."""
    tracked = {one.record.fingerprint for one in standings if one.record is not None}
    tracked |= {record.fingerprint for record in before.records}
    then = {one.fingerprint: one for one in before.detected if one.kind in _TOLD_KINDS}
    found = [one.detected for one in standings if one.detected is not None and one.detected.kind in _TOLD_KINDS]
    there = {one.fingerprint: one for one in found}
    for fingerprint in (then.keys() | there.keys()) - tracked:
        if fingerprint not in then:
            yield _added(None, there[fingerprint], away_s=None)
        elif fingerprint not in there:
            yield _removed(None, then[fingerprint], in_its_place="")
        elif then[fingerprint].mount_points != there[fingerprint].mount_points:
            points = tuple(display_text(str(point)) for point in then[fingerprint].mount_points)
            yield _mount_changed(None, there[fingerprint], before=points)


def _added(record: Record | None, one: Detected, *, away_s: float | None) -> VolumeAdded:
    return VolumeAdded(
        fingerprint=one.fingerprint,
        name=name_of(record, one),
        identity=display_text(one.identity),
        mount_point=display_text(str(one.mount_points[0])),
        tracked=record is not None,
        away_s=away_s,
    )


def _removed(record: Record | None, one: Detected | None, *, in_its_place: str) -> VolumeRemoved:
    of = record or one
    assert of is not None
    point = record.mount_point if record is not None else one.mount_points[0] if one is not None else None
    return VolumeRemoved(
        fingerprint=of.fingerprint,
        name=name_of(record, one),
        identity=display_text(of.identity),
        mount_point=display_text(str(point or "")),
        tracked=record is not None,
        in_its_place=in_its_place,
    )


def _mount_changed(record: Record | None, one: Detected, *, before: tuple[str, ...]) -> VolumeMountChanged:
    return VolumeMountChanged(
        fingerprint=one.fingerprint,
        name=name_of(record, one),
        mount_points=tuple(display_text(str(point)) for point in one.mount_points),
        before=before,
        read_only=one.is_read_only,
    )
