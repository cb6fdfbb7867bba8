"""Who lists what: a pure state of the folders that are waiting, and of those that each walker has taken on.

The invariant: each folder that was found is listed and reported, or waiting, or with exactly one walker. What a walker
had taken on when it died waits again; what two of them died over is an error, since a third may die of it too.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable

from pulsetui.errors import WorkerLostError
from pulsetui.files.names import display_text

_AT_ONCE = 64
"""Folders handed to a walker at a time when they are to be listed without what is below: some milliseconds of work."""

Item = tuple[bytes, int, int, bool]
"""Path below the root, share, shares, and whether to go on below it. One share of one is the whole folder."""


class Work:
    """The folders still to be listed, and who is at them. Walkers are numbers."""

    def __init__(self, items: Iterable[Item]) -> None:
        """Begin with folders that wait."""
        self._waiting = deque(items)
        self._taken: dict[int, dict[tuple[bytes, int], Item]] = {}
        self._asked: set[int] = set()
        self._lost: set[tuple[bytes, int]] = set()

    def is_done(self) -> bool:
        """Whether nothing waits and nobody is at anything."""
        return not self._waiting and not any(self._taken.values())

    def take(self, walker: int) -> list[Item]:
        """Give an idle walker what it is to do next: a part of what waits, or nothing."""
        fair = -(-len(self._waiting) // (2 * (len(self._taken) + 1)))
        items = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE, fair))]
        self._taken[walker] = {item[:2]: item for item in items}
        return items

    def to_ask(self) -> list[int]:
        """Return the walkers that are to give work back now, because others have none and nothing waits."""
        busy = [walker for walker, taken in self._taken.items() if taken]
        if self._waiting or len(busy) == len(self._taken):
            return []
        asked = [walker for walker in busy if walker not in self._asked]
        self._asked.update(asked)
        return asked

    def heard(self, walker: int, path: bytes, share: int, below: Iterable[bytes], *, last: bool) -> Item:
        """Note that a walker reported a folder, or with `last` unset a part of it, and goes on below it if so told.

        Returns what it was told.
        """
        taken = self._taken[walker]
        item = taken[path, share]
        if last:
            del taken[path, share]
        if item[3]:
            for name in below:
                taken[name, 0] = (name, 0, 1, True)
        return item

    def add(self, items: Iterable[Item]) -> None:
        """Let more wait."""
        self._waiting.extend(items)

    def gave(self, walker: int, items: Iterable[Item]) -> None:
        """Let wait what a walker gave back."""
        self._asked.discard(walker)
        taken = self._taken[walker]
        self._waiting.extend(taken.pop(item[:2]) for item in items)

    def split(self, walker: int, path: bytes, shares: int) -> None:
        """Let the other shares of a huge folder wait; the walker that found it is at the first."""
        taken = self._taken[walker]
        *_, descend = taken[path, 0]
        taken[path, 0] = (path, 0, shares, descend)
        self._waiting.extendleft((path, share, shares, descend) for share in range(1, shares))

    def idle(self, walker: int) -> None:
        """Note that a walker says that it is done.

        Raises:
            WorkerLostError: it isn't.
        """
        self._asked.discard(walker)
        if self._taken[walker]:
            raise WorkerLostError(f"a walker ended its work without {self._named(walker)}")

    def lost(self, walker: int) -> list[Item]:
        """Let wait what a walker that died was at, and return it: what was heard of it in part is void.

        Raises:
            WorkerLostError: another one died over it before.
        """
        self._asked.discard(walker)
        taken = self._taken.get(walker, {})
        if not self._lost.isdisjoint(taken):
            raise WorkerLostError(f"two walkers died while they listed {self._named(walker)}")
        self._lost.update(taken)
        self._waiting.extend(taken.values())
        self._taken.pop(walker, None)
        return list(taken.values())

    def _named(self, walker: int) -> str:
        path, _ = next(iter(self._taken[walker]))
        return display_text(os.fsdecode(path)) or "the root's own folder"
