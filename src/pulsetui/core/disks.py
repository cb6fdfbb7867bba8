"""The disks under the data: what they are, how full they are, and the limits that hold on them.

All of it asks the kernel and blocks, but for `disks_shown`: for worker threads.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from pulsetui.budget.limits import Limits, resolve_limits
from pulsetui.errors import RefusedError, VolumeAwayError
from pulsetui.files.locks import mount_type
from pulsetui.files.names import display_text
from pulsetui.pipeline.folders import VIDEOS
from pulsetui.pipeline.views import DiskView, Level
from pulsetui.settings.load import LoadedSettings
from pulsetui.settings.models import Dashboard, Settings
from pulsetui.storage.disks import Disk, disks
from pulsetui.volumes.ground_watch import GroundWatch
from pulsetui.waiting import in_thread

_IN_MEMORY = ("tmpfs", "ramfs")


def limits_on(loaded: LoadedSettings, data_dir: Path, storage_dir: Path) -> Limits:
    """Return the limits that hold on the disks of the two folders. Blocks on `statvfs`.

    Raises:
        SettingsError: the settings contradict each other or the disks.
    """
    prefix = "disk_management."
    explicit = frozenset(
        key.removeprefix(prefix)
        for key, origin in loaded.origins.items()
        if key.startswith(prefix) and origin != "default"
    )
    return resolve_limits(
        loaded.settings.disk_management,
        disks_bytes=sum(disk.total_bytes for disk in disks((data_dir, storage_dir))),
        explicit=explicit,
    )


def refuse_memory(settings: Settings, storage_dir: Path) -> None:
    """Refuse to keep media where they are lost at a reboot, unless that is wanted. Blocks.

    Raises:
        RefusedError: the storage, which needn't exist yet, is to lie on a file system in memory.
    """
    if settings.volumes.allow_memory:
        return
    mountinfo = os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    found = mount_type(mountinfo, storage_dir)
    if found in _IN_MEMORY:
        raise RefusedError(
            f"the storage {display_text(str(storage_dir))} lies in memory ({found}): all media are lost at a reboot",
            hint="set paths.storage_dir to a folder on a disk, or volumes.allow_memory = true if that is wanted",
        )


def disk_views(paths: Iterable[Path], dashboard: Dashboard) -> tuple[DiskView, ...]:
    """Return the file systems of `paths` as the screens show them."""
    return tuple(_view(disk, dashboard) for disk in disks(paths))


async def disks_shown(
    ground: GroundWatch, storage_dir: Path, data_dir: Path, dashboard: Dashboard
) -> tuple[DiskView, ...]:
    """Return the file systems of storage and data; while the storage's is away, not what lies in its place."""
    if not ground.away():
        with contextlib.suppress(VolumeAwayError):
            both = (storage_dir, data_dir)
            return await ground.ask(storage_dir / VIDEOS, lambda: disk_views(both, dashboard))
    return await in_thread(disk_views, (data_dir,), dashboard)


def _view(disk: Disk, dashboard: Dashboard) -> DiskView:
    level: Level = "ok"
    if disk.percent >= dashboard.critical_percent:
        level = "critical"
    elif disk.percent >= dashboard.warn_percent:
        level = "warning"
    return DiskView(str(disk.path), disk.total_bytes, disk.used_bytes, disk.free_bytes, disk.percent, level)
