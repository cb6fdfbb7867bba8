"""The `pulsetui` command: parses, calls one command, turns errors into exit codes.

No traceback reaches a user unless `--debug`. Nothing heavy is imported before the command that needs it is known.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from pulsetui import __version__, faults
from pulsetui.cli import add, config, demo, doctor, events, jobs, run, status
from pulsetui.cli.context import Context
from pulsetui.cli.output import print_error
from pulsetui.errors import PulseError, UsageError

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"`{self.prog} --help` lists what there is")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="pulsetui",
        description="The control room of a media pipeline box. Without a command: the terminal UI.",
    )
    parser.add_argument("--version", action="version", version=f"pulsetui {__version__}")
    parser.add_argument("--data-dir", metavar="DIR", help="the data directory (default: paths.data_dir)")
    parser.add_argument("--config", metavar="FILE", help="the settings file")
    parser.add_argument("--debug", action="store_true", help="tracebacks and debug log lines")
    run.add_arguments(parser)
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=_Parser)
    for module in (add, jobs, status, events, demo, doctor, config):
        module.add_parser(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    code = 1
    logging.getLogger("pulsetui").addHandler(logging.NullHandler())  # log lines are for --no-ui, which asks for them
    try:
        faults.arm_from_environment()
        arguments = build_parser().parse_args(words)
        code = asyncio.run(_run(arguments))
    except* KeyboardInterrupt:
        code = INTERRUPTED
    except* BrokenPipeError:
        # Whoever read us has gone, as `head` does; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except* Exception as group:
        if "--debug" in words:
            raise
        error = _known(group)
        print_error(error, as_json="--json" in words)
        code = error.exit_code
    return code


async def _run(arguments: argparse.Namespace) -> int:
    code: int = await arguments.run(Context.of(arguments))
    return code


def _known(error: BaseException) -> PulseError:
    """Return the first error of a group as one that says what happened and what to do."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, PulseError):
        return error
    what = f"something unforeseen: {type(error).__name__}: {error}"
    return PulseError(what, hint="run it again with --debug for the details")
