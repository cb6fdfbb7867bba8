"""The part of the seam that is about volumes: which there are, how they do, and what is done with them.

What comes back is the frozen read model of `pulsetui.volumes.views`. Orders go the way of all, by `Source.order`:
`volumes.track {fingerprint, name}`, `volumes.untrack {fingerprint}`, `volumes.rename {fingerprint, name}`,
`volumes.accept {fingerprint, mount}`, `volumes.speedtest {fingerprint}`, `volumes.stop_speedtest {}`,
`volumes.refresh {}` and `volumes.monitor {run}`.
"""

from __future__ import annotations

from typing import Protocol

from pulsetui.volumes.views import VolumesView


class VolumesSource(Protocol):
    """Reads what volumes there are."""

    async def volumes(self) -> VolumesView:
        """Return all volumes as of the last look at them. While nothing changed it is the same object.

        Raises:
            PulseError: they can't be read.
        """
        ...
