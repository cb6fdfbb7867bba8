"""Reads the roots for a refresh: scans each and says which ones could not be read.

The invariant: a root that can't be read keeps the records that it had, and is named with the reason; it is never taken
for empty. That goes for a root whose disk isn't mounted as well: an empty mount point is not the folder that was there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pulsetui.errors import NotFoundError, PulseError
from pulsetui.files.folders import Folder
from pulsetui.files.names import display_text
from pulsetui.storage.links import Records
from pulsetui.storage.roots import Root, nested_in
from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.scan.scanner import ScanProgress, ScanRoot, scan
from pulsetui.storage.views import RefreshView
from pulsetui.volumes.footing import mount_of, volume_id
from pulsetui.waiting import in_thread


@dataclass(frozen=True, slots=True)
class Volume:
    """The file system that a root is on."""

    id: str
    path: Path
    """Where the root lies below its mount point."""


@dataclass(slots=True)
class Found:
    """What was read of all roots."""

    records: dict[int, Mapping[bytes, FolderRecord]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    """Why a root's records are those of an earlier refresh, by its id."""
    volumes: dict[int, Volume] = field(default_factory=dict)
    reused: int = 0


@dataclass(frozen=True, slots=True)
class Home:
    """A tracked volume, as far as roots on it need to know."""

    name: str
    why_away: str
    """Empty: it is online."""


Homes = Mapping[str, Home]
"""Tracked volumes by their fingerprints."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How roots are to be read."""

    every: Sequence[Root]
    """All roots, also those that are not to be read: what lies in one of its own is left out of the one around it."""
    kept: Records
    """What a root has that can't be read."""
    known: Records
    """What a scan may go by; a root without records is listed as a whole."""
    again: Mapping[int, Collection[bytes]]
    """Folders to be listed though they seem unchanged, by root's id."""
    volumes: Mapping[int, str]
    """On which file system a root was."""
    homes: Mapping[int, Home]
    """Tracked volumes that roots lie on, by root's id."""
    categories: Mapping[str, int]
    now_ms: int


class RootReader:
    """Scans roots one after the other; each takes all the walkers that there are."""

    def __init__(self, on_progress: Callable[[RefreshView], None]) -> None:
        """Take whom progress is told to; it counts over all roots."""
        self._on_progress = on_progress
        self._before = ScanProgress(0, 0, 0, 0.0, 0.0)
        self._newest = self._before

    async def read(self, roots: Sequence[Root], wanted: Wanted) -> Found:
        """Scan `roots` and return what they hold."""
        found = Found()
        for root in roots:
            kept = wanted.kept.get(root.id, {})
            try:
                await self._read(root, wanted, found)
            except PulseError as error:
                if kept or not root.optional:
                    found.failures[root.id] = str(error)
                found.records[root.id] = kept
            self._before = self._newest
        return found

    async def _read(self, root: Root, wanted: Wanted, found: Found) -> None:
        was_on, home = wanted.volumes.get(root.id), wanted.homes.get(root.id)
        if home is not None and home.why_away:  # not even looked at: it may hang
            raise NotFoundError(f"its volume {home.name} is away: {home.why_away}", hint="mount it")
        volume, leave_out = await in_thread(_look_at, root, nested_in(root, wanted.every))
        _expect_home(root, home, was_on, volume)
        result = await scan(
            ScanRoot(root.id, root.path, root.category, root.exclude),
            known=wanted.known.get(root.id, {}),
            look_again=wanted.again.get(root.id, ()),
            categories=wanted.categories,
            now_ms=wanted.now_ms,
            on_progress=self._tell,
            leave_out=leave_out,
        )
        moved = was_on is not None and volume is not None and volume.id != was_on
        if moved and _is_empty(result.records) and not _is_empty(wanted.kept.get(root.id, {})):
            raise NotFoundError(
                f"{display_text(str(root.path))} is empty and on another file system than before",
                hint="mount its disk",
            )
        found.records[root.id] = result.records
        found.reused += result.reused
        if volume is not None:
            found.volumes[root.id] = volume

    def _tell(self, progress: ScanProgress) -> None:
        before = self._before
        files, elapsed_s = before.files + progress.files, before.elapsed_s + progress.elapsed_s
        total_bytes, folders = before.total_bytes + progress.total_bytes, before.folders + progress.folders
        self._newest = ScanProgress(folders, files, total_bytes, progress.files_per_s, elapsed_s)
        self._on_progress(RefreshView(files, total_bytes, folders, progress.files_per_s, elapsed_s))


def _expect_home(root: Root, home: Home | None, was_on: str | None, volume: Volume | None) -> None:
    """Refuse a root that is on another file system than the tracked volume that it was on."""
    if home is not None and (volume is None or volume.id != was_on):
        raise NotFoundError(
            f"{display_text(str(root.path))} is not on its volume {home.name}: another file system lies in its place",
            hint=f"mount it there; if the root moved for good: `pulsetui volumes untrack {was_on}`",
        )


def _look_at(root: Root, nested: Sequence[Root]) -> tuple[Volume | None, frozenset[tuple[int, int]]]:
    """Return the file system that a root is on, and the folders in it that are roots of their own. Blocks."""
    inner = set()
    for other in nested:
        try:
            status = other.path.stat()
        except OSError:  # it isn't there, or not to be seen: then neither is it met
            continue
        inner.add((status.st_dev, status.st_ino))
    return volume_of(root.path), frozenset(inner)


def volume_of(path: Path) -> Volume | None:
    """Return the file system that a folder is on; None if it isn't there, or its file system has no id.

    Its id is the fingerprint by which it may be tracked, as far as it has one of its own. Blocks.
    """
    try:
        place = path.resolve(strict=True)
        with Folder.open(place) as folder:
            known_by, mount = volume_id(folder), mount_of(folder)
    except (OSError, PulseError):
        return None
    if mount is None or not known_by:
        return None
    point = Path(os.fsdecode(mount.point))
    return Volume(known_by, place.relative_to(point) if place.is_relative_to(point) else Path())


def _is_empty(records: Mapping[bytes, FolderRecord]) -> bool:
    return all(not path and not record.counts and not record.links for path, record in records.items())
