"""What every picture of a tree of sizes is drawn from. How it is drawn is left to `tile_picture` and `ring_picture`.

The invariant: whatever of it changes, `changed` is called, and the picture decides which lines came out otherwise.
"""

from __future__ import annotations

from datetime import datetime

from textual.reactive import var

from pulsetui.storage.treemap.colours import Mode
from pulsetui.storage.views import StorageView
from pulsetui.tui.widgets.lines import Lines


class NodePicture(Lines):
    """A picture of a frozen tree."""

    view: var[StorageView | None] = var(None)
    """The tree on display, or None before the first read."""
    selected: var[str | None] = var(None)
    """Key of the selected part; what has no part of its own shows in the one that it is in."""
    hidden: var[frozenset[str]] = var(frozenset())
    """Categories that are left out."""
    apparent: var[bool] = var(False)
    """Whether apparent sizes are shown instead of allocated ones."""
    mode: var[Mode] = var(Mode.SIZE)
    """What colours stand for."""
    now: var[datetime | None] = var(None)
    growth_s: var[float] = var(3600.0)
    """The window of the growth in `view`, in seconds."""
    failure: var[str] = var("")
    """Why the newest read failed, or empty."""

    def on_mount(self) -> None:
        """Follow the theme, of which the colours depend."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.changed())

    def watch_view(self, old: StorageView | None, new: StorageView | None) -> None:  # noqa: ARG002 - for who animates
        """Show another tree."""
        self.changed()

    def watch_selected(self) -> None:
        """Show which part is selected."""
        self.changed()

    def watch_hidden(self) -> None:
        """Leave categories out."""
        self.changed()

    def watch_apparent(self) -> None:
        """Show other sizes."""
        self.changed()

    def watch_mode(self) -> None:
        """Show other colours."""
        self.changed()

    def watch_now(self) -> None:
        """Let ages grow."""
        self.changed()

    def watch_growth_s(self) -> None:
        """Show growth over another time."""
        self.changed()

    def watch_failure(self) -> None:
        """Show or drop the failure."""
        self.changed()
