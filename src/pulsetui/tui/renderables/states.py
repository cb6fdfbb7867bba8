"""The word, icon and colour of each state: stages of a job, kinds of events, levels of a disk, volumes."""

from __future__ import annotations

from pulsetui.pipeline.views import EventView, Level
from pulsetui.tui import glyphs
from pulsetui.volumes.views import State

_STAGES: dict[str, tuple[str, str]] = {
    "queued": (glyphs.WAITING, "$quiet"),
    "downloading": (glyphs.DOWNLOAD, "$accent"),
    "downloaded": (glyphs.WAITING, "$foreground"),
    "transcribing": (glyphs.TRANSCRIBE, "$accent"),
    "transcribed": (glyphs.DONE, "$good"),
    "held": (glyphs.WARNING, "$warn"),
    "dead": (glyphs.FAILED, "$bad"),
    "cancelled": (glyphs.CANCELLED, "$quiet"),
}

EVENTS: dict[str, tuple[str, str]] = {
    "job.queued": (glyphs.ADDED, "$foreground"),
    "job.downloading": (glyphs.DOWNLOAD, "$quiet"),
    "job.downloaded": (glyphs.DOWNLOAD, "$accent"),
    "job.transcribing": (glyphs.TRANSCRIBE, "$quiet"),
    "job.transcribed": (glyphs.DONE, "$good"),
    "job.held": (glyphs.WARNING, "$warn"),
    "job.attempt_failed": (glyphs.RETRY, "$warn"),
    "job.dead": (glyphs.FAILED, "$bad"),
    "job.waits": (glyphs.WAITING, "$quiet"),
    "job.retried": (glyphs.RETRY, "$foreground"),
    "job.cancelled": (glyphs.CANCELLED, "$quiet"),
    "gate.closed": (glyphs.GATE, "$warn"),
    "gate.opened": (glyphs.GATE, "$good"),
    "gate.operator_paused": (glyphs.GATE, "$warn"),
    "gate.operator_resumed": (glyphs.GATE, "$good"),
    "disk.full": (glyphs.FAILED, "$bad"),
    "storage.freed": (glyphs.FREED, "$foreground"),
    "storage.kept": (glyphs.FAILED, "$bad"),
    "storage.refreshed": (glyphs.RETRY, "$quiet"),
    "storage.refresh_failed": (glyphs.WARNING, "$warn"),
    "storage.root_unreadable": (glyphs.FAILED, "$bad"),
    "storage.root_readable": (glyphs.DONE, "$good"),
    "storage.partial_given_up": (glyphs.WARNING, "$warn"),
    "volume.added": (glyphs.ADDED, "$foreground"),
    "volume.removed": (glyphs.FREED, "$foreground"),
    "volume.updated": (glyphs.WAITING, "$quiet"),
    "volume.mount_changed": (glyphs.NEXT, "$foreground"),
    "volume.speed_tested": (glyphs.DONE, "$good"),
    "volume.error": (glyphs.FAILED, "$bad"),
    "volume.filling": (glyphs.WARNING, "$warn"),
    "volume.tracked": (glyphs.ADDED, "$foreground"),
    "volume.untracked": (glyphs.FREED, "$foreground"),
    "volume.accepted": (glyphs.DONE, "$good"),
    "library.added": (glyphs.ADDED, "$foreground"),
    "library.removed": (glyphs.FREED, "$foreground"),
    "system.recovered": (glyphs.SYSTEM, "$quiet"),
    "system.service_failed": (glyphs.FAILED, "$bad"),
}
"""Icon and style of every kind of event that there is. A test compares it with the kinds that are declared."""

_UNKNOWN_EVENTS: dict[str, tuple[str, str]] = {
    "debug": (glyphs.WAITING, "$quiet"),
    "info": (glyphs.WAITING, "$quiet"),
    "warning": (glyphs.WARNING, "$warn"),
    "error": (glyphs.FAILED, "$bad"),
    "critical": (glyphs.FAILED, "$bad"),
}
"""Those of kinds that another version wrote, by severity."""

_LEVELS: dict[Level, tuple[str, str]] = {
    "ok": ("ok", "$good"),
    "warning": ("warn", "$warn"),
    "critical": ("critical", "$bad"),
    "unknown": ("unknown", "$warn"),
}

_VOLUMES: dict[State, tuple[str, str]] = {
    "online": (glyphs.DONE, "$good"),
    "offline": (glyphs.CANCELLED, "$warn"),
    "unresponsive": (glyphs.FAILED, "$bad"),
    "quarantine": (glyphs.WARNING, "$bad"),
    "untracked": (glyphs.WAITING, "$quiet"),
}


def stage(name: str) -> tuple[str, str]:
    """Return icon and style of a stage."""
    return _STAGES.get(name, (glyphs.WAITING, "$foreground"))


def event(view: EventView) -> tuple[str, str]:
    """Return icon and style of an event."""
    return EVENTS.get(view.kind) or _UNKNOWN_EVENTS.get(view.severity, _UNKNOWN_EVENTS["info"])


def level(name: Level) -> tuple[str, str]:
    """Return word and style of a disk's level."""
    return _LEVELS[name]


def volume(name: State) -> tuple[str, str]:
    """Return icon and style of a volume's state."""
    return _VOLUMES[name]
