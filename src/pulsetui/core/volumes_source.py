"""What screens read of volumes, answered by the owner in this process.

It has the form of `pulsetui.tui.volumes_source.VolumesSource`, which this room can't name. The invariant: asked again
while nothing changed, the answer is the same object; nothing here waits for a mount but the first look of all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pulsetui.core.runtime import Core
from pulsetui.core.shown import readable
from pulsetui.settings.models import Settings
from pulsetui.volumes.views import VolumesView


class VolumesReads:
    """Reads volumes for screens."""

    def __init__(self, core: Core) -> None:
        """Take the running core."""
        self._monitor = core.volumes
        self._limits = _limits(core.settings)
        self._volumes_read: VolumesView | None = None
        self._volumes_shown: VolumesView | None = None

    async def volumes(self) -> VolumesView:
        """Return all volumes as of the last look at them, tracked in whichever library.

        Raises:
            PulseError: there was no look yet, and it failed.
        """
        if self._monitor.refreshed_at is None:
            with readable("the volumes"):
                await self._monitor.refresh()
        read = self._monitor.view()
        if self._volumes_shown is None or read is not self._volumes_read:
            self._volumes_read, self._volumes_shown = read, replace(read, **self._limits)
        return self._volumes_shown


def _limits(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide how a volume is shown."""
    return {
        "warn_percent": settings.dashboard.warn_percent,
        "critical_percent": settings.dashboard.critical_percent,
        "full_warning_s": settings.volumes.full_warning.total_seconds(),
        "speed_test_bytes": settings.volumes.speed_test_size,
    }
