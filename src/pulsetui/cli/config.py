"""`pulsetui config`: the settings and where each came from, the file to start from, and where things lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pulsetui import resources
from pulsetui.cli.context import Context
from pulsetui.cli.output import print_json, print_line, print_table
from pulsetui.errors import RefusedError
from pulsetui.files.durable import write_durable
from pulsetui.files.folders import Folder
from pulsetui.settings.keys import setting_fields, value_of
from pulsetui.settings.load import user_config_path


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("config", help="the settings and where each came from")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, run, text in (
        ("show", show, "every setting, its value and where it came from"),
        ("path", path, "where the settings file and the data lie"),
        ("init", init, "write a settings file to start from"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--json", action="store_true")
        verb.set_defaults(run=run)


async def show(context: Context) -> int:
    """Print every setting."""
    loaded = context.loaded
    rows = [(key, value_of(loaded.settings, key), loaded.origins[key]) for key in setting_fields()]
    if context.as_json:
        print_json({key: {"value": _plain(value), "origin": origin} for key, value, origin in rows})
    else:
        columns = (("setting", False), ("value", False), ("from", False))
        print_table(columns, [(key, str(_plain(value)), origin) for key, value, origin in rows])
    return 0


async def path(context: Context) -> int:
    """Print where things lie."""
    paths = context.loaded.settings.paths
    found = {
        "config": str(_config_path(context)),
        "data_dir": str(paths.data_dir),
        "storage_dir": str(paths.storage),
        "defaults": str(resources.defaults_file()),
    }
    if context.as_json:
        print_json(found)
    else:
        for label, where in found.items():
            print_line(f"{label:<12} {where}")
    return 0


async def init(context: Context) -> int:
    """Write the defaults, as comments to be uncommented, where the settings file is looked for."""
    target = _config_path(context)
    lines = resources.defaults_file().read_text(encoding="utf-8").splitlines()
    # Commented out, so that a later version's better default isn't held back by a copy of today's.
    text = "\n".join(line if not line or line.startswith(("#", "[")) else f"# {line}" for line in lines)
    with Folder.open(target.parent.resolve(), create=True) as folder:
        try:
            write_durable(folder, target.name, f"{text}\n".encode())
        except FileExistsError as error:
            raise RefusedError(f"{target} is there already", hint="edit it, or move it away first") from error
    if context.as_json:
        print_json({"config": str(target)})
    else:
        print_line(f"wrote {target}")
    return 0


def _config_path(context: Context) -> Path:
    named = context.arguments.config
    return Path(named).expanduser().absolute() if named else user_config_path(os.environ)


def _plain(value: Any) -> Any:
    """Return a setting's value as JSON takes it: durations as seconds, paths as text."""
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    if isinstance(value, int | float | str | bool) or value is None:
        return value
    return list(value) if isinstance(value, tuple) else str(value)
