"""What storage is told of volumes: which are tracked, and why one may not be read."""

from __future__ import annotations

import contextlib

from pulsetui.errors import PulseError
from pulsetui.files.names import display_text
from pulsetui.storage.refresh.reading import Home, Homes
from pulsetui.volumes.monitor import VolumeMonitor
from pulsetui.volumes.naming import name_of


async def homes_of_roots(monitor: VolumeMonitor) -> Homes:
    """Return the tracked volumes as of the monitor's last look; the first refresh waits for the first one."""
    if monitor.refreshed_at is None:
        with contextlib.suppress(PulseError):  # then nothing is known of them, and the roots speak for themselves
            await monitor.refresh()
    return {
        one.record.fingerprint: Home(
            name_of(one.record, one.detected),
            "" if one.state == "online" else display_text(one.trouble) or one.state,
        )
        for one in monitor.standings
        if one.record is not None
    }
