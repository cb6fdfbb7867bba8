"""The events of the budget: its gate, the operator's pause, a full disk."""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.events.base import Event
from pulsetui.units import format_duration, format_size


@dataclass(frozen=True, slots=True, kw_only=True)
class GateClosed(Event, kind="gate.closed", category="disk", severity="warning"):
    """New downloads wait."""

    cause: str
    reason: str
    committed_bytes: int | None

    def text(self) -> str:
        """Give the numbers."""
        return f"paused: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened(Event, kind="gate.opened", category="disk", severity="info"):
    """New downloads may start again."""

    reason: str
    committed_bytes: int
    closed_for_s: float

    def text(self) -> str:
        """Give the numbers."""
        return f"resumed: {self.reason}, after {format_duration(self.closed_for_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPaused(Event, kind="gate.operator_paused", category="disk", severity="info"):
    """An operator paused new downloads."""

    user: str

    def text(self) -> str:
        """Say who."""
        return f"new downloads paused by {self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorResumed(Event, kind="gate.operator_resumed", category="disk", severity="info"):
    """An operator let downloads start again."""

    user: str

    def text(self) -> str:
        """Say who."""
        return f"new downloads resumed by {self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFull(Event, kind="disk.full", category="disk", severity="critical"):
    """A write met a full disk."""

    what: str
    free_bytes: int

    def text(self) -> str:
        """Say on what, and how much is free."""
        return f"disk full: {self.what}, {format_size(self.free_bytes)} free"
