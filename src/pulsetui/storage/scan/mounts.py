"""Where other file systems, or other parts of the same one, are mounted below a folder.

A bind mount has the device of where it comes from, so its device doesn't give it away; its mount point does.
"""

from __future__ import annotations

import re
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def mounts_below(path: bytes, table: bytes) -> frozenset[bytes]:
    r"""Return the mount points below `path` (absolute, without links), as paths relative to it.

    `table` is the text of `/proc/self/mountinfo`, in which blanks and backslashes are octal: `\040`, proc(5).
    """
    top = path.rstrip(b"/") + b"/"
    points = (_unescaped(line.split(b" ")[4]) for line in table.splitlines() if line.count(b" ") > 4)
    return frozenset(point[len(top) :] for point in points if point.startswith(top) and point != top)


def read_table() -> bytes:
    """Return the system's table of mounts; empty where there is none."""
    try:
        return _TABLE.read_bytes()
    except OSError:
        return b""


def _unescaped(field: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), field)
