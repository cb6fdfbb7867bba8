"""Lists the files of a folder as they are now, for the level below the last one. Blocks: runs in a worker thread.

Files are looked at one by one, folders in it are summed up from their records. Folders are entered by descriptor,
without following a link. The invariant: the nodes of a listing sum to all that is in it, since what gets no node of its
own is in one that stands for the rest.
"""

from __future__ import annotations

import fnmatch
import heapq
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pulsetui.errors import RefusedError
from pulsetui.files.folders import Folder
from pulsetui.storage.scan.records import BLOCK_BYTES, FolderRecord
from pulsetui.storage.tree.tree_store import moment
from pulsetui.storage.views import CATEGORIES, NOTHING, OTHER, Amount, StorageNode

MOST_FILES = 1_000
"""How many files of one folder get a node of their own: the largest."""
FILES = "(files)"
ITSELF = "(folder itself)"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to be listed."""

    root_id: int
    root: Path
    path: bytes
    """Below the root; empty is the root's own folder."""
    category_of: Callable[[bytes], int]
    """Says which category a file has, by its name."""
    records: Mapping[bytes, FolderRecord]
    """The folders in it that count for the same node, by path below the root, at any depth; others are left out."""
    exclude: tuple[str, ...] = ()
    """Names (fnmatch patterns) that count nowhere."""
    counts_itself: bool = True
    """Whether the folder's own blocks count for the node, too."""


@dataclass(slots=True)
class Sums:
    """Amounts by category, and when the newest file was written."""

    amounts: dict[int, Amount] = field(default_factory=dict)
    newest_ns: int = 0

    def add(self, category: int, amount: Amount, newest_ns: int = 0) -> None:
        """Count something."""
        self.amounts[category] = self.amounts.get(category, NOTHING) + amount
        self.newest_ns = max(self.newest_ns, newest_ns)

    def add_record(self, record: FolderRecord) -> None:
        """Count a folder with its own files."""
        self.add(OTHER, Amount(0, record.allocated_bytes, 0), record.newest_ns)
        for category, files, total_bytes, allocated_bytes in record.counts:
            self.add(category, Amount(total_bytes, allocated_bytes, files))
        for link in record.links:
            self.add(link.category, Amount(link.total_bytes, link.allocated_bytes, 1))

    def categories(self) -> tuple[Amount, ...]:
        """Return all categories, in their order."""
        return tuple(self.amounts.get(index, NOTHING) for index in range(len(CATEGORIES)))

    def size(self) -> Amount:
        """Return the sum."""
        return sum(self.amounts.values(), NOTHING)


def listed(places: Sequence[Place], *, most_files: int = MOST_FILES) -> tuple[tuple[StorageNode, ...], str]:
    """Return what lies in some folders, the largest first, and what could not be read, in one sentence."""
    nodes: list[StorageNode] = []
    errors: list[str] = []
    seen: set[tuple[int, int]] = set()
    for place in places:
        nodes += _folders(place)
        try:
            with Folder.open(Path(os.path.realpath(place.root))) as root, root.below(*_parts(place.path)) as folder:
                nodes += _files(place, folder, seen, most_files)
        except FileNotFoundError:
            errors.append(f"{_shown(place)} is not there any more")
        except RefusedError as error:
            errors.append(str(error))
        except OSError as error:
            errors.append(f"{_shown(place)} can't be read: {error.strerror}")
    return tuple(sorted(nodes, key=largest_first)), "; ".join(errors)


def largest_first(node: StorageNode) -> tuple[int, str]:
    """Return what children are sorted by."""
    return -node.size.allocated_bytes, node.key


def sums_below(records: Mapping[bytes, FolderRecord], path: bytes) -> dict[bytes, Sums]:
    """Return the sums of each folder directly below `path`, with all that is in it, by its path."""
    found: dict[bytes, Sums] = {}
    start = len(path) + 1 if path else 0
    for below, record in records.items():
        if below != path and (not path or below.startswith(path + b"/")):
            end = below.find(b"/", start)
            found.setdefault(below if end < 0 else below[:end], Sums()).add_record(record)
    return found


def summed(kind: str, place: Place, path: bytes, name: str, sums: Sums, *, has_more: bool = False) -> StorageNode:
    """Return the node of a file, a folder, or of what stands for the rest of a folder (`files`)."""
    return StorageNode(
        key=f"{kind}:{place.root_id}:{os.fsdecode(path)}",
        name=name,
        entity_type=kind,
        entity_id=None,
        size=sums.size(),
        path=None if kind == "files" else absolute(place.root, path),
        categories=sums.categories(),
        newest_at=moment(sums.newest_ns // 1_000_000) if sums.newest_ns else None,
        has_more=has_more,
    )


def absolute(root: Path, path: bytes) -> bytes:
    """Return the absolute path of what lies at `path` below a root."""
    return os.path.join(os.fsencode(root), path) if path else os.fsencode(root)  # noqa: PTH118 - bytes


def _folders(place: Place) -> Iterable[StorageNode]:
    for path, sums in sums_below(place.records, place.path).items():
        name = os.fsdecode(path.rpartition(b"/")[2])
        yield summed("folder", place, path, name, sums, has_more=True)


def _files(place: Place, folder: Folder, seen: set[tuple[int, int]], most_files: int) -> Iterable[StorageNode]:
    """Yield the nodes of the largest files, and one for the rest."""
    largest: list[tuple[int, bytes, int, Amount, int]] = []
    rest, rest_files = Sums(), 0
    own = place.records.get(place.path)
    if place.counts_itself and own is not None:
        rest.add(OTHER, Amount(0, own.allocated_bytes, 0))
    for name, status in folder.entries():
        if stat.S_ISDIR(status.st_mode) or any(fnmatch.fnmatchcase(name, pattern) for pattern in place.exclude):
            continue
        if status.st_nlink > 1:
            inode = (status.st_dev, status.st_ino)
            if inode in seen:
                continue
            seen.add(inode)
        raw, allocated = os.fsencode(name), status.st_blocks * BLOCK_BYTES
        entry = (allocated, raw, place.category_of(raw), Amount(status.st_size, allocated, 1), status.st_mtime_ns)
        if len(largest) < most_files:
            heapq.heappush(largest, entry)
            continue
        _, _, category, amount, newest_ns = heapq.heappushpop(largest, entry)
        rest.add(category, amount, newest_ns)
        rest_files += 1
    for _, raw, category, amount, newest_ns in largest:
        sums = Sums()
        sums.add(category, amount, newest_ns)
        yield summed("file", place, os.path.join(place.path, raw), os.fsdecode(raw), sums)  # noqa: PTH118 - bytes
    if any(amount != NOTHING for amount in rest.amounts.values()):
        name = f"({rest_files:,} more files)" if rest_files else ITSELF
        yield summed("files", place, place.path, name, rest)


def _parts(path: bytes) -> list[str]:
    return os.fsdecode(path).split("/") if path else []


def _shown(place: Place) -> str:
    return os.fsdecode(absolute(place.root, place.path))
