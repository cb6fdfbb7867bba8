"""What screens read of volumes, answered by the owner in this process.

It has the form of `pulsetui.tui.volumes_source.VolumesSource`, which this room can't name. The invariant: asked again
while nothing changed, the answer is the same object; nothing here waits for a mount but the first look of all.
"""

from __future__ import annotations

from pulsetui.core.runtime import Core
from pulsetui.core.shown import readable
from pulsetui.volumes.views import VolumesView


class VolumesReads:
    """Reads volumes for screens."""

    def __init__(self, core: Core) -> None:
        """Take the running core."""
        self._monitor = core.volumes

    async def volumes(self) -> VolumesView:
        """Return all volumes as of the last look at them, tracked in whichever library.

        Raises:
            PulseError: there was no look yet, and it failed.
        """
        if self._monitor.refreshed_at is None:
            with readable("the volumes"):
                await self._monitor.refresh()
        return self._monitor.view()
