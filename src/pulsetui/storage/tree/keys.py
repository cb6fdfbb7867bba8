"""The keys of nodes, as text that names the same node in every refresh. Pure.

`scene:17` is an entity (or library, unassigned, system, part), `files:scene:17` what it has itself, `folder:3:a/b` and
`file:3:a/b.mp4` what lies in root 3. Names that are no UTF-8 are in surrogate escapes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from pulsetui.errors import NotFoundError
from pulsetui.files.names import display_text
from pulsetui.storage.placing import NodeKey


@dataclass(frozen=True, slots=True)
class Key:
    """A key, taken apart."""

    kind: Literal["node", "files", "folder", "file"]
    node: NodeKey = ("", 0)
    """Of a `node`, and of the one that `files` belong to."""
    root_id: int = 0
    path: bytes = b""
    """Of a `folder` or `file`: below the root."""


def parse_key(text: str) -> Key:
    """Return the parts of a key.

    Raises:
        NotFoundError: no node has such a key.
    """
    kind, _, rest = text.partition(":")
    first, sign, second = rest.partition(":")
    if kind == "files" and not _is_number(first):
        kind, number = first, second
        if sign and _is_number(number):
            return Key("files", (kind, int(number)))
    elif kind in ("files", "folder", "file"):
        if sign and _is_number(first):
            return Key("file" if kind == "file" else "folder", root_id=int(first), path=os.fsencode(second))
    elif _is_number(rest):
        return Key("node", (kind, int(rest)))
    raise NotFoundError(f"there is no node {display_text(text)!r}")


def key_of(node: NodeKey) -> str:
    """Return the key of an entity, or of what stands beside entities."""
    return f"{node[0]}:{node[1]}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
