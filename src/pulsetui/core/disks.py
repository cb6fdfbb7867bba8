"""The disks under the data: how full they are, and the limits that hold on them.

All of it asks the kernel (`statvfs`) and blocks: for worker threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pulsetui.budget.limits import Limits, resolve_limits
from pulsetui.pipeline.views import DiskView, Level
from pulsetui.settings.load import LoadedSettings
from pulsetui.settings.models import Dashboard


def existing(path: Path) -> Path:
    """Return the nearest folder at or above `path` that exists."""
    while not path.exists():
        path = path.parent
    return path


def disks_bytes(*paths: Path) -> int:
    """Return the size in bytes of the file systems that hold `paths`, each counted once."""
    sizes: dict[int, int] = {}
    for path in paths:
        there = existing(path)
        status = os.statvfs(there)
        sizes[there.stat().st_dev] = status.f_blocks * status.f_frsize
    return sum(sizes.values())


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
        loaded.settings.disk_management, disks_bytes=disks_bytes(data_dir, storage_dir), explicit=explicit
    )


def disk_views(paths: Iterable[Path], dashboard: Dashboard) -> tuple[DiskView, ...]:
    """Return the file systems of `paths`, each once, named by the first path on it.

    Used and percent count as df(1) does: what is reserved for root is neither used nor free.
    """
    views: dict[int, DiskView] = {}
    for path in paths:
        there = existing(path)
        device = there.stat().st_dev
        if device not in views:
            views[device] = _view(path, os.statvfs(there), dashboard)
    return tuple(views.values())


def _view(path: Path, status: os.statvfs_result, dashboard: Dashboard) -> DiskView:
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    free = status.f_bavail * status.f_frsize
    percent = 100 * used / (used + free) if used + free else 0.0
    level: Level = "ok"
    if percent >= dashboard.critical_percent:
        level = "critical"
    elif percent >= dashboard.warn_percent:
        level = "warning"
    return DiskView(str(path), status.f_blocks * status.f_frsize, used, free, percent, level)
