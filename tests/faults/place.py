"""A data directory with its storage, and the real `pulsetui` processes that are run and killed on it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults import outside
from tests.faults.forge import Forge, Start

DEADLINE_S = 120.0
_POLL_S = 0.03
_RUN = "import sys; from pulsetui.cli.main import main; sys.exit(main())"
_OWNER_ONLY = "from pulsetui import faults; faults.arm({plan!r})\n"
_ARMED_LATE = """
from pulsetui import faults
def late(name, point=faults.point, hits=[]):
    point(name)
    hits += [name] if name == {name!r} else []
    if len(hits) == {nth}:
        faults.point = point
        faults.arm({plan!r})
faults.point = late
"""
_WORKERS_ONLY = "from pulsetui import faults; faults.arm_from_environment = lambda: None\n"

SETTINGS = {
    "DISK_MANAGEMENT__HARD_LIMIT": "40MB",
    "DISK_MANAGEMENT__FREE_SPACE_FLOOR": "1MB",
    "DISK_MANAGEMENT__CHECK_INTERVAL": "0.3s",
    "DISK_MANAGEMENT__CACHE_DURATION": "0.2s",
    "DOWNLOADS__ALLOW_HTTP": "true",
    "DOWNLOADS__ALLOW_PRIVATE_ADDRESSES": "true",
    "DOWNLOADS__REQUESTS_PER_SECOND_PER_HOST": "100",
    "DOWNLOADS__RETRY_BASE": "0.1s",
    "DOWNLOADS__RETRY_CAP": "0.4s",
    "STORAGE__REFRESH_INTERVAL": "0",
    "TRANSCRIPTION__MAX_ATTEMPTS": "10",
    "TRANSCRIPTION__SHUTDOWN_GRACE": "0s",
    "VOLUMES__ALLOW_MEMORY": "true",
}


def until(condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition, with a deadline."""
    give_up_at = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < give_up_at, f"{what}: not within {deadline_s:.0f} s"
        time.sleep(_POLL_S)


@dataclass(frozen=True, slots=True)
class After:
    """The hit of a fault point of worker threads."""

    point: str
    hit: int


@dataclass
class Place:
    """Where one pulsetui lives."""

    root: Path
    forge: Forge
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings beside `SETTINGS`."""
    sources: dict[str, Path] = field(default_factory=dict)
    """The file behind each source that is, or will be, queued."""
    preamble: str = ""
    """Python that each process runs before pulsetui."""
    runs: int = 0

    @property
    def data_dir(self) -> Path:
        return self.root / "data"

    @property
    def storage_dir(self) -> Path:
        return self.root / "storage"

    @property
    def videos(self) -> Path:
        return self.storage_dir / "videos"

    def environment(self, plan: str = "", extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the whole environment of a process: nothing of the tester's own settings.

        The plan in it is for the process and for its workers, each of which counts for itself.
        """
        settings = {**SETTINGS, "PATHS__STORAGE_DIR": str(self.storage_dir), **self.settings}
        return {
            "HOME": str(self.root),
            **{name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ},
            **{f"PULSETUI_{name}": value for name, value in settings.items()},
            **({"PULSETUI_FAULTS": plan} if plan else {}),
            **(extra or {}),
        }

    def pulsetui(self, *words: str, plan: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-c", _RUN, "--data-dir", str(self.data_dir), *words],
            env=self.environment(plan),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    @contextlib.contextmanager
    def owner(
        self, plan: str = "", *, after: After | None = None, workers: str = "", extra: Mapping[str, str] | None = None
    ) -> Iterator[Owner]:
        """Run `pulsetui --no-ui`; whatever is left of it at the end of the block is killed.

        `plan` is for the owner alone, since its workers would meet the same points, and `workers` for those alone.
        With `after`, the plan's hits count from there on.
        """
        self.runs += 1
        first = self.preamble + (_WORKERS_ONLY if workers else _OWNER_ONLY.format(plan=plan))
        if after is not None:
            first = self.preamble + _ARMED_LATE.format(name=after.point, nth=after.hit, plan=plan)
        owner = Owner(
            self, self.root / f"run-{self.runs}.log", plan or workers, first, self.environment(workers, extra)
        )
        try:
            yield owner
        finally:
            owner.kill()

    def ended(self) -> bool:
        """Say whether all sources are transcribed and all of their media is deleted."""
        jobs = outside.live_jobs(self.data_dir)
        return len(jobs) == len(self.sources) and all(
            job["stage"] == "transcribed" and job["video_deleted"] and job["audio_deleted"] for job in jobs
        )

    def broken_promises(self) -> list[str]:
        """Return what no kill may leave."""
        return outside.broken_promises(self.data_dir, self.storage_dir, self.sources)

    def unfinished_business(self) -> list[str]:
        """Return what is still wrong when all should be done."""
        return outside.unfinished_business(self.data_dir, self.storage_dir, self.sources)

    def copy_from(self, template: Path) -> None:
        """Start from a data directory that was prepared."""
        shutil.copytree(template, self.data_dir)


class Owner:
    """A running `pulsetui --no-ui`, with its log in a file."""

    def __init__(self, place: Place, log: Path, plan: str, first: str, environment: Mapping[str, str]) -> None:
        self.place = place
        self.plan = plan
        self._log = log
        log.touch()
        words = ("--data-dir", str(place.data_dir), "--no-ui", "--log-format", "json")
        self.pid = place.forge.start(Start(words, environment, log, first))

    def runs(self) -> bool:
        """Say whether the process lives."""
        return self.place.forge.poll(self.pid) is None

    def code(self, *, deadline_s: float = DEADLINE_S) -> int:
        """Wait for its end and return the exit code; negative is a signal."""
        until(lambda: not self.runs(), f"pulsetui with {self.plan!r} ends", deadline_s=deadline_s)
        code = self.place.forge.poll(self.pid)
        assert code is not None
        return code

    def kill(self) -> None:
        """Kill -9, and wait until it and its children are gone."""
        if self.runs():
            os.kill(self.pid, signal.SIGKILL)
            self.code()
        until(lambda: not outside.workers_of(self.pid), "the workers of a killed owner end", deadline_s=10.0)

    def terminate(self) -> None:
        """Send SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.terminate()
        return self.code()

    def until(self, condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
        """Wait for a condition while the process lives."""
        give_up_at = time.monotonic() + deadline_s
        while not condition():
            assert self.runs(), f"{what}: pulsetui ended with {self.code()}: {self.tail()}"
            assert time.monotonic() < give_up_at, f"{what}: not within {deadline_s:.0f} s: {self.tail()}"
            time.sleep(_POLL_S)

    def until_or_dead(self, condition: Callable[[], bool], what: str) -> bool:
        """Wait for a condition; return False if the process died before it came true."""
        until(lambda: not self.runs() or condition(), what)
        return self.runs()

    def until_ready(self) -> None:
        """Wait until it answers on its socket."""
        self.until(lambda: self.live() is not None, "the owner answers")

    def until_all_ended(self, *, deadline_s: float = DEADLINE_S) -> None:
        """Wait until all jobs are transcribed and their media is gone."""
        self.until(self.place.ended, "all is transcribed", deadline_s=deadline_s)

    def until_said(self, kind: str) -> None:
        """Wait until it has logged an event of this kind."""
        self.until(lambda: bool(self.said(kind)), kind)

    def live(self) -> dict[str, Any] | None:
        """Ask the owner for its figures over its socket, in our own words; None if nobody listens."""
        answer = self.ask({"ask": "live"})
        return None if answer is None else answer["live"]

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Send one request line and return the answer; None if nobody listens, or the owner went away."""
        folder = os.open(self.place.data_dir, os.O_PATH) if self.place.data_dir.exists() else -1
        if folder < 0:
            return None
        try:
            with socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(DEADLINE_S)
                caller.connect(f"/proc/self/fd/{folder}/owner.sock")  # an address holds 107 bytes
                caller.sendall(json.dumps(request).encode() + b"\n")
                with caller.makefile("rb") as answers:
                    line = answers.readline()
        except (FileNotFoundError, ConnectionError):
            return None
        finally:
            os.close(folder)
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    def give(self, verb: str, **arguments: Any) -> dict[str, Any] | None:
        """Give an order until it is answered; None if the owner dies first.

        The same words make the same order: given again, to this owner or the next, it must not be run twice.
        """
        request = {
            "verb": verb,
            "arguments": arguments,
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([verb, arguments]))),
            "expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            "through": "cli",
        }
        give_up_at = time.monotonic() + DEADLINE_S
        while self.runs():
            answer = self.ask({"order": request})
            if answer is not None:
                return answer
            assert time.monotonic() < give_up_at, f"{verb} is not answered: {self.tail()}"
            time.sleep(_POLL_S)
        return None

    def said(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind that it has logged."""
        return [line for line in self._lines() if line.get("kind") == kind]

    def messages(self) -> list[str]:
        """Return all that it has logged."""
        return [line["message"] for line in self._lines()]

    def tail(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-3000:]

    def _lines(self) -> list[dict[str, Any]]:
        lines = self._log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
