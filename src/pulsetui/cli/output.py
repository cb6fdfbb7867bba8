"""What the commands print: JSON to standard output, tables and sentences for people, messages to standard error.

The only place that prints. The invariant: text from outside is escaped before it is printed, and on a pipe each row is
one line, never wrapped, never coloured.
"""

from __future__ import annotations

import base64
import codecs
import json
import locale
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, TextIO

from pulsetui.clock import rfc3339
from pulsetui.errors import PulseError
from pulsetui.files.names import display_text

_GAP = "  "
_LOCALE_NAMES = ("LC_ALL", "LC_CTYPE", "LANG")


def prepare_streams() -> None:
    """Make standard output and error take any text, whatever the locale, and be there even if they were closed."""
    codecs.register_error("pulsetui", _in_ascii)
    _fill_standard_descriptors()
    sys.stdout, sys.stderr = sys.stdout or _stream(1), sys.stderr or _stream(2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            ascii_only = stream.isatty() and _is_ascii_only(stream.encoding)
            stream.reconfigure(encoding="ascii" if ascii_only else None, errors="pulsetui")


def plain(value: Any) -> Any:
    """Return `value` as JSON takes it: times as RFC 3339, tuples as lists.

    Text that came from bytes which are no UTF-8, as file names may be, has U+FFFD for them; the bytes are beside it, as
    `…_base64`.
    """
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return dict(_pairs(value))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str) and _has_surrogates(value):
        return os.fsencode(value).decode(errors="replace")
    return value


def print_json(value: Any, *, lines: bool = False) -> None:
    """Print one JSON value; on one line with `lines`. ASCII only, so that no terminal can be moved by it."""
    print(json.dumps(plain(value), indent=None if lines else 2, ensure_ascii=True), flush=True)


def print_line(text: str) -> None:
    """Print one line for people."""
    print(display_text(text), flush=True)


def print_document(text: str) -> None:
    """Print text of many lines, as UTF-8 whatever the locale if it goes into a file: it is data, then."""
    shown = "".join(f"{display_text(line)}\n" for line in text.splitlines())
    if sys.stdout.isatty():
        print(shown, end="", flush=True)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(shown.encode())
        sys.stdout.buffer.flush()


def print_bytes(chunks: Iterable[bytes]) -> None:
    """Write data as it is, for another program. On a terminal, whatever could move it is escaped first."""
    sys.stdout.flush()
    for chunk in chunks:
        if sys.stdout.isatty():
            print("\n".join(map(display_text, os.fsdecode(chunk).split("\n"))), end="")
        else:
            sys.stdout.buffer.write(chunk)
    sys.stdout.flush()


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print labels and values, a line each, the values below each other."""
    rows = list(fields)
    width = max((len(label) for label, _ in rows), default=0)
    for label, value in rows:
        print_hanging(f"{label:<{width}}{_GAP}", value)


def print_hanging(start: str, text: str) -> None:
    """Print `start` and `text` in a line; on a terminal, what is too long goes on below the start of `text`."""
    line = display_text(start + text).rstrip()
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns - len(start)
        kept = textwrap.wrap(display_text(text), max(room, 20), break_on_hyphens=False)
        line = display_text(start) + f"\n{' ' * len(start)}".join(kept)
    print(line, flush=True)


def note(text: str) -> None:
    """Print a message beside the output, to standard error."""
    print(display_text(text), file=sys.stderr, flush=True)


class Progress:
    """A line on standard error that tells how far a long command is: rewritten on a terminal, else a line at a time."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Take the stream, standard error unless told otherwise."""
        self._stream = stream or sys.stderr
        self._shown = False

    def tell(self, text: str) -> None:
        """Show how far it is."""
        line = display_text(text)
        if self._stream.isatty():
            width = shutil.get_terminal_size().columns
            print(f"\r\x1b[K{line[: width - 1]}", end="", file=self._stream, flush=True)
            self._shown = True
        else:
            print(line, file=self._stream, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
            self._shown = False


def print_table(columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people; a column is its title and whether it holds figures, which are right-aligned.

    On a terminal its last two columns fold to fit; on a pipe a row is one line.
    """
    shown = [[display_text(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_folded(columns, shown)
    else:
        for line in _lines(columns, shown):
            print(line)
        sys.stdout.flush()


def print_error(error: PulseError, *, as_json: bool) -> None:
    """Print what happened and what to do next, to standard error."""
    if as_json:
        body = {"error": {"code": error.code, "message": str(error), "hint": error.hint}}
        print(json.dumps(plain(body), ensure_ascii=True), file=sys.stderr, flush=True)
        return
    for line in str(error).splitlines() or [type(error).__name__]:
        note(f"pulsetui: {line}")
    if error.hint:
        note(f"  {error.hint}")


def _fill_standard_descriptors() -> None:
    """Put /dev/null where one was closed: the next file that is opened would get its number, and our words."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number


def _stream(descriptor: int) -> TextIO:
    return TextIOWrapper(BufferedWriter(FileIO(descriptor, "w", closefd=False)), encoding="utf-8")


def _pairs(value: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, item in value.items():
        yield key, plain(item)
        if isinstance(item, str) and _has_surrogates(item):
            yield f"{key}_base64", base64.b64encode(os.fsencode(item)).decode()


def _has_surrogates(text: str) -> bool:
    return not text.isprintable() and any("\udc80" <= character <= "\udcff" for character in text)


def _lines(columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    titles = [title for title, _ in columns]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(len(columns))]
    for row in (titles, *rows):
        cells = (
            cell.rjust(max(width, len(title))) if figures else cell.ljust(max(width, len(title)))
            for cell, width, (title, figures) in zip(row, widths, columns, strict=True)
        )
        yield _GAP.join(cells).rstrip()


def _print_folded(columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # for terminals alone: it takes a tenth of a second
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for at, (title, figures) in enumerate(columns):
        folds = at >= len(columns) - 2
        justify: Any = "right" if figures else "left"
        table.add_column(title, justify=justify, no_wrap=not folds, overflow="fold" if folds else "ellipsis")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def _is_ascii_only(encoding: str) -> bool:
    """Say whether the locale can show ASCII only, as the screens judge it."""
    asked = [os.environ[name] for name in _LOCALE_NAMES if os.environ.get(name)]
    if not asked or all("utf" in name.lower() for name in asked):
        return False
    from pulsetui.tui.glyphs import is_ascii_only  # Textual comes with it: only where it may matter

    return is_ascii_only(os.environ, encoding or locale.getpreferredencoding(False))


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Replace what the stream's encoding lacks, by the screens' own table; what is no character, by its escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from pulsetui.tui.glyphs import to_ascii

    return to_ascii(display_text(error.object[error.start : error.end])), error.end
