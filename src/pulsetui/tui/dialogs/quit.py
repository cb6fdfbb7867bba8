"""The question before the owner's screen closes while work runs."""

from __future__ import annotations

from textual.content import Content

from pulsetui.tui.dialogs.base import QuestionDialog
from pulsetui.tui.renderables.text import count, line
from pulsetui.tui.source import QuitChoice


class QuitDialog(QuestionDialog[QuitChoice | None]):
    """Asks how to leave; None is to stay."""

    def __init__(self, downloads: int, transcriptions: int, queued: int, *, goes_on: bool = True) -> None:
        """Take how much work there is, and whether it may go on without the screen or later, unlike a demo's."""
        runs = (
            f"{count(downloads, 'download')} and {count(transcriptions, 'transcription')} run, "
            f"{count(queued, 'job')} wait."
        )
        super().__init__(
            "Leave pulsetui?",
            line((runs, "bold"), "\n\n", _ways() if goes_on else "All of this ends here, unfinished."),
            (("Stay", None), ("Drain and stop", "drain"), ("Go on without a screen", "headless"))
            if goes_on
            else (("Stay", None), ("Leave and stop", "drain")),
        )


def _ways() -> Content:
    """Return what each answer does."""
    return line(
        ("Drain and stop", "$accent"),
        ": nothing new starts; downloads keep what they have and resume next time; transcriptions get a moment to "
        "finish, else they start over.\n",
        ("Go on without a screen", "$accent"),
        ": the pipeline keeps running in this process; stop it with ^C or SIGTERM.\n\n",
        ("Nothing is lost either way.", "$quiet"),
    )
