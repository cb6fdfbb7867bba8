"""What runs now."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.content import Content
from textual.reactive import var

from pulsetui.pipeline.views import TaskView
from pulsetui.tui import glyphs
from pulsetui.tui.renderables.tasks import task_row, task_rows
from pulsetui.tui.renderables.text import line
from pulsetui.tui.widgets.lines import state_of
from pulsetui.tui.widgets.row_list import RowList

_TWO_LINES_FROM_CELLS = 44


class ActiveTasks(RowList):
    """Shows running tasks with progress, rate and time left, in two lines each where there is room."""

    title = "Active tasks"

    tasks: var[tuple[TaskView, ...] | None] = var(None)
    """The tasks on display, or None before the first read."""
    waiting: var[int] = var(0)
    """How many jobs are queued."""
    compact: var[bool] = var(False)
    """One line a task, whatever the room: on narrow terminals the height belongs to the other panels, too."""

    @property
    def row_count(self) -> int:
        """How many tasks run."""
        return len(self.tasks or ())

    @property
    def row_cells(self) -> int:
        """Two lines a task while all fit."""
        width, height = self.lines_size
        roomy = not self.compact and width >= _TWO_LINES_FROM_CELLS
        return 2 if roomy and self.row_count * 2 <= height else 1

    def row_state(self, index: int) -> Hashable:
        """Return the drawn lines: most figures move with every reading, few of them visibly."""
        return tuple(state_of(drawn) for drawn in self.draw_row(index, self.lines_size.width - 2))

    def figures(self) -> Content:
        """Return how many run of each kind, and how many wait."""
        tasks = self.tasks or ()
        downloads = sum(1 for task in tasks if task.kind == "download")
        parts = [f"{downloads}{glyphs.DOWNLOAD}", f"{len(tasks) - downloads}{glyphs.TRANSCRIBE}"]
        return line((f"{' '.join(parts)} {self.waiting:,} queued", "$quiet"))

    def draw_row(self, index: int, width_cells: int) -> Sequence[Content]:
        """Return one task's lines."""
        task = (self.tasks or ())[index]
        return task_rows(task, width_cells) if self.row_cells == 2 else (task_row(task, width_cells),)

    def vacant(self, width_cells: int) -> Sequence[Content]:  # noqa: ARG002
        """Say what will be here."""
        if self.tasks is None:
            return [line((f"reading{glyphs.CUT}", "$quiet"))]
        return [
            line(("Downloads and transcriptions will be here.", "$quiet")),
            line("a", (" adds an episode", "$quiet")),
        ]

    def job_at(self, index: int) -> int | None:
        """Return the task's job."""
        return (self.tasks or ())[index].job_id

    def watch_tasks(self) -> None:
        """Take in the newest tasks."""
        self.changed()

    def watch_waiting(self) -> None:
        """Show the newest count."""
        self.changed()

    def watch_compact(self) -> None:
        """Change between one line a task and two."""
        self.changed()
