"""A short list of what can be done with one thing, beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Offset
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from pulsetui.tui.dialogs.base import Dialog
from pulsetui.tui.renderables.text import line, middle_cut

_CELLS = 34


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu."""

    value: str
    """What the dialog returns."""
    label: str
    key: str = ""
    """Textual's name of the key that chooses it at once."""
    key_text: str = ""


class MenuDialog(Dialog[str | None]):
    """Offers choices; returns the value of one, or None."""

    DEFAULT_CSS = f"""
    MenuDialog > Vertical {{ width: {_CELLS}; height: auto; max-height: 100%; border: round $accent; padding: 0 1; }}
    MenuDialog OptionList {{ height: auto; max-height: 12; border: none; padding: 0; background: $surface; }}
    MenuDialog OptionList:focus {{ border: none; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,m,q", "leave", show=False),
        Binding("j", "cursor('down')", show=False),
        Binding("k", "cursor('up')", show=False),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], at: Offset) -> None:
        """Take what it is about, which may be text from outside, the choices, and the cell to be beside."""
        super().__init__()
        self._title = middle_cut(title, _CELLS - 6)
        self._choices = tuple(choices)
        self._at = at

    def compose(self) -> ComposeResult:
        """Lay out the choices."""
        with Vertical() as box:
            box.border_title = line(self._title)
            yield OptionList(*(Option(self._drawn(choice)) for choice in self._choices))

    def on_mount(self) -> None:
        """Begin at the first choice, and keep all of it on the screen."""
        height = len(self._choices) + 2
        x = max(0, min(self._at.x, self.app.size.width - _CELLS))
        y = self._at.y + 1 if self._at.y + 1 + height <= self.app.size.height else max(0, self._at.y - height)
        self.query_one(Vertical).styles.offset = (x, y)
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return what was chosen."""
        event.stop()
        self.answer(self._choices[event.option_index].value)

    def on_key(self, event: events.Key) -> None:
        """Let the key of a choice choose it."""
        for choice in self._choices:
            if choice.key == event.key:
                event.stop()
                self.answer(choice.value)

    def on_click(self, event: events.Click) -> None:
        """Close when the mouse clicks beside the menu."""
        if event.widget is self:
            self.answer(None)

    def action_cursor(self, direction: str) -> None:
        """Move the cursor."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if direction == "down" else options.action_cursor_up()

    def action_leave(self) -> None:
        """Choose nothing."""
        self.answer(None)

    @staticmethod
    def _drawn(choice: Choice) -> Content:
        room = _CELLS - 4 - cell_len(choice.key_text)
        return line(choice.label.ljust(room), (choice.key_text, "bold $accent"))
