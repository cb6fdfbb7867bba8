"""The folders of media and transcripts: made at the start, if the disk is there, with the modes of `access.group`.

What is made in them later gets its modes where it is made, and its group from the folder, which is set-group-ID.
"""

from __future__ import annotations

import stat
from pathlib import Path

from pulsetui.catalog import store as catalog_store
from pulsetui.clock import Clock
from pulsetui.db.database import Database
from pulsetui.errors import RefusedError, SettingsError
from pulsetui.files.folders import Folder
from pulsetui.files.modes import Modes, mend_below
from pulsetui.files.names import display_text
from pulsetui.pipeline import marker
from pulsetui.volumes import ground_store
from pulsetui.volumes.footing import mount_of
from pulsetui.volumes.grounds import Grounds, Witness
from pulsetui.waiting import in_thread

_IN_DATA = ("audio", "transcripts")
_PASSING = ("tmpfs", "ramfs", "overlay")
"""Of memory, or of a container: they end, and what is mounted there after them is another one by right."""
VIDEOS = "videos"


def make_data_folders(data_dir: Path, modes: Modes) -> None:
    """Make what lies in the data directory, and mend its modes. Blocks.

    Raises:
        SettingsError: it can't be made or mended.
    """
    for name in _IN_DATA:
        _make(data_dir / name, modes)


async def take_storage(database: Database, clock: Clock, data_dir: Path, storage_dir: Path, modes: Modes) -> Grounds:
    """Make sure that the storage is the one that the database knows, make its folders and leave the marker in it.

    Returns what the folders of media and transcripts stand on, from now on.

    Raises:
        RefusedError: it is another one, or its disk isn't mounted; nothing was changed.
        SettingsError: its folders can't be made.
    """
    library = await database.read(catalog_store.library_uuid)
    videos = storage_dir / VIDEOS
    expected = await database.read(lambda reader: marker.known(reader, library or "", videos))
    await in_thread(marker.check_marker, storage_dir, expected)
    await in_thread(_make_storage_folders, data_dir, storage_dir, modes)
    if library is None:
        await database.write(lambda tx: catalog_store.ensure_library(tx, now=clock.now()))
        library = await database.read(catalog_store.library_uuid) or ""
    await in_thread(marker.leave_marker, storage_dir, library, modes)
    grounds, file_system = await in_thread(_stand, data_dir, storage_dir, library)
    if file_system != expected.file_system:
        await database.write(lambda tx: ground_store.record(tx, videos, file_system))
    return grounds


def _stand(data_dir: Path, storage_dir: Path, library: str) -> tuple[Grounds, str]:
    """Return the grounds, and on which file system the videos are; empty if that doesn't last."""
    grounds, videos = Grounds(), storage_dir / VIDEOS
    witnesses = [Witness(folder, marker.MARKER_NAME, library) for folder in (storage_dir, videos)]
    footing = grounds.note(videos, witnesses)
    for name in _IN_DATA:
        grounds.note(data_dir / name)
    with Folder.open(videos) as folder:
        mount = mount_of(folder)
    passes = mount is not None and mount.fs_type in _PASSING
    return grounds, "" if passes else footing.file_system


def _make_storage_folders(data_dir: Path, storage_dir: Path, modes: Modes) -> None:
    """Make what lies in the storage, and mend its modes. Blocks.

    A storage elsewhere may be a disk that others use, too: there, modes are mended for a group alone, or after one.

    Raises:
        SettingsError: it can't be made or mended.
    """
    own = storage_dir.is_relative_to(data_dir)
    if own or not storage_dir.exists():
        _make(storage_dir, modes)
    _make(storage_dir / VIDEOS, modes, own=own)


def _make(folder: Path, modes: Modes, *, own: bool = True) -> None:
    try:
        Folder.open(folder, create=True, mode=modes.folder).close()
        if own or modes.group_id is not None or folder.stat().st_mode & stat.S_ISGID:
            mend_below(folder, modes)
    except (OSError, RefusedError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(
            f"the folder {display_text(str(folder))} can't be made: {why}",
            hint="set paths.data_dir and paths.storage_dir to folders that this user may write",
        ) from error
