"""`pulsetui demo`: the whole pipeline on generated speech videos from a server on loopback."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from pulsetui.cli.context import Context, absolute
from pulsetui.cli.output import note, print_line
from pulsetui.cli.run import require_terminal
from pulsetui.errors import UsageError

_ENDED_BY = 128
"""Added to the number of a signal, as shells have it."""


async def demo(context: Context) -> int:
    """Run the demo; exit 0 only if all is transcribed and the budget held."""
    wanted = context.arguments
    if wanted.episodes < 1:
        raise UsageError(f"--episodes is {wanted.episodes}", hint="name at least 1")
    keep = absolute(wanted.keep) if wanted.keep is not None else None
    without_screen = wanted.demo_no_ui or wanted.no_ui
    if not without_screen:
        require_terminal()
    from pulsetui.demo.run import run_demo

    running = asyncio.ensure_future(
        run_demo(
            episodes=wanted.episodes,
            keep=keep,
            with_screen=not without_screen,
            say=note if context.as_json or not sys.stdout.isatty() else print_line,
        )
    )
    ended_by = _end_on_signal(running)
    try:
        summary = await running
    except asyncio.CancelledError:
        if ended_by:
            return _ENDED_BY + ended_by[0]
        raise
    if context.as_json:
        print_line(summary.to_json())
    else:
        for line in summary.lines():
            print_line(line)
    return 0 if summary.ok else 1


def _end_on_signal(running: asyncio.Future[Any]) -> list[int]:
    """Let SIGTERM and a lost terminal end the demo in order, so that its folder goes; return the signals that came."""
    came: list[int] = []

    def end(number: int) -> None:
        came.append(number)
        running.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, int(number))
    return came
