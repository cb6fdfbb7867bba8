"""The word, icon and colour of each state: stages of a job, kinds of events, levels of a disk."""

from __future__ import annotations

from pulsetui.pipeline.views import EventView, Level
from pulsetui.tui import glyphs

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

_KINDS: tuple[tuple[str, str, str], ...] = (
    # A word in the last part of the kind, and how such an event looks. The first that is found wins.
    ("transcribed", glyphs.DONE, "$good"),
    ("completed", glyphs.DONE, "$good"),
    ("opened", glyphs.GATE, "$good"),
    ("resumed", glyphs.GATE, "$good"),
    ("closed", glyphs.GATE, "$warn"),
    ("paused", glyphs.GATE, "$warn"),
    ("retr", glyphs.RETRY, "$foreground"),
    ("download", glyphs.DOWNLOAD, "$accent"),
    ("transcri", glyphs.TRANSCRIBE, "$accent"),
    ("queued", glyphs.ADDED, "$foreground"),
    ("added", glyphs.ADDED, "$foreground"),
    ("cancel", glyphs.CANCELLED, "$quiet"),
)

_LEVELS: dict[Level, tuple[str, str]] = {
    "ok": ("ok", "$good"),
    "warning": ("warn", "$warn"),
    "critical": ("critical", "$bad"),
    "unknown": ("unknown", "$warn"),
}


def stage(name: str) -> tuple[str, str]:
    """Return icon and style of a stage."""
    return _STAGES.get(name, (glyphs.WAITING, "$foreground"))


def event(view: EventView) -> tuple[str, str]:
    """Return icon and style of an event: what went wrong looks wrong, else what it is about decides."""
    if view.severity in ("error", "critical"):
        return glyphs.FAILED, "$bad"
    last = view.kind.rpartition(".")[2]
    known = next(((icon, style) for word, icon, style in _KINDS if word in last), None)
    if view.severity == "warning":
        return (known[0] if known and known[0] in (glyphs.GATE, glyphs.RETRY) else glyphs.WARNING), "$warn"
    return known or (glyphs.WAITING, "$quiet")


def level(name: Level) -> tuple[str, str]:
    """Return word and style of a disk's level."""
    return _LEVELS[name]
