"""Reads the text of an ncdu export piece by piece: its values, and the entries of its tree.

The invariant: no more than one entry and one block of the document is in memory. What the values mean is left to
`ncdu`.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

from pulsetui import faults
from pulsetui.errors import PulseError

BLOCK_BYTES = 2**18
LARGEST_VALUE = 2**20
"""How long one info object may be, in characters; names have at most 4,096 bytes, six characters each if escaped."""
MOST_LEVELS = 100_000
"""How deep folders may lie in each other; ncdu itself stops at far less."""
_SPACE = re.compile(r"[ \t\r\n]*")
_OTHER_FORMS = (
    (b"\xbfncdu", "ncdu's binary export", "turn it into JSON: ncdu -f FILE -o FILE.json"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it: zstd -dc FILE | pulsetui storage treemap --import -"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it: gzip -dc FILE | pulsetui storage treemap --import -"),
)


class Stream(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        ...


class Reader:
    """Reads an export from a stream of bytes, once."""

    def __init__(self, stream: Stream) -> None:
        """Take the stream; it blocks when it is read, and is left open."""
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._json = json.JSONDecoder(strict=False)
        self._text = ""
        self._at = 0
        self._lines = 0
        self._ended = False
        self._begun = False

    @property
    def line(self) -> int:
        """The line that was read last, from 1."""
        return self._lines + self._text.count("\n", 0, self._at) + 1

    def sign(self) -> str:
        """Return the next character that is no space, without taking it; empty at the end."""
        if self._at < len(self._text):
            sign = self._text[self._at]
            if sign > " ":
                return sign
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def expect(self, wanted: str) -> None:
        """Take a sign.

        Raises:
            PulseError: another one stands there.
        """
        found = self.sign()
        if found != wanted:
            raise broken(self, f"{found!r} stands where {wanted!r} has to" if found else "it ends in the middle")
        self._at += 1

    def value(self) -> Any:
        """Take a whole JSON value.

        Raises:
            PulseError: there is none.
        """
        if not self.sign():
            raise broken(self, "it ends in the middle")
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise broken(self, "values are nested too deeply") from error
            except ValueError as error:
                if len(self._text) - self._at > LARGEST_VALUE or not self._fill():
                    raise broken(self, "it is not JSON, or ends in the middle") from error
                continue
            if end == len(self._text) and self._fill():
                continue  # a number may go on in the next block
            self._at = end
            return value

    def entries(self) -> Iterator[tuple[int, bool, dict[str, Any]]]:
        """Yield the level, whether it is a folder, and the info object of each entry; parents before what is in them.

        Raises:
            PulseError: the document is broken; raised where that is met, at its very end at the latest.
        """
        level = 0
        while True:
            if self.sign() == "[":
                self._at += 1
                yield level, True, self._info()
                level += 1
                if level > MOST_LEVELS:
                    raise broken(self, f"folders lie in each other more than {MOST_LEVELS:,} deep")
            elif level == 0:
                raise broken(self, "the tree does not begin with a folder")
            else:
                yield level, False, self._info()
            while level and self.sign() == "]":
                self._at += 1
                level -= 1
            if level == 0:
                break
            self.expect(",")
        self.expect("]")
        if self.sign():
            raise broken(self, "there is more after its end")

    def _info(self) -> dict[str, Any]:
        if self.sign() != "{":
            raise broken(self, "an entry has no info object")
        found: dict[str, Any] = self.value()
        return found

    def _fill(self) -> bool:
        """Read on, and say whether there was more."""
        if self._ended:
            return False
        faults.point("storage.ncdu_read")
        block = self._stream.read(BLOCK_BYTES)
        if not self._begun:
            self._begun = True
            _refuse_other_forms(block)
        self._ended = not block
        self._lines += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :] + self._decoder.decode(block, final=self._ended)
        self._at = 0
        return True


def broken(reader: Reader, what: str) -> PulseError:
    """Return the error that says what is wrong with a document, and where."""
    return PulseError(f"this is no whole ncdu export: line {reader.line}: {what}", hint="make it again: ncdu -o FILE")


def _refuse_other_forms(block: bytes) -> None:
    for magic, what, hint in _OTHER_FORMS:
        if block.startswith(magic):
            raise PulseError(f"this is no ncdu JSON export: it is {what}", hint=hint)
