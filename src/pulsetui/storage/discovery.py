"""Finds folders on disk that fit a layout and have no entity yet. Pure; making the entities is left to the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pulsetui.catalog.entities import Placed
from pulsetui.storage.links import Records
from pulsetui.storage.roots import Root


def unknown_folders(roots: Sequence[Root], records: Records, entities: Iterable[Placed]) -> list[bytes]:
    """Return the folders of the entities that there should be: names from the top level down, joined by `/`."""
    known = {entity.folders for entity in entities}
    found: set[bytes] = set()
    for root in roots:
        if root.layout is None:
            continue
        for path in records.get(root.id, ()):
            folders = b"/".join(root.layout.match(path).names)
            if folders and folders not in known:
                found.add(folders)
    return sorted(found)
