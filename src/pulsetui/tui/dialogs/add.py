"""The dialog that takes a URL or a path."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from pulsetui.tui.dialogs.base import Dialog
from pulsetui.tui.renderables.text import line


class AddDialog(Dialog[str | None]):
    """Asks for one source; returns it without the blanks around it, or None when nothing shall be added."""

    DEFAULT_CSS = """
    AddDialog { align: center middle; }
    AddDialog > Vertical { width: 72; max-width: 100%; height: auto; border: round $accent; padding: 1 2; }
    AddDialog Static { width: 1fr; height: auto; }
    AddDialog Input { margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def compose(self) -> ComposeResult:
        """Lay out the field."""
        with Vertical() as box:
            box.border_title = Content("Add an episode")
            yield Static(Content("The URL of a video or sound file, or the path of one on this machine."), markup=False)
            yield Input(placeholder="https://media.example/episode.mp4", compact=True)
            yield Static(self._foot(), id="foot", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the source; an empty one is asked for again."""
        event.stop()
        source = event.value.strip()
        if source:
            self.answer(source)
        else:
            self.query_one("#foot", Static).update(line(("Type a URL or a path first. ", "$warn"), self._foot()))

    def action_leave(self) -> None:
        """Add nothing."""
        self.answer(None)

    @staticmethod
    def _foot() -> Content:
        """Return the keys."""
        return line(
            ("↵", "bold $accent"), (" adds it   ", "$quiet"), ("esc", "bold $accent"), (" adds nothing", "$quiet")
        )
