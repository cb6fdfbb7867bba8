"""Runs the real command in a home, a data directory and an environment of its own, on a terminal if asked."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from pulsetui.cli.main import main
from tests.quiet import every_type

DEADLINE_S = 60.0
"""Far longer than anything takes on an idle machine; tests also run on busy ones."""
SURROUNDINGS = {"PULSETUI_VOLUMES__ALLOW_MEMORY": "true", "PULSETUI_VOLUMES__IGNORED_TYPES": every_type()}
"""On many machines the folder for temporary files, and so every test's place, is a file system in memory. And what
other tests mount meanwhile is none of this one's business."""
PULSETUI = [sys.executable, "-c", "import sys; from pulsetui.cli.main import main; sys.exit(main())"]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def error(self) -> dict[str, str]:
        """The error that it printed as JSON, the last line of standard error."""
        found: dict[str, dict[str, str]] = json.loads(self.err.splitlines()[-1])
        assert set(found) == {"error"}
        assert set(found["error"]) == {"code", "message", "hint"}
        return found["error"]


@dataclass
class Box:
    """A home with a data directory, and how commands are run in it."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.home / ".local" / "share" / "pulsetui"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.home), "LANG": "C.UTF-8", **SURROUNDINGS}
        return {**kept, **self.settings, **(more or {})}

    def start(self, *words: str | Path, env: Mapping[str, str] | None = None, **kwargs: Any) -> subprocess.Popen[bytes]:
        """Start a command, its output in pipes unless said otherwise."""
        streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(
            [*PULSETUI, *map(str, words)], env=self.environment(env), cwd=self.home, **{**streams, **kwargs}
        )

    def run(self, *words: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Done:
        """Run a command to its end."""
        with self.start(*words, env=env) as process:
            try:
                out, err = process.communicate(stdin, timeout=DEADLINE_S)
            except BaseException:
                process.kill()
                raise
        done = Done(process.returncode, out.decode(), err.decode())
        assert "Traceback" not in done.err or "--debug" in words, done.err
        return done

    def ok(self, *words: str | Path, **kwargs: Any) -> Done:
        """Run a command that must end with 0."""
        done = self.run(*words, **kwargs)
        assert done.code == 0, done.err
        return done

    def here(self, *words: str | Path, code: int = 0, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Done:
        """Run a command in this process, for a tenth of the time; without a terminal, and no signals to it."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
        with (
            mock.patch.dict(os.environ, self.environment(env), clear=True),
            mock.patch.object(sys, "stdin", given),
            contextlib.chdir(self.home),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            ended = main(list(map(str, words)))
        gc.enable()  # a command may have switched it off: it has its process to itself otherwise
        done = Done(ended, *(os.fsdecode(stream.buffer.getvalue()) for stream in (out, err)))
        assert ended == code, done.err
        return done

    def on_terminal(self, *words: str | Path, env: Mapping[str, str] | None = None, columns: int = 80) -> Done:
        """Run a command on a terminal of its own and return what reached it; both streams go there."""
        with terminal(columns) as (screen, shown):
            process = self.start(
                *words,
                env={"TERM": "xterm-256color", **(env or {})},
                stdin=screen,
                stdout=screen,
                stderr=screen,
                start_new_session=True,
            )
            code = process.wait(DEADLINE_S)
        return Done(code, shown().replace("\r\n", "\n"), "")

    @contextlib.contextmanager
    def owner(self, *words: str, env: Mapping[str, str] | None = None) -> Iterator[Owner]:
        """Run `--no-ui` for as long as the context lasts; it is ready when the context begins."""
        owner = Owner(self.start("--no-ui", *words, env=env))
        try:
            owner.wait_for("running on")
            yield owner
        finally:
            owner.end()


class Owner:
    """A running `--no-ui`, with the log lines that it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line.decode().rstrip("\n"))

    def wait_for(self, text: str) -> str:
        """Wait for a log line that holds `text` and return it."""

        def found() -> str | None:
            return next((line for line in self.log if text in line), None)

        until(lambda: found() is not None or self.process.poll() is not None)
        line = found()
        assert line is not None, "\n".join(self.log)
        return line

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def end(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextlib.contextmanager
def terminal(columns: int = 80, rows: int = 24) -> Iterator[tuple[int, Callable[[], str]]]:
    """Give a terminal's descriptor, and what tells all that was written to it once the context is over."""
    master, screen = pty.openpty()
    termios.tcsetwinsize(screen, (rows, columns))
    chunks: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # EIO: nobody has the other side open any more
            while chunk := os.read(master, 1 << 16):
                chunks.append(chunk)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield screen, lambda: b"".join(chunks).decode()
    finally:
        os.close(screen)
        reader.join(DEADLINE_S)
        os.close(master)


def until(condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition, with a deadline."""
    give_up_at = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < give_up_at, "the condition never came true"
        time.sleep(0.01)
