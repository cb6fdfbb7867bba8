"""The question before the owner's screen closes while work runs."""

from __future__ import annotations

from textual.content import Content

from pulsetui.tui.dialogs.base import QuestionDialog
from pulsetui.tui.renderables.text import count, line
from pulsetui.tui.source import QuitChoice


class QuitDialog(QuestionDialog[QuitChoice | None]):
    """Asks how to leave; None is to stay."""

    def __init__(self, downloads: int, transcriptions: int, queued: int) -> None:
        """Take how much work there is."""
        super().__init__(
            "Leave pulsetui?",
            _body(downloads, transcriptions, queued),
            (("Stay", None), ("Drain and stop", "drain"), ("Go on without a screen", "headless")),
        )


def _body(downloads: int, transcriptions: int, queued: int) -> Content:
    """Return what runs and what each answer does."""
    runs = (
        f"{count(downloads, 'download')} and {count(transcriptions, 'transcription')} run, {count(queued, 'job')} wait."
    )
    return line(
        (runs, "bold"),
        "\n\n",
        ("Drain and stop", "$accent"),
        ": nothing new starts; downloads keep what they have and resume next time; transcriptions get a moment to "
        "finish, else they start over.\n",
        ("Go on without a screen", "$accent"),
        ": the pipeline keeps running in this process; stop it with SIGTERM.\n\n",
        ("Nothing is lost either way.", "$quiet"),
    )
