"""The one table of what can be done by key: bindings, footer, help and command palette all come from it.

An entry's `id` is what settings remap by. An entry belongs to places: a screen, `list` for every panel with a cursor,
`scroll` for every text, `tiles` for treemap and sunburst, `types` for the category chart, `tree` for the tree table, or
`app` for everywhere. The footer of a screen shows at most eight entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

from pulsetui.storage.views import CATEGORIES

Place = Literal[
    "app", "pulse", "storage", "pipeline", "volumes", "job", "entity", "list", "scroll", "tiles", "types", "tree"
]

FOOTER_KEYS = 8


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done, in every form that it is shown in."""

    id: str
    keys: tuple[str, ...]
    """Textual key names; the first is the one that footer and help show first."""
    action: str
    """Textual's action string, run where the binding is."""
    label: str
    """One or two words for the footer and the palette."""
    help: str
    """A sentence for the help screen and the palette."""
    places: tuple[Place, ...]
    footer: tuple[Place, ...] = ()
    """Where the footer shows it."""
    shown: str = ""
    """How its keys are written, where the names of the keys won't do."""

    @property
    def key_text(self) -> str:
        """How the footer writes its first key."""
        return self.shown or _written(self.keys[0])

    @property
    def click(self) -> str:
        """The action string that works from anywhere on a screen."""
        return self.action if "." in self.action.partition("(")[0] else f"screen.{self.action}"

    @property
    def all_keys_text(self) -> str:
        """How the help writes all of its keys."""
        return " ".join(_written(key) for key in self.keys)


ACTIONS: tuple[Action, ...] = (
    Action("pulse.show", ("1",), "app.show('pulse')", "Pulse", "Show what runs, the disks and the activity.",
           ("app",), ("pulse", "storage", "pipeline", "volumes", "job", "entity")),
    Action("storage.show", ("2",), "app.show('storage')", "Storage", "Show what takes the space, as a map.",
           ("app",), ("pulse", "storage", "pipeline", "volumes", "job", "entity")),
    Action("pipeline.show", ("3",), "app.show('pipeline')", "Pipeline", "Show every job in a table.",
           ("app",), ("pulse", "storage", "pipeline", "volumes", "job", "entity")),
    Action("volumes.show", ("4",), "app.show('volumes')", "Volumes", "Show the disks, and how they do.",
           ("app",), ("pulse", "storage", "pipeline", "volumes", "job", "entity")),
    Action("jobs.add", ("a",), "screen.add", "add", "Add an episode by its URL or path.",
           ("pulse", "pipeline"), ("pulse",)),
    Action("pipeline.pause", ("p",), "screen.toggle_pause", "pause", "Pause new downloads, or resume them.",
           ("pulse", "pipeline"), ("pulse",)),
    Action("job.open", ("enter",), "open", "details",
           "Open the job under the cursor; of a volume, the menu.", ("list",)),
    Action("find", ("slash",), "screen.find", "find", "Show only what contains a text; escape clears it.",
           ("pulse", "pipeline"), ("pulse", "pipeline")),
    Action("filter.next", ("f",), "screen.next_filter", "filter", "Step through the stages, or the kinds of events.",
           ("pulse", "pipeline")),
    Action("sort.next", ("s",), "screen.next_sort", "sort", "Step through the orders of the table.", ("pipeline",)),
    Action("job.mark", ("space",), "screen.mark", "mark", "Mark the job, so that r and c take all marked ones.",
           ("pipeline",)),
    Action("job.retry", ("r",), "screen.retry", "retry", "Try a job again that is held, dead, cancelled or waiting.",
           ("pipeline", "job"), ("pipeline", "job")),
    Action("job.cancel", ("c",), "screen.cancel", "cancel", "Cancel a job, after a question.",
           ("pipeline", "job"), ("pipeline", "job")),
    Action("storage.details", ("d",), "screen.details", "details", "Show the page of what is selected.", ("storage",)),
    Action("storage.mark", ("space",), "screen.mark", "mark", "Mark what is selected, or take its mark away.",
           ("storage",)),
    Action("storage.view", ("v",), "screen.next_view", "view", "Change between treemap, sunburst and tree table.",
           ("storage",)),
    Action("storage.colour", ("o",), "screen.next_colour", "colour", "Step through what the colours mean.",
           ("storage",)),
    Action("storage.types", ("t",), "screen.types", "types", "Go to the categories, to leave some out of the picture.",
           ("storage",)),
    Action("storage.apparent", ("a",), "screen.toggle_apparent", "apparent",
           "Size by apparent instead of allocated bytes.", ("storage",)),
    Action("storage.repack", ("equals_sign",), "screen.repack", "pack anew", "Lay the tiles out anew, by size.",
           ("storage",)),
    Action("storage.earlier", ("left_square_bracket",), "screen.earlier", "earlier", "Go back in history.",
           ("storage",), shown="[ ]"),
    Action("storage.later", ("right_square_bracket",), "screen.later", "later", "Go forth in history, up to now.",
           ("storage",)),
    Action("storage.refresh", ("r",), "screen.refresh_storage", "refresh", "Read all sizes anew.",
           ("storage", "entity"), ("entity",)),
    Action("volume.track", ("t",), "screen.track", "track", "Track the volume: watch it, and keep its history.",
           ("volumes",), ("volumes",)),
    Action("volume.test", ("s",), "screen.test", "speed test", "Measure how fast the volume is, after a question.",
           ("volumes",), ("volumes",)),
    Action("volume.stop", ("x",), "screen.stop_test", "stop test", "Stop the speed test that runs.", ("volumes",)),
    Action("volume.menu", ("m",), "screen.menu", "menu", "Show what can be done with the volume; a right click, too.",
           ("volumes",), ("volumes",)),
    Action("volume.accept", ("a",), "screen.accept", "decide", "Say that a volume in quarantine is the tracked one.",
           ("volumes",)),
    Action("volume.storage", ("o",), "screen.storage", "open in storage", "Show what takes the space on the volume.",
           ("volumes",)),
    Action("volume.rename", ("n",), "screen.rename", "rename", "Call the volume otherwise.", ("volumes",)),
    Action("volume.untrack", ("u",), "screen.untrack", "untrack", "Track the volume no more, after a question.",
           ("volumes",)),
    Action("volume.look", ("r",), "screen.look", "look again", "Look at all volumes now.", ("volumes",)),
    Action("volume.monitor", ("M",), "screen.toggle_monitor", "monitor",
           "Stop looking for volumes all the time, after a question, or start again.", ("volumes",)),
    Action("read.again", ("ctrl+r",), "screen.read_again", "read again", "Read everything on the screen again.",
           ("pulse", "storage", "pipeline", "volumes", "job", "entity")),
    Action("cursor.down", ("j", "down"), "cursor(1)", "down", "Move the cursor down.", ("list",)),
    Action("cursor.up", ("k", "up"), "cursor(-1)", "up", "Move the cursor up.", ("list",)),
    Action("cursor.page_down", ("pagedown", "ctrl+d"), "page(1)", "page down", "Move a page down.", ("list",)),
    Action("cursor.page_up", ("pageup", "ctrl+u"), "page(-1)", "page up", "Move a page up.", ("list",)),
    Action("cursor.first", ("g", "home"), "edge(-1)", "first", "Move to the first row.", ("list",)),
    Action("cursor.last", ("G", "end"), "edge(1)", "last", "Move to the last row.", ("list",)),
    Action("tile.left", ("h", "left"), "move('left')", "left", "Go to the tile on the left, or back along the ring.",
           ("tiles",)),
    Action("tile.down", ("j", "down"), "move('down')", "down", "Go to the tile below, or in towards the middle.",
           ("tiles",)),
    Action("tile.up", ("k", "up"), "move('up')", "up", "Go to the tile above, or out to the next ring.", ("tiles",)),
    Action("tile.right", ("l", "right"), "move('right')", "right", "Go to the tile on the right, or on along the ring.",
           ("tiles",)),
    Action("tile.open", ("enter",), "open", "open", "Open the tile under the cursor.", ("tiles",),
           ("storage",)),
    Action("tile.leave", ("backspace", "u"), "leave", "up", "Go up to what this is in.", ("tiles", "storage")),
    Action("tile.root", ("home",), "root", "all", "Go up to the whole library.", ("tiles",)),
    Action("storage.find", ("slash",), "screen.find", "find", "Find something by its name, and go there.",
           ("storage",), ("storage",)),
    Action("storage.menu", ("m",), "screen.menu", "menu", "Show what can be done with the tile; a right click, too.",
           ("storage",), ("storage",)),
    Action("type.down", ("j", "down"), "cursor(1)", "down", "Go to the next category.", ("types",)),
    Action("type.up", ("k", "up"), "cursor(-1)", "up", "Go to the category before.", ("types",)),
    Action("type.toggle", ("space", "enter"), "toggle_row", "on/off",
           "Leave a category out of the picture, or take it in.", ("types",)),
    *(Action(f"type.{name}", (f"alt+{number}",), f"toggle_category('{name}')", name,
             f"Leave {name} out of the picture, or take it in.", ("types",))
      for number, name in enumerate(CATEGORIES, start=1)),
    Action("type.all", ("0",), "show_all", "all types", "Take every category in again.", ("types",)),
    Action("type.form", ("b",), "next_form", "bar/pie", "Change between bar and pie.", ("types",)),
    Action("tree.expand", ("l", "right"), "expand", "expand", "Show what is in the row under the cursor.", ("tree",)),
    Action("tree.collapse", ("h", "left"), "collapse", "collapse", "Close the row, or go to the one that it is in.",
           ("tree",)),
    Action("tree.sort", ("s",), "next_sort", "sort", "Step through the orders: size, name, files.", ("tree",)),
    Action("text.down", ("j", "down"), "scroll_down", "down", "Scroll down.", ("scroll",)),
    Action("text.up", ("k", "up"), "scroll_up", "up", "Scroll up.", ("scroll",)),
    Action("focus.next", ("tab",), "app.focus_next", "next panel", "Move to the next panel.", ("app",)),
    Action("focus.previous", ("shift+tab",), "app.focus_previous", "previous panel", "Move to the panel before.",
           ("app",)),
    Action("back", ("escape",), "screen.back", "back", "Go back to where you were; clear the search first.",
           ("pulse", "storage", "pipeline", "volumes", "job", "entity"), ("job", "entity")),
    Action("palette", ("ctrl+p",), "app.command_palette", "palette", "Find any command by its name.",
           ("app",)),
    Action("help", ("question_mark",), "app.help", "keys", "Show all keys.",
           ("app",), ("pulse", "storage", "pipeline", "volumes", "job", "entity")),
    Action("quit", ("q", "ctrl+q"), "app.quit", "quit", "Leave. Asks first while work runs.", ("app",)),
)  # fmt: skip

HELP_SECTIONS: tuple[tuple[Place, str], ...] = (
    ("app", "Everywhere"),
    ("list", "In a panel"),
    ("pulse", "Pulse"),
    ("storage", "Storage"),
    ("pipeline", "Pipeline"),
    ("volumes", "Volumes"),
    ("job", "A job"),
    ("entity", "An entity"),
    ("tiles", "In treemap and sunburst"),
    ("types", "In the category chart"),
    ("tree", "In the tree table"),
)

HELP_INTRO = (
    "Numbers first; colour only where it means something. The bar in the header is the disk budget: solid is on disk, "
    "hatched is still to come, the dotted marks are where downloads resume and pause, the line is the hard limit."
)


def bindings(place: Place) -> list[BindingType]:
    """Return Textual's bindings for one place, each with its id so that it can be remapped."""
    return [_binding(action) for action in ACTIONS if place in action.places]


def action(name: str) -> Action:
    """Return the entry with an id."""
    return next(action for action in ACTIONS if action.id == name)


def footer(place: Place) -> tuple[Action, ...]:
    """Return what the footer of a screen shows, in the order of the table."""
    return tuple(action for action in ACTIONS if place in action.footer)


def help_for(place: Place) -> tuple[Action, ...]:
    """Return what the help lists under one heading."""
    return tuple(action for action in ACTIONS if place in action.places)


def commands(place: Place) -> Iterable[Action]:
    """Return what the command palette offers on a screen: its own actions and those of everywhere."""
    offered = (action for action in ACTIONS if place in action.places or "app" in action.places)
    return (action for action in offered if action.id not in ("palette", "focus.next", "focus.previous"))


def _binding(action: Action) -> Binding:
    """Return Textual's form; an action of the screen or the place itself runs where the binding is."""
    local = action.action.removeprefix("screen.").removeprefix("app.")
    run = action.action if action.action.startswith("app.") else local
    return Binding(",".join(action.keys), run, action.label, show=False, id=action.id, tooltip=action.help)


_WRITTEN = {
    "slash": "/",
    "question_mark": "?",
    "enter": "↵",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "ctrl+p": "^p",
    "ctrl+r": "^r",
    "ctrl+q": "^q",
    "ctrl+d": "^d",
    "ctrl+u": "^u",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "backspace": "⌫",
}


def _written(key: str) -> str:
    """Return how a key is written."""
    return _WRITTEN.get(key, key)
