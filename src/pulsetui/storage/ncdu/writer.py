"""Writes ncdu's JSON export, format 1.2: the words of the format, and a tree of sizes in them.

The invariant: what comes out opens in ncdu 1.9 and later. So names are the bytes that the disk has, control characters
escaped, everything else as it is, valid UTF-8 or not; sizes that are 0 are left out; a folder's info holds its own
size, not that of what is in it. Reading is left to `imported`, walking a folder to `walk`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime

from pulsetui import __version__
from pulsetui.storage.views import StorageNode

CHUNK_BYTES = 2**18
"""About how much is handed out at a time."""
_ESCAPED = re.compile(rb'[\x00-\x1f"\\\x7f]')
_SHORT = {b"\n": b"\\n", b"\r": b"\\r", b"\b": b"\\b", b"\t": b"\\t", b"\f": b"\\f", b"\\": b"\\\\", b'"': b'\\"'}


def head(now: datetime) -> bytes:
    """Return what stands before the tree."""
    about = {"progname": "pulsetui", "progver": __version__, "timestamp": int(now.timestamp())}
    return b"[1,2," + json.dumps(about, separators=(",", ":")).encode() + b",\n"


TAIL = b"]\n"
"""What stands after the tree."""


def info(name: bytes, total_bytes: int, allocated_bytes: int, more: bytes = b"") -> bytes:
    """Return the info object of an entry; `more` is further fields, each with a comma before it."""
    sizes = b',"asize":%d' % total_bytes if total_bytes > 0 else b""
    if allocated_bytes > 0:
        sizes += b',"dsize":%d' % allocated_bytes
    return b'{"name":"' + quoted(name) + b'"' + sizes + more + b"}"


def quoted(name: bytes) -> bytes:
    """Return a name as it stands between quotes."""
    return _ESCAPED.sub(_escape, name)


def tree_chunks(tree: StorageNode, now: datetime) -> Iterator[bytes]:
    """Yield the export of a tree: a node with children is a folder, one without is a file of its size.

    The format counts entries, so how many files a node stands for is lost.
    """
    text = bytearray(head(now))
    pending: list[StorageNode | None] = [tree]  # None: the end of a folder
    first = True
    while pending:
        node = pending.pop()
        if node is None:
            text += b"]"
            continue
        if not first:
            text += b",\n"
        if node.children or first:
            text += b"[" + info(_name(node), 0, 0, _error(node))
            pending.append(None)
            pending += reversed(node.children or (node,))
        else:
            text += info(_name(node), node.size.total_bytes, node.size.allocated_bytes, _error(node))
        first = False
        if len(text) >= CHUNK_BYTES:
            yield bytes(text)
            text.clear()
    yield bytes(text + TAIL)


def _name(node: StorageNode) -> bytes:
    return os.fsencode(node.name or node.key)


def _error(node: StorageNode) -> bytes:
    return b',"read_error":true' if node.error else b""


def _escape(match: re.Match[bytes]) -> bytes:
    found = match[0]
    return _SHORT.get(found) or b"\\u%04x" % found[0]
