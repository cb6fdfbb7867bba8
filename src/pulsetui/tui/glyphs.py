"""The one table of icons, each one cell wide with an ASCII twin, and the filter that swaps them where only ASCII goes.

Widgets always draw the rich form. The filter works on finished lines, so that nothing else needs to know, and it never
changes the width of a line.
"""

from __future__ import annotations

import locale
from collections.abc import Mapping
from functools import lru_cache

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from pulsetui.files.display import ascii_twin

DOWNLOAD = "↓"
TRANSCRIBE = "≋"
DONE = "✓"
FAILED = "✗"
WARNING = "!"
GATE = "▮"
RETRY = "↻"
WAITING = "·"
CANCELLED = "⊘"
ADDED = "+"
FREED = "−"
SYSTEM = "◦"
CURSOR = "▸"
MARKED = "•"
SORTED = "▾"
NEXT = "→"
NEWER = "▴"
CUT = "…"
TIMES = "×"
HATCH = "▒"
MARK = "┊"
LIMIT = "│"
LEFT_CAP = "▕"
RIGHT_CAP = "▏"
RULE = "─"
FULL = "█"
SWATCH = "■"
OFF = "□"
LIGHT = "░"
DENSE = "▓"
OPENED = "−"
CLOSED = "+"
HERE = "┃"

ICONS: dict[str, str] = {
    DOWNLOAD: "v",
    TRANSCRIBE: "~",
    DONE: "+",
    FAILED: "x",
    WARNING: "!",
    GATE: "#",
    RETRY: "@",
    WAITING: ".",
    CANCELLED: "/",
    ADDED: "+",
    FREED: "-",
    SYSTEM: "o",
    CURSOR: ">",
    MARKED: "*",
    SORTED: "v",
    NEXT: ">",
    NEWER: "^",
    CUT: "~",
    TIMES: "x",
    HATCH: "=",
    MARK: ":",
    LIMIT: "|",
    LEFT_CAP: "[",
    RIGHT_CAP: "]",
    RULE: "-",
    FULL: "#",
    SWATCH: "#",
    OFF: "-",
    LIGHT: ".",
    DENSE: "%",
    HERE: "|",
}
"""Icon to ASCII twin, each exactly one cell."""

_OTHERS = {
    "↵": "<",
    "↑": "^",
    "⌫": "u",  # the other key that does the same
    "≥": ">",
    "≤": "<",
    "–": "-",
    "—": "-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    **dict.fromkeys("▉▊▋▌", "#"),
    **dict.fromkeys("▍▎", "-"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
    **dict.fromkeys("║▐", "|"),
    **dict.fromkeys("═━╸╺▁▔", "-"),
    # The ends of scroll bars, which are colour more than sign.
    **dict.fromkeys("▂▃▄▅▆▇▀", " "),
}
_BRAILLE_ROWS = ((0x09, "#"), (0x12, "="), (0x24, "-"), (0xC0, "_"))
"""Dots of each of the four rows of a Braille sign, the highest first, and what stands for a line that rises so far."""
_TWINS = {**_OTHERS, **ICONS}


@lru_cache(4096)
def to_ascii(text: str) -> str:
    """Return `text` in ASCII at the same display width: icons by their twin, accents stripped, the rest as `?`."""
    if text.isascii():
        return text
    return "".join(character if character.isascii() else _twin(character) for character in text)


def _twin(character: str) -> str:
    """Return the ASCII for one character, as wide as it is."""
    if (twin := _TWINS.get(character)) is not None:
        return twin
    if 0x2800 <= ord(character) <= 0x28FF:
        return next((sign for dots, sign in _BRAILLE_ROWS if ord(character) & dots), " ")
    return ascii_twin(character)


class AsciiFilter(LineFilter):
    """Swaps every character that an ASCII terminal can't show."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """Return the segments in ASCII, each as wide as before."""
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]


def is_ascii_only(environment: Mapping[str, str], encoding: str | None = None) -> bool:
    """Tell whether the locale can show ASCII only.

    Python turns the C locale into UTF-8 by itself (PEP 538, PEP 540) and leaves `LC_CTYPE=C.UTF-8` behind, so `C` that
    the user asked for by `LC_ALL` or `LANG` is looked for first. With no variable set, Python's judgement stands.
    """
    asked = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    if asked == "C.UTF-8" and not environment.get("LC_ALL") and environment.get("LANG") in ("C", "POSIX"):
        asked = environment["LANG"]
    if asked in ("C", "POSIX"):
        return True
    codeset = asked.partition(".")[2].partition("@")[0] or encoding or locale.getpreferredencoding(False)
    return codeset.replace("-", "").lower() not in ("utf8", "utf16", "utf32")
