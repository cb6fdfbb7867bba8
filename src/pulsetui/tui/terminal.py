"""What the screens are drawn on: a terminal that may be slow, stand still for hours, or go away.

Invariant: nothing here waits for the terminal, since the pipeline runs in the same event loop. Textual's own driver
does, after thirty writes that a stalled SSH connection doesn't take; then nothing ran any more. What a terminal doesn't
take in time is dropped, and when it takes again it gets the whole screen as it is by then. What follows from a lost
terminal is up to the application.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from io import StringIO
from typing import Any

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from pulsetui import faults

MOST_WAITING = 256 * 1024
"""Characters that may wait for the terminal; a whole screen of 300×80 has about half as many, with its colours."""
CLOSING_PATIENCE_S = 1.0
"""How long the end waits for the terminal to take what sets it back."""


class TerminalLost(Message):
    """The terminal is gone: closed, or its connection broke."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, but it never waits for the terminal, notices when it is gone, and draws on standard output.

    Textual draws on standard error, which then couldn't be sent to a file.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what Textual gives its drivers."""
        super().__init__(*args, **kwargs)
        self._file: Any = StringIO()  # nothing goes there
        self._output = Output(sys.__stdout__ or sys.stdout, on_caught_up=self._paint_again)
        self._hang_up: select.epoll | None = None

    def write(self, data: str) -> None:
        """Send to the terminal, now or as soon as it takes it."""
        self._output.write(data)

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        self._output.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._watch()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self._stop_watching()
        self._output.forget()
        super().stop_application_mode()

    def close(self) -> None:
        """Let what sets the terminal back reach it."""
        super().close()
        self._output.close(CLOSING_PATIENCE_S)

    def _sigcont_application(self, *_: object) -> None:
        """Go on after a stop. With a hang-up the kernel sends SIGCONT too, to what was never stopped."""
        if _is_hung_up(self.fileno):
            return
        if self._hang_up is not None:  # stopped by surprise: the shell had the terminal meanwhile
            self.suspend_application_mode()
        super()._sigcont_application()

    def _watch(self) -> None:
        """Wait for the hang-up in the event loop: an epoll of its own, which is readable when there is one.

        SIGHUP goes to the terminal's session only, which a process may have left.
        """
        self._hang_up = select.epoll()
        self._hang_up.register(self.fileno, 0)
        self._loop.add_reader(self._hang_up.fileno(), self._gone)

    def _stop_watching(self) -> None:
        """Watch no more."""
        if self._hang_up is not None:
            self._loop.remove_reader(self._hang_up.fileno())
            self._hang_up.close()
            self._hang_up = None

    def _gone(self) -> None:
        self._stop_watching()
        self.exit_event.set()  # reading would now answer at once, with nothing, again and again
        self._app.post_message(TerminalLost())

    def _paint_again(self) -> None:
        """Ask for the whole screen; called in the output's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody looks any more
            self._app.call_later(self._app.refresh)


class Output:
    """Sends text to a descriptor from a thread of its own, so that who writes never waits.

    Once too much waits, all that comes is dropped until the rest is out; then `on_caught_up` is called, in that thread.
    """

    def __init__(self, stream: Any, *, on_caught_up: Callable[[], None]) -> None:
        """Take the stream for its descriptor and encoding; its buffer is passed by, since who writes there locks it."""
        self._descriptor: int = stream.fileno()
        self._encoding: str = stream.encoding or "utf-8"
        self._errors: str = stream.errors or "replace"
        self._on_caught_up = on_caught_up
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()
        self._waiting_characters = 0
        self._behind = False
        self._ending = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send."""
        self._ending = False
        self._thread = threading.Thread(target=self._send_all, name="terminal-output", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Leave text to be sent; drop it if too much waits already."""
        with self._changed:
            if self._behind or self._waiting_characters > MOST_WAITING:
                self._behind = True
                return
            self._waiting.append(text)
            self._waiting_characters += len(text)
            self._changed.notify()

    def forget(self) -> None:
        """Drop what waits, if it is more than the terminal takes; what comes now is sent for sure."""
        with self._changed:
            if self._behind:
                self._waiting.clear()
                self._waiting_characters = 0
                self._behind = False

    def close(self, patience_s: float) -> None:
        """Send what is left, and end; a terminal that takes nothing gets no more than `patience_s`."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(patience_s)
            self._thread = None

    def _send_all(self) -> None:
        while (text := self._next()) is not None:
            try:
                self._send(text.encode(self._encoding, self._errors))
            except OSError:
                continue  # the terminal is gone, which is told otherwise; nobody must wait for us to notice
            if self._caught_up():
                self._on_caught_up()

    def _next(self) -> str | None:
        """Return all that waits, None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ending)
            text = "".join(self._waiting)
            self._waiting.clear()
            return text or None

    def _caught_up(self) -> bool:
        """Say whether what was dropped can be made up for by now."""
        with self._changed:
            self._waiting_characters = sum(map(len, self._waiting))
            caught_up, self._behind = self._behind and not self._waiting, self._behind and bool(self._waiting)
            return caught_up

    def _send(self, data: bytes) -> None:
        faults.point("terminal.write")
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # another program that shares the terminal made it so
                select.select([], [self._descriptor], [])


def _is_hung_up(descriptor: int) -> bool:
    """Say whether the terminal behind a descriptor is gone."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))
