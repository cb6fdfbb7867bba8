"""The values that the parts of this room hand each other: mounts, what a probe found, file systems, tracked records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pulsetui.volumes.views import Kind, SpeedView


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo (proc_pid_mountinfo(5)), its octal escapes undone."""

    id: int
    parent_id: int
    device: str
    """`major:minor` of the superblock."""
    root: bytes
    """The folder within the file system that is mounted here: `/`, or deeper for a bind mount or a subvolume."""
    point: bytes
    fs_type: str
    source: bytes
    """The device, `server:/export`, or whatever the file system says."""
    options: frozenset[str]
    """Of this mount."""
    super_options: frozenset[str]
    """Of the file system."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one look at a mount point found, in a process that can be killed."""

    error: str = ""
    """Why it could not be looked at; empty if it could. All else is unset then."""
    is_hanging: bool = False
    """It did not answer in time."""
    device: int = 0
    """`st_dev` of its folder."""
    fs_uuid: str = ""
    """The file system's own UUID by FS_IOC_GETFSUUID, in lower case; empty where there is none."""
    total_bytes: int = 0
    available_bytes: int = 0
    total_inodes: int = 0
    free_inodes: int = 0
    marker: str = ""
    """The uuid in its marker file; empty without one."""
    marker_error: str = ""
    """Why there is a marker that can't be read; empty if there is none, or it can."""


@dataclass(frozen=True, slots=True)
class Detected:
    """One file system that is mounted now, by all of its mount points."""

    fingerprint: str
    kind: Kind
    identity: str
    fs_type: str
    device: str
    """What it is mounted from, as text."""
    device_number: str
    """`major:minor`."""
    mount_points: tuple[Path, ...]
    """Visible ones only; the main one first: the one that shows the most of the file system, then the shortest."""
    root: bytes
    """What the main mount point shows of the file system: `/`, or a folder in it."""
    is_read_only: bool
    is_removable: bool
    is_network: bool
    warnings: tuple[str, ...]
    probe: Probe


@dataclass(frozen=True, slots=True)
class Record:
    """A tracked volume, as a library keeps it."""

    id: int
    uuid: str
    library: str
    fingerprint: str
    kind: Kind
    identity: str
    marker: str
    """The uuid in its marker file; empty: it could not be marked, and is known by identity alone."""
    display_name: str | None
    fs_type: str
    device: str
    mount_point: Path | None
    """Where it was last seen."""
    tracked_at: datetime
    last_seen_at: datetime
    is_online: bool
    quarantine: str
    total_bytes: int
    available_bytes: int
    speed: SpeedView | None
    is_read_only: bool = False
    """As last seen."""
    needs_decision: bool = False
    """Two were mounted as it at once, and nothing tells them apart: in quarantine whatever is mounted, until a human
    says which one it is."""
    is_filling: bool = False
    """It was warned of, and that isn't over."""
    told_bytes: int = 0
    """What was available when it was last told of."""
