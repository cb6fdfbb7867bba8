"""Turns "no space left on device" and "quota exceeded" into `SpaceError`.

Owns this one translation, so that a full disk is told apart from a broken one at each place that creates or writes.
What follows from it (closing the gate, dropping the ballast) is left to the budget and the database.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pulsetui.errors import SpaceError


@contextmanager
def space_errors(what: str) -> Iterator[None]:
    """Translate ENOSPC and EDQUOT of the block; other errors pass.

    `what` completes the message "no space left to …", such as `write`.

    Raises:
        SpaceError: the disk is full, or the user's quota is used up.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise SpaceError(
            f"no space left to {what}: {error.strerror or error}", hint="free space on this disk, or lower hard_limit"
        ) from error
