"""Reads the settings from their layers and remembers where each value came from.

Defaults < the user's TOML file < environment variables `PULSETUI_SECTION__KEY` < flags. Nothing is ignored: an unknown
key or variable is an error that names where it stands and the nearest valid one. Each layer is first brought to dotted
keys in one spelling (`hard_limit_gb = 20` is `hard_limit = "20 GB"`), so that another spelling still overrides a lower
layer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pulsetui import faults, resources
from pulsetui.errors import SettingsError
from pulsetui.settings.keys import (
    DELIMITER,
    PREFIX,
    environment_name,
    nearest_key,
    plain_key,
    section_models,
    setting_fields,
    value_of,
)
from pulsetui.settings.models import Settings

DEFAULT = "default"
"""The origin of a value that nobody set."""

_NOT_SETTINGS = {faults.ENVIRONMENT}


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings and, per dotted key, where its value came from: a file, a variable, a flag, or `default`."""

    settings: Settings
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Given:
    value: object
    where: str
    spelled: str


_Layer = dict[str, _Given]


def load_settings(
    *, config: Path | None = None, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None
) -> LoadedSettings:
    """Return the settings of all layers together.

    Args:
        config: The user's file, which must exist; None takes the usual one if it is there.
        environment: The process's variables.
        flags: Values from the command line by dotted key; None values are left out.

    Raises:
        SettingsError: a key or value in any layer is wrong; all wrong values are named at once.
    """
    given = {**_from_defaults(), **_from_file(config, environment), **_from_environment(environment)}
    given |= _from_flags(flags or {})
    try:
        settings = Settings(**_tree(given))
    except ValidationError as error:
        raise _refusal(error, given) from error
    return LoadedSettings(settings, {key: given[key].where if key in given else DEFAULT for key in setting_fields()})


def user_config_path(environment: Mapping[str, str]) -> Path:
    """Return where the user's settings file is looked for, whether or not it exists."""
    folder = environment.get("XDG_CONFIG_HOME", "")
    base = Path(folder) if folder.startswith("/") else Path(environment.get("HOME") or Path.home()) / ".config"
    return base / "pulsetui" / "config.toml"


def _from_defaults() -> _Layer:
    """Read the shipped defaults, leaving out what equals the built-in ones, so that `model_fields_set` means set."""
    file = resources.defaults_file()
    layer = _one_spelling(_flat(_parsed(file), str(file), str(file)))
    try:
        shipped, built_in = Settings(**_tree(layer)), Settings()
    except ValidationError as error:
        raise _refusal(error, layer) from error
    return {key: given for key, given in layer.items() if value_of(shipped, key) != value_of(built_in, key)}


def _from_file(config: Path | None, environment: Mapping[str, str]) -> _Layer:
    file = config.expanduser().absolute() if config else user_config_path(environment)
    if config is None and not file.exists():
        return {}
    return _one_spelling(_flat(_parsed(file), str(file), str(file)))


def _from_environment(environment: Mapping[str, str]) -> _Layer:
    layer: _Layer = {}
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            key = name.removeprefix(PREFIX).lower().replace(DELIMITER.lower(), ".")
            layer[key] = _Given(value, f"environment variable {name}", name)
    return _one_spelling(layer)


def _from_flags(flags: Mapping[str, Any]) -> _Layer:
    return _one_spelling({key: _Given(value, "command line", key) for key, value in flags.items() if value is not None})


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{file} can't be read: {error.strerror}", hint="name another file with --config, or none"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file} is not TOML: {error}", hint="`pulsetui config init` writes a file to start from"
        ) from error


def _flat(table: Mapping[str, Any], where: str, spelled: str, above: str = "") -> _Layer:
    """Bring a tree of tables to dotted keys; a table where a value belongs stays whole, to be refused with its key."""
    layer: _Layer = {}
    for name, value in table.items():
        key = f"{above}{name}"
        if isinstance(value, dict) and key not in setting_fields() and (value or key in section_models()):
            layer |= _flat(value, where, spelled, f"{key}.")
        else:
            layer[key] = _Given(value, where, key)
    return layer


def _one_spelling(layer: _Layer) -> _Layer:
    """Bring `…_gb`-like keys to the plain ones, and refuse unknown keys and keys that are spelled twice."""
    result: _Layer = {}
    for name, given in layer.items():
        resolved = plain_key(name)
        if resolved is None:
            raise _unknown(name, given)
        key, unit = resolved
        if key in result:
            raise SettingsError(
                f"{given.where}: {key} is set twice, by {result[key].spelled} and {given.spelled}",
                hint="keep one of them",
            )
        value = given.value if not unit or isinstance(given.value, bool) else f"{given.value} {unit}"
        result[key] = _Given(value, given.where, given.spelled)
    return result


def _unknown(name: str, given: _Given) -> SettingsError:
    if name in section_models():
        return SettingsError(f"{given.where}: {name} is a section, not a setting", hint=f"write it as [{name}]")
    nearest = nearest_key(name)
    if given.spelled.startswith(PREFIX):
        what = f"unknown {given.where}"
        nearest = nearest and environment_name(nearest)
    else:
        what = f"{given.where}: unknown setting {name}"
    return SettingsError(
        what, hint=f"did you mean {nearest}?" if nearest else "`pulsetui config show` lists all settings"
    )


def _refusal(error: ValidationError, given: _Layer) -> SettingsError:
    return SettingsError(
        "\n".join(_line(details, given) for details in error.errors(include_url=False)),
        hint="mend it where it stands; `pulsetui config path` names the file",
    )


def _line(details: ErrorDetails, given: _Layer) -> str:
    """Say the key, where it stands, what was given and what is accepted."""
    key = ".".join(str(part) for part in details["loc"] if isinstance(part, str))
    if details["type"] == "contradiction":
        keys = [f"{key}.{details['ctx'][side]}" for side in ("first", "second")]
        stands = "; ".join(f"{name} from {given[name].where if name in given else DEFAULT}" for name in keys)
        return f"{key}: {details['msg']} ({stands})"
    source = given.get(key) or next((value for name, value in given.items() if key.startswith(f"{name}.")), None)
    reason = details.get("ctx", {}).get("error") or f"{details['input']!r} is refused: {details['msg'].lower()}"
    renamed = source and key in given and not source.spelled.startswith(PREFIX) and source.spelled != key
    spelled = f" (as {source.spelled})" if source and renamed else ""
    return f"{key}{spelled} from {source.where if source else DEFAULT}: {reason}"


def _tree(layer: _Layer) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, given in layer.items():
        *sections, name = key.split(".")
        table = tree
        for section in sections:
            table = table.setdefault(section, {})
        table[name] = given.value
    return tree
