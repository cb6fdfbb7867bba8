"""Where in time the tree on display is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import HistoryPoint, StorageView
from pulsetui.tui.widgets.drawn import Drawn


class HistoryBar(Drawn):
    """Shows the times that history has as a sparkline, the one on display, the change since, and what happened then."""

    view: var[StorageView | None] = var(None)
    times: var[Sequence[datetime]] = var(())
    """The times that can be shown, oldest first."""
    points: var[Sequence[HistoryPoint]] = var(())
    """Sizes of the tree's root over time, oldest first, for the sparkline."""
    at: var[datetime | None] = var(None)
    """The time on display, or None for the newest."""
    apparent: var[bool] = var(False)
    now: var[datetime | None] = var(None)

    class Scrubbed(Message):
        """The operator wants the tree of another time; None is the newest."""

        def __init__(self, at: datetime | None) -> None:
            """Take what the message says."""
            super().__init__()
            self.at = at

    def step(self, steps: int) -> None:
        """Ask for the time that many steps later, or earlier if negative. Bind `[` and `]` to it."""
