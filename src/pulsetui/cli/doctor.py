"""`pulsetui doctor`: checks the set-up and says what to do. Changes nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pulsetui import resources
from pulsetui.actions.client import ask_live
from pulsetui.cli.context import Context
from pulsetui.cli.output import print_json, print_table
from pulsetui.core.disks import limits_on
from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.errors import PulseError
from pulsetui.files.locks import is_network_file_system
from pulsetui.processes.runner import TaskSpec, run
from pulsetui.storage.disks import existing
from pulsetui.units import format_size

Verdict = Literal["ok", "warning", "failed"]
EARLIEST_CLOCK_S = 1_767_225_600
"""2026-01-01: no build of this program is older, so an earlier clock is wrong."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    found: str
    hint: str = ""


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("doctor", help="checks the set-up and says what to do")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=doctor)


async def doctor(context: Context) -> int:
    """Print what was found; exit 1 if something failed."""
    checks: tuple[Callable[[Context], Awaitable[Check]], ...] = (
        _python,
        _data_folder,
        _storage_folder,
        _limits,
        _clock,
        _resources,
        _database,
        _owner,
        _engine,
    )
    found = [await _guarded(check, context) for check in checks]
    if context.as_json:
        print_json([asdict(check) for check in found])
    else:
        columns = (("check", False), ("", False), ("found", False), ("what to do", False))
        print_table(columns, [(check.name, check.verdict, check.found, check.hint) for check in found])
    return 1 if any(check.verdict == "failed" for check in found) else 0


async def _guarded(check: Callable[[Context], Awaitable[Check]], context: Context) -> Check:
    try:
        return await check(context)
    except PulseError as error:
        return Check(_name(check), "failed", str(error), error.hint)
    except OSError as error:
        return Check(
            _name(check), "failed", f"{error.filename or ''}: {error.strerror}", "check the folder and its rights"
        )


def _name(check: Callable[[Context], Awaitable[Check]]) -> str:
    return getattr(check, "__name__", "check").strip("_").replace("_", " ")


async def _python(_context: Context) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("python", "ok" if fits else "failed", version, "" if fits else "use Python 3.11 to 3.13")


async def _data_folder(context: Context) -> Check:
    folder = context.data_dir
    if is_network_file_system(existing(folder)):
        return Check(
            "data folder", "failed", f"{folder} is on a network file system", "put paths.data_dir on a local disk"
        )
    return _writable("data folder", folder)


async def _storage_folder(context: Context) -> Check:
    return _writable("storage folder", context.loaded.settings.paths.storage.resolve())


def _writable(name: str, folder: Path) -> Check:
    there = existing(folder)
    if not os.access(there, os.W_OK | os.X_OK):
        return Check(name, "failed", f"{there} can't be written", "give yourself the right, or set another folder")
    state = "there" if there == folder else f"will be made below {there}"
    status = os.statvfs(there)
    return Check(name, "ok", f"{folder}: {state}, {format_size(status.f_bavail * status.f_frsize)} free")


async def _limits(context: Context) -> Check:
    storage = context.loaded.settings.paths.storage.resolve()
    limits = await asyncio.to_thread(limits_on, context.loaded, context.data_dir, storage)
    figures = (
        f"hard {format_size(limits.hard_bytes)}, pause {format_size(limits.pause_bytes)}, "
        f"resume {format_size(limits.resume_bytes)}, floor {format_size(limits.floor_bytes)}"
    )
    status = os.statvfs(existing(storage))
    free = status.f_bavail * status.f_frsize
    if free < limits.floor_bytes:
        return Check(
            "limits", "failed", f"{figures}; only {format_size(free)} free", "free space, or lower free_space_floor"
        )
    if free < limits.resume_bytes // 10:
        return Check(
            "limits", "warning", f"{figures}; {format_size(free)} free", "the disk fills before the budget does"
        )
    return Check("limits", "ok", figures)


async def _clock(_context: Context) -> Check:
    now = time.time()
    if now < EARLIEST_CLOCK_S:
        return Check(
            "clock", "failed", f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}", "set it, or run NTP"
        )
    return Check("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(now)))


async def _resources(_context: Context) -> Check:
    styles = sorted(resources.styles_dir().glob("*.tcss"))
    if not styles:
        return Check("files", "failed", f"no styles in {resources.styles_dir()}", "install pulsetui again")
    return Check("files", "ok", f"{len(styles)} style sheets, {resources.defaults_file().name}")


async def _database(context: Context) -> Check:
    path = context.data_dir / DATABASE_NAME
    if not path.exists():
        return Check("database", "ok", "none yet: the first start makes it")
    database = await Database.open(path, owner=False)
    try:
        await database.quick_check()
    finally:
        await database.close()
    return Check("database", "ok", f"{path}: {format_size(path.stat().st_size)}, whole")


async def _owner(context: Context) -> Check:
    if not context.data_dir.exists():
        return Check("owner", "ok", "none")
    figures = await ask_live(context.data_dir)
    if figures is None:
        return Check("owner", "ok", "none: nothing runs")
    failing = [service["name"] for service in figures["services"] if not service["running"]]
    if failing:
        return Check("owner", "warning", f"services down: {', '.join(failing)}", "`pulsetui events --severity error`")
    return Check("owner", "ok", f"pid {figures['owner']['pid']}, all services run")


async def _engine(context: Context) -> Check:
    name = context.loaded.settings.transcription.engine
    found = await run(TaskSpec("pulsetui.pipeline.tasks:check_engine", {"engine": name}), lambda _: None)
    return Check("engine", "ok", f"{name}, model {found['model']}, language {found['language']}")
