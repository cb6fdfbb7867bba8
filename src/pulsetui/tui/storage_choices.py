"""What can be done with a node of storage, and in what form its path leaves the screen.

Pure rules. The invariant: a path that is copied names the very file, whatever bytes are in it.
"""

from __future__ import annotations

import shlex

from pulsetui.storage.views import StorageNode
from pulsetui.tui.dialogs.menu import Choice
from pulsetui.tui.renderables.place import Spot

_NO_ENTITY = ("system", "unassigned", "part", "files", "folder", "file", "others", "ghost")


def has_page(node: StorageNode) -> bool:
    """Tell whether a node has a page of its own: entities and the library do."""
    return node.entity_type not in _NO_ENTITY


def choices(spot: Spot, marked: frozenset[str]) -> list[Choice]:
    """Return the lines of the menu of a node."""
    node = spot.node
    offered = [Choice("details", "details", "d", "d")] if has_page(node) else []
    if entity_of(spot) is not None:
        offered.append(Choice("jobs", "open the jobs"))
    if node.path is not None:
        offered.append(Choice("path", "copy path"))
    return [*offered, Choice("mark", "take the mark away" if node.key in marked else "mark", "space", "space")]


def entity_of(spot: Spot) -> StorageNode | None:
    """Return the entity that a node is, or is in; the library is none."""
    return next(
        (node for node in (spot.node, *reversed(spot.above)) if has_page(node) and node.entity_type != "library"), None
    )


def shell_text(path: bytes) -> str:
    """Return a path so that pasted into a shell it names the very file: plain, quoted, or with its bytes escaped."""
    text = path.decode(errors="surrogateescape")
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in path)
    return f"$'{escaped}'"
