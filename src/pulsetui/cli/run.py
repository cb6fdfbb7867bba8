"""`pulsetui` without a command: the terminal UI, or with `--no-ui` the pipeline alone."""

from __future__ import annotations

import os
import sys
from functools import partial

from pulsetui.cli.context import Context
from pulsetui.errors import UsageError


async def run(context: Context) -> int:
    """Run the pipeline with or without a screen."""
    wanted = context.arguments
    if wanted.no_ui:
        context.has_folder()
        from pulsetui.headless import run_headless

        await run_headless(context.loaded, log_format=wanted.log_format or "text", debug=wanted.debug)
        return 0
    require_terminal()
    context.has_folder()
    from pulsetui.headless import go_on
    from pulsetui.tui.run import run_tui

    await run_tui(context.loaded, go_on=partial(go_on, debug=wanted.debug))
    return 0


def require_terminal() -> None:
    """Refuse to draw where nothing can be drawn.

    Raises:
        UsageError: standard input or output is no terminal, or a dumb one.
    """
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("there is no terminal to draw on", hint="use --no-ui, or run it in a terminal")
    if os.environ.get("TERM", "dumb") in ("", "dumb"):
        raise UsageError("the terminal is dumb: nothing can be drawn on it", hint="use --no-ui, or set TERM")
