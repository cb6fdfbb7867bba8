"""What the screens share: reading when something changed, once a second for progress and ages, and ordering.

A screen reads only while it is to be seen, never twice at once and at most ten times a second. A failed read keeps the
last figures on display and says so; figures older than they should be are marked with their age. Nothing here is a
service: the pipeline goes on whether a screen reads or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import ClassVar

from textual import work
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from pulsetui.clock import Clock
from pulsetui.errors import PulseError
from pulsetui.pipeline.views import JobView, PulseView
from pulsetui.tui.dialogs.add import AddDialog
from pulsetui.tui.dialogs.cancel import CancelDialog
from pulsetui.tui.keys import Place
from pulsetui.tui.painting import SparingCompositor
from pulsetui.tui.renderables.text import safe
from pulsetui.tui.source import Source
from pulsetui.tui.widgets.gate_line import GateLine

SHORTEST_PAUSE_S = 0.1
"""Between two reads: at most ten a second."""
IDLE_TICKS = 5
"""While nothing runs, only every so many ticks (seconds) read without a change."""
STALE_AFTER_S = 2.0 * IDLE_TICKS
"""Figures older than this are marked with their age."""


class LiveScreen(Screen[None]):
    """A screen that shows the newest state; subclasses read more in `read` and take values in through `show`."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]  # noqa: RUF012 - Textual's form
    PLACE: ClassVar[Place] = "app"
    """Where this is, in the table of actions."""
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As Textual has it, but a move of the focus paints the two panels that it is about, and not the whole screen."""

    class JobWanted(Message):
        """The operator wants to see a job."""

        def __init__(self, job_id: int) -> None:
            """Take what the message says."""
            super().__init__()
            self.job_id = job_id

    class EntityWanted(Message):
        """The operator wants to see the page of a node of storage."""

        def __init__(self, key: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.key = key

    class Wanted(Message):
        """The operator wants to see another screen, about something: `look_at` says there what it is."""

        def __init__(self, mode: str, about: str) -> None:
            """Take what the message says."""
            super().__init__()
            self.mode = mode
            self.about = about

    def __init__(self, source: Source, clock: Clock, zone: tzinfo | None = None) -> None:
        """Take the seam to the core, the clock, and the zone that times are shown in (None: the machine's)."""
        super().__init__()
        self._compositor = SparingCompositor()
        self.source = source
        self.clock = clock
        self.zone = zone
        self.pulse: PulseView | None = None
        self.failure = ""
        self._read_at: datetime | None = None
        self._wanted = asyncio.Event()
        self._ticks = 0

    async def read(self) -> None:
        """Read what the screen shows besides the header's figures.

        Raises:
            PulseError: it could not be read.
        """

    def show(self, now: datetime) -> None:
        """Push what was read, and the time, into the widgets."""
        raise NotImplementedError

    def tell_time(self, now: datetime) -> None:
        """Push the time into the widgets, once a second; nothing else is new. Here, all that `show` pushes."""
        self.show(now)

    def look_at(self, about: str) -> None:
        """Show something that was asked for on another screen."""

    @property
    def on_display(self) -> bool:
        """Whether one sees this screen, itself or behind a dialog. A screen that is closing shows no more."""
        shown = next((screen for screen in reversed(self.app.screen_stack) if not screen.is_modal), None)
        return shown is self and self.display

    def on_mount(self) -> None:
        """Start reading."""
        self._display(self.clock.now())
        self.set_interval(1.0, self._tick)
        self._reads()
        self.wake()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was on."""
        self.wake()

    def wake(self) -> None:
        """Ask for a read as soon as one may be."""
        self._wanted.set()

    def _tick(self) -> None:
        """Let the ages grow; read for progress while something runs, else now and then."""
        if not self.on_display:
            return
        self._ticks += 1
        if self._ticks % IDLE_TICKS == 0 or (self.pulse is not None and self.pulse.tasks):
            self.wake()
        now = self.clock.now()
        self._display_header(now)
        self.tell_time(now)

    @work(group="reads", exclusive=True)
    async def _reads(self) -> None:
        """Read whenever it is asked for, with a pause after each."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self.on_display:
                await self._read_once()
                await asyncio.sleep(SHORTEST_PAUSE_S)

    async def _read_once(self) -> None:
        """Read all; keep the last figures when that fails."""
        try:
            self.pulse = await self.source.pulse()
            await self.read()
        except PulseError as error:
            self.failure = f"{error}. {error.hint}".removesuffix(" ") if error.hint else str(error)
        else:
            self.failure = ""
            self._read_at = self.clock.now()
        self._display(self.clock.now())

    def _display(self, now: datetime) -> None:
        """Show the state as of now, the header's and the screen's own; a read may end after the screen closed."""
        if self.display:
            self._display_header(now)
            self.show(now)

    def _display_header(self, now: datetime) -> None:
        """Show the header's state as of now."""
        header = self.query_one(GateLine)
        header.zone = self.zone
        header.now = now
        header.view = self.pulse
        header.failure = self.failure
        header.leaving = getattr(self.app, "leaving", "")
        old_s = (now - self._read_at).total_seconds() if self._read_at else None
        header.stale_s = old_s if old_s is not None and old_s > STALE_AFTER_S else None

    def order(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Order something and say how it went."""
        self._tell(self.source.order(verb, arguments))

    @work(group="orders")
    async def _tell(self, ordered: Awaitable[str]) -> None:
        """Wait for an order and say how it went."""
        try:
            said = await ordered
        except PulseError as error:
            self.notify(safe(error.hint), title=safe(str(error)), severity="error", markup=False)
        else:
            self.notify(safe(said), markup=False)
        self.wake()

    # A dialog is awaited until it is there, so that keys typed ahead are for it.

    async def ask_to_cancel(self, jobs: Sequence[JobView], ids: Sequence[int]) -> None:
        """Cancel jobs if that is the answer."""

        def on_answer(agreed: bool | None) -> None:
            if agreed:
                self.order("jobs.cancel", {"ids": list(ids)})

        if ids:
            await self.app.push_screen(CancelDialog(jobs, len(ids)), on_answer)

    async def action_add(self) -> None:
        """Ask for a source and queue it."""

        def on_answer(source: str | None) -> None:
            if source is not None:
                self._tell(self.source.add(source))

        await self.app.push_screen(AddDialog(), on_answer)

    def action_toggle_pause(self) -> None:
        """Pause new downloads, or resume them."""
        if self.pulse is not None:
            self.order("pipeline.resume" if self.pulse.gate.operator_paused else "pipeline.pause", {})

    def action_read_again(self) -> None:
        """Read everything again."""
        self.wake()
