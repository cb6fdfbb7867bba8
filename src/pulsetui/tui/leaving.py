"""How the screens end: the operator leaves, the terminal goes away, or the screens fail of a defect.

Invariant: only the operator's word, or a signal's, ends the work. Whatever else closes the screens leaves it running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from textual import on
from textual.app import App
from textual.driver import Driver

from pulsetui.errors import PulseError
from pulsetui.pipeline.views import PulseView
from pulsetui.tui.dialogs.quit import QuitDialog
from pulsetui.tui.screens.live import LiveScreen
from pulsetui.tui.source import QuitChoice, Source
from pulsetui.tui.terminal import TerminalDriver, TerminalLost
from pulsetui.units import format_duration

PATIENCE_S = 1.0
"""How long who wants to leave waits for figures."""


class LeavingApp(App[QuitChoice]):
    """An application that the operator leaves in one of three ways, and whose screen stays on while the work ends."""

    source: Source

    def __init__(self, *, drain: Callable[[], None] | None = None, grace_s: float = 0.0, **kwargs: Any) -> None:
        """Take how the work is ended.

        `drain` begins to end it, which may take `grace_s`, and ends it at once when it is called again; who runs us
        closes us when that is done. Without it, leaving closes us at once.
        """
        super().__init__(**kwargs)
        self._drain = drain
        self._grace_s = grace_s
        self.leaving = ""
        """What is said while the work ends, or empty."""

    def get_driver_class(self) -> type[Driver]:
        """Return what draws on the terminal."""
        return TerminalDriver

    async def action_quit(self) -> None:
        """Leave; the owner is asked first while there is work. While the work ends, end it at once."""
        if isinstance(self.screen, QuitDialog):
            return
        view = None if self.leaving else await self._newest()
        if view is None or view.attached or not (view.tasks or view.queued):
            self.leave("drain")
            return
        downloads = sum(1 for task in view.tasks if task.kind == "download")
        queued = dict(view.stages).get("queued", len(view.queued))
        await self.push_screen(
            QuitDialog(downloads, len(view.tasks) - downloads, queued, goes_on=self._drain is not None), self.leave
        )

    def leave(self, choice: QuitChoice | None) -> None:
        """Leave as was chosen; None is to stay. The screen stays on while the work ends."""
        if choice != "drain" or self._drain is None:
            if choice is not None:
                self.exit(choice)
            return
        self.leaving = f"ending: transcriptions get up to {format_duration(self._grace_s)}; q ends them at once"
        self._drain()
        for screen in self.screen_stack:
            if isinstance(screen, LiveScreen):
                screen.wake()

    @on(TerminalLost)
    def lose_terminal(self) -> None:
        """Close, since nobody sees us any more; the work goes on."""
        self.exit("headless")

    @property
    def defect(self) -> Exception | None:
        """What the application failed of, or None."""
        return self._exception

    def panic(self, *_renderables: object) -> None:
        """Close. Textual calls this where it can't go on, with a traceback that no user wants."""
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """Close after a defect. Textual would print pages of local variables; who runs us says it in a line."""
        self._close_messages_no_wait()

    async def _newest(self) -> PulseView | None:
        """Return the figures as of now, else those on display; None where there are none."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self.source.pulse()
        except (PulseError, TimeoutError):
            shown = (screen.pulse for screen in reversed(self.screen_stack) if isinstance(screen, LiveScreen))
            return next((view for view in shown if view is not None), None)
