"""How many jobs are at each stage."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive

from pulsetui.tui.renderables.jobs import stage_flow
from pulsetui.tui.widgets.drawn import Drawn


class StageFlow(Drawn):
    """Shows the count of each stage, along the way and aside."""

    stages: reactive[tuple[tuple[str, int], ...]] = reactive(())
    chosen: reactive[str | None] = reactive(None)
    """The stage that the table is filtered by, or None."""

    def draw(self, width_cells: int) -> Sequence[Content]:
        """Return the flow."""
        return stage_flow(self.stages, self.chosen, width_cells)
