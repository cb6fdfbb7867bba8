"""Watches the grounds of the pipeline from the event loop, and waits for none longer than it has to.

The invariants: no answer within the timeout means away, and a ground that hangs holds one thread in all, which is not
one of those that others work in. Looks at each ground in turn: at once when told to, else every few seconds. What a
ground is, is left to `grounds`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from pulsetui.errors import PulseError, VolumeAwayError
from pulsetui.files.names import display_text
from pulsetui.volumes.grounds import Grounds

T = TypeVar("T")
INTERVAL_S = 5.0
"""Between two looks; the monitor has them made at once when the table of mounts changes."""
AWAY_INTERVAL_S = 1.0
"""Between two looks while one is away."""
TIMEOUT_S = 5.0
_OF_THE_DISK = {
    errno.EIO,
    errno.ENXIO,
    errno.ENODEV,
    errno.ENOMEDIUM,
    errno.EROFS,
    errno.ESTALE,
    errno.ENOTCONN,
    errno.ESHUTDOWN,
    errno.EHOSTDOWN,
    errno.EREMOTEIO,
}


class GroundWatch:
    """Says whether the pipeline's folders may be used, and tells when that changes."""

    def __init__(self, grounds: Grounds | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        """Take the grounds; none: nothing is ever away."""
        self.grounds = grounds or Grounds()
        self.on_change: list[Callable[[], None]] = []
        """Called on the event loop when a ground went away or came back."""
        self._timeout_s = timeout_s
        self._hanging: set[Path] = set()
        """Grounds that owe an answer; each holds a thread."""
        self._told: dict[Path, str] = {}
        self._woken = asyncio.Event()

    def away(self) -> str:
        """Return why the first ground that is away is so, empty if none is."""
        return next(filter(None, map(self.grounds.away, self.grounds.paths)), "")

    def wake(self) -> None:
        """Have all grounds looked at now."""
        self._woken.set()

    async def confirm(self, *paths: Path, writing: bool = True) -> str:
        """Look at the grounds of paths just now; return why the first that is away is so, empty if none is."""
        for path in paths:
            if why := await self._look(path, writing=writing):
                return why
        return ""

    async def require(self, *paths: Path, writing: bool = True) -> None:
        """Go on only if the grounds of paths are there, just now.

        Raises:
            VolumeAwayError: one isn't.
        """
        if why := await self.confirm(*paths, writing=writing):
            raise VolumeAwayError(why)

    async def blames(self, error: BaseException, *paths: Path) -> str:
        """Return why an error that was met on the grounds of `paths` is the fault of one of them, empty if it isn't.

        What is cached of a disk outlives it: so this has the disks themselves read.
        """
        for path in paths:
            self.grounds.doubt(path)
        if why := await self.confirm(*paths):
            return why
        broken = next((each for each in _chain(error) if is_of_disk(each) and each.errno != errno.EIO), None)
        return "" if broken is None else f"the disk failed: {broken.strerror}"

    async def run(self) -> None:
        """Look until cancelled."""
        self.grounds.on_lost = [self._lost_somewhere(asyncio.get_running_loop())]
        while True:
            self._woken.clear()
            await asyncio.gather(*(self.confirm(path) for path in self.grounds.paths))
            self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AWAY_INTERVAL_S if self.away() else INTERVAL_S):
                    await self._woken.wait()

    async def ask(self, path: Path, question: Callable[[], T]) -> T:
        """Return the answer to a blocking question that reads from the ground of `path`, if it comes in time.

        Raises:
            VolumeAwayError: it doesn't, or an earlier one hasn't yet.
        """
        if path in self._hanging:
            raise VolumeAwayError(self.grounds.away(path) or _silent(path))
        asked = _in_daemon(question)
        await asyncio.wait({asked}, timeout=self._timeout_s)
        if asked.done():
            return asked.result()
        self._hanging.add(path)
        asked.add_done_callback(lambda _: self._answered(path, asked))
        self.grounds.lost(path, _silent(path))
        self._tell()
        raise VolumeAwayError(_silent(path))

    async def _look(self, path: Path, *, writing: bool) -> str:
        """Return why a ground is away; one that hangs is not looked at a second time until it answers."""
        if not self.grounds.covers(path):
            return ""
        try:
            why = await self.ask(path, lambda: self._checked(path, writing=writing))
        except VolumeAwayError as error:
            why = str(error)
        if why != self._told.get(path, ""):
            self._tell()
        return why

    def _checked(self, path: Path, *, writing: bool) -> str:
        try:
            self.grounds.check(path, writing=writing)
        except (OSError, VolumeAwayError) as error:
            return str(error)
        return ""

    def _answered(self, path: Path, asked: asyncio.Future[T]) -> None:
        """Look again at a ground that answered at last."""
        self._hanging.discard(path)
        if not asked.cancelled():
            asked.exception()  # told already: it came too late
        self.wake()

    def _lost_somewhere(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        def lost() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._tell)

        return lost

    def _tell(self) -> None:
        """Tell those who listen, if what is away changed since they were told."""
        now = {path: why for path in self.grounds.paths if (why := self.grounds.away(path))}
        if now != self._told:
            self._told = now
            for callback in self.on_change:
                callback()


def _in_daemon(question: Callable[[], T]) -> asyncio.Future[T]:
    """Ask in a thread of its own. A daemon, unlike those of an executor: one that hangs mustn't keep us from ending."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[T] = loop.create_future()

    def answer(result: T | None, error: BaseException | None) -> None:
        if asked.done():
            return
        if error is not None:
            asked.set_exception(error)
        else:
            asked.set_result(cast("T", result))

    def ask() -> None:
        result: T | None = None
        failure: Exception | None = PulseError("a look at the disk failed")
        try:
            result, failure = question(), None
        except (OSError, PulseError) as error:
            failure = error
        finally:
            with contextlib.suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(answer, result, failure)

    threading.Thread(target=ask, name="pulsetui-ground", daemon=True).start()
    return asked


def _silent(path: Path) -> str:
    return f"the disk of {display_text(str(path))} doesn't answer"


def is_of_disk(error: OSError) -> bool:
    """Say whether an error is one of the disk, not of what was asked of it. EIO may also be one bad block."""
    return error.errno in _OF_THE_DISK


def _chain(error: BaseException | None) -> list[OSError]:
    """Return the system's errors that led to an error."""
    found = []
    while error is not None:
        if isinstance(error, OSError):
            found.append(error)
        error = error.__cause__
    return found
