"""Events that only the tests know."""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueued(Event, kind="test.job_queued", category="job", severity="info"):
    title: str
    size_bytes: int = 0

    def text(self) -> str:
        return f"{self.title} ({self.size_bytes} B) was queued."


@dataclass(frozen=True, slots=True, kw_only=True)
class GateClosed(Event, kind="test.gate_closed", category="disk", severity="warning", keep=True):
    def text(self) -> str:
        return "Paused."


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopLagged(Event, kind="test.loop_lagged", category="system", severity="debug"):
    def text(self) -> str:
        return "100% late_"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoDeleted(Event, kind="test.video_deleted", category="storage", severity="info", keep=True):
    def text(self) -> str:
        return "Gone."
