"""The source of local files, as `file:///…` or an absolute path: reflinked where the file system can, else copied.

The invariant: the original is opened for reading only and never changed, moved or removed; only a regular file is
taken (a pipe or a device could block for ever or never end). A symbolic link that the operator named is resolved
once, and then each step is opened without following any. A file that changes while it is copied is not taken.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from pulsetui import faults
from pulsetui.errors import FailureClass, RefusedError, SourceError
from pulsetui.files.folders import Folder
from pulsetui.files.identity import FileIdentity
from pulsetui.files.names import display_text
from pulsetui.pipeline.downloader.ingest import extension_of
from pulsetui.pipeline.downloader.ranges import Recorded
from pulsetui.pipeline.downloader.sources import Body, scheme_of
from pulsetui.settings.models import Downloads
from pulsetui.waiting import finished, in_thread

_CHUNK_BYTES = 1024 * 1024


class LocalSource:
    """Opens files of this machine."""

    schemes = frozenset({"file"})

    def __init__(self, settings: Downloads) -> None:
        """Take the settings, of which none concerns local files but `max_size`, which the downloader checks."""

    async def open(self, url: str, recorded: Recorded) -> LocalStream:
        """Open the file, to go on from `recorded` if it is the same file, unchanged.

        Raises:
            SourceError: it doesn't exist, can't be read, or is no regular file.
        """
        path = local_path(url)
        opening = asyncio.ensure_future(asyncio.to_thread(_opened, path))
        try:
            return LocalStream(await finished(opening), path, recorded)
        except asyncio.CancelledError:
            if opening.exception() is None:
                os.close(opening.result())
            raise

    async def close(self) -> None:
        """Do nothing: nothing is kept open."""


class LocalStream:
    """An open local file."""

    def __init__(self, descriptor: int, path: Path, recorded: Recorded) -> None:
        """Take over the descriptor."""
        self._descriptor = descriptor
        self._path = path
        self._identity = FileIdentity.of(os.fstat(descriptor))
        etag = _etag(self._identity)
        same = etag == recorded.etag and recorded.have_bytes <= self._identity.size_bytes
        self.body = Body(
            start_bytes=recorded.have_bytes if same else 0,
            declared_bytes=self._identity.size_bytes,
            etag=etag,
            extension=extension_of(path.name),
            final_url=display_text(str(path)),
            clone_from=None if same and recorded.have_bytes else descriptor,
        )

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give the bytes, read in a worker thread.

        Raises:
            SourceError: it can't be read, or it changed meanwhile.
        """
        position = self.body.start_bytes
        while True:
            try:
                data = await in_thread(_read, self._descriptor, position)
            except OSError as error:
                raise _failed(self._path, error) from error
            if not data:
                break
            position += len(data)
            yield data
        now = FileIdentity.of(os.fstat(self._descriptor))
        if (now.size_bytes, now.mtime_ns) != (self._identity.size_bytes, self._identity.mtime_ns):
            raise SourceError(f"{_shown(self._path)} changed while it was copied", failure=FailureClass.TRANSIENT)

    async def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def local_path(url: str) -> Path:
    """Return the path that a `file:` URL or an absolute path names; an absolute path is taken as it is, `%` and all.

    Raises:
        SourceError: it names another machine, or no absolute path.
    """
    if scheme_of(url) == "file" and not url.startswith("/"):
        parts = urlsplit(url)
        if parts.netloc not in {"", "localhost"}:
            raise SourceError(f"{display_text(url)} is on another machine", failure=FailureClass.PERMANENT)
        url = os.fsdecode(unquote_to_bytes(parts.path))
    if not url.startswith("/") or "\0" in url:
        raise SourceError(f"{display_text(url)} is not an absolute path", failure=FailureClass.PERMANENT)
    return Path(url)


def _opened(path: Path) -> int:
    faults.point("download.local.open")
    try:
        real = path.resolve(strict=True)
        with Folder.open(real.parent) as folder:
            return folder.open_existing(real.name)
    except RefusedError as error:
        raise SourceError(str(error), failure=FailureClass.PERMANENT, hint=error.hint) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise _failed(path, error) from error


def _read(descriptor: int, position: int) -> bytes:
    faults.point("download.local.read")
    return os.pread(descriptor, _CHUNK_BYTES, position)


def _etag(identity: FileIdentity) -> str:
    return f'"{identity.device:x}-{identity.inode:x}-{identity.size_bytes:x}-{identity.mtime_ns:x}"'


def _failed(path: Path, error: OSError | RuntimeError) -> SourceError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceError(f"{_shown(path)} doesn't exist", failure=FailureClass.PERMANENT, hint="check the path")
    reason = getattr(error, "strerror", None) or str(error)
    lasting = isinstance(error, PermissionError | IsADirectoryError | RuntimeError)
    return SourceError(
        f"{_shown(path)} can't be read: {display_text(reason)}",
        failure=FailureClass.PERMANENT if lasting else FailureClass.TRANSIENT,
        hint="let the user that runs pulsetui read it" if isinstance(error, PermissionError) else "",
    )


def _shown(path: Path) -> str:
    return display_text(str(path))
