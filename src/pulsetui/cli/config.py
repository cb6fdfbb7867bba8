"""`pulsetui config`: the settings and where each came from, the file to start from, and where things lie."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from pulsetui import resources
from pulsetui.cli.context import Context
from pulsetui.cli.output import print_fields, print_json, print_line, print_table
from pulsetui.errors import RefusedError, SettingsError
from pulsetui.files.durable import write_durable
from pulsetui.files.folders import Folder
from pulsetui.settings.keys import setting_fields, value_of
from pulsetui.settings.load import user_config_path
from pulsetui.units import exact_duration, exact_size


async def show(context: Context) -> int:
    """Print every setting."""
    loaded = context.loaded
    rows = [(key, value_of(loaded.settings, key), loaded.origins[key]) for key in setting_fields()]
    if context.as_json:
        print_json({key: {"value": _plain(value), "origin": origin} for key, value, origin in rows})
    else:
        columns = (("setting", False), ("value", False), ("from", False))
        print_table(columns, [(key, spelled(key, value), origin) for key, value, origin in rows])
    return 0


async def path(context: Context) -> int:
    """Print where things lie; also where a setting is wrong, since that is when one looks for the file."""
    found: dict[str, str | None] = {"config": str(_file(context)), "defaults": str(resources.defaults_file())}
    trouble = None
    try:
        paths = context.loaded.settings.paths
        found |= {"data_dir": str(paths.data_dir), "storage_dir": str(paths.storage)}
    except SettingsError as error:
        trouble = error
    if context.as_json:
        print_json(found)
    else:
        print_fields((label, where or "") for label, where in found.items())
    if trouble:
        raise trouble
    return 0


async def init(context: Context) -> int:
    """Write the defaults, as comments to be uncommented, where the settings file is looked for."""
    target = _file(context)
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


def spelled(key: str, value: object) -> str:
    """Return a setting's value as one writes it in the settings file: the first spelling that reads back as it."""
    if value is None:
        return '""'
    if isinstance(value, timedelta):
        return exact_duration(value)
    if isinstance(value, dict) or (isinstance(value, tuple) and any(isinstance(each, BaseModel) for each in value)):
        return _inline(_plain(value))
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "[]"
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value).lower() if isinstance(value, bool) else str(value) or '""'
    field = setting_fields()[key]
    kind: TypeAdapter[object] = TypeAdapter(field.rebuild_annotation())
    for spelling in (exact_size(value), f"{exact_size(value)}/s"):
        try:
            if kind.validate_python(spelling) == value:
                return spelling
        except ValidationError:
            continue
    return str(value)


def _file(context: Context) -> Path:
    return context.config_file or user_config_path(os.environ)


def _plain(value: Any) -> Any:
    """Return a setting's value as JSON takes it: durations as seconds, paths as text."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float | str | bool) or value is None:
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    return (
        list(map(_plain, value)) if isinstance(value, tuple) else dict(value) if isinstance(value, dict) else str(value)
    )


def _inline(value: Any) -> str:
    """Return JSON values as TOML in one line."""
    if isinstance(value, dict):
        pairs = ", ".join(
            f"{name if name.isascii() and name.isidentifier() else json.dumps(name)} = {_inline(each)}"
            for name, each in value.items()
        )
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value, ensure_ascii=False)
