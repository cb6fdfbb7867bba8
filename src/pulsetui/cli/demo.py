"""`pulsetui demo`: the whole pipeline on generated speech videos from a server on loopback."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pulsetui.cli.context import Context
from pulsetui.cli.output import note, print_line
from pulsetui.cli.run import require_terminal
from pulsetui.errors import UsageError

DEFAULT_EPISODES = 12


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("demo", help="the whole pipeline on generated speech videos, under a small budget")
    parser.add_argument("--no-ui", action="store_true", dest="demo_no_ui", help="progress as lines instead of the TUI")
    parser.add_argument(
        "--episodes", type=int, default=DEFAULT_EPISODES, metavar="N", help=f"default {DEFAULT_EPISODES}"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the data and the videos in this folder")
    parser.add_argument("--json", action="store_true", help="the summary as one line of JSON on standard output")
    parser.set_defaults(run=demo)


async def demo(context: Context) -> int:
    """Run the demo; exit 0 only if all is transcribed and the budget held."""
    wanted = context.arguments
    if wanted.episodes < 1:
        raise UsageError(f"--episodes is {wanted.episodes}", hint="name at least 1")
    without_screen = wanted.demo_no_ui or wanted.no_ui
    if not without_screen:
        require_terminal()
    from pulsetui.demo.run import run_demo

    summary = await run_demo(
        episodes=wanted.episodes,
        keep=wanted.keep.expanduser().absolute() if wanted.keep else None,
        with_screen=not without_screen,
        say=note if wanted.json or not sys.stdout.isatty() else print_line,
    )
    if wanted.json:
        print_line(summary.to_json())
    else:
        for line in summary.lines():
            print_line(line)
    return 0 if summary.ok else 1
