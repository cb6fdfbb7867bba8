"""Says which node of the hierarchy a folder belongs to. Pure; a `Placing` serves while entities are the same.

Files and the folder itself can belong to different nodes: a root's own folder and the fixed folders of a layout are
there for the machinery, so their blocks are `system`, while files in them fit no layout and are `unassigned`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from pulsetui.catalog.entities import Placed
from pulsetui.storage.roots import Root

NodeKey: TypeAlias = tuple[str, int]
"""Type and id: `("scene", 17)`; library, unassigned and system have the library's id, a part its index in `PARTS`."""
PARTS = ("database", "backups", "cache", "logs", "trash")
"""The parts of `system`. Each keeps its place for ever: it is in stored keys."""
TRASH: NodeKey = ("part", PARTS.index("trash"))
_DATABASE: NodeKey = ("part", PARTS.index("database"))
_PART_FOLDERS: dict[bytes, NodeKey] = {
    name.encode(): ("part", PARTS.index(name)) for name in ("backups", "cache", "logs")
}


class Placing:
    """Where the folders of all roots belong. It remembers, for the next aggregation."""

    def __init__(self, entities: Iterable[Placed], library_id: int) -> None:
        """Take the entities of a library."""
        self.library: NodeKey = ("library", library_id)
        self.unassigned: NodeKey = ("unassigned", library_id)
        self.system: NodeKey = ("system", library_id)
        self._by_folders: dict[bytes, NodeKey] = {entity.folders: (entity.level, entity.id) for entity in entities}
        self._pairs: dict[tuple[NodeKey, NodeKey], tuple[NodeKey, NodeKey]] = {}
        self._places: dict[int, dict[bytes, tuple[NodeKey, NodeKey]]] = {}

    def places(self, root: Root) -> dict[bytes, tuple[NodeKey, NodeKey]]:
        """Return where the folders of a root belong that were asked for so far."""
        return self._places.setdefault(root.id, {})

    def place(self, root: Root, path: bytes) -> tuple[NodeKey, NodeKey]:
        """Return to whom the files of a folder belong, and to whom the folder."""
        places = self.places(root)
        found = places.get(path)
        if found is None:
            found = self._placed(root, path)
            found = places[path] = self._pairs.setdefault(found, found)
        return found

    def _placed(self, root: Root, path: bytes) -> tuple[NodeKey, NodeKey]:
        if root.layout is not None:
            match = root.layout.match(path)
            if match.names:
                key = self._nearest(match.names)
                return key, key
            return self.unassigned, self.system if match.fits else self.unassigned
        if root.kind == "trash":
            return TRASH, TRASH
        if root.kind == "data":
            if not path:  # pulse.db with its log, ballast, lock and socket lie in the folder itself
                return _DATABASE, self.system
            part = _PART_FOLDERS.get(path.split(b"/", 1)[0], self.system)
            return part, part
        return self.system, self.system

    def _nearest(self, names: tuple[bytes, ...]) -> NodeKey:
        """Return the deepest entity on the way to `names` that there is."""
        folders = b"/".join(names)
        while folders:
            found = self._by_folders.get(folders)
            if found is not None:
                return found
            folders = folders.rpartition(b"/")[0]
        return self.unassigned
