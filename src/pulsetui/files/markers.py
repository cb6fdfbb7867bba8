"""Markers: small files of JSON that pulsetui leaves in a folder, by which it knows the folder again.

The invariant: reading one never waits, takes at most `LONGEST_BYTES`, and tells what isn't there from what can't be
read. What a marker says, and what follows from it, is left to those whose it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from pulsetui.files.folders import Folder

LONGEST_BYTES = 4096
"""What is read of a marker; ours take a fraction of it."""


def read_marker(folder: Folder, name: str, key: str) -> str | None:
    """Return what a marker says under `key`; empty if the file is empty, None if there is none.

    Raises:
        ValueError: it is not as pulsetui writes it.
        RefusedError: it is a link, a folder, a pipe or a device.
        OSError: it can't be read.
    """
    try:
        descriptor = folder.open_existing(name)
    except FileNotFoundError:
        return None
    try:
        text = _start_of(descriptor)
    finally:
        os.close(descriptor)
    if not text.strip():
        return ""
    try:
        return str(json.loads(text)[key])
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError(f"no {key!r} in it") from error


def marker_text(body: Mapping[str, str]) -> bytes:
    """Return a marker's text."""
    return f"{json.dumps(body)}\n".encode()


def _start_of(descriptor: int) -> bytes:
    """Read up to `LONGEST_BYTES`; a network file system may hand them out in pieces."""
    text = b""
    while len(text) < LONGEST_BYTES and (read := os.read(descriptor, LONGEST_BYTES - len(text))):
        text += read
    return text
