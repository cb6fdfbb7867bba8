"""The events of storage: refreshes, and roots that can't be read, each with the sentence that it is shown as."""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.events.base import Event
from pulsetui.files.names import display_text
from pulsetui.units import format_duration, format_size


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRefreshed(Event, kind="storage.refreshed", category="storage", severity="debug"):
    """The sizes of all folders were brought up to date. Told, not stored, when the file system itself reported it."""

    cause: str
    files: int
    allocated_bytes: int
    folders: int
    reused_folders: int
    errors: int
    seconds: float

    def text(self) -> str:
        """Give what there is and what it took to know it."""
        trouble = f", {self.errors:,} could not be read" if self.errors else ""
        return (
            f"sizes refreshed in {took(self.seconds)}: {format_size(self.allocated_bytes)} in "
            f"{self.files:,} files, {self.folders - self.reused_folders:,} of {self.folders:,} folders listed{trouble}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshFailed(Event, kind="storage.refresh_failed", category="storage", severity="warning"):
    """A refresh failed; the sizes of the one before it stay."""

    cause: str
    error: str
    age_s: float | None
    """How old the sizes are, None if there are none yet."""

    def text(self) -> str:
        """Give the error and the age of what is shown."""
        age = "there are none yet" if self.age_s is None else f"they are {format_duration(self.age_s)} old"
        return f"sizes not refreshed, {age}: {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootUnreadable(Event, kind="storage.root_unreadable", category="storage", severity="error"):
    """A root could be read before and can't be now; its sizes stay as they were."""

    root: str
    path: str
    error: str

    def text(self) -> str:
        """Name the root and the error."""
        return f"{self.root}: {self.error}; its sizes stay as they were"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootReadable(Event, kind="storage.root_readable", category="storage", severity="info"):
    """A root that could not be read can be again."""

    root: str
    path: str
    away_s: float

    def text(self) -> str:
        """Name the root and how long it was away."""
        return f"{self.root} ({display_text(self.path)}) is back after {format_duration(self.away_s)}"


def took(seconds: float) -> str:
    """Return how long a refresh took: most take less than the second that durations are otherwise told in."""
    return f"{seconds:.1f} s" if seconds < 10 else format_duration(seconds)
