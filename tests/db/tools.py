"""What the tests of db, events and actions share: a clock, second processes, a small disk, a condition to await."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pulsetui.faults import ENVIRONMENT

DEADLINE_S = 20.0


class FakeClock:
    """Stands still until it is told to go on; sleeping makes it go on."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 12, 45, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class OtherProcess:
    """A second Python process that runs a script, says things line by line, and ends when its input ends."""

    def __init__(self, script: str, *arguments: object, faults: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, ENVIRONMENT: faults},
        )
        self.pid = self._process.pid
        self._said: list[str] = []
        self._errors = ""

    def line(self) -> str:
        """Return the next line that it says; empty when it is over."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> list[str]:
        """Kill -9 and return what it had said."""
        self._process.kill()
        return self.end()[1]

    def end(self) -> tuple[int, list[str], str]:
        """Close its input, wait, and return its exit code, the rest of its lines and its errors."""
        # Not communicate(): it reads the pipe itself and misses what readline() has taken into its buffer.
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        watchdog = threading.Timer(DEADLINE_S, process.kill)
        watchdog.start()
        with process, contextlib.suppress(BrokenPipeError, ValueError):
            process.stdin.close()
            self._said += process.stdout.read().splitlines()
            self._errors += process.stderr.read()
        watchdog.cancel()
        return process.returncode, self._said, self._errors


@contextlib.contextmanager
def other_process(script: str, *arguments: object, faults: str = "") -> Iterator[OtherProcess]:
    """Run a second process for as long as the context lasts."""
    process = OtherProcess(script, *arguments, faults=faults)
    try:
        yield process
    finally:
        process.kill()


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a file system of `size_bytes` on a folder; only root can."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> int:
    """Write a file until not one more byte fits, and return its size."""
    descriptor = os.open(folder / "filling", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for chunk in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(descriptor, b"x" * chunk)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
