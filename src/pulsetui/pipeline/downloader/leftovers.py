"""What an earlier attempt at a download left on disk, partial or finished: found on proved ground only."""

from __future__ import annotations

from pathlib import Path

from pulsetui.volumes.grounds import Grounds


def take_back_finished(grounds: Grounds, partial: Path) -> None:
    """Turn media that was finished but never committed into a partial file again.

    A crash, or a full disk, between the rename and the commit leaves it under its final name. As a partial file it is
    resumed, which costs one request and proves it against the source. Blocks.

    Raises:
        VolumeAwayError: its disk is away.
    """
    try:
        folder = grounds.enter(partial.parent)
    except FileNotFoundError:
        return
    with folder:
        for name in folder.names():
            if name.startswith(f"{partial.stem}.") and name != partial.name:
                if folder.identity(name) == folder.identity(partial.name):
                    folder.unlink(name)  # one file by both names: a rename in two steps was killed between them
                else:
                    folder.rename(name, partial.name)
                folder.sync()
                return


def allocated_of_all(grounds: Grounds, partial: Path) -> int:
    """Return what a job's unfinished and finished media take on disk. Blocks.

    Raises:
        VolumeAwayError: its disk is away.
    """
    try:
        folder = grounds.enter(partial.parent)
    except FileNotFoundError:
        return 0
    with folder:
        found = (folder.identity(name) for name in folder.names() if name.startswith(f"{partial.stem}."))
        return sum(identity.allocated_bytes for identity in found if identity is not None)
