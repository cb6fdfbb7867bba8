"""`pulsetui` without a command: the terminal UI, or with `--no-ui` the pipeline alone."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial

from pulsetui.cli.context import Context
from pulsetui.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what goes before a command, and make this the command when there is none."""
    parser.add_argument("--no-ui", action="store_true", help="the pipeline without a screen, until SIGTERM")
    parser.add_argument("--log-format", choices=("text", "json"), default="text", help="of the log lines of --no-ui")
    parser.set_defaults(run=run)


async def run(context: Context) -> int:
    """Run the pipeline with or without a screen."""
    if context.arguments.no_ui:
        from pulsetui.headless import run_headless

        await run_headless(context.loaded, log_format=context.arguments.log_format, debug=context.arguments.debug)
        return 0
    require_terminal()
    from pulsetui.headless import go_on
    from pulsetui.tui.run import run_tui

    await run_tui(context.loaded, go_on=partial(go_on, debug=context.arguments.debug))
    return 0


def require_terminal() -> None:
    """Refuse to draw where nothing can be drawn.

    Raises:
        UsageError: standard input or output is no terminal, or a dumb one.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("there is no terminal to draw on", hint="use --no-ui, or run it in a terminal")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError("the terminal is dumb: nothing can be drawn on it", hint="use --no-ui")
