"""How many jobs are at each stage."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import var

from pulsetui.tui.renderables.jobs import stage_flow
from pulsetui.tui.widgets.drawn import Drawn


class StageFlow(Drawn):
    """Shows the count of each stage, along the way and aside."""

    stages: var[tuple[tuple[str, int], ...]] = var(())
    chosen: var[str | None] = var(None)
    """The stage that the table is filtered by, or None."""

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the flow."""
        return stage_flow(self.stages, self.chosen, width_cells)

    def watch_stages(self) -> None:
        """Show the newest counts."""
        self.changed()

    def watch_chosen(self) -> None:
        """Show which stage the table is filtered by."""
        self.changed()
