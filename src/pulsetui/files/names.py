"""Makes text from outside safe: as a title, as one component of a path, as text on a screen.

Pure rules without I/O. The invariant: what leaves here can't move a cursor, turn the writing direction, leave a folder
or overflow a name. `folder_name` may give two texts the same name; keeping entities apart is left to the catalog.
"""

from __future__ import annotations

import re
import unicodedata

TITLE_BYTES = 200
FOLDER_NAME_BYTES = 120
UNNAMED = "_"
"""The folder name of a text that has nothing usable in it."""

# Characters that turn the direction of what follows (Unicode Bidirectional Algorithm, UAX #9, and the deprecated format
# characters U+206A..206F), and the byte order mark.
_TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff"
_STRIPPED = re.compile(f"[\x00-\x1f\x7f-\x9f{_TURNING}]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")

# Joiners carry meaning in Persian, in Indic scripts and in emoji, have no width and turn nothing.
_JOINERS = "\u200c\u200d"
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def clean_title(text: str) -> str:
    """Return `text` as a title: NFC, one line, no control or bidi characters, at most 200 bytes of UTF-8.

    Whitespace of any kind is folded to one space, bytes that weren't UTF-8 become U+FFFD. May be empty.
    """
    return _cut(_clean(text), TITLE_BYTES)


def folder_name(text: str) -> str:
    """Return `text` as one path component: at most 120 bytes, never empty, hidden, `.` or `..`.

    Slashes of both kinds become `-`, so that the name is one component on every file system. The same text always gives
    the same name, and a name gives itself.
    """
    name = _clean(text).replace("/", "-").replace("\\", "-").lstrip(". ")
    return _cut(name, FOLDER_NAME_BYTES).rstrip(". ") or UNNAMED


def display_text(text: str) -> str:
    r"""Return hostile text as one harmless line for any screen, log or message.

    Whatever isn't printable is shown as an escape: `\n`, `\x1b`, `\u202e`, and `\xff` for a byte of a file name that is
    no UTF-8. Backslashes stay as they are: the result is for reading, not for parsing. Markup is left to the screen.
    """
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _clean(text: str) -> str:
    """Normalise last: stripping can bring a letter and its accent together."""
    stripped = _SURROGATES.sub("\ufffd", _STRIPPED.sub("", _SPACES.sub(" ", text)))
    return _SPACES.sub(" ", unicodedata.normalize("NFC", stripped)).strip()


def _cut(text: str, size_bytes: int) -> str:
    """Cut on a character and leave no space at the end."""
    return text.encode()[:size_bytes].decode(errors="ignore").rstrip()


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs":
        return character
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape (PEP 383): the byte is in the low half
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
