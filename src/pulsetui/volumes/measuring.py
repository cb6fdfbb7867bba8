"""The speed test's own process: writes and reads a file on a volume, round by round, and says how long each took.

The invariant: all goes through one descriptor of the mount, which was compared with what was looked at, so nothing
lands on a file system that came in its place; and the file has no name, so that nothing is left of it, whatever ends
the process. Whether the test may be done is left to `speedtest`, and so is what is made of the times.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pulsetui import faults
from pulsetui.errors import PulseError, RefusedError, VolumeAwayError
from pulsetui.files.durable import sync_data, truncate, write_all
from pulsetui.files.folders import Folder
from pulsetui.files.names import display_text
from pulsetui.files.page_cache import cached_share
from pulsetui.files.scratch import scratch_file
from pulsetui.processes.task import Emit, Orders, TaskError
from pulsetui.volumes.marker import read_marker
from pulsetui.volumes.views import Method

BLOCK_BYTES = 1 << 20
"""What one call writes or reads, as `dd bs=1M` does."""
ROUNDS = 3
FOLDER = ".pulsetui-speedtest"
STOPPED = "stopped"
"""The kind of the error when it was stopped."""
_POOL_BLOCKS = 16
_STAMP_BYTES = 4096
_TELL_EVERY_S = 0.1
_NO_DIRECT = {errno.EINVAL, errno.EOPNOTSUPP}
_CACHED_SHARE = 0.01
"""More of a file than this left in the page cache takes the worth from a reading."""
_MAY_NOT = {errno.EACCES, errno.EPERM}


def measure(arguments: dict[str, Any], emit: Emit, orders: Orders | None = None) -> dict[str, Any]:
    """Write and read `size_bytes` in each of three rounds, below the first of `folders` that may be written.

    `mount` is the mount point, `device` the `st_dev` and `marker` the uuid that are to be found there (empty: none);
    `in_memory` says that it lies in memory, where there is no getting past the cache. Emits `step`, `round` and
    `progress`, 0 to 1; returns `write_s` and `read_s`, seconds of each round, and `method`.

    In a session, whatever is sent to it stops it.

    Raises:
        TaskError: it was stopped.
        VolumeAwayError: another file system is mounted there, or none.
        RefusedError: it is read-only, or this user may write nowhere on it.
        SpaceError: it is full.
    """
    in_memory = arguments["in_memory"]
    is_cached = in_memory or _is_cached_below(arguments["device"])
    test = _Test(arguments["size_bytes"], emit, orders, in_memory=in_memory, is_cached=is_cached)
    with _on_volume(arguments) as mount, _place(mount, arguments["folders"]) as place, _scratch(place) as descriptor:
        for number in range(1, ROUNDS + 1):
            test.round(descriptor, number)
    return {"write_s": test.write_s, "read_s": test.read_s, "method": test.method}


@contextmanager
def _on_volume(arguments: dict[str, Any]) -> Iterator[Folder]:
    path = Path(arguments["mount"])
    shown = display_text(str(path))
    try:
        mount = Folder.open(path)
    except OSError as error:
        raise VolumeAwayError(
            f"{shown} can't be opened: {error.strerror}", hint="look whether it is mounted"
        ) from error
    with mount:
        found = os.fstat(mount.fileno()).st_dev
        marker = arguments["marker"]
        if found != arguments["device"] or (marker and read_marker(mount.fileno()) != marker):
            raise VolumeAwayError(f"something else is mounted at {shown} now", hint="`pulsetui volumes` lists what")
        if os.fstatvfs(mount.fileno()).f_flag & os.ST_RDONLY:
            raise RefusedError(f"{shown} is read-only", hint="mount it for writing")
        yield mount


@contextmanager
def _place(mount: Folder, folders: list[str]) -> Iterator[Folder]:
    """Open the first folder on the volume that may be written."""
    device, path = os.fstat(mount.fileno()).st_dev, mount.path
    for name in folders:
        with suppress(OSError, PulseError, ValueError):  # ValueError: it doesn't lie below
            place = mount.below(*Path(name).relative_to(path).parts)
            if os.fstat(place.fileno()).st_dev == device and os.access(f"/proc/self/fd/{place.fileno()}", os.W_OK):
                break
            place.close()
    else:
        raise RefusedError(
            f"this user may not write to {display_text(str(path))}",
            hint="let it write to the mount point, or to a storage root on the volume",
        )
    with place:
        yield place


@contextmanager
def _scratch(place: Folder) -> Iterator[int]:
    shown = display_text(str(place.path))
    try:
        with scratch_file(place, FOLDER) as descriptor:
            yield descriptor
    except OSError as error:
        if error.errno == errno.EROFS:
            raise RefusedError(f"{shown} is read-only", hint="mount it for writing") from error
        if error.errno in _MAY_NOT:
            raise RefusedError(f"this user may not write to {shown}", hint="give it the right") from error
        raise PulseError(
            f"the speed test on {shown} met an error: {error.strerror}", hint="the system's log (dmesg) may say more"
        ) from error


class _Test:
    """The rounds, and what they took."""

    def __init__(self, size_bytes: int, emit: Emit, orders: Orders | None, *, in_memory: bool, is_cached: bool) -> None:
        self._blocks = max(1, size_bytes // BLOCK_BYTES)
        self._emit = emit
        self._orders = orders
        self._told_at_s = float("-inf")
        # Mapped, since O_DIRECT wants whole pages.
        self._pool = memoryview(mmap.mmap(-1, _POOL_BLOCKS * BLOCK_BYTES))
        for at in range(0, len(self._pool), BLOCK_BYTES):
            self._pool[at : at + BLOCK_BYTES] = os.urandom(BLOCK_BYTES)
        self._written = 0
        self._is_direct = not in_memory
        self.method: Method = "cache-affected" if is_cached else "direct"
        self.write_s: list[float] = []
        self.read_s: list[float] = []

    def round(self, descriptor: int, number: int) -> None:
        """Write, then read. The file is emptied first, so that each round finds new room as the first one did."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        truncate(descriptor, 0)
        sync_data(descriptor)
        self._choose(descriptor)
        self._tell("writing", number, 0)
        began = time.perf_counter()
        for block in range(self._blocks):
            self._write(descriptor, self._next_block())
            self._tell("writing", number, block + 1)
        sync_data(descriptor)
        self.write_s.append(time.perf_counter() - began)
        self._drop_cache(descriptor)
        self._tell("reading", number, 0)
        began = time.perf_counter()
        for block in range(self._blocks):
            self._read(descriptor, block)
            self._tell("reading", number, block + 1)
        self.read_s.append(time.perf_counter() - began)

    def _next_block(self) -> memoryview:
        """Return random bytes that were never returned before: each page has a number of its own.

        Numbering takes microseconds where making new ones would take longer than a fast disk to write them.
        """
        at = self._written % _POOL_BLOCKS * BLOCK_BYTES
        self._written += 1
        block = self._pool[at : at + BLOCK_BYTES]
        number = array("Q", (self._written,)) * (BLOCK_BYTES // _STAMP_BYTES)
        block.cast("Q")[:: _STAMP_BYTES // 8] = memoryview(number)
        return block

    def _choose(self, descriptor: int) -> None:
        """Go past the page cache, where that is possible."""
        if self._is_direct:
            try:
                fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_DIRECT)
            except OSError as error:
                if error.errno not in _NO_DIRECT:
                    raise
                self._give_up_direct(descriptor)

    def _give_up_direct(self, descriptor: int) -> None:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~os.O_DIRECT)
        self._is_direct = False
        if self.method == "direct":
            self.method = "dropped-cache"

    def _write(self, descriptor: int, block: memoryview) -> None:
        try:
            write_all(descriptor, block)
        except OSError as error:
            if not self._is_direct or error.errno not in _NO_DIRECT:
                raise
            self._give_up_direct(descriptor)  # it took the flag, and nothing of the block
            write_all(descriptor, block)

    def _read(self, descriptor: int, block: int) -> None:
        buffer = self._pool[:BLOCK_BYTES]
        faults.point("volumes.speed_read")
        try:
            count = os.preadv(descriptor, [buffer], block * BLOCK_BYTES)
        except OSError as error:
            if not self._is_direct or error.errno not in _NO_DIRECT:
                raise
            self._give_up_direct(descriptor)
            self._drop_cache(descriptor)
            count = os.preadv(descriptor, [buffer], block * BLOCK_BYTES)
        if count < BLOCK_BYTES:
            raise OSError(errno.EIO, f"{count} of {BLOCK_BYTES} bytes could be read")

    def _drop_cache(self, descriptor: int) -> None:
        """Have the kernel forget what it holds of the file, and look whether it did."""
        if self.method == "dropped-cache":
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            if cached_share(descriptor, self._blocks * BLOCK_BYTES) > _CACHED_SHARE:
                self.method = "cache-affected"

    def _tell(self, step: str, number: int, blocks: int) -> None:
        if self._orders is not None and not self._orders.empty():
            raise TaskError(STOPPED, "the test was stopped")
        now_s = time.monotonic()
        if blocks and now_s - self._told_at_s < _TELL_EVERY_S:
            return
        self._told_at_s = now_s
        steps = 2 * (number - 1) + (step == "reading") + blocks / self._blocks
        self._emit({"step": step, "round": number, "progress": steps / (2 * ROUNDS)})


def _is_cached_below(device: int) -> bool:
    """Say whether a device is an image file that is read through the page cache: a loop device without direct I/O."""
    try:
        found = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/loop/dio").read_text(encoding="ascii")
    except OSError:
        return False
    return found.strip() == "0"
