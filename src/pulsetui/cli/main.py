"""The `pulsetui` command: parses, calls one command, turns errors into exit codes.

No traceback reaches a user unless `--debug`. Nothing heavy is imported before the command that needs it is known.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence

from pulsetui import faults
from pulsetui.cli.failures import explained
from pulsetui.cli.output import note, prepare_streams, print_error
from pulsetui.cli.words import parse
from pulsetui.errors import SettingsError

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    # Log lines are for --no-ui, which asks for them; without this, warnings and worse would go to standard error raw.
    logging.getLogger().addHandler(logging.NullHandler())
    code = 1
    try:
        prepare_streams()
        code = _answered(words)
        _flush()
    except* KeyboardInterrupt:
        code = INTERRUPTED
    except* BrokenPipeError:
        # Whoever read us has gone, as `head` does; there is nobody to tell.
        code = 0
    except* Exception as group:  # noqa: BLE001 - the command line's main: an exit code and a message for each
        error = explained(group)
        code = error.exit_code
        with contextlib.suppress(OSError):  # the terminal is gone, and nobody reads why
            if "--debug" in words:
                for line in "".join(traceback.format_exception(group)).splitlines():
                    note(line)
            print_error(error, as_json="--json" in words)
    _let_go_of_output()
    return code


def _answered(words: Sequence[str]) -> int:
    try:
        faults.arm_from_environment()
    except ValueError as error:
        raise SettingsError(f"{faults.ENVIRONMENT}: {error}", hint="it is for tests: unset it") from error
    try:
        arguments = parse(words)
    except SystemExit as ending:  # --help and --version are argparse's
        return int(ending.code or 0)
    return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    import asyncio  # half of what `--version` would take

    module, _, function = arguments.run.partition(":")
    command = getattr(importlib.import_module(f"pulsetui.cli.{module}"), function)

    async def call() -> int:
        from pulsetui.cli.context import Context

        code: int = await command(Context(arguments))
        return code

    return asyncio.run(call())


def _flush() -> None:
    """Write what is left, so that a full disk behind standard output is an error like others.

    Standard error carries words only, and the terminal that they were for may have been closed hours ago.
    """
    sys.stdout.flush()
    with contextlib.suppress(OSError):
        sys.stderr.flush()


def _let_go_of_output() -> None:
    """Leave nothing behind that the interpreter would try, and fail, to write at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
