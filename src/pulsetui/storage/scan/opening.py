"""Opens folders for a walker, always from a descriptor and never through a link."""

from __future__ import annotations

import os

from pulsetui.processes.child import FAULTS_VARIABLE
from pulsetui.processes.task import TaskError

ROOT_LOST = "root-lost"
"""The kind of the error when the root is not the one that the scan began with."""
ARMED = FAULTS_VARIABLE in os.environ
"""Whether a test has armed faults: they are loaded only then, since a walker has to start fast."""
_ENTER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_root(path: bytes, identity: tuple[int, int]) -> int:
    """Open the root; the scan's owner says which folder it has to be.

    Raises:
        TaskError: it is another one, or gone.
    """
    try:
        if ARMED:
            from pulsetui import faults

            faults.point("storage.scan_root")
        descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise TaskError(ROOT_LOST, str(error.strerror)) from error
    status = os.fstat(descriptor)
    if (status.st_dev, status.st_ino) != identity:
        raise TaskError(ROOT_LOST, "it is another folder now")
    return descriptor


def enter(parent: int, name: bytes) -> int:
    """Open a folder by its name in another one, to go through it.

    Raises:
        OSError: it is gone, no folder, or not ours to enter.
    """
    if ARMED:
        from pulsetui import faults

        faults.point("storage.scan_folder")
    return os.open(name, _ENTER, dir_fd=parent)


def above(descriptor: int, identity: tuple[int, int]) -> int:
    """Return the descriptor of the folder above, or -1 if that is not the one which it was."""
    try:
        found = enter(descriptor, b"..")
    except OSError:
        return -1
    status = os.fstat(found)
    if (status.st_dev, status.st_ino) == identity:
        return found
    os.close(found)
    return -1
