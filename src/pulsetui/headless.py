"""The front end without a screen: the pipeline until SIGTERM, with log lines for the journal and readiness for systemd.

The first SIGTERM or SIGINT drains: downloads suspend, transcriptions get their grace; a second one ends the grace. A
lost terminal (SIGHUP) is no reason to stop unattended work.
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
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from pulsetui import faults
from pulsetui.clock import rfc3339
from pulsetui.core.assembly import open_core
from pulsetui.core.runtime import Core
from pulsetui.errors import SettingsError
from pulsetui.events.bus import Recorded
from pulsetui.files.names import display_text
from pulsetui.settings.load import LoadedSettings
from pulsetui.units import format_duration

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
    _systemd_address()  # wrong, it is refused now, not when there is something to tell
    with _stopping() as stop:
        async with _unless_stopped(stop), open_core(loaded, front_end="no-ui") as core:
            core.bus.on(_say)
            await _until_stopped(core, asyncio.create_task(core.run(), name="core"), stop)
    _log.info("stopped")


async def go_on(core: Core, running: asyncio.Task[None], draining: bool, *, debug: bool = False) -> None:
    """Keep a core going whose screen is gone, until a signal says to stop, or until it has drained if it does so."""
    start_logging("text", debug=debug)
    with _stopping() as stop:
        if draining:
            stop.asked = 1
            _log.info("draining, %s", _waited_for(core))
        await _until_stopped(core, running, stop)


class _Stop:
    """What a signal to stop does: as long as nothing runs, it cancels the start; then it drains; then it hurries."""

    def __init__(self) -> None:
        self.asked = 0
        self._starting = asyncio.current_task()
        self._core: Core | None = None
        self._running: asyncio.Task[None] | None = None

    def takes(self, core: Core, running: asyncio.Task[None]) -> None:
        """From now on, let signals stop `running`."""
        self._core, self._running = core, running

    def on_signal(self, number: signal.Signals) -> None:
        """Take the next step."""
        self.asked += 1
        if self._core is None or self._running is None:
            _log.info("%s: not started yet, ending", number.name)
            if self._starting is not None:
                self._starting.cancel()
            return
        waited_for = _waited_for(self._core) if self.asked == 1 else "the grace ends"
        _log.info("%s: draining, %s", number.name, waited_for)
        notify_systemd(f"STOPPING=1\nSTATUS=draining: {waited_for}")
        self._running.cancel()


@contextlib.contextmanager
def _stopping() -> Iterator[_Stop]:
    """Take the signals for as long as the context lasts."""
    stop = _Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.on_signal, number)
    loop.add_signal_handler(signal.SIGHUP, _log.info, "the terminal is gone; going on without it")
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _unless_stopped(stop: _Stop) -> Any:
    """End in order if a signal ended the start; what was begun is undone on the way here."""
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not stop.asked or task is None:
            raise
        task.uncancel()


async def _until_stopped(core: Core, running: asyncio.Task[None], stop: _Stop) -> None:
    """Let the core run until a signal says to stop, then until it has drained; tell systemd of both."""
    stop.takes(core, running)
    announcing = asyncio.create_task(_announce(core) if not stop.asked else asyncio.sleep(0))
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        announcing.cancel()
        if not running.done():
            running.cancel()
        await asyncio.wait({announcing, running})


def start_logging(log_format: LogFormat, *, debug: bool) -> None:
    """Send log lines to standard error, as text or one JSON object a line; those of libraries from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("pulsetui").setLevel(logging.DEBUG if debug else logging.INFO)


class TextFormatter(logging.Formatter):
    """`2026-11-20T12:45:00.000Z info pulsetui.budget: …`; hostile text is shown escaped, in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback with `--debug`."""
        line = f"{_at(record)} {record.levelname.lower()} {record.name}: {display_text(record.getMessage())}"
        trace = _trace(record)
        return "\n".join([line, *map(display_text, trace.splitlines())])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at level logger message`, and an event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if trace := _trace(record):
            line["traceback"] = trace
        return json.dumps(line, ensure_ascii=True, default=str)


def _at(record: logging.LogRecord) -> str:
    return rfc3339(datetime.fromtimestamp(record.created, UTC))


def _trace(record: logging.LogRecord) -> str:
    """Return the record's traceback, empty if it has none or nobody asked for such."""
    if not record.exc_info or not logging.getLogger("pulsetui").isEnabledFor(logging.DEBUG):
        return ""
    return logging.Formatter().formatException(record.exc_info)


def notify_systemd(state: str) -> None:
    """Send a state such as `READY=1` to systemd, if it asked for it (sd_notify(3)). Never waits.

    Raises:
        SettingsError: NOTIFY_SOCKET is set to what is no Unix socket address.
    """
    address = _systemd_address()
    if not address:
        return
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as notifier,
        contextlib.suppress(OSError),
    ):
        faults.point("headless.notify")
        notifier.connect(address)
        notifier.sendall(state.encode())


def _systemd_address() -> str | bytes:
    """Return where systemd listens: a path, or an abstract name with its leading NUL; empty if nobody does."""
    given = os.environ.get("NOTIFY_SOCKET", "")
    if given and given[0] not in "/@":
        raise SettingsError(
            f"NOTIFY_SOCKET is {display_text(given)}, which is no path and no abstract name",
            hint="systemd sets it: unset it elsewhere",
        )
    return b"\0" + os.fsencode(given[1:]) if given.startswith("@") else given


async def _announce(core: Core) -> None:
    await core.ready.wait()
    notify_systemd(f"READY=1\nSTATUS=running on {display_text(str(core.data_dir))}")
    _log.info(
        "running on %s, %d downloads, %d transcriptions", core.data_dir, core.downloads.slots, core.transcriptions.slots
    )


def _waited_for(core: Core) -> str:
    """Say what a drain waits for, and for how long at most."""
    downloads, transcriptions = (len(core.live.of_kind(kind)) for kind in ("download", "transcription"))
    grace = format_duration(core.settings.transcription.shutdown_grace.total_seconds())
    return f"{downloads} downloads suspend, {transcriptions} transcriptions get up to {grace}"


def _say(recorded: Recorded) -> None:
    event = recorded.event
    if event.kind in _SAID_ELSEWHERE:
        return
    fields = {"kind": event.kind, "job_id": event.job_id, "entity": event.entity, "data": event.data()}
    _log.log(_LEVELS[event.severity], "%s", event.text(), extra={"fields": fields})
