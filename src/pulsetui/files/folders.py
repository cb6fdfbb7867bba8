"""`Folder`: a folder held by its descriptor, and everything that is done to the names in it.

The invariant: each component of a path is opened relative to its parent with `O_NOFOLLOW`, so no symbolic link is
followed on the way to a folder or a file, even if one is swapped in meanwhile; a rename never replaces unless it is
`replace`; a file is removed only while it still is the one that was looked at. What is written into files is left to
`durable`.

Roots come from settings and may lie behind links: resolve those once, when the settings are read, and open the result.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from pulsetui import faults
from pulsetui.errors import RefusedError, SpaceError
from pulsetui.files.identity import FileIdentity
from pulsetui.files.names import display_text
from pulsetui.files.renames import rename_no_replace
from pulsetui.files.space import space_errors

__all__ = ["FileIdentity", "Folder"]

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_A_FILE = {errno.ELOOP, errno.EISDIR, errno.ENXIO}


class Folder:
    """An open folder. A context manager; its calls block, and one `Folder` may be used by several threads."""

    def __init__(self, descriptor: int, path: Path) -> None:
        """Take over a descriptor; use `open` or `below` instead."""
        self._descriptor = descriptor
        self._path = path

    @classmethod
    def open(cls, path: Path, *, create: bool = False, mode: int = 0o700) -> Self:
        """Open the folder at an absolute path, component by component; with `create`, make those that are missing.

        Raises:
            FileNotFoundError: it doesn't exist.
            RefusedError: the path is relative, or a component is a symbolic link, a file, or `..`.
        """
        if not path.is_absolute():
            raise RefusedError(f"{display_text(str(path))} is not an absolute path")
        faults.point("files.root")
        with cls(os.open("/", _FOLDER), Path("/")) as root:
            return root.below(*path.parts[1:], create=create, mode=mode)

    @property
    def path(self) -> Path:
        """Where it was when it was opened, for messages and for the database."""
        return self._path

    def below(self, *parts: str, create: bool = False, mode: int = 0o700) -> Self:
        """Open a folder below this one; with `create`, make what is missing, durably, with `mode` less the umask.

        Both are closed on their own. Without parts, it is this folder a second time.

        Raises:
            FileNotFoundError: it doesn't exist.
            RefusedError: a component is a symbolic link, a file, or no plain name.
            SpaceError: the disk is full.
        """
        folder = type(self)(os.dup(self._descriptor), self._path)
        for part in parts:
            with folder as parent:
                folder = parent._enter(_component(part), mode if create else None)  # noqa: SLF001 - of the same class
        return folder

    def create(self, name: str, mode: int = 0o600) -> int:
        """Create a file that doesn't exist yet and return its descriptor, open for reading and writing.

        Raises:
            FileExistsError: the name is taken, be it by a dangling link.
            SpaceError: the disk is full.
        """
        with space_errors(f"create {self._shown(name)}"):
            faults.point("files.create")
            descriptor = os.open(
                _component(name), os.O_RDWR | os.O_CREAT | os.O_EXCL | _FILE, mode, dir_fd=self._descriptor
            )
            try:
                faults.point("files.created")
            except OSError:
                os.close(descriptor)
                raise
            return descriptor

    def open_existing(self, name: str, *, writable: bool = False) -> int:
        """Open a regular file and return its descriptor.

        Raises:
            FileNotFoundError: it doesn't exist.
            RefusedError: it is a symbolic link, a folder, a pipe or a device.
        """
        # O_NONBLOCK: opening a pipe that somebody put in our folder must not wait for its other end.
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_NONBLOCK | _FILE
        try:
            faults.point("files.open")
            descriptor = os.open(_component(name), flags, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                raise RefusedError(f"{self._shown(name)} is not a regular file") from error
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise RefusedError(f"{self._shown(name)} is not a regular file")
        return descriptor

    def rename(self, old: str, new: str) -> None:
        """Rename within the folder; never replaces. Durable only after `sync`.

        Raises:
            FileExistsError: `new` is taken.
            FileNotFoundError: `old` doesn't exist.
        """
        with space_errors(f"rename {self._shown(old)}"):
            rename_no_replace(self._descriptor, _component(old), self._descriptor, _component(new))

    def replace(self, old: str, new: str) -> None:
        """Rename within the folder, over what may be there: for our own files that can be made again."""
        with space_errors(f"rename {self._shown(old)}"):
            faults.point("files.replace")
            os.replace(_component(old), _component(new), src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            faults.point("files.replaced")

    def unlink(self, name: str) -> None:
        """Remove a name, whatever file it is. Durable only after `sync`.

        Raises:
            FileNotFoundError: it doesn't exist.
        """
        faults.point("files.unlink")
        os.unlink(_component(name), dir_fd=self._descriptor)
        faults.point("files.unlinked")

    def remove(self, name: str, expected: FileIdentity) -> bool:
        """Remove the file that was looked at, durably; return False if it was gone already.

        Looks again (device, inode, size) right before the unlink. Linux has no unlink-if-this-inode: a swap in the
        microseconds between would go unseen, so this is for folders that only we write to.

        Raises:
            RefusedError: the name now is another file, or the file changed its size.
        """
        found = self.identity(name)
        if found is not None and not found.same_file(expected):
            raise RefusedError(
                f"{self._shown(name)} is not the file it was: expected inode {expected.inode} with "
                f"{expected.size_bytes} bytes, found inode {found.inode} with {found.size_bytes} bytes",
                hint="look at the file; it was left as it is",
            )
        removed = False
        if found is not None:
            with suppress(FileNotFoundError):
                self.unlink(name)
                removed = True
        self.sync()  # also when it was gone: the unlink of a run that was killed may not be on disk yet
        return removed

    def identity(self, name: str) -> FileIdentity | None:
        """Return what has this name, without following a link; None if nothing has."""
        try:
            return FileIdentity.of(os.stat(_component(name), dir_fd=self._descriptor, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def remove_folder(self, name: str) -> bool:
        """Remove an empty folder; return False if it is gone already, or something is in it."""
        faults.point("files.folder_remove")
        try:
            os.rmdir(_component(name), dir_fd=self._descriptor)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}:
                return False
            raise
        return True

    def fileno(self) -> int:
        """Return the descriptor: a path descriptor, which leads to names and to what `fstat` says, and nowhere else."""
        return self._descriptor

    def names(self) -> list[str]:
        """Return the names in the folder, sorted; bytes that aren't UTF-8 as surrogate escapes."""
        descriptor = self._readable()
        try:
            with os.scandir(descriptor) as entries:
                return sorted(entry.name for entry in entries)
        finally:
            os.close(descriptor)

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield each name in the folder with what has it, links not followed; what goes meanwhile is left out."""
        descriptor = self._readable()
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        yield entry.name, entry.stat(follow_symlinks=False)
        finally:
            os.close(descriptor)

    def sync(self) -> None:
        """Put the folder's names on disk: what was created, renamed or removed in it."""
        descriptor = self._readable()
        try:
            with space_errors(f"sync {display_text(str(self._path))}"):
                faults.point("files.folder_sync")
                os.fsync(descriptor)
                faults.point("files.folder_synced")
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Let the descriptor go; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        """Return the folder itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _enter(self, part: str, create_mode: int | None) -> Self:
        path = self._path / part
        try:
            if create_mode is not None:
                self._make(part, create_mode)
            faults.point("files.enter")
            return type(self)(os.open(part, _FOLDER, dir_fd=self._descriptor), path)
        except OSError as error:
            if error.errno in {errno.ENOTDIR, errno.ELOOP}:
                raise RefusedError(
                    f"{display_text(str(path))} is a symbolic link or a file, not a folder",
                    hint="replace it by a folder, or set the path to where it leads",
                ) from error
            error.filename = str(path)
            raise

    def _make(self, part: str, mode: int) -> None:
        with space_errors(f"create {self._shown(part)}"):
            if self.identity(part) is not None:
                return
            faults.point("files.folder_create")
            with suppress(FileExistsError):  # another thread made it just now
                os.mkdir(part, mode, dir_fd=self._descriptor)
            try:
                faults.point("files.folder_created")
                self.sync()
            except (OSError, SpaceError):
                # A folder that may not be on disk must not be found by the next call, which would take it for durable.
                with suppress(OSError):
                    os.rmdir(part, dir_fd=self._descriptor)
                raise

    def _readable(self) -> int:
        """Open the folder for reading: a path descriptor can neither be listed nor synced."""
        faults.point("files.folder_open")
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._descriptor)

    def _shown(self, name: str) -> str:
        return display_text(str(self._path / name))


def _component(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise RefusedError(f"{display_text(name)!r} is not a plain file name")
    return name
