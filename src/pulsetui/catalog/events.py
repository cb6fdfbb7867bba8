"""The events of the catalog: libraries that come and go."""

from __future__ import annotations

from dataclasses import dataclass

from pulsetui.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryAdded(Event, kind="library.added", category="asset", severity="info"):
    """A library was made."""

    library: str
    user: str

    def text(self) -> str:
        """Name it, and who ordered it."""
        return f"library {self.library} was made ({self.user})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRemoved(Event, kind="library.removed", category="asset", severity="info", keep=True):
    """A library was removed, and with it what it tracked; no file was touched."""

    library: str
    volumes: int
    user: str

    def text(self) -> str:
        """Name it, what went with it, and who ordered it."""
        tracked = f" with {self.volumes} tracked volumes" if self.volumes else ""
        return f"library {self.library} was removed{tracked} ({self.user})"
