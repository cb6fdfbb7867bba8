"""The dialog that takes a URL or a path."""

from __future__ import annotations

from textual.content import Content

from pulsetui.tui.dialogs.base import TextDialog


class AddDialog(TextDialog):
    """Asks for one source; returns it without the blanks around it, or None when nothing shall be added."""

    does = "adds it"
    leaves = "adds nothing"
    missing = "Type a URL or a path first."

    def __init__(self) -> None:
        """Say what can be added."""
        super().__init__(
            "Add an episode",
            Content("The URL of a video or sound file, or the path of one on this machine."),
            placeholder="https://media.example/episode.mp4",
        )
