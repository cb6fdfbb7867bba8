"""Reading the start of a file from the disk itself, past the page cache: what is cached outlives the disk."""

from __future__ import annotations

import fcntl
import mmap
import os
from contextlib import suppress

from pulsetui import faults


def read_start(descriptor: int, *, past_cache: bool = False) -> bytes:
    """Return the first page of an open file; with `past_cache` from the disk, where its file system can (open(2)).

    Raises:
        OSError: it can't be read; EIO if the disk is gone.
    """
    if not past_cache:
        faults.point("files.read_start")
        return os.pread(descriptor, mmap.PAGESIZE, 0)
    with mmap.mmap(-1, mmap.PAGESIZE) as page:  # aligned, as O_DIRECT asks for
        with suppress(OSError):  # tmpfs, some FUSE: there what is cached has to do
            fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_DIRECT)
        faults.point("files.read_direct")
        read = os.preadv(descriptor, [page], 0)
        return page[:read]
