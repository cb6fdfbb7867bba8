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
from pulsetui.waiting import in_thread

_IN_DATA = ("audio", "transcripts")
VIDEOS = "videos"


def make_data_folders(data_dir: Path, modes: Modes) -> None:
    """Make what lies in the data directory, and mend its modes. Blocks.

    Raises:
        SettingsError: it can't be made or mended.
    """
    for name in _IN_DATA:
        _make(data_dir / name, modes)


async def take_storage(database: Database, clock: Clock, data_dir: Path, storage_dir: Path, modes: Modes) -> None:
    """Make sure that the storage is the one that the database knows, make its folders and leave the marker in it.

    Raises:
        RefusedError: it is another one, or its disk isn't mounted; nothing was changed.
        SettingsError: its folders can't be made.
    """
    library = await database.read(catalog_store.library_uuid)
    expected = await database.read(lambda reader: marker.known(reader, library or ""))
    await in_thread(marker.check_marker, storage_dir, expected)
    await in_thread(_make_storage_folders, data_dir, storage_dir, modes)
    if library is None:
        await database.write(lambda tx: catalog_store.ensure_library(tx, now=clock.now()))
        library = await database.read(catalog_store.library_uuid) or ""
    await in_thread(marker.leave_marker, storage_dir, library, modes)


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
