"""What screens read of volumes, answered by the owner in this process, and the sentences about orders to them.

It has the form of `pulsetui.tui.volumes_source.VolumesSource`, which this room can't name. The invariant: asked again
while nothing changed, the answer is the same object; nothing here waits for a mount but the first look of all.
"""

from __future__ import annotations

from pulsetui.actions.base import Outcome
from pulsetui.core.runtime import Core
from pulsetui.core.shown import readable
from pulsetui.volumes.outcomes import (
    MonitorChanged,
    VolumeAccepted,
    VolumeRenamed,
    VolumesRefreshed,
    VolumeTracked,
    VolumeUntracked,
)
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


def volume_sentence(outcome: Outcome) -> str | None:
    """Return what an order to volumes did, in one plain sentence; None if it is no such order's."""
    match outcome:
        case VolumeTracked(name=name, library=library, marked=marked):
            doubt = "" if marked else ", without a marker: it can't be written to"
            return f"{name} is tracked in library {library}{doubt}"
        case VolumeUntracked(name=name, library=library):
            return f"{name} isn't tracked in library {library} any more; its files stay"
        case VolumeRenamed(name=name, before=before, changed=changed):
            return f"{before} is now called {name}" if changed else f"{name} is called that already"
        case VolumeAccepted(name=name, mount_point=point, new_marker=new_marker):
            return f"{name} is what is mounted at {point}{', under a new marker' if new_marker else ''}"
        case VolumesRefreshed(mounted=mounted, tracked=tracked, online=online):
            return f"{mounted} volumes mounted; of {tracked} tracked ones {online} are online"
        case MonitorChanged(is_running=is_running):
            return "volumes are looked at by schedule" if is_running else "volumes are looked at on order only"
    return None
