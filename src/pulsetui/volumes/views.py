"""What screens and commands are shown of volumes: frozen read models, filled by the monitor.

Sizes in bytes, times in UTC, speeds in bytes per second, durations in seconds. Texts from outside (names, devices,
mount points) are as they were read: whoever shows them escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

Kind = Literal["disk", "network", "overlay", "memory"]
"""What the identity of a volume is made of; see `volumes.identity`."""
State = Literal["online", "offline", "unresponsive", "quarantine", "untracked"]
"""`online`: tracked, and its identity was read just now. `offline`: tracked, and not mounted, or another file system is
in its place. `unresponsive`: mounted, and doesn't answer. `quarantine`: can't be told from another one until a human
decides. `untracked`: mounted, in no library."""
Method = Literal["direct", "dropped-cache", "cache-affected"]
"""How a speed test read: past the page cache, after dropping it for the file, or with no way to keep it out."""


@dataclass(frozen=True, slots=True)
class SpeedView:
    """The newest speed test of a volume."""

    read_bps: float
    write_bps: float
    tested_at: datetime
    method: Method
    size_bytes: int
    """How much was written and read in each of its rounds."""
    beside: str
    """What else ran meanwhile, such as `2 downloads, 1 transcription`; empty: nothing of ours."""


@dataclass(frozen=True, slots=True)
class CapacityPoint:
    """How full a volume was. It holds until the next point."""

    at: datetime
    used_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class VolumeView:
    """One volume: tracked, or mounted, or both."""

    fingerprint: str
    """32 hex digits; stable across remounts and device renumbering."""
    uuid: str | None
    """Of the record in the library; None if it isn't tracked."""
    library: str | None
    name: str
    """What to call it: the display name, else its mount point or device."""
    display_name: str | None
    """What the operator calls it; None without one."""
    kind: Kind
    identity: str
    """What the fingerprint is made of, in words: `UUID 3f2a…`, `nfs nas:/export`."""
    fs_type: str
    device: str
    mount_points: tuple[Path, ...]
    """Every place where it is mounted now, the main one first; empty: it isn't. Of one away: none."""
    last_mount_point: Path | None
    """Where it is, or was when it was last seen."""
    state: State
    trouble: str
    """Why it is not online, and what to do; empty if it is."""
    quarantine: str
    """Why it is in quarantine; empty if it isn't."""
    warnings: tuple[str, ...]
    """What one should know of it, such as that it loses everything at a reboot."""
    is_read_only: bool
    is_removable: bool
    is_network: bool
    total_bytes: int | None
    """None: never seen, or it doesn't answer. Of one away: as last seen."""
    available_bytes: int | None
    """What an ordinary user may still write."""
    total_inodes: int | None
    free_inodes: int | None
    tracked_at: datetime | None
    last_seen_at: datetime | None
    speed: SpeedView | None
    growth_bytes_per_day: float | None
    """Of the last week, or of as much as is known; None if less than an hour is. Negative: it empties."""
    full_in_s: float | None
    """When it is full at that rate; None: not in sight."""
    history: tuple[CapacityPoint, ...]
    """Oldest first, at most 120; empty if it isn't tracked."""
    roots: tuple[str, ...]
    """Names of the storage roots on it."""

    @property
    def mount_point(self) -> Path | None:
        """Where it is mounted; None if it isn't."""
        return self.mount_points[0] if self.mount_points else None

    @property
    def is_tracked(self) -> bool:
        """Whether a library has a record of it."""
        return self.uuid is not None

    @property
    def is_online(self) -> bool:
        """Whether it may be written to and deleted from."""
        return self.state == "online"

    @property
    def used_bytes(self) -> int | None:
        """What can't be written any more."""
        if self.total_bytes is None or self.available_bytes is None:
            return None
        return self.total_bytes - self.available_bytes


@dataclass(frozen=True, slots=True)
class SpeedTestView:
    """A speed test that runs."""

    fingerprint: str
    step: str
    """What it does: `writing, round 2 of 3`."""
    progress: float
    """0 to 1."""
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class MonitorView:
    """How the monitor does."""

    is_running: bool
    refreshed_at: datetime | None
    """When it last looked; None: not yet."""
    interval_s: float
    failure: str
    """Why its last look failed; empty if it didn't."""


@dataclass(frozen=True, slots=True)
class VolumesView:
    """All volumes: tracked ones first, then those that are mounted only, each in order of name."""

    at: datetime
    volumes: tuple[VolumeView, ...]
    monitor: MonitorView
    testing: SpeedTestView | None = None
    warn_percent: float = 80.0
    critical_percent: float = 90.0
    """From how full on a volume is told as such, and as badly so; settings of the dashboard."""
    full_warning_s: float = 172_800.0
    """A volume that is full within so long at its present growth is told as such."""
    speed_test_bytes: int = 256 * 10**6
    """How much a speed test writes and reads in each round unless it is told otherwise."""
