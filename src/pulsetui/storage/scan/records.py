"""What a scan knows of one folder: the sizes of its own files by category, and how to tell that it changed.

A record says nothing of the folders below its own: those have records of their own. Files with more than one name are
not in the sums: who owns them is settled over all folders and roots, by whoever adds the records up. There is a record
for each folder of a million files, so they are slotted and hold no more than is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

BLOCK_BYTES = 512
"""The unit of `st_blocks`, whatever the file system's own block size (stat(2))."""

CategoryCount = tuple[int, int, int, int]
"""Index of the category, files, apparent bytes, allocated bytes."""


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """A file with several names, as it is met under one of them."""

    device: int
    inode: int
    name: bytes
    """Its name in the folder of the record."""
    category: int
    total_bytes: int
    """Apparent size."""
    allocated_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """One folder and the files in it, as of when it was last listed."""

    path: bytes
    """Below the root, parts joined by `/`; empty is the root's own folder."""
    device: int
    inode: int
    mtime_ns: int
    """Of the folder itself, as `ctime_ns` and `allocated_bytes` are."""
    ctime_ns: int
    allocated_bytes: int
    counts: tuple[CategoryCount, ...] = ()
    """Its files and links with one name, by category index; categories without a file are left out."""
    links: tuple[LinkedFile, ...] = ()
    """Its files with several names, in no sum here."""
    newest_ns: int = 0
    """When the newest of its files was written, or 0 without files."""
    error: str = ""
    """Why it could not be read, in one sentence, or empty."""
    verified_ms: int = 0
    """When it was last listed, in milliseconds since 1970."""
