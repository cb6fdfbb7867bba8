"""Volumes as a detector finds them and as a library keeps them, and a detector that finds what a test says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulsetui.volumes.records import Detected, Probe, Record
from pulsetui.volumes.views import Kind

NOW = datetime(2026, 11, 20, 12, 45, 10, tzinfo=UTC)
GB = 10**9
MARKER = "5b0f8f0e-6d1f-4a58-8f0c-3d9f5f3f0001"
OTHER_MARKER = "5b0f8f0e-6d1f-4a58-8f0c-3d9f5f3f0002"


def digits(name: str) -> str:
    """Return a fingerprint for a name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def sight(name: str = "archive", *points: str, kind: Kind = "disk", read_only: bool = False, **probe: Any) -> Detected:
    """Return a mounted file system; without points it is at `/mnt/<name>`."""
    found: dict[str, Any] = {
        "total_bytes": 100 * GB,
        "available_bytes": 60 * GB,
        "total_inodes": 1000,
        "free_inodes": 900,
        **probe,
    }
    return Detected(
        fingerprint=digits(name),
        kind=kind,
        identity=f"UUID {name}",
        fs_type="ext4",
        device=f"/dev/{name}",
        device_number="8:1",
        mount_points=tuple(map(Path, points or (f"/mnt/{name}",))),
        root=b"/",
        is_read_only=read_only,
        is_removable=False,
        is_network=kind == "network",
        warnings=(),
        probe=Probe(**found),
    )


def record(name: str = "archive", record_id: int = 1, **changes: Any) -> Record:
    """Return the record of a volume that was online, as `sight` shows it."""
    made = Record(
        id=record_id,
        uuid=f"00000000-0000-4000-8000-{record_id:012}",
        library="main",
        fingerprint=digits(name),
        kind="disk",
        identity=f"UUID {name}",
        marker=MARKER,
        display_name=None,
        fs_type="ext4",
        device=f"/dev/{name}",
        mount_point=Path(f"/mnt/{name}"),
        tracked_at=NOW,
        last_seen_at=NOW,
        is_online=True,
        quarantine="",
        total_bytes=100 * GB,
        available_bytes=60 * GB,
        speed=None,
        told_bytes=60 * GB,
    )
    return replace(made, **changes)


class Sights:
    """A detector that finds what is put in front of it."""

    def __init__(self, *found: Detected) -> None:
        self.found = found
        self.looks = 0
        self.is_closed = False
        self.failure: Exception | None = None

    async def detect(self) -> tuple[Detected, ...]:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        return self.found

    async def close(self) -> None:
        self.is_closed = True
