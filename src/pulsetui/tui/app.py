"""The application: owns screens, keys, themes and the bridge from changes to screens.

It knows no widget and no figure; what is read and shown is up to the screens.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from functools import partial

from textual import on, work
from textual.app import SystemCommand
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen

from pulsetui import resources
from pulsetui.clock import Clock, SystemClock
from pulsetui.errors import PulseError
from pulsetui.tui import keys, theme
from pulsetui.tui.glyphs import AsciiFilter, is_ascii_only
from pulsetui.tui.leaving import LeavingApp
from pulsetui.tui.renderables.text import safe
from pulsetui.tui.screens.entity import EntityScreen
from pulsetui.tui.screens.help import HelpScreen
from pulsetui.tui.screens.job import JobScreen
from pulsetui.tui.screens.live import LiveScreen
from pulsetui.tui.screens.pipeline import PipelineScreen
from pulsetui.tui.screens.pulse import PulseScreen
from pulsetui.tui.screens.storage import StorageScreen
from pulsetui.tui.screens.volumes import VolumesScreen
from pulsetui.tui.source import Source

STYLE_SHEETS = ("app", "pulse", "storage", "entity", "pipeline", "volumes", "job", "help")
MODES: dict[str, type[LiveScreen]] = {
    "pulse": PulseScreen, "storage": StorageScreen, "pipeline": PipelineScreen, "volumes": VolumesScreen
}  # fmt: skip


class PulseApp(LeavingApp):
    """Runs the screens on one `Source`; returns how to go on, or None if that was never asked."""

    TITLE = "pulsetui"
    BINDINGS = keys.bindings("app")
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        source: Source,
        *,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
        reduced_motion: bool = False,
        ascii_only: bool | None = None,
        on_first_page: Callable[[], None] | None = None,
        drain: Callable[[], None] | None = None,
        grace_s: float = 0.0,
    ) -> None:
        """Take the seam to the core; `ascii_only` None asks the locale, `zone` None is the machine's.

        `on_first_page` is called when the first page has been painted; `drain` and `grace_s` are `LeavingApp`'s.
        """
        style_sheets = [resources.styles_dir() / f"{name}.tcss" for name in STYLE_SHEETS]
        super().__init__(drain=drain, grace_s=grace_s, css_path=style_sheets)
        self.source = source
        self._clock = clock or SystemClock()
        self._zone = zone
        self._on_first_page = on_first_page
        narrow = is_ascii_only(os.environ, sys.stdout.encoding) if ascii_only is None else ascii_only
        self._ascii = AsciiFilter(enabled=narrow)
        if reduced_motion:
            self.animation_level = "none"
        for own in theme.THEMES:
            self.register_theme(own)
        # Without TERM there is no terminal to be kind to: a picture is being made.
        few = self.console.color_system == "standard" and "TERM" in os.environ
        self.theme = theme.SIXTEEN_THEME if few else theme.DEFAULT_THEME

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our tokens for themes that don't bring them."""
        return theme.defaults(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters on the output. `NO_COLOR` means no colour here, not shades of grey."""
        filters = [NoColor() if isinstance(given, Monochrome) else given for given in super().get_line_filters()]
        return [*filters, self._ascii] if self._ascii.enabled else filters

    def on_mount(self) -> None:
        """Open Pulse and follow the changes."""
        for name, screen in MODES.items():
            self.add_mode(name, partial(screen, self.source, self._clock, self._zone))
        self.switch_mode("pulse")
        self._follow()
        if self._on_first_page is not None:
            self.screen.call_after_refresh(self._on_first_page)

    @work(group="changes")
    async def _follow(self) -> None:
        """Wake the screen on display at each change."""
        try:
            async for _ in self.source.changes():
                for screen in self.screen_stack:
                    if isinstance(screen, LiveScreen):
                        screen.wake()
        except PulseError as error:
            self.notify(safe(f"{error}. The screen still reads every few seconds."), severity="error", markup=False)

    @on(LiveScreen.JobWanted)
    def _open_job(self, message: LiveScreen.JobWanted) -> None:
        """Show one job above the screen that asked; a second press of the key asks in vain."""
        if isinstance(self.screen, JobScreen):
            return
        self.push_screen(JobScreen(self.source, self._clock, message.job_id, self._zone))

    @on(LiveScreen.EntityWanted)
    def _open_entity(self, message: LiveScreen.EntityWanted) -> None:
        """Show the page of one entity above the screen that asked."""
        if not isinstance(self.screen, EntityScreen):
            self.push_screen(EntityScreen(self.source, self._clock, message.key, self._zone))

    @on(LiveScreen.Wanted)
    async def _show_about(self, message: LiveScreen.Wanted) -> None:
        """Go to a screen, and there to what the message is about."""
        await self.switch_mode(message.mode)
        if isinstance(self.screen, LiveScreen):
            self.screen.look_at(message.about)

    @property
    def ascii_only(self) -> bool:
        """Whether the terminal can show ASCII only."""
        return self._ascii.enabled

    def action_show(self, mode: str) -> None:
        """Go to a screen; asked for again, go to its first page."""
        while len(self.screen_stack) > 1 and not self.screen.is_modal and mode == self.current_mode:
            self.pop_screen()
        self.switch_mode(mode)

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(HelpScreen())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return what the palette offers: the same table as the keys, and the themes."""
        place = screen.PLACE if isinstance(screen, LiveScreen) else "app"
        for action in keys.commands(place):
            yield SystemCommand(
                action.label.capitalize(),
                f"{action.help} ({action.key_text})",
                partial(screen.run_action, action.click),
            )
        yield SystemCommand("Theme", "Choose another theme.", self.action_change_theme)
