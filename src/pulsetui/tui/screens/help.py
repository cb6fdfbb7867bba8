"""All keys, from the table of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from pulsetui.tui import keys
from pulsetui.tui.renderables.text import line

_KEY_CELLS = 16


class HelpScreen(ModalScreen[None]):
    """Lists every key, those of everywhere first."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 90%; border: round $accent; padding: 1 2;
        scrollbar-size-vertical: 1;
    }
    HelpScreen Static { width: 1fr; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "leave", show=False),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll() as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content("esc closes")
            yield Static(help_text(), markup=False)

    def action_leave(self) -> None:
        """Close the help."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Scroll down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """Scroll up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)


def help_text() -> Content:
    """Return what the help says."""
    lines = [line((keys.HELP_INTRO, "$quiet"))]
    for place, title in keys.HELP_SECTIONS:
        lines += [Content(""), line((title, "bold $accent"))]
        lines += [
            line((action.all_keys_text.ljust(_KEY_CELLS), "bold"), action.help) for action in keys.help_for(place)
        ]
    return line("\n").join(lines)
