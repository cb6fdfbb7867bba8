"""What the downloader is asked, what it answers, and whom it keeps informed; plain values.

The validators of an unfinished download (`etag`, `last_modified`, `declared_bytes`) are kept by the caller: it stores
what `Observer.headers` gave it and hands it back in the next `Request` for the same partial file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pulsetui.files.modes import PRIVATE, Modes

BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """One source to fetch."""

    uuid: str
    """Names the files: `<uuid>.partial`, then `<uuid>.<extension>`."""
    url: str
    """`https://…`, `file:///…`, an absolute path, or what a plug-in takes. May hold credentials: never show it."""
    folder: Path
    """The absolute folder that the file goes to, at or below `videos_root`; made if it is missing."""
    videos_root: Path
    """The absolute folder of all videos, without symbolic links; must exist."""
    etag: str | None = None
    """As `Head.etag` was for the partial file that may be there; None forbids resuming by it."""
    last_modified: str | None = None
    """As `Head.last_modified` was for the partial file."""
    declared_bytes: int | None = None
    """As `Head.declared_bytes` was for the partial file."""
    modes: Modes = PRIVATE
    """Those of the file, and of the folders that are made for it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known before the first byte of the body."""

    declared_bytes: int | None
    """Size of the whole body, or None if the source doesn't say."""
    have_bytes: int
    """What is there already: 0, or what a resumed download starts from."""
    etag: str | None
    """A strong entity tag, or None."""
    last_modified: str | None
    """Last-Modified where it is a strong validator (RFC 9110 §8.8.2.2), or None."""
    extension: str
    """What the source says that it is, such as `mp4`; empty if it doesn't say."""
    final_url: str
    """Where the body comes from after redirects, without credentials and query: for display only."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file: checked, synced, under its final name."""

    path: Path
    size_bytes: int
    allocated_bytes: int
    sha256: str
    """In hexadecimal."""
    duration_s: float
    """What the container says; 0 if it doesn't."""
    container: str


class Observer(Protocol):
    """Who holds the reservation of a download and shows its progress; called on the event loop."""

    @property
    def reserved_bytes(self) -> int:
        """How many bytes the file may take on disk now, all in all (not: how many more)."""
        ...

    async def headers(self, head: Head) -> None:
        """Learn the size and store the validators, before the first byte of the body is written.

        Whatever was in the partial file of another version of the source is gone from disk when this is called, so that
        new validators never stand beside old bytes.

        Raises:
            SpaceError: the declared size doesn't fit.
        """
        ...

    async def extend(self, total_bytes: int) -> None:
        """Raise `reserved_bytes` to at least `total_bytes`; awaited before anything beyond it is written.

        Raises:
            SpaceError: there is no room.
        """
        ...

    def progress(self, written_bytes: int, allocated_bytes: int) -> None:
        """Learn the length of the partial file and what it takes on disk, after each batch."""
        ...


def allocation(size_bytes: int) -> int:
    """Return what a file of `size_bytes` takes on disk: whole blocks of 4 KiB."""
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES
