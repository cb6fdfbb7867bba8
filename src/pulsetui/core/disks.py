"""The disks under the data: how full they are, and the limits that hold on them.

All of it asks the kernel (`statvfs`) and blocks: for worker threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pulsetui.budget.limits import Limits, resolve_limits
from pulsetui.pipeline.views import DiskView, Level
from pulsetui.settings.load import LoadedSettings
from pulsetui.settings.models import Dashboard
from pulsetui.storage.disks import Disk, disks


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


def disk_views(paths: Iterable[Path], dashboard: Dashboard) -> tuple[DiskView, ...]:
    """Return the file systems of `paths` as the screens show them."""
    return tuple(_view(disk, dashboard) for disk in disks(paths))


def _view(disk: Disk, dashboard: Dashboard) -> DiskView:
    level: Level = "ok"
    if disk.percent >= dashboard.critical_percent:
        level = "critical"
    elif disk.percent >= dashboard.warn_percent:
        level = "warning"
    return DiskView(str(disk.path), disk.total_bytes, disk.used_bytes, disk.free_bytes, disk.percent, level)
