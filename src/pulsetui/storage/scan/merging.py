"""What was known of a root and what was listed of it now, as one set of records. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.scan.unchanged import Checked


def merged(
    known: Mapping[bytes, FolderRecord],
    checked: Checked,
    found: Mapping[bytes, Collection[bytes]],
    listed: Mapping[bytes, FolderRecord],
) -> dict[bytes, FolderRecord]:
    """Return the records of all folders that are there, parents first.

    A folder is there if its parent is, and it was listed now, or stayed as it was known. `found` has the folders in
    each known folder that was listed now: what isn't among them went away meanwhile, with all below it.
    """
    kept = known.keys() - checked.gone - set(checked.to_list)
    records: dict[bytes, FolderRecord] = {}
    for path in sorted(kept | listed.keys()):
        above = path.rpartition(b"/")[0]
        if path and (above not in records or path not in found.get(above, (path,))):
            continue
        records[path] = listed.get(path) or known[path]
    return records
