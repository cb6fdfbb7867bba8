"""Writes that are wholly there after a power loss, or not at all.

The invariant: a name that `write_durable` returned from leads to all the bytes, on disk, and a write that failed leaves
nothing behind. A kill in the middle can leave a temporary file, which `is_temporary` knows and recovery may remove.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from pulsetui import faults
from pulsetui.files.folders import Folder
from pulsetui.files.identity import FileIdentity
from pulsetui.files.space import space_errors

_TEMPORARY_PREFIX = ".pulsetui-"
_TEMPORARY_SUFFIX = ".tmp"


def write_durable(
    folder: Folder, name: str, data: bytes | Iterable[bytes], *, replace: bool = False, mode: int = 0o600
) -> FileIdentity:
    """Write a whole file: temporary file, fsync, rename, fsync of the folder; return the identity it has now.

    What is long comes in pieces; if making one fails, nothing is left behind either. `replace`
    is for our own files that can be made again; without it, a taken name is an error.

    Raises:
        FileExistsError: the name is taken.
        SpaceError: the disk is full.
    """
    temporary = f"{_TEMPORARY_PREFIX}{os.urandom(8).hex()}{_TEMPORARY_SUFFIX}"
    written: FileIdentity | None = None
    try:
        written = _write_new(folder, temporary, data, mode)
        if replace:
            folder.replace(temporary, name)
        else:
            folder.rename(temporary, name)
        folder.sync()
    except BaseException:
        _discard(folder, temporary, None)
        if not replace:
            _discard(folder, name, written)
        raise
    return written


def is_temporary(name: str) -> bool:
    """Say whether a file is the leftover of a `write_durable` that was killed."""
    return name.startswith(_TEMPORARY_PREFIX) and name.endswith(_TEMPORARY_SUFFIX)


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data` where the descriptor stands; a short write goes on.

    Raises:
        SpaceError: the disk is full; a part may be written.
    """
    rest = memoryview(data).cast("B")
    with space_errors("write"):
        while rest:
            faults.point("files.write")
            rest = rest[os.write(descriptor, rest) :]
            faults.point("files.written")


def sync(descriptor: int) -> None:
    """Put a file's bytes and size on disk.

    An error here means that bytes may be lost, whatever a second call says (the kernel reports it once): start over.
    """
    with space_errors("sync a file"):
        faults.point("files.sync")
        os.fsync(descriptor)
        faults.point("files.synced")


def sync_data(descriptor: int) -> None:
    """Put a file's bytes on disk, and of the rest only what is needed to find them (fdatasync)."""
    with space_errors("sync a file"):
        faults.point("files.data_sync")
        os.fdatasync(descriptor)


def truncate(descriptor: int, size_bytes: int) -> None:
    """Cut or extend a file to `size_bytes`; what extends it is a hole that takes no space."""
    with space_errors("extend a file"):
        faults.point("files.truncate")
        os.ftruncate(descriptor, size_bytes)
        faults.point("files.truncated")


def close(descriptor: int) -> None:
    """Close a file. Await writes in flight first: a late one would land in the next file that gets this descriptor."""
    try:
        faults.point("files.close")
    finally:
        os.close(descriptor)


def allocated_bytes(descriptor: int) -> int:
    """Return what an open file takes on disk: `st_blocks` of 512 bytes."""
    return os.fstat(descriptor).st_blocks * 512


def _write_new(folder: Folder, name: str, data: bytes | Iterable[bytes], mode: int) -> FileIdentity:
    descriptor = folder.create(name, mode)
    try:
        for piece in (data,) if isinstance(data, bytes) else data:
            write_all(descriptor, piece)
        sync(descriptor)
        return FileIdentity.of(os.fstat(descriptor))
    finally:
        close(descriptor)


def _discard(folder: Folder, name: str, written: FileIdentity | None) -> None:
    """Remove what a failed write left, as far as the disk lets us: the first error is the one that counts.

    A temporary name is ours alone; the final name only if it leads to the file that was written.
    """
    with suppress(OSError):
        if is_temporary(name) or (written is not None and folder.identity(name) == written):
            folder.unlink(name)
