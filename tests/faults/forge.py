"""Starts `pulsetui` processes by forking one that has imported it already, which saves half a second each.

What runs in the fork is the command line's own `main`, with an environment, descriptors and a process id of its own;
only the imports are shared. Run as a script it is the process that forks: one line of JSON for each order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_IMPORTS = "pulsetui.headless pulsetui.cli.main pulsetui.cli.run pulsetui.cli.words aiohttp asyncio"


@dataclass(frozen=True, slots=True)
class Start:
    """What to run: the words after `pulsetui`, the whole environment, where its log goes, Python to run before."""

    words: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    first: str = ""


class Forge:
    """The process that forks, as seen from the test."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def start(self, start: Start) -> int:
        """Start a process and return its id."""
        order = {
            "words": list(start.words),
            "environment": dict(start.environment),
            "log": str(start.log),
            "first": start.first,
        }
        pid: int = self._ask(order)
        return pid

    def poll(self, pid: int) -> int | None:
        """Return the exit code of a process, negative for a signal, or None while it runs."""
        code: int | None = self._ask({"poll": pid})
        return code

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, order: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve() -> None:
    """Fork for each order, and tell of each end, until standard input ends."""
    for name in _IMPORTS.split():
        __import__(name)
    ended: dict[int, int] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "poll" in order:
            answer: int | None = _code(order["poll"], ended)
        else:
            answer = os.fork()
            if answer == 0:
                _become(order)
            ended.pop(answer, None)  # the kernel gives numbers again
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _code(pid: int, ended: dict[int, int]) -> int | None:
    if pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended.get(pid)


def _become(order: Mapping[str, Any]) -> None:
    """Be a new process that runs the command line; never returns."""
    code = 70
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for descriptor, target in ((nothing, 0), (nothing, 1), (log, 2)):
            os.dup2(descriptor, target)
        os.closerange(3, 64)
        os.environ.clear()
        os.environ.update(order["environment"])
        exec(order["first"], {})
        from pulsetui.cli.main import main

        code = main(order["words"])
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
