"""Runs the TUI on a terminal of its own: types keys, sees what was painted, and can let the terminal stall or go."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.cli.box import DEADLINE_S, PULSETUI, Box, until

_CONTROLS = re.compile(r"\x1b(\[[0-9;?>=<$]*[a-zA-Z]|[()][0B]|[=>])")


class Screen:
    """A running TUI and the terminal that it is on."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, *, own_session: bool = True
    ) -> None:
        self._master, screen = pty.openpty()
        self._chunks: list[bytes] = []
        self._seen = 0, ""
        self._reading = threading.Event()
        self._reading.set()
        self._over = False
        self.resize(80, 24)
        self.process = subprocess.Popen(
            command,
            env={"TERM": "xterm-256color", **environment},
            cwd=folder,
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
            # Only a terminal that controls the session tells it of its end.
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if own_session else None,
        )
        os.close(screen)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """All that was painted so far, without what moves the cursor and colours."""
        read = len(self._chunks)
        if read != self._seen[0]:
            self._seen = read, _CONTROLS.sub("", b"".join(self._chunks[:read]).decode(errors="replace"))
        return self._seen[1]

    def shows(self, text: str, *, since: int = 0) -> None:
        """Wait until a text was painted, after the first `since` characters."""
        with contextlib.suppress(AssertionError):
            until(lambda: text in self.text[since:] or self.process.poll() is not None)
        assert text in self.text[since:], self.text[-4000:]

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition while the process lives."""
        until(lambda: condition() or self.process.poll() is not None)
        assert self.process.poll() is None, self.text[-4000:]

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        termios.tcsetwinsize(self._master, (rows, columns))

    def stall(self) -> None:
        """Read no more of what is painted, as a connection that stands still."""
        self._reading.clear()

    def flow(self) -> None:
        """Read on."""
        self._reading.set()

    def close(self) -> None:
        """Close the terminal's window; closed already, its descriptor is somebody else's by now."""
        if self._master >= 0:
            self._end_reading()
            master, self._master = self._master, -1
            os.close(master)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(DEADLINE_S)

    def end(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # EIO: nobody has the other side open any more
            while not self._over:
                self._reading.wait()
                self._chunks.append(os.read(self._master, 1 << 16))

    def _end_reading(self) -> None:
        """End the reader, which waits for something to be painted."""
        self._over = True
        self._reading.set()
        if self.process.poll() is None and self._reader.is_alive():
            self.type("j")
        self._reader.join(DEADLINE_S)


@contextlib.contextmanager
def opened(
    box: Box,
    *words: str,
    command: Sequence[str] = PULSETUI,
    env: Mapping[str, str] | None = None,
    own_session: bool = True,
) -> Iterator[Screen]:
    """Run the TUI for as long as the context lasts; its first page is painted when the context begins."""
    screen = Screen([*command, *words], box.environment(env), box.home, own_session=own_session)
    try:
        screen.shows("gate OPEN")
        yield screen
    finally:
        screen.end()
