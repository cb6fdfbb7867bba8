"""What all dialogs share: a question, and answers of which the safe one has the focus, or a line to be typed."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from pulsetui.tui.renderables.text import line

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer], Generic[Answer]):
    """A dialog that is answered once, however often and fast the keys come."""

    def answer(self, value: Answer) -> None:
        """Close with an answer, unless it is closed already."""
        if self.is_current:
            self.dismiss(value)


class QuestionDialog(Dialog[Answer]):
    """Asks; returns the value of the answer that was chosen. Escape is the safe answer.

    `answers` are label and value; the first is the safe one.
    """

    DEFAULT_CSS = """
    QuestionDialog { align: center middle; }
    QuestionDialog > Vertical {
        width: 72; max-width: 100%; height: auto; max-height: 100%; border: round $accent; padding: 1 2;
    }
    QuestionDialog Static { width: 1fr; height: auto; }
    QuestionDialog Horizontal { height: 1; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "safe", show=False),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, body: Content, answers: tuple[tuple[str, Answer], ...]) -> None:
        """Take the question, what it is about (drawn, so already safe) and the answers."""
        super().__init__()
        self._title = title
        self._body = body
        self._answers = answers

    def compose(self) -> ComposeResult:
        """Lay out text and answers."""
        with Vertical() as box:
            box.border_title = Content(self._title)
            yield Static(self._body, markup=False)
            with Horizontal():
                for index, (label, _) in enumerate(self._answers):
                    yield Button(Content(label), id=f"answer-{index}", compact=True)

    def on_mount(self) -> None:
        """Put the focus on the safe answer."""
        self.query_one("#answer-0", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Return the chosen answer."""
        event.stop()
        index = int((event.button.id or "answer-0").removeprefix("answer-"))
        self.answer(self._answers[index][1])

    def action_safe(self) -> None:
        """Return the safe answer."""
        self.answer(self._answers[0][1])


class TextDialog(Dialog[str | None]):
    """Asks for one line of text; returns it without the blanks around it, or None when nothing shall be done."""

    DEFAULT_CSS = """
    TextDialog { align: center middle; }
    TextDialog > Vertical { width: 72; max-width: 100%; height: auto; border: round $accent; padding: 1 2; }
    TextDialog Static { width: 1fr; height: auto; }
    TextDialog Input { margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    does: ClassVar[str]
    """What enter does, as the foot says it: `adds it`."""
    leaves: ClassVar[str]
    """What escape does: `adds nothing`."""
    missing: ClassVar[str] = ""
    """What is said where nothing was typed; without it an empty text is an answer."""

    def __init__(self, title: str, body: Content, *, placeholder: str = "", value: str = "") -> None:
        """Take the title, what is asked (drawn, so already safe), and what stands in the field at first."""
        super().__init__()
        self._title = title
        self._body = body
        self._placeholder = placeholder
        self._value = value

    def compose(self) -> ComposeResult:
        """Lay out the field."""
        with Vertical() as box:
            box.border_title = Content(self._title)
            yield Static(self._body, markup=False)
            yield Input(self._value, placeholder=self._placeholder, compact=True)
            yield Static(self._foot(), id="foot", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the text; an empty one is asked for again where one is needed."""
        event.stop()
        text = event.value.strip()
        if text or not self.missing:
            self.answer(text)
        else:
            self.query_one("#foot", Static).update(line((f"{self.missing} ", "$warn"), self._foot()))

    def action_leave(self) -> None:
        """Do nothing."""
        self.answer(None)

    def _foot(self) -> Content:
        """Return the keys."""
        return line(
            ("↵", "bold $accent"),
            (f" {self.does}   ", "$quiet"),
            ("esc", "bold $accent"),
            (f" {self.leaves}", "$quiet"),
        )
