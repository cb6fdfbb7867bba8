"""What orders about volumes answer: JSON values, texts fit for a screen, sizes in bytes."""

from __future__ import annotations

from datetime import datetime

from pulsetui.actions.base import Outcome
from pulsetui.files.names import display_text
from pulsetui.volumes.naming import name_of
from pulsetui.volumes.overview import UNMARKED
from pulsetui.volumes.records import Detected, Record


class VolumeTracked(Outcome):
    """A volume as it is tracked from now on."""

    fingerprint: str
    uuid: str
    library: str
    name: str
    """The display name, else the mount point."""
    display_name: str | None
    kind: str
    identity: str
    fs_type: str
    device: str
    mount_point: str
    marked: bool
    """Whether it carries a marker; without one a clone of it is taken for it."""
    read_only: bool
    is_online: bool
    total_bytes: int
    available_bytes: int
    tracked_at: datetime
    warnings: tuple[str, ...]


class VolumeUntracked(Outcome):
    """A volume that was tracked until now. Its files stay, its marker too."""

    fingerprint: str
    uuid: str
    library: str
    name: str
    display_name: str | None
    tracked_at: datetime
    last_seen_at: datetime


class VolumeRenamed(Outcome):
    """A volume and what it is called now."""

    fingerprint: str
    uuid: str
    library: str
    name: str
    display_name: str | None
    before: str
    """What it was called."""
    changed: bool


class VolumeAccepted(Outcome):
    """A volume, and the file system that it is from now on."""

    fingerprint: str
    uuid: str
    library: str
    name: str
    mount_point: str
    marked: bool
    new_marker: bool
    """It got another marker than it had, which no copy has."""
    is_online: bool


class VolumesRefreshed(Outcome):
    """What a look at all volumes found."""

    mounted: int
    tracked: int
    """In all libraries."""
    online: int
    seconds: float


class MonitorChanged(Outcome):
    """The monitor after the order."""

    is_running: bool
    changed: bool


def as_tracked(record: Record, one: Detected | None) -> VolumeTracked:
    """Return the outcome for a record and, if it is mounted, what it is."""
    warnings = () if one is None else one.warnings
    return VolumeTracked(
        fingerprint=record.fingerprint,
        uuid=record.uuid,
        library=record.library,
        name=name_of(record, None),
        display_name=record.display_name,
        kind=record.kind,
        identity=display_text(record.identity),
        fs_type=record.fs_type,
        device=display_text(record.device),
        mount_point=display_text(str(record.mount_point)),
        marked=bool(record.marker),
        read_only=record.is_read_only,
        is_online=record.is_online,
        total_bytes=record.total_bytes,
        available_bytes=record.available_bytes,
        tracked_at=record.tracked_at,
        warnings=warnings if record.marker else (*warnings, UNMARKED),
    )
