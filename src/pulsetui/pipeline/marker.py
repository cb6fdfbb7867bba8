"""Whether the storage that is there is the one that the database knows: by a marker that the first start leaves in it.

A disk that isn't mounted is an empty folder, and recovery would take all of its media for lost. The invariant: as long
as the database has media in a storage, or knows it on another disk, no start goes on without the storage's marker,
unless some of that media is there (a storage from before there were markers) or a human put an empty marker there (the
media is lost for good).

The marker lies in `storage_dir`, or in its `videos` where that is a disk of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pulsetui.db.database import Reader
from pulsetui.errors import RefusedError
from pulsetui.files.durable import close, sync, write_all
from pulsetui.files.folders import Folder
from pulsetui.files.markers import marker_text, read_marker
from pulsetui.files.modes import Modes
from pulsetui.files.names import display_text
from pulsetui.pipeline import store
from pulsetui.storage.disks import existing
from pulsetui.volumes import ground_store
from pulsetui.volumes.footing import footing_of

MARKER_NAME = ".pulsetui-storage"
_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says of its storage."""

    library: str
    """The uuid of the library, which no other database has."""
    media: int
    """How many videos should be there."""
    some: Sequence[Path]
    """Some of them."""
    file_system: str = ""
    """What its videos were on when pulsetui last ran (see `volumes.footing`); empty: that is not known."""


async def known(reader: Reader, library: str, videos: Path) -> Known:
    """Return what the database says of its storage, and of the disk of its folder `videos`."""
    file_system = await ground_store.file_system(reader, videos)
    return Known(library, await store.count_media(reader), await store.some_media(reader, _LOOKED_AT), file_system)


def check_marker(storage_dir: Path, expected: Known) -> None:
    """Return if the storage is the right one, as far as can be told. Changes nothing. Blocks.

    Raises:
        RefusedError: it is another one, or its disk isn't mounted.
    """
    if storage_dir.exists() and not storage_dir.is_dir():
        return  # the making of its folders says what is wrong
    marker = _place(storage_dir) / MARKER_NAME
    library = _library(marker)
    if library is None:
        if any(path.exists() for path in expected.some):
            return  # from before there were markers
        if expected.media:
            raise _missing(storage_dir, marker, expected.media)
        if expected.file_system and expected.file_system != _file_system(storage_dir / "videos"):
            raise _elsewhere(storage_dir, marker)
    elif library not in ("", expected.library):
        raise RefusedError(
            f"the storage {display_text(str(storage_dir))} belongs to another data folder, says {MARKER_NAME} in it",
            hint="mount the disk that belongs there, or set paths.storage_dir to a folder of its own",
        )


def leave_marker(storage_dir: Path, library: str, modes: Modes) -> None:
    """Put the marker into a storage that was checked, if it isn't there. Blocks."""
    place = _place(storage_dir)
    if _library(place / MARKER_NAME):
        return
    body = {"library": library, "about": "pulsetui's storage; without this file the disk counts as not mounted"}
    with Folder.open(place) as folder:
        try:
            descriptor = folder.create(MARKER_NAME, modes.file)
        except FileExistsError:
            descriptor = folder.open_existing(MARKER_NAME, writable=True)
        try:
            write_all(descriptor, marker_text(body))
            sync(descriptor)
        finally:
            close(descriptor)
        folder.sync()


def _place(storage_dir: Path) -> Path:
    videos = storage_dir / "videos"
    try:
        own = videos.stat().st_dev != storage_dir.stat().st_dev
    except (FileNotFoundError, NotADirectoryError):
        return storage_dir
    return videos if own else storage_dir


def _library(marker: Path) -> str | None:
    """Return the library that a marker names, empty if it names none, None without a marker."""
    try:
        with Folder.open(marker.parent) as folder:
            return read_marker(folder, marker.name, "library")
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RefusedError(
            f"{display_text(str(marker))} is not as pulsetui writes it",
            hint=f"if the storage is the right one, empty it: truncate -s 0 {display_text(str(marker))}",
        ) from error


def _file_system(folder: Path) -> str:
    """Return what a folder is on, or would be if it were made."""
    with Folder.open(existing(folder)) as there:
        return footing_of(there).file_system


def _elsewhere(storage_dir: Path, marker: Path) -> RefusedError:
    return RefusedError(
        f"the storage {display_text(str(storage_dir))} is on another disk than before, and its marker {MARKER_NAME} is "
        "not on that",
        hint=(
            "mount its disk and start again; if this is to be its disk from now on, "
            f"`touch {display_text(str(marker))}` says so, and unfinished downloads start over"
        ),
    )


def _missing(storage_dir: Path, marker: Path, media: int) -> RefusedError:
    videos = "the video that" if media == 1 else f"all {media:,} videos that"
    return RefusedError(
        f"the storage {display_text(str(storage_dir))} is not there: its marker {MARKER_NAME} is missing, and so "
        f"{'is' if media == 1 else 'are'} {videos} the database has in it",
        hint=(
            f"mount its disk and start again; if the media is lost for good, `touch {display_text(str(marker))}` says "
            "so, and the jobs start over"
        ),
    )
