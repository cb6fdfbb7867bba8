"""Tracks volumes, tracks them no more and renames them, on order: each order's rules, its row and its event.

Invariants: the marker is on the volume before the row that counts on it is committed; uuids come from the order's own,
so that an order which runs again after a crash finds its marker and row and takes them for what they are. Nothing is
deleted from a volume. What is mounted is known by the monitor; quarantines are ended in `accepting`.
"""

from __future__ import annotations

import errno
import uuid
from dataclasses import dataclass

from pulsetui.actions.base import ActionContext
from pulsetui.catalog import store as catalog_store
from pulsetui.db.database import Transaction
from pulsetui.errors import (
    AlreadyTrackedError,
    NotTrackedError,
    RefusedError,
    VolumeAwayError,
    VolumeNotFoundError,
)
from pulsetui.files.names import clean_title, display_text
from pulsetui.volumes import events, naming, store
from pulsetui.volumes.judgement import Standing
from pulsetui.volumes.marker import write_marker
from pulsetui.volumes.monitor import VolumeMonitor
from pulsetui.volumes.outcomes import VolumeRenamed, VolumeTracked, VolumeUntracked, as_tracked
from pulsetui.volumes.records import Detected, Record
from pulsetui.waiting import in_thread

MARKER_HINT = "look at the file .pulsetui-volume there, and remove it if this is the right volume"
_UNWRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Meant:
    """The volume that an order means, as of just now."""

    fingerprint: str
    library_id: int
    record: Record | None
    """The library's; None: it doesn't track it."""
    there: tuple[Standing, ...]
    """All that is mounted with its fingerprint."""


async def meant(context: ActionContext, wanted: str, library: str) -> Meant:
    """Look at all volumes, and return the one that is meant.

    Raises:
        NotFoundError: there is no such library.
        VolumeNotFoundError, UsageError: there is no such volume, or several.
    """
    monitor: VolumeMonitor = context.services["volumes"]
    library_id = await context.database.read(lambda reader: catalog_store.get_library(reader, library))
    await monitor.refresh()
    fingerprint = naming.find(wanted, monitor.standings)
    alike = [one for one in monitor.standings if naming.fingerprint_of(one) == fingerprint]
    record = next((one.record for one in alike if one.record is not None and one.record.library == library), None)
    return Meant(fingerprint, library_id, record, tuple(one for one in alike if one.detected is not None))


async def track(context: ActionContext, wanted: str, *, name: str | None, library: str) -> VolumeTracked:
    """Track a mounted volume. See `actions.TrackVolume`."""
    found = await meant(context, wanted, library)
    record_uuid = derived(context, "volume")
    if found.record is not None and found.record.uuid != record_uuid:
        raise AlreadyTrackedError(
            f"library {library} tracks {naming.name_of(found.record, None)} ({found.fingerprint}) already",
            hint="`pulsetui volumes rename` gives it another name",
        )
    if found.record is None:
        one = _trackable(found)
        marker = await _marked(one, derived(context, "marker"))
        await _add(context, _new_record(context, one, marker, record_uuid, library, name), found.library_id)
    monitor: VolumeMonitor = context.services["volumes"]
    tracked = next(one for one in monitor.records if one.uuid == record_uuid)
    mounted = next((one.detected for one in monitor.standings if one.record is tracked), None)
    return as_tracked(tracked, mounted)


async def untrack(context: ActionContext, wanted: str, *, library: str) -> VolumeUntracked:
    """Track a volume no more. See `actions.UntrackVolume`."""
    record = tracked_by(await meant(context, wanted, library), library)

    monitor: VolumeMonitor = context.services["volumes"]
    await monitor.change(lambda tx: _remove(tx, context, record))
    return VolumeUntracked(
        fingerprint=record.fingerprint,
        uuid=record.uuid,
        library=library,
        name=naming.name_of(record, None),
        display_name=record.display_name,
        tracked_at=record.tracked_at,
        last_seen_at=record.last_seen_at,
    )


async def rename(context: ActionContext, wanted: str, *, name: str, library: str) -> VolumeRenamed:
    """Call a volume something else. See `actions.RenameVolume`."""
    record = tracked_by(await meant(context, wanted, library), library)
    display_name = clean_title(name) or None
    changed = display_name != record.display_name
    if changed:
        monitor: VolumeMonitor = context.services["volumes"]
        await monitor.change(lambda tx: store.rename(tx, record.id, display_name))
    return VolumeRenamed(
        fingerprint=record.fingerprint,
        uuid=record.uuid,
        library=library,
        name=display_name or display_text(str(record.mount_point)),
        display_name=display_name,
        before=naming.name_of(record, None),
        changed=changed,
    )


async def untrack_library(tx: Transaction, context: ActionContext, library: str) -> list[str]:
    """Track no more what a library tracks, which is about to be removed; return what the volumes are called."""
    monitor: VolumeMonitor = context.services["volumes"]
    gone = [record for record in await store.list_volumes(tx) if record.library == library]
    for record in gone:
        await _remove(tx, context, record)
    tx.after_commit(monitor.forget)
    return [naming.name_of(record, None) for record in gone]


def derived(context: ActionContext, what: str) -> str:
    """Return a uuid that an order has for something, also when it runs again."""
    return str(uuid.uuid5(uuid.UUID(context.uuid), what))


def tracked_by(found: Meant, library: str) -> Record:
    """Return the record that is meant.

    Raises:
        NotTrackedError: the library has none.
    """
    if found.record is None:
        raise _not_tracked(found.fingerprint, library)
    return found.record


async def put_marker(one: Detected, marker: str, *, replace: bool = False) -> bool:
    """Write a marker on a volume; return False if it can't be written to.

    Raises:
        RefusedError: there is another one that may not be replaced, or one that can't be read.
        SpaceError: it is full.
        VolumeAwayError: it failed.
    """
    point = one.mount_points[0]
    if one.is_read_only:
        return False
    try:
        await in_thread(write_marker, point, marker, replace=replace)
    except OSError as error:
        if error.errno in _UNWRITABLE:
            return False
        raise VolumeAwayError(
            f"the marker at {display_text(str(point))} can't be written: {error.strerror}", hint="look at the volume"
        ) from error
    return True


async def _remove(tx: Transaction, context: ActionContext, record: Record) -> None:
    if not await store.remove(tx, record.id):
        raise _not_tracked(record.fingerprint, record.library)
    told = events.VolumeUntracked(
        library=record.library,
        fingerprint=record.fingerprint,
        display_name=naming.name_of(record, None),
        user=display_text(context.caller.user),
    )
    await context.events.record(tx, told, now=context.clock.now())


def _not_tracked(fingerprint: str, library: str) -> NotTrackedError:
    return NotTrackedError(
        f"library {library} doesn't track the volume {fingerprint}", hint="`pulsetui volumes` lists what is tracked"
    )


def _trackable(found: Meant) -> Detected:
    """Return the mounted file system that is meant, if it can be tracked as it is."""
    if not found.there:
        raise VolumeNotFoundError(f"the volume {found.fingerprint} is not mounted", hint="mount it, then track it")
    for standing in found.there:
        if standing.state == "quarantine":
            raise RefusedError(
                f"not tracked: {standing.trouble}",
                hint="unmount the copy, or accept the right one with `pulsetui volumes accept`",
            )
    standing = found.there[0]
    one = standing.detected
    assert one is not None
    if one.probe.is_hanging or one.probe.error:
        raise VolumeAwayError(f"not tracked: {standing.trouble}", hint="try again when it answers")
    if one.probe.marker_error:
        raise RefusedError(f"not tracked: {one.probe.marker_error}", hint=MARKER_HINT)
    return one


async def _marked(one: Detected, new: str) -> str:
    """Return the marker that a volume has, or gets now; empty if it can't be written to."""
    if one.probe.marker:
        return one.probe.marker
    return new if await put_marker(one, new) else ""


async def _add(context: ActionContext, record: Record, library_id: int) -> None:
    async def work(tx: Transaction) -> None:
        await store.add(tx, record, library_id)
        told = events.VolumeTracked(
            library=record.library,
            fingerprint=record.fingerprint,
            display_name=naming.name_of(record, None),
            mount_point=display_text(str(record.mount_point)),
            user=display_text(context.caller.user),
        )
        await context.events.record(tx, told, now=record.tracked_at)

    monitor: VolumeMonitor = context.services["volumes"]
    await monitor.change(work)


def _new_record(
    context: ActionContext, one: Detected, marker: str, record_uuid: str, library: str, name: str | None
) -> Record:
    now = context.clock.now()
    return Record(
        id=0,
        uuid=record_uuid,
        library=library,
        fingerprint=one.fingerprint,
        kind=one.kind,
        identity=one.identity,
        marker=marker,
        display_name=clean_title(name or "") or None,
        fs_type=one.fs_type,
        device=one.device,
        mount_point=one.mount_points[0],
        tracked_at=now,
        last_seen_at=now,
        is_online=True,
        quarantine="",
        total_bytes=one.probe.total_bytes,
        available_bytes=one.probe.available_bytes,
        speed=None,
        is_read_only=one.is_read_only,
        told_bytes=one.probe.available_bytes,
    )
