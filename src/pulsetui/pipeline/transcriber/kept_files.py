"""The files of a transcription: audio while it runs, the transcript for good; found and written on proved ground only.

All calls block, and raise VolumeAwayError where the disk is away.
"""

from __future__ import annotations

from pathlib import Path

from pulsetui.files.durable import write_durable
from pulsetui.files.identity import FileIdentity
from pulsetui.files.modes import Modes
from pulsetui.pipeline.jobs import MediaFile
from pulsetui.volumes.grounds import Grounds


def make_folder(grounds: Grounds, path: Path, modes: Modes) -> None:
    """Make the folder of a job's audio."""
    grounds.enter(path, create=True, mode=modes.folder).close()


def write_transcript(grounds: Grounds, path: Path, data: bytes, modes: Modes) -> FileIdentity:
    """Write a transcript durably and return its identity."""
    with grounds.enter(path.parent, create=True, mode=modes.folder) as folder:
        # Replacing is safe: without a commit that names it, a transcript of this name is the leftover of a killed
        # attempt.
        return write_durable(folder, path.name, data, replace=True, mode=modes.file)


def media_file(grounds: Grounds, path: Path) -> MediaFile:
    """Return extracted audio as a job records it."""
    with grounds.enter(path.parent) as folder:
        identity = folder.identity(path.name)
    if identity is None:
        raise FileNotFoundError(f"{path} was not written")
    return MediaFile(
        path, identity.size_bytes, identity.allocated_bytes, identity.device, identity.inode, identity.mtime_ns
    )


def remove_own(grounds: Grounds, path: Path) -> None:
    """Remove extracted audio, if it is there."""
    try:
        with grounds.enter(path.parent) as folder:
            folder.unlink(path.name)
    except FileNotFoundError:
        return


def allocated(grounds: Grounds, path: Path) -> int:
    """Return what extracted audio takes on disk, 0 if there is none."""
    try:
        with grounds.enter(path.parent) as folder:
            identity = folder.identity(path.name)
    except FileNotFoundError:
        return 0
    return identity.allocated_bytes if identity else 0
