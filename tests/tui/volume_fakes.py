"""Volumes with fixed values, one in each state, for the Volumes screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import sin
from pathlib import Path

from pulsetui.errors import PulseError
from pulsetui.volumes.views import (
    CapacityPoint,
    MonitorView,
    SpeedTestView,
    SpeedView,
    VolumesView,
    VolumeView,
)

AT = datetime(2026, 11, 20, 14, 1, 59, tzinfo=UTC)
"""When the monitor looked: 12s before the screens' fixed now."""
GB = 10**9
MB = 10**6
DAY_S = 86_400.0


def volume(name: str, **changes: object) -> VolumeView:
    """Return a volume that is mounted and untracked; `changes` are fields."""
    values: dict[str, object] = {
        "fingerprint": sha256(name.encode(errors="surrogateescape")).hexdigest()[:32],
        "uuid": None,
        "library": None,
        "name": name,
        "display_name": None,
        "kind": "disk",
        "identity": "UUID 8a1f0c52-77d1-4c41-9a0e-5b2f6c0d9e11",
        "fs_type": "ext4",
        "device": "/dev/sdc1",
        "mount_points": (Path("/mnt") / "x",),
        "last_mount_point": None,
        "state": "untracked",
        "trouble": "",
        "quarantine": "",
        "warnings": (),
        "is_read_only": False,
        "is_removable": False,
        "is_network": False,
        "total_bytes": 64 * GB,
        "available_bytes": 40 * GB,
        "total_inodes": 4_194_304,
        "free_inodes": 4_100_110,
        "tracked_at": None,
        "last_seen_at": None,
        "speed": None,
        "growth_bytes_per_day": None,
        "full_in_s": None,
        "history": (),
        "roots": (),
    }
    return VolumeView(**{**values, **changes})  # type: ignore[arg-type]


def tracked(name: str, mount: str | None, used_bytes: int, total_bytes: int, **changes: object) -> VolumeView:
    """Return a tracked volume; `mount` None: it is away."""
    point = Path(mount) if mount else None
    values: dict[str, object] = {
        "uuid": "0192f0c1-7a00-7000-8000-00000000d15c",
        "library": "main",
        "display_name": name,
        "mount_points": (point,) if point else (),
        "last_mount_point": point,
        "state": "online" if point else "offline",
        "total_bytes": total_bytes,
        "available_bytes": total_bytes - used_bytes,
        "tracked_at": AT - timedelta(days=40, hours=3),
        "last_seen_at": AT,
        "growth_bytes_per_day": 0.0,
    }
    return volume(name, **{**values, **changes})


def course(
    used_bytes: int, total_bytes: int, per_day: float, days: float = 7.0, points: int = 84
) -> tuple[CapacityPoint, ...]:
    """Return a history that ends at `used_bytes` and grew by about `per_day`, with the waves that deletions make."""
    step = timedelta(days=days) / points
    found = []
    for index in range(points):
        left = (points - index) * (days / points)
        wave = sin(index * 0.9) * per_day * 0.11
        found.append(CapacityPoint(AT - step * (points - index), int(used_bytes - per_day * left + wave), total_bytes))
    return tuple(found)


def growing(name: str, mount: str, used_bytes: int, total_bytes: int, per_day: float, **changes: object) -> VolumeView:
    """Return a tracked volume that fills up; all of its figures agree."""
    full_in_s = (total_bytes - used_bytes) / per_day * DAY_S if per_day > 0 else None
    values: dict[str, object] = {
        "growth_bytes_per_day": per_day,
        "full_in_s": full_in_s,
        "history": course(used_bytes, total_bytes, per_day),
    }
    return tracked(name, mount, used_bytes, total_bytes, **{**values, **changes})


SPEED = SpeedView(182 * MB, 164 * MB, AT - timedelta(days=3, hours=2), "direct", 256 * MB, "2 downloads")

MEDIA = growing(
    "Media", "/mnt/hdd", 262 * GB, 320 * GB, 31 * GB,
    device="/dev/sdb1", identity="UUID 3f2a7c10-94be-4d6a-8f13-2b7c55e0a941",
    speed=SPEED, roots=("videos", "storage", "trash:storage"),
)  # fmt: skip
SYSTEM = growing(
    "System", "/", 61 * GB, 98 * GB, 0.31 * GB,
    device="/dev/nvme0n1p2", identity="UUID 0b5d1c8e-2f60-4f0e-b3b0-6a9a7f6f8f02",
    speed=replace(SPEED, read_bps=3.1e9, write_bps=1.9e9, method="cache-affected", beside=""),
    roots=("data", "audio", "transcripts", "trash:data"),
)  # fmt: skip
NAS = growing(
    "Studio NAS", "/net/studio", 7_100 * GB, 12_000 * GB, -22 * GB,
    kind="network", fs_type="nfs", device="nas:/export/studio", identity="nfs nas:/export/studio",
    is_network=True, is_read_only=True, total_inodes=0, free_inodes=0,
    warnings=("it is read-only, so it has no marker and is known by its identity alone",),
    speed=replace(SPEED, read_bps=112 * MB, write_bps=98 * MB, method="dropped-cache"),
)  # fmt: skip
HANGING = replace(
    tracked("Archive share", "/net/archive", 0, 0),
    kind="network", fs_type="cifs", device="//archive/media", identity="smb //archive/media", is_network=True,
    state="unresponsive", total_bytes=None, available_bytes=None, total_inodes=None, free_inodes=None,
    last_seen_at=AT - timedelta(minutes=47), growth_bytes_per_day=None,
    trouble="it did not answer within 2s; it is asked again in 4m. Look whether its server is up",
)  # fmt: skip
AWAY = replace(
    growing("Backup 2", "/media/backup2", 1_480 * GB, 2_000 * GB, 12 * GB, fs_type="btrfs", is_removable=True),
    mount_points=(), state="offline", last_seen_at=AT - timedelta(days=3, hours=4),
    device="/dev/sdd1", growth_bytes_per_day=None, full_in_s=None,
    speed=replace(SPEED, read_bps=121 * MB, write_bps=103 * MB),
    trouble="it is not mounted. Mount it anywhere; it is known by its UUID",
)  # fmt: skip
CLONE = tracked(
    "Shuttle disk", "/media/shuttle", 410 * GB, 1_000 * GB,
    state="quarantine", is_removable=True, fs_type="exfat", device="/dev/sde1",
    last_seen_at=AT - timedelta(hours=5), growth_bytes_per_day=None,
    quarantine="its UUID is that of Shuttle disk and its marker is another one: a clone, or its marker was replaced",
    trouble="nothing is written to it or deleted from it until a human decides which one it is",
)  # fmt: skip
CARD = volume(
    "/media/card", fs_type="vfat", is_removable=True, mount_points=(Path("/media/card"),),
    device="/dev/mmcblk0p1", identity="UUID 6A21-0F3C", total_bytes=32 * GB, available_bytes=30_400 * MB,
)  # fmt: skip
MEMORY = volume(
    "/tmp", kind="memory", fs_type="tmpfs", mount_points=(Path("/tmp"),), device="tmpfs",
    identity="memory of this boot at /tmp", total_bytes=8 * GB, available_bytes=7_930 * MB,
    warnings=("it loses everything at a reboot",),
)  # fmt: skip
BOUND = volume(
    "/srv", mount_points=(Path("/srv"), Path("/srv/ftp/incoming"), Path("/var/lib/films")),
    total_bytes=500 * GB, available_bytes=31 * GB,
)  # fmt: skip

MONITOR = MonitorView(True, AT, 30.0, "")
VOLUMES = VolumesView(AT, (HANGING, AWAY, MEDIA, CLONE, NAS, SYSTEM, CARD, BOUND, MEMORY), MONITOR)
NO_VOLUMES = VolumesView(AT, (), MONITOR)
TESTING = SpeedTestView(MEDIA.fingerprint, "writing, round 2 of 3", 0.42, 12.0)


@dataclass
class FakeVolumes:
    """Answers what `VolumesSource` asks; a test sets `view` and `error`."""

    view: VolumesView = VOLUMES
    error: PulseError | None = None

    def volumes(self) -> VolumesView:
        """Return the view."""
        if self.error is not None:
            raise self.error
        return self.view

    def put(self, changed: VolumeView) -> None:
        """Put a volume in place of the one with its fingerprint."""
        self.view = replace(
            self.view,
            volumes=tuple(changed if one.fingerprint == changed.fingerprint else one for one in self.view.volumes),
        )
