"""The lines around the tree of sizes: the breadcrumbs above it, what is under the cursor and the legend below."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime

from textual.content import Content
from textual.reactive import var

from pulsetui.storage.treemap.colours import Mode, palette
from pulsetui.storage.views import StorageView
from pulsetui.tui.renderables.legend import legend
from pulsetui.tui.renderables.paint import Paint
from pulsetui.tui.renderables.place import Spot, crumbs, focus_lines, spot_ages, state
from pulsetui.tui.theme import SIXTEEN_THEME
from pulsetui.tui.widgets.drawn import Drawn
from pulsetui.tui.widgets.lines import state_of

_LONG_AGO = datetime.fromtimestamp(0, UTC)


class CrumbLine(Drawn):
    """Shows the way to what is open, each step of it to be clicked, what that takes, and as of when."""

    DEFAULT_CSS = "CrumbLine { height: 1; }"

    view: var[StorageView | None] = var(None)
    now: var[datetime] = var(_LONG_AGO)

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the line."""
        return [crumbs(self.view, self.now, width_cells)]

    def watch_view(self) -> None:
        """Show another place."""
        self.changed()

    def watch_now(self) -> None:
        """Let the age grow."""
        self.ticked()

    def ages(self) -> Hashable:
        """Return the age of the sizes."""
        return state_of(state(self.view, self.now)) if self.view is not None else None


class FocusLine(Drawn):
    """Shows what is under the cursor, in two lines."""

    DEFAULT_CSS = "FocusLine { height: 2; }"

    spot: var[Spot | None] = var(None)
    now: var[datetime] = var(_LONG_AGO)

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return both lines."""
        return focus_lines(self.spot, self.now, width_cells)

    def watch_spot(self) -> None:
        """Show another tile."""
        self.changed()

    def watch_now(self) -> None:
        """Let the ages grow."""
        self.ticked()

    def ages(self) -> Hashable:
        """Return how old the newest file and the sizes are."""
        return spot_ages(self.spot, self.now) if self.spot is not None else None


class LegendLine(Drawn):
    """Shows what colours stand for, and the keys that change the picture with what they are at."""

    DEFAULT_CSS = "LegendLine { height: 1; }"

    mode: var[Mode | None] = var(Mode.SIZE)
    """What colours stand for; None where there are none."""
    steps: var[frozenset[int]] = var(frozenset())
    """The steps of the scale that are on display."""
    words: var[Sequence[tuple[str, str]]] = var(())
    """Ids of actions, and what to say for each."""

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the line."""
        few, none = self.app.theme == SIXTEEN_THEME, self.app.no_color
        paint = Paint(palette(self.mode, now=_LONG_AGO), few=few, none=none) if self.mode is not None else None
        return [legend(paint, self.steps, self.words, width_cells)]

    def on_mount(self) -> None:
        """Follow the theme, of which the colours depend."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.changed())

    def watch_mode(self) -> None:
        """Show another scale."""
        self.changed()

    def watch_steps(self) -> None:
        """List other steps."""
        self.changed()

    def watch_words(self) -> None:
        """Say other words."""
        self.changed()
