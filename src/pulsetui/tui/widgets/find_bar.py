"""The line to search in."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Input


class FindBar(Input):
    """A field that shows while one searches; every change is sent on, enter keeps the search, escape drops it."""

    DEFAULT_CSS = """
    FindBar { display: none; height: 1; border: none; padding: 0 1; }
    FindBar:focus { border: none; }
    FindBar.-open { display: block; }
    """

    class Searched(Message):
        """The text that is searched for changed."""

        def __init__(self, text: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.text = text

    class Closed(Message):
        """The field closed; the search stands."""

    def open(self) -> None:
        """Show the field and go to it."""
        self.add_class("-open")
        self.focus()

    def close(self) -> None:
        """Hide the field."""
        self.remove_class("-open")
        self.post_message(self.Closed())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Send the text on."""
        event.stop()
        self.post_message(self.Searched(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the search and go back to the rows."""
        event.stop()
        self.close()

    def on_key(self, event: events.Key) -> None:
        """Drop the search on escape."""
        if event.key == "escape":
            event.stop()
            self.value = ""
            self.close()
