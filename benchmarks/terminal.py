"""A program on a pseudo-terminal, for benchmarks that press keys and look at what comes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

SIZE = (200, 50)
_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78MDEHc])")
_KEPT_BYTES = 1 << 19


class Terminal:
    """The other side of a program's terminal."""

    def __init__(self, descriptor: int, pid: int) -> None:
        """Take the master's side, and which process is on the other one."""
        self.pid = pid
        self.received_bytes = 0
        """How much came, escapes included."""
        self._descriptor = descriptor
        self._seen = b""

    @property
    def text(self) -> bytes:
        """What came lately, without escapes."""
        return _ESCAPES.sub(b"", self._seen)

    def press(self, key: bytes) -> None:
        """Send a key's bytes."""
        os.write(self._descriptor, key)

    def read(self, timeout_s: float) -> bool:
        """Read what is there, waiting for it as long as that; return whether anything came.

        Raises:
            OSError: the program ended.
        """
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            return False
        came = os.read(self._descriptor, 1 << 16)
        self.received_bytes += len(came)
        self._seen = (self._seen + came)[-_KEPT_BYTES:]
        return True

    def shows(self, condition: Callable[[bytes], bool], *, deadline_s: float, key: bytes = b"") -> None:
        """Read until the text fulfils a condition, pressing `key` every 50 ms meanwhile: at first nobody listens.

        Raises:
            TimeoutError: it never did.
        """
        began = pressed = time.perf_counter()
        while (now := time.perf_counter()) - began < deadline_s:
            if key and now - pressed >= 0.05:
                self.press(key)
                pressed = now
            try:
                if self.read(0.01) and condition(self.text):
                    return
            except OSError:
                break
        raise TimeoutError(f"it never came to that: {self._seen[-2000:]!r}")

    def settles(self, quiet_s: float) -> float:
        """Read until nothing has come for that long; return when the last of it came."""
        last = time.perf_counter()
        while self.read(quiet_s):
            last = time.perf_counter()
        return last


@contextlib.contextmanager
def running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a program on a terminal of `SIZE`, and end it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    # setsid -c: gdu opens /dev/tty, which takes a controlling terminal.
    process = subprocess.Popen(["setsid", "-c", *command], stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    terminal = Terminal(master, process.pid)
    try:
        yield terminal
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):
            terminal.settles(2.0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5.0)
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
