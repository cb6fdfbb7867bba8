"""The partial file of one download: locked, hashed as it grows, resumed, and published by a rename that never replaces.

The invariant: while it is open nobody else writes it, and what is in it is a prefix of the body. After a power loss
the size of a file can outlive its last bytes, so every `DURABLE_STEP_BYTES` are synced before more is written, and
what lies past the last such step is cut off if the file was last written before the machine started. What the
validators allow to be kept is left to `transfer`. The calls block: one at a time, in a worker thread.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pulsetui import faults
from pulsetui.errors import FailureClass, RefusedError, SourceError, SpaceError
from pulsetui.files import copying, durable, locks
from pulsetui.files.folders import Folder
from pulsetui.files.identity import FileIdentity
from pulsetui.files.modes import Modes

BATCH_BYTES = 1024 * 1024
DURABLE_STEP_BYTES = 64 * 1024 * 1024
_HASH_STEP_BYTES = 16 * 1024 * 1024

Enter = Callable[[Path], Folder]
"""Opens a folder if it stands on what it should; see `volumes.grounds`."""


def trusted_bytes(size_bytes: int, *, written_before_start: bool) -> int:
    """Return how much of a partial file surely is on disk.

    Each step is synced by the batch that crosses it, so it is durable once a later batch exists.
    """
    if not written_before_start:
        return size_bytes
    return max(0, size_bytes - 2 * BATCH_BYTES) // DURABLE_STEP_BYTES * DURABLE_STEP_BYTES


class Partial:
    """One partial file and the folder that it is in."""

    def __init__(
        self,
        videos_root: Path,
        folder: Path,
        uuid: str,
        modes: Modes,
        *,
        enter: Enter = Folder.open,
        doubted: bool = False,
    ) -> None:
        """Touch nothing yet; what is made gets `modes`. `enter` opens the root, if its disk is there.

        What is `doubted` lost its disk while it was written: it is trusted as after a power loss.
        """
        self._root = videos_root
        self._enter = enter
        self._doubted = doubted
        self._modes = modes
        self._path = folder
        self._uuid = uuid
        self._name = f"{uuid}.partial"
        self._folder: Folder | None = None
        self._descriptor = -1
        self._digest = hashlib.sha256()
        self._hashed_bytes = 0
        self._gone = False
        self.size_bytes = 0
        """Its length, where the next append goes."""
        self.allocated_bytes = 0

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path / self._name

    @property
    def sha256(self) -> str:
        """The digest of what is in it, once `hash_more` said that it is through."""
        return self._digest.hexdigest()

    def open(self) -> None:
        """Take over or create the file and lock it.

        Raises:
            SourceError: somebody else is writing it.
            SpaceError: the disk is full.
            VolumeAwayError: its disk is away.
        """
        self._folder = self._entered()
        try:
            self._descriptor = self._folder.create(self._name, self._modes.file)
        except FileExistsError:
            self._take_over()
            self._cut_off_untrusted()
        else:
            self._lock()

    def hash_more(self) -> bool:
        """Hash the next part of what a former attempt, or a clone, left; return False when there is no more."""
        end = min(self.size_bytes, self._hashed_bytes + _HASH_STEP_BYTES)
        while self._hashed_bytes < end:
            faults.point("download.partial.read")
            data = os.pread(self._descriptor, min(BATCH_BYTES, end - self._hashed_bytes), self._hashed_bytes)
            if not data:
                raise OSError(f"{self.path.name} became shorter while it was read")
            self._digest.update(data)
            self._hashed_bytes += len(data)
        return self._hashed_bytes < self.size_bytes

    def append(self, chunks: Sequence[bytes]) -> None:
        """Write and hash one batch; syncs each time that a durable step is crossed.

        Raises:
            SpaceError: the disk is full; what was written is a prefix all the same.
        """
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        durable.write_all(self._descriptor, data)
        self._digest.update(data)
        step = self.size_bytes // DURABLE_STEP_BYTES
        self.size_bytes += len(data)
        self._hashed_bytes = self.size_bytes
        if self.size_bytes // DURABLE_STEP_BYTES > step:
            self.sync()
        self.allocated_bytes = durable.allocated_bytes(self._descriptor)

    def clone(self, source: int) -> bool:
        """Share the blocks of an open file, to be hashed after it; return False where the file system can't."""
        if not copying.clone(source, self._descriptor):
            return False
        self._measure()
        return True

    def start(self, size: int) -> bytes:
        """Return the first `size` bytes, or what there is of them."""
        return os.pread(self._descriptor, size, 0)

    def restart(self) -> None:
        """Empty it, durably: bytes of another version must not come back beside new validators."""
        durable.truncate(self._descriptor, 0)
        self.sync()
        self._measure()
        self._digest = hashlib.sha256()
        self._hashed_bytes = 0

    def sync(self) -> None:
        """Put it on disk. If that fails the kernel may have dropped bytes, so the file is not to be resumed."""
        if self._descriptor < 0:
            return
        try:
            durable.sync(self._descriptor)
        except (OSError, SpaceError):
            self.discard()
            raise

    def publish(self, extension: str) -> FileIdentity:
        """Give the synced file its final name, durably, and return its identity.

        Raises:
            FileExistsError: the name is taken.
            VolumeAwayError: its disk is away; the file keeps its name.
        """
        folder, final = self._opened(), f"{self._uuid}.{extension}"
        self._enter(self._root).close()  # with its disk gone it could not be found under its path
        folder.rename(self._name, final)
        self._name = final
        folder.sync()
        return FileIdentity.of(os.fstat(self._descriptor))

    def discard(self) -> None:
        """Remove it unless it was published. Best effort: what stays is reported by recovery."""
        if self._descriptor < 0 or self._gone or self._name != f"{self._uuid}.partial":
            return
        with suppress(OSError, RefusedError):
            self._opened().remove(self._name, FileIdentity.of(os.fstat(self._descriptor)))
            self._gone = True

    def remove_leftover(self) -> None:
        """Open, lock and remove the file if there is one; then close.

        Raises:
            SourceError: somebody is writing it.
        """
        try:
            with self._enter(self._root) as root:
                self._folder = root.below(*self._below_root())
            self._take_over()
            self.discard()
        except FileNotFoundError:
            return
        finally:
            self.close()

    def close(self) -> None:
        """Let file, lock and folder go; an empty partial file is removed."""
        try:
            if self._descriptor >= 0:
                if not os.fstat(self._descriptor).st_size:
                    self.discard()
                descriptor, self._descriptor = self._descriptor, -1
                durable.close(descriptor)
        finally:
            if self._folder is not None:
                self._folder.close()

    def _entered(self) -> Folder:
        with self._enter(self._root) as root:
            return root.below(*self._below_root(), create=True, mode=self._modes.folder)

    def _below_root(self) -> tuple[str, ...]:
        if not self._path.is_relative_to(self._root):
            raise RefusedError(f"{self._path} is not below {self._root}")
        return self._path.relative_to(self._root).parts

    def _opened(self) -> Folder:
        assert self._folder is not None
        return self._folder

    def _take_over(self) -> None:
        self._descriptor = self._opened().open_existing(self._name, writable=True)
        self._lock()
        self._measure()

    def _lock(self) -> None:
        """Lock, and look whether the name still is this file: its writer may have published it in between."""
        if not locks.lock_exclusive(self._descriptor):
            descriptor, self._descriptor = self._descriptor, -1
            durable.close(descriptor)
            raise SourceError(f"{self._name} is being written by another process", failure=FailureClass.TRANSIENT)
        named = self._opened().identity(self._name)
        if named is None or named.inode != os.fstat(self._descriptor).st_ino:
            descriptor, self._descriptor = self._descriptor, -1
            durable.close(descriptor)
            raise SourceError(f"{self._name} changed hands while it was opened", failure=FailureClass.TRANSIENT)

    def _cut_off_untrusted(self) -> None:
        """Compare wall-clock times: a clock that was set back by hand between two boots is not noticed."""
        started_at = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        before = self._doubted or os.fstat(self._descriptor).st_mtime < started_at
        trusted = trusted_bytes(self.size_bytes, written_before_start=before)
        if trusted < self.size_bytes:
            durable.truncate(self._descriptor, trusted)
            self._measure()

    def _measure(self) -> None:
        """Read the size and stand at the end."""
        self.size_bytes = os.lseek(self._descriptor, 0, os.SEEK_END)
        self.allocated_bytes = durable.allocated_bytes(self._descriptor)
