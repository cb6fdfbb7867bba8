"""The marker of a tracked volume: `.pulsetui-volume`, a file with a uuid in the folder where the volume is mounted.

It tells a volume from its clone, which has the same UUID. The invariant: a marker is written whole or not at all, and
one that can't be read is never replaced. Which uuid belongs there, and what another one means, is left to the monitor.

All of it blocks, for ever on a mount that hangs: for worker threads, or processes that can be killed.
"""

from __future__ import annotations

import os
import shlex
import uuid
from pathlib import Path

from pulsetui.errors import RefusedError
from pulsetui.files.durable import write_durable
from pulsetui.files.folders import Folder
from pulsetui.files.markers import marker_text
from pulsetui.files.markers import read_marker as read_text
from pulsetui.files.names import display_text

MARKER_NAME = ".pulsetui-volume"
_KEY = "volume"
_ABOUT = "pulsetui knows this volume by it; a copy of this file on another volume puts both in quarantine"
_MODE = 0o644
"""For all to read: pulsetui may run as another user next time, and there is nothing secret in it."""


def read_marker(folder: Path | int) -> str:
    """Return the uuid in the marker of a mount point, a path or an open folder; empty without a marker.

    Raises:
        RefusedError: there is one, and it can't be read or is not as pulsetui writes it.
        OSError: the folder itself can't be read.
    """
    with _opened(folder) as opened:
        return _read(opened)


def found_in(folder: int) -> tuple[str, str]:
    """Return the uuid in the marker of an open folder, and what is wrong with it; empty if nothing is.

    The one is as `read_marker` returns it, the other such as `is not a regular file`.

    Raises:
        OSError: the folder itself can't be read.
    """
    with _opened(folder) as opened:
        return _found(opened)


def write_marker(point: Path, marker: str, *, replace: bool = False) -> None:
    """Put a marker with this uuid into a mount point, durably. One that says the same already is left as it is.

    `replace` is for a human who ordered it. A marker that can't be read is not replaced then either.

    Raises:
        RefusedError: there is another one, or one that can't be read.
        SpaceError: the volume is full.
        OSError: it can't be written: read-only (EROFS), or not by this user (EACCES, EPERM).
    """
    with _opened(point) as folder:
        found = _read(folder)
        if found == marker:
            return
        if found and not replace:
            raise _taken(folder, found)
        text = marker_text({_KEY: str(uuid.UUID(marker)), "about": _ABOUT})
        try:
            write_durable(folder, MARKER_NAME, text, replace=bool(found), mode=_MODE)
        except FileExistsError as error:  # another process was faster
            raise _taken(folder, _read(folder)) from error


def _opened(folder: Path | int) -> Folder:
    if isinstance(folder, int):
        return Folder(os.dup(folder), Path("/proc/self/fd") / str(folder))
    return Folder.open(folder)


def _read(folder: Folder) -> str:
    found, reason = _found(folder)
    if reason:
        raise RefusedError(
            f"the marker {_shown(folder)} {reason}",
            hint=f"look at the file; if the volume is the right one, remove it: rm {shlex.quote(_shown(folder))}",
        )
    return found


def _found(folder: Folder) -> tuple[str, str]:
    try:
        found = read_text(folder, MARKER_NAME, _KEY)
        return "" if found is None else str(uuid.UUID(found)), ""
    except ValueError:
        return "", "is not as pulsetui writes it"
    except RefusedError:
        return "", "is not a regular file"
    except PermissionError:
        return "", "may not be read by this user"


def _taken(folder: Folder, found: str) -> RefusedError:
    return RefusedError(
        f"{_shown(folder)} says that this is volume {found or 'unknown'}",
        hint="if it is a copy of that one, accept it under a marker of its own",
    )


def _shown(folder: Folder) -> str:
    return display_text(str(folder.path / MARKER_NAME))
