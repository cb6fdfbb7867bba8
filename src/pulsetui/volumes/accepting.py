"""Ends a quarantine on order: a human says which mounted file system a volume is, and from then on it is known by that.

The invariant: afterwards no other volume that is mounted or tracked has the accepted one's marker, so that they are
told apart whichever is mounted. This is the only place where a marker is replaced. See docs/decisions/0021.
"""

from __future__ import annotations

from pathlib import Path

from pulsetui.actions.base import ActionContext
from pulsetui.db.database import Transaction
from pulsetui.errors import RefusedError, UsageError, VolumeAwayError, VolumeNotFoundError
from pulsetui.files.names import display_text
from pulsetui.volumes import events, naming, store
from pulsetui.volumes.monitor import VolumeMonitor
from pulsetui.volumes.outcomes import VolumeAccepted
from pulsetui.volumes.records import Detected, Record
from pulsetui.volumes.tracking import MARKER_HINT, Meant, derived, meant, put_marker, tracked_by


async def accept(context: ActionContext, wanted: str, *, mount: str | None, library: str) -> VolumeAccepted:
    """Say which mounted file system a volume is. See `actions.AcceptVolume`."""
    monitor: VolumeMonitor = context.services["volumes"]
    found = await meant(context, wanted, library)
    record = tracked_by(found, library)
    one = _chosen(found, naming.name_of(record, None), mount)
    new = derived(context, "marker")
    marker = await _settled(record, one, monitor, new)
    name, point = naming.name_of(record, one), display_text(str(one.mount_points[0]))

    async def work(tx: Transaction) -> None:
        await store.mark_accepted(tx, record.fingerprint, marker, one.mount_points[0])
        told = events.VolumeAccepted(
            library=library,
            fingerprint=record.fingerprint,
            name=name,
            mount_point=point,
            new_marker=marker == new,
            user=display_text(context.caller.user),
        )
        await context.events.record(tx, told, now=context.clock.now())

    await monitor.change(work)
    return VolumeAccepted(
        fingerprint=record.fingerprint,
        uuid=record.uuid,
        library=library,
        name=name,
        mount_point=point,
        marked=bool(marker),
        new_marker=marker == new,
        is_online=any(now.is_online for now in monitor.records if now.uuid == record.uuid),
    )


def _chosen(found: Meant, name: str, mount: str | None) -> Detected:
    """Return which of the mounted ones is meant, if it can be looked at."""
    there = {id(one.detected): one.detected for one in found.there if one.detected is not None}.values()
    if not there:
        raise VolumeAwayError(f"{name} is not mounted, so there is nothing to accept", hint="mount it first")
    points = " or ".join(display_text(str(one.mount_points[0])) for one in there)
    if mount is None and len(there) > 1:
        raise UsageError(f"{name} may be what is mounted at {points}", hint="say which with --mount")
    one = next((one for one in there if mount is None or Path(mount) in one.mount_points), None)
    if one is None:
        raise VolumeNotFoundError(
            f"{name} is not mounted at {display_text(mount or '')}", hint=f"what it may be is mounted at {points}"
        )
    if one.probe.is_hanging or one.probe.error:
        raise VolumeAwayError(f"{points} can't be looked at: {one.probe.error or 'no answer'}", hint="try again")
    if one.probe.marker_error:
        raise RefusedError(one.probe.marker_error, hint=MARKER_HINT)
    return one


async def _settled(record: Record, one: Detected, monitor: VolumeMonitor, new: str) -> str:
    """Return the marker by which the accepted one is known from now on, once it has it; empty: it can't be marked."""
    has = one.probe.marker
    if not has:
        return new if await put_marker(one, new) else ""
    is_shared = any(other is not one and other.probe.marker == has for other in monitor.detected)
    is_taken = any(other.marker == has and other.fingerprint != record.fingerprint for other in monitor.records)
    # One that was mounted beside its copy: the copy still has this marker, and may be mounted in its place tomorrow.
    was_shared = record.needs_decision and has == record.marker
    if not (is_shared or is_taken or was_shared) or has == new:
        return has
    if not await put_marker(one, new, replace=True):
        raise RefusedError(
            f"{display_text(str(one.mount_points[0]))} needs a marker that no copy has, and can't be written to",
            hint="mount it so that it can be written to, and accept it again",
        )
    return new
