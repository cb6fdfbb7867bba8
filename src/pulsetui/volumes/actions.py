"""What can be ordered of volumes: track, untrack, rename, accept, refresh, and the monitor's start and stop.

Each looks at the mounts first, so that it works without a running owner too, and on what is there just now. How it is
done is in `tracking` and `accepting`; the speed test is in `speedtest`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from pulsetui.actions.base import Action, ActionContext, Right
from pulsetui.volumes import tracking
from pulsetui.volumes.accepting import accept
from pulsetui.volumes.monitor import VolumeMonitor
from pulsetui.volumes.outcomes import (
    MonitorChanged,
    VolumeAccepted,
    VolumeRenamed,
    VolumesRefreshed,
    VolumeTracked,
    VolumeUntracked,
)

Named = Annotated[str, Field(min_length=1, max_length=4096)]
"""A fingerprint, a prefix of one that is unique (4 hex digits or more), or the path of a mount point."""
Library = Annotated[str, Field(min_length=1, max_length=200)]


class TrackVolume(Action, verb="volumes.track", right=Right.ADMIN):
    """Track a mounted volume in a library: from now on it is known again wherever it is mounted."""

    fingerprint: Named
    name: str | None = None
    """What to call it; None: by its mount point."""
    library: Library = "main"

    async def run(self, context: ActionContext) -> VolumeTracked:
        """Mark it and keep it.

        Raises:
            AlreadyTrackedError, VolumeNotFoundError, UsageError: there, not there, or not one.
            RefusedError: it can't be told from another one, or its marker can't be read.
        """
        return await tracking.track(context, self.fingerprint, name=self.name, library=self.library)


class UntrackVolume(Action, verb="volumes.untrack", right=Right.ADMIN):
    """Track a volume no more. No file is deleted, its marker neither."""

    fingerprint: Named
    library: Library = "main"

    async def run(self, context: ActionContext) -> VolumeUntracked:
        """Forget it.

        Raises:
            NotTrackedError, VolumeNotFoundError, UsageError: it isn't tracked, there is none, or several.
        """
        return await tracking.untrack(context, self.fingerprint, library=self.library)


class RenameVolume(Action, verb="volumes.rename", right=Right.ADMIN):
    """Give a tracked volume another display name."""

    fingerprint: Named
    name: str
    """Empty: it is called by its mount point again."""
    library: Library = "main"

    async def run(self, context: ActionContext) -> VolumeRenamed:
        """Rename it.

        Raises:
            NotTrackedError, VolumeNotFoundError, UsageError: it isn't tracked, there is none, or several.
        """
        return await tracking.rename(context, self.fingerprint, name=self.name, library=self.library)


class AcceptVolume(Action, verb="volumes.accept", right=Right.ADMIN):
    """Say that what is mounted is the tracked volume: ends a quarantine."""

    fingerprint: Named
    mount: str | None = None
    """Which one it is, by its mount point; needed if several are mounted."""
    library: Library = "main"

    async def run(self, context: ActionContext) -> VolumeAccepted:
        """Have the record and the one that is mounted agree on a marker, which no other has.

        Raises:
            NotTrackedError, VolumeNotFoundError, UsageError: it isn't tracked or mounted, or several are.
            RefusedError: it doesn't answer, or would need a new marker and can't be written to.
        """
        return await accept(context, self.fingerprint, mount=self.mount, library=self.library)


class RefreshVolumes(Action, verb="volumes.refresh", right=Right.OPERATE):
    """Look at all volumes now."""

    async def run(self, context: ActionContext) -> VolumesRefreshed:
        """Look."""
        monitor: VolumeMonitor = context.services["volumes"]
        began_s = context.clock.monotonic()
        await monitor.refresh()
        return VolumesRefreshed(
            mounted=len(monitor.detected),
            tracked=len(monitor.records),
            online=sum(standing.state == "online" for standing in monitor.standings),
            seconds=context.clock.monotonic() - began_s,
        )


class SetMonitor(Action, verb="volumes.monitor", right=Right.ADMIN):
    """Start or stop looking at the volumes by itself. It runs again after a restart."""

    run_it: Annotated[bool, Field(alias="run")]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments by the names that they are sent under."""
        return self.model_dump(mode="json", by_alias=True)

    async def run(self, context: ActionContext) -> MonitorChanged:
        """Start or stop it."""
        monitor: VolumeMonitor = context.services["volumes"]
        changed = monitor.is_running != self.run_it
        if self.run_it:
            monitor.start()
        else:
            monitor.stop()
        return MonitorChanged(is_running=monitor.is_running, changed=changed)
