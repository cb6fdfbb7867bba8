"""The folders that somebody says have changed, until a refresh has looked at them. Lives on the event loop."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pulsetui.storage.roots import Root

MOST = 50_000
"""So many folders are told apart; beyond that, everything counts as marked."""


@dataclass(slots=True)
class Marks:
    """Marked folders, by absolute path."""

    folders: set[bytes] = field(default_factory=set)
    lost: bool = False
    """Some are not known by name: every root has to be looked through."""

    def add(self, folder: bytes) -> None:
        """Mark a folder. It need not exist."""
        if len(self.folders) < MOST:
            self.folders.add(folder)
        else:
            self.lost = True

    def take(self) -> Marks:
        """Return the marks so far and begin anew."""
        taken = Marks(self.folders, self.lost)
        self.folders, self.lost = set(), False
        return taken

    def put_back(self, taken: Marks) -> None:
        """Have the marks of a refresh that failed, too."""
        self.folders |= taken.folders
        self.lost |= taken.lost

    def __bool__(self) -> bool:
        """Say whether anything is marked."""
        return self.lost or bool(self.folders)


def by_root(folders: Collection[bytes], roots: Sequence[Root]) -> Mapping[int, set[bytes]]:
    """Return paths below their roots, by root's id; what lies in no root is left out."""
    # The innermost first: a root can lie in another one.
    tops = sorted(((os.fsencode(root.path), root.id) for root in roots), key=lambda top: -len(top[0]))
    found: dict[int, set[bytes]] = {}
    for folder in folders:
        for top, root_id in tops:
            if folder == top or folder.startswith(top + b"/"):
                found.setdefault(root_id, set()).add(folder[len(top) + 1 :])
                break
    return found
