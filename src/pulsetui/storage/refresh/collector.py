"""Keeps Python's garbage collector from holding the event loop while sizes are refreshed.

A full pass looks at every object there is, with the interpreter's lock held: with 100,000 entities in memory 0.1 to
0.2 s, several times a refresh. The invariant: during a refresh there is no full pass, and what a large one leaves to
stay is looked through never again. That can be, since none of it lies in a cycle: what is dropped is freed at once, by
its count of references (docs/decisions/0024).
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

LARGE = 20_000
"""From so many folders that a refresh loaded or listed, what it leaves is settled."""
_NEVER = 1 << 30


@contextlib.contextmanager
def without_full_passes() -> Iterator[None]:
    """Have the collector look through young objects only; those that last wait for the first full pass afterwards."""
    young, younger, all_objects = gc.get_threshold()
    gc.set_threshold(young, younger, _NEVER)
    try:
        yield
    finally:
        if gc.get_threshold()[2] == _NEVER:  # else somebody else decided meanwhile
            gc.set_threshold(young, younger, all_objects)


def settle(folders: int) -> None:
    """Take what there is out of the collector's sight, if a refresh made so many folders' records that it is worth it.

    A cycle that is garbage just then, a few kilobytes of them, is never freed; so this isn't for each small refresh.
    """
    if folders >= LARGE:
        gc.freeze()
