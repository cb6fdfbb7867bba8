"""The events of volumes, each with the sentence that it is shown as. They are told when something changed only.

`name` is what the volume is called (`naming.name_of`), already fit for a screen, as are all the other texts here.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.events.base import Event
from pulsetui.units import format_duration, format_percent, format_rate, format_size


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeAdded(Event, kind="volume.added", category="volume", severity="info"):
    """A volume was mounted, or one that is tracked can be used again."""

    fingerprint: str
    name: str
    identity: str
    mount_point: str
    tracked: bool
    away_s: float | None
    """For how long a tracked one could not be used; None if it was never known."""

    def text(self) -> str:
        """Say where it is, and for how long it was away."""
        if self.tracked:
            away = "" if self.away_s is None else f" after {format_duration(self.away_s)}"
            return f"volume {self.name} is online at {self.mount_point}{away}"
        return f"a volume was mounted at {self.mount_point}: {self.identity}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRemoved(Event, kind="volume.removed", category="volume", severity="info"):
    """A volume isn't mounted any more."""

    fingerprint: str
    name: str
    identity: str
    mount_point: str
    tracked: bool
    in_its_place: str
    """What is mounted there instead; empty: nothing."""

    def text(self) -> str:
        """Say from where it is gone, and what came in its place."""
        instead = f"; in its place is {self.in_its_place}" if self.in_its_place else ""
        what = f"volume {self.name} is away: it" if self.tracked else f"a volume ({self.identity})"
        return f"{what} is not mounted at {self.mount_point} any more{instead}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeUpdated(Event, kind="volume.updated", category="volume", severity="debug"):
    """The size of a tracked volume changed, or what is free of it by a hundredth; or it was renamed."""

    fingerprint: str
    name: str
    total_bytes: int
    available_bytes: int
    before_available_bytes: int

    def text(self) -> str:
        """Give what is free, and by how much that changed."""
        change = self.available_bytes - self.before_available_bytes
        moved = f", {format_size(abs(change))} {'more' if change > 0 else 'less'}" if change else ""
        free = f"{format_size(self.available_bytes)} of {format_size(self.total_bytes)} free{moved}"
        return f"volume {self.name}: {free}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeMountChanged(Event, kind="volume.mount_changed", category="volume", severity="info"):
    """A volume is mounted elsewhere, at more places or at fewer, or can be written to where it couldn't."""

    fingerprint: str
    name: str
    mount_points: tuple[str, ...]
    before: tuple[str, ...]
    read_only: bool

    def text(self) -> str:
        """Say where it is now."""
        how = ", read-only" if self.read_only else ""
        return f"volume {self.name} is now mounted at {', '.join(self.mount_points)}{how}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSpeedTested(Event, kind="volume.speed_tested", category="volume", severity="info"):
    """A speed test ended."""

    fingerprint: str
    name: str
    read_bps: float
    write_bps: float
    method: str
    size_bytes: int
    beside: str

    def text(self) -> str:
        """Give both speeds, and what takes from their worth."""
        doubts = [word for word in ("cache-affected" if self.method == "cache-affected" else "", self.beside) if word]
        beside = f" ({'; '.join(doubts)})" if doubts else ""
        speeds = f"reads {format_rate(self.read_bps)}, writes {format_rate(self.write_bps)}"
        return f"volume {self.name}: {speeds}{beside}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeError(Event, kind="volume.error", category="volume", severity="error"):
    """A tracked volume is there and can't be used: it doesn't answer, or can't be told from another one."""

    fingerprint: str
    name: str
    state: str
    error: str

    def text(self) -> str:
        """Name the volume and the trouble."""
        return f"volume {self.name} ({self.state}): {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeTracked(Event, kind="volume.tracked", category="volume", severity="info"):
    """A library tracks a volume from now on."""

    library: str
    fingerprint: str
    display_name: str
    mount_point: str
    user: str

    def text(self) -> str:
        """Name the volume, its library and who ordered it."""
        return f"volume {self.display_name} at {self.mount_point} is tracked in library {self.library} ({self.user})"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeUntracked(Event, kind="volume.untracked", category="volume", severity="info"):
    """A library doesn't track a volume any more; its files stay."""

    library: str
    fingerprint: str
    display_name: str
    user: str

    def text(self) -> str:
        """Name the volume, its library and who ordered it."""
        return f"volume {self.display_name} isn't tracked in library {self.library} any more ({self.user})"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeAccepted(Event, kind="volume.accepted", category="volume", severity="info"):
    """A human said which one of several a volume is."""

    library: str
    fingerprint: str
    name: str
    mount_point: str
    new_marker: bool
    user: str

    def text(self) -> str:
        """Say which one it is."""
        marked = ", which has a new marker" if self.new_marker else ""
        return f"volume {self.name} is the one at {self.mount_point}{marked} ({self.user})"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFilling(Event, kind="volume.filling", category="volume", severity="warning"):
    """A tracked volume is full soon if it goes on growing as it does. Told once, until that is over."""

    fingerprint: str
    name: str
    available_bytes: int
    total_bytes: int
    growth_bytes_per_day: float
    full_in_s: float
    full_at: str
    """RFC 3339, UTC."""

    def text(self) -> str:
        """Give the time, the rate and what is left."""
        used = 1 - self.available_bytes / self.total_bytes if self.total_bytes else 1.0
        return (
            f"volume {self.name} is full in {format_duration(self.full_in_s)} ({self.full_at[:16].replace('T', ' ')} "
            f"UTC): {format_percent(used)} used, {format_size(self.available_bytes)} left, "
            f"growing by {format_size(round(self.growth_bytes_per_day))} a day"
        )
