"""The front end without a screen: the pipeline until SIGTERM, with log lines for the journal and readiness for systemd.

The first SIGTERM or SIGINT drains: downloads suspend, transcriptions get their grace; a second one ends the grace.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from typing import Literal

from pulsetui import faults
from pulsetui.clock import SystemClock, rfc3339
from pulsetui.core.assembly import open_core
from pulsetui.core.runtime import Core
from pulsetui.errors import SettingsError
from pulsetui.events.bus import Recorded
from pulsetui.files.names import display_text
from pulsetui.settings.load import LoadedSettings

LogFormat = Literal["text", "json"]
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
# Said on the budget's own logger already, with the figures of the moment.
_SAID_ELSEWHERE = ("gate.closed", "gate.opened", "disk.full", "system.service_failed")
_log = logging.getLogger("pulsetui.events")


async def run_headless(loaded: LoadedSettings, *, log_format: LogFormat, debug: bool = False) -> None:
    """Own the data directory and run the pipeline until told to stop.

    Raises:
        OwnedError: another process owns it.
        PulseError: it can't start.
    """
    start_logging(log_format, debug=debug)
    async with open_core(loaded, front_end="no-ui") as core:
        core.bus.on(_say)
        await until_stopped(core, asyncio.create_task(core.run(), name="core"))
    _log.info("stopped")


async def go_on(core: Core, running: asyncio.Task[None], *, debug: bool = False) -> None:
    """Keep a core going whose screen is gone, until a signal says to stop."""
    start_logging("text", debug=debug)
    await until_stopped(core, running)


async def until_stopped(core: Core, running: asyncio.Task[None]) -> None:
    """Let the core run until a signal says to stop, then drain; tell systemd of both."""
    ready = asyncio.create_task(_announce(core))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, running, signal.Signals(number).name)
    # A lost terminal is no reason to stop unattended work.
    loop.add_signal_handler(signal.SIGHUP, _log.info, "the terminal is gone; going on without it")
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        ready.cancel()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)
        if not running.done():
            running.cancel()
            await asyncio.wait({running})


def start_logging(log_format: LogFormat, *, debug: bool) -> None:
    """Send log lines to standard error, as text or one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger("pulsetui")
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    root.propagate = False


class TextFormatter(logging.Formatter):
    """`2026-11-20T12:45:00.000Z info pulsetui.budget: …`; hostile text is shown escaped, in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = rfc3339(SystemClock().now())
        line = f"{at} {record.levelname.lower()} {record.name}: {display_text(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if _wants_traceback(record) else line

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name is logging's
        """Return the traceback, for `--debug`."""
        return super().formatException(ei)  # type: ignore[arg-type]


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at level logger message`, and an event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": rfc3339(SystemClock().now()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if _wants_traceback(record):
            line["traceback"] = self.formatException(record.exc_info)  # type: ignore[arg-type]
        return json.dumps(line, ensure_ascii=True, default=str)


def _wants_traceback(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and logging.getLogger("pulsetui").isEnabledFor(logging.DEBUG)


def notify_systemd(state: str) -> None:
    """Send a state such as `READY=1` to systemd, if it asked for it (sd_notify(3)).

    Raises:
        SettingsError: NOTIFY_SOCKET is set to what is no Unix socket address.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address[0] not in "/@":
        raise SettingsError(f"NOTIFY_SOCKET is {display_text(address)}, which is no path and no abstract name")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifier,
        contextlib.suppress(OSError),
    ):
        faults.point("headless.notify")
        notifier.connect("\0" + address[1:] if address[0] == "@" else address)
        notifier.sendall(state.encode())


async def _announce(core: Core) -> None:
    await core.ready.wait()
    notify_systemd(f"READY=1\nSTATUS=running on {core.data_dir}")
    _log.info(
        "running on %s, %d downloads, %d transcriptions", core.data_dir, core.downloads.slots, core.transcriptions.slots
    )


def _stop(running: asyncio.Task[None], name: str) -> None:
    _log.info("%s: draining", name)
    notify_systemd("STOPPING=1\nSTATUS=draining")
    running.cancel()


def _say(recorded: Recorded) -> None:
    event = recorded.event
    if event.kind in _SAID_ELSEWHERE:
        return
    fields = {"kind": event.kind, "job_id": event.job_id, "entity": event.entity, "data": event.data()}
    _log.log(_LEVELS[event.severity], "%s", event.text(), extra={"fields": fields})
