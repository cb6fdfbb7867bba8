"""What is selected, in figures."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from pulsetui.storage.views import StorageView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.storage import index_of
from pulsetui.tui.renderables.storage_summary import Subject, state_lines, summary_ages, summary_lines
from pulsetui.tui.renderables.text import broken, line, middle_cut, safe
from pulsetui.tui.widgets.framed_lines import FramedDrawn
from pulsetui.tui.widgets.panel import frame_css


class StorageSummary(FramedDrawn):
    """Shows the selected node's figures, their age, and how a refresh runs or failed."""

    title = "Summary"
    DEFAULT_CSS = frame_css("StorageSummary") + "StorageSummary { padding: 0 1; }"

    view: var[StorageView | None] = var(None)
    """The tree that is on display, or None before the first read."""
    selected: var[str | None] = var(None)
    """Key of the node that the figures are of; None, or one that isn't in the tree: the tree's root."""
    growth_s: var[float] = var(3600.0)
    """The window of the growth that the view was asked for, in seconds."""
    now: var[datetime | None] = var(None)
    """The time that ages are told by."""
    failure: var[str] = var("")
    """Why the newest read failed, or empty."""

    class RefreshWanted(Message):
        """The operator clicked on the line that offers a refresh."""

    def figures(self) -> Content:
        """Return what kind of thing it is."""
        subject = self._subject()
        return line((safe(subject.node.entity_type), "$quiet")) if subject else Content("")

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the figures, and below them their age."""
        subject = self._subject()
        if subject is None or self.now is None:
            if self.failure:
                failed = broken(f"{glyphs.FAILED} {safe(self.failure)}", width_cells)
                return [*(line((part, "$bad")) for part in failed), line(("ctrl+r reads again", "$quiet"))]
            return [line((f"reading{glyphs.CUT}", "$quiet"))]
        state = state_lines(subject.view, self.now, width_cells, failure=self.failure)
        if subject.view.snapshot_at is None and subject.view.history_at is None:
            said = broken("What the files take will be here.", width_cells)
            return [*(line((part, "$quiet")) for part in said), Content(""), *state]
        return [*summary_lines(subject, self.now, width_cells), Content(""), *state]

    def repaint(self) -> None:
        """Name what is shown in the frame."""
        subject = self._subject()
        self.title = middle_cut(subject.node.name, max(6, self.outer_size.width - 18)) if subject else "Summary"
        super().repaint()

    def watch_view(self) -> None:
        """Show the newest figures."""
        self.changed()

    def watch_selected(self) -> None:
        """Show another node's."""
        self.changed()

    def watch_growth_s(self) -> None:
        """Name the window of growth."""
        self.changed()

    def watch_now(self) -> None:
        """Let the ages grow."""
        self.ticked()

    def ages(self) -> Hashable:
        """Return how old the newest file and the figures are."""
        subject = self._subject()
        return summary_ages(subject, self.now) if subject is not None and self.now is not None else None

    def watch_failure(self) -> None:
        """Show or drop the failure."""
        self.changed()

    def on_click(self, event: events.Click) -> None:
        """Ask for a refresh where the line that offers it was clicked."""
        at = event.get_content_offset(self)
        lines = self._lines()
        if at is not None and at.y == len(lines) - 1 and lines[-1].plain.endswith("refresh"):
            self.post_message(self.RefreshWanted())

    def _subject(self) -> Subject | None:
        """Return what the figures are of, or None before the first read."""
        if self.view is None:
            return None
        tree = self.view.tree
        index = index_of(tree)
        node = index.node(self.selected) or tree
        above = self.view.ancestors[-1] if self.view.ancestors else None
        return Subject(node, index.parent(node.key) or above, self.view, self.growth_s)
