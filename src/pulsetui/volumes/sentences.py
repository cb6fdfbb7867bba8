"""What orders about volumes did, in one plain sentence each: for screens and commands. Pure."""

from __future__ import annotations

from pulsetui.actions.base import Outcome
from pulsetui.units import format_rate, format_size
from pulsetui.volumes.outcomes import (
    MonitorChanged,
    VolumeAccepted,
    VolumeRenamed,
    VolumesRefreshed,
    VolumeTracked,
    VolumeUntracked,
)
from pulsetui.volumes.speed_actions import SpeedTested, SpeedTestStopped


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
        case SpeedTested(display_name=name, fingerprint=fingerprint, read_bps=read, write_bps=write, size_bytes=size):
            rounds = f"median of three rounds of {format_size(size)}"
            return f"{name or fingerprint[:8]} reads {format_rate(read)}, writes {format_rate(write)} ({rounds})"
        case SpeedTestStopped(stopped=stopped):
            return "the speed test was stopped" if stopped else "no speed test runs"
    return None
