"""The live processes that a test's own process started."""

from __future__ import annotations

import psutil

_DEAD = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


def children() -> list[int]:
    """Return the process ids of the live children, in order; what is dead but not reaped is none."""
    return sorted(child.pid for child in psutil.Process().children() if is_alive(child.pid))


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that is dead but not reaped by its parent does not."""
    try:
        return psutil.Process(pid).status() not in _DEAD
    except psutil.NoSuchProcess:
        return False
