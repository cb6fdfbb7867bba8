"""The dialog that finds something in storage by its name, and the one that lists the small ones of a group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from pulsetui.errors import PulseError
from pulsetui.storage.views import StorageView
from pulsetui.tui import glyphs
from pulsetui.tui.dialogs.base import Dialog
from pulsetui.tui.renderables.text import line, middle_cut, safe, size

SHOWN = 50
"""How many are asked for; more would be looked for by a longer name."""
_CELLS = 76

Find = Callable[[str, int], Awaitable[Sequence[StorageView]]]
"""Returns what has a name like that, at most so many, the largest first."""


class NodesDialog(Dialog[StorageView | None]):
    """Lists nodes; returns the one that was chosen, or None."""

    DEFAULT_CSS = f"""
    NodesDialog, FindNodeDialog {{ align: center middle; }}
    NodesDialog > Vertical {{
        width: {_CELLS}; max-width: 100%; height: auto; max-height: 90%; border: round $accent; padding: 1 2;
    }}
    NodesDialog Static {{ width: 1fr; height: auto; }}
    NodesDialog OptionList {{
        height: auto; max-height: 16; border: none; padding: 0; background: $surface; scrollbar-size-vertical: 1;
    }}
    NodesDialog OptionList:focus {{ border: none; }}
    NodesDialog Input {{ margin-bottom: 1; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("j,down", "cursor('down')", show=False),
        Binding("k,up", "cursor('up')", show=False),
    ]

    AUTO_FOCUS = "OptionList"

    def __init__(self, title: str, nodes: Sequence[StorageView] = ()) -> None:
        """Take the title, which may be text from outside, and what is listed."""
        super().__init__()
        self._title = middle_cut(title, _CELLS - 8)
        self._listed = tuple(nodes)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical() as box:
            box.border_title = line(self._title)
            box.border_subtitle = line("↵ goes there · esc closes")
            yield from self.head()
            yield OptionList(*self._options())
            yield Static(self.said(), markup=False, id="said")

    def head(self) -> ComposeResult:
        """Yield what stands above the list."""
        yield from ()

    def said(self) -> Content:
        """Return what stands below the list."""
        return Content("")

    def on_mount(self) -> None:
        """Begin at the first node."""
        self.query_one("#said", Static).display = bool(self.said().plain)
        self._pick_first()

    def show_nodes(self, nodes: Sequence[StorageView]) -> None:
        """List other nodes."""
        self._listed = tuple(nodes)
        options, said = self.query_one(OptionList), self.said()
        options.clear_options()
        options.add_options(self._options())
        self._pick_first()
        self.query_one("#said", Static).update(said)
        self.query_one("#said", Static).display = bool(said.plain)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return what was chosen."""
        event.stop()
        self.answer(self._listed[event.option_index])

    def action_cursor(self, direction: str) -> None:
        """Move the cursor."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if direction == "down" else options.action_cursor_up()

    def action_leave(self) -> None:
        """Go nowhere."""
        self.answer(None)

    def _pick_first(self) -> None:
        self.query_one(OptionList).highlighted = 0 if self._listed else None

    def _options(self) -> list[Option]:
        return [Option(_row(view, _CELLS - 8)) for view in self._listed]


class FindNodeDialog(NodesDialog):
    """Finds as one types; the arrows go through what was found, enter goes there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor('down')", show=False, priority=True),
        Binding("up", "cursor('up')", show=False, priority=True),
    ]

    AUTO_FOCUS = "Input"

    def __init__(self, find: Find) -> None:
        """Take what finds."""
        super().__init__("Find in storage")
        self._find = find
        self._failure = ""

    def head(self) -> ComposeResult:
        """Yield the field."""
        yield Input(placeholder="a part of the name", compact=True)

    def said(self) -> Content:
        """Say what to do, what failed, or that there is nothing."""
        if self._failure:
            return line((f"{glyphs.FAILED} {safe(self._failure)}", "$bad"))
        if not self.is_mounted or not self.query_one(Input).value.strip():
            return line(("What has such a name will be here, the largest first.", "$quiet"))
        if not self._listed:
            return line(("Nothing has such a name.", "$quiet"))
        return line((f"the largest {SHOWN}; type more of the name", "$quiet")) if len(self._listed) >= SHOWN else line()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for another name."""
        event.stop()
        self._look_for(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the node under the cursor."""
        event.stop()
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._listed):
            self.answer(self._listed[at])

    @work(group="find", exclusive=True)
    async def _look_for(self, text: str) -> None:
        """List what has such a name; a newer text ends the search for this one."""
        found: Sequence[StorageView] = ()
        self._failure = ""
        try:
            found = await self._find(text, SHOWN) if text else ()
        except PulseError as error:
            self._failure = str(error)
        self.show_nodes(found)


def _row(view: StorageView, width_cells: int) -> Content:
    """Return one node: name, where it is, size."""
    figure = size(view.tree.size.allocated_bytes, 7)
    room = width_cells - figure.cell_length - 3
    name = middle_cut(view.tree.name, room * 3 // 5)
    left = room - cell_len(name) - 2
    where = middle_cut(" / ".join(node.name for node in view.ancestors[1:]) or view.tree.entity_type, max(0, left))
    gap = " " * max(1, width_cells - cell_len(name) - 2 - cell_len(where) - figure.cell_length)
    return line((name, "bold"), "  ", (where, "$quiet"), gap, figure)
