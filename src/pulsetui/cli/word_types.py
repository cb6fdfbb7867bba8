"""What a word of the command line can be: an id, a count, a size, text. Each says what it is not."""

from __future__ import annotations

import argparse
import re

SMALLEST_PICTURE = (20, 5)
LARGEST_PICTURE = (1000, 500)
_LARGEST = 2**63 - 1
"""What an SQLite integer holds."""


def row_id(word: str) -> int:
    """Return an id in the database."""
    return _whole(word, 1, "an id, a whole number from 1")


def count(word: str) -> int:
    """Return how many."""
    return _whole(word, 0, "a whole number from 0")


def number(word: str) -> int:
    """Return a whole number, which may be negative."""
    if not word.isascii() or not word.removeprefix("-").isdigit() or len(word) > 9:
        raise argparse.ArgumentTypeError(f"{word!r} is not a whole number")
    return int(word)


def size(word: str) -> int:
    """Return bytes, more than none."""
    from pulsetui.units import parse_size  # for the one command that takes a size

    try:
        size_bytes = parse_size(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not size_bytes:
        raise argparse.ArgumentTypeError(f"{word!r} is nothing")
    return size_bytes


def cells(word: str) -> tuple[int, int]:
    """Return columns and rows of a picture."""
    match = re.fullmatch(r"([0-9]{1,4})[x×]([0-9]{1,4})", word)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(least <= n <= most for least, n, most in zip(SMALLEST_PICTURE, size, LARGEST_PICTURE, strict=True)):
        raise argparse.ArgumentTypeError(f"{word!r} is not a size in cells from 20x5 to 1000x500, such as 120x40")
    return size


def text(word: str) -> str:
    """Return text that is UTF-8."""
    if not word.isprintable() and any("\ud800" <= character <= "\udfff" for character in word):
        raise argparse.ArgumentTypeError(f"{word!r} is not UTF-8")
    return word


def project(word: str) -> str:
    """Return the path of an entity."""
    return text(word).strip("/")


def _whole(word: str, least: int, what: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 20 and least <= int(word) <= _LARGEST):
        raise argparse.ArgumentTypeError(f"{word!r} is not {what}")
    return int(word)
