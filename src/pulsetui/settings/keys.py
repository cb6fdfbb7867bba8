"""The names of the settings: dotted keys, their variables, their other spellings, and the nearest to a wrong one.

All of it is read off the models, so that no list is kept by hand.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pulsetui.settings.models import Settings

PREFIX = str(Settings.model_config["env_prefix"])
DELIMITER = str(Settings.model_config["env_nested_delimiter"])

UNIT_ENDINGS = {
    "_bytes": "B",
    "_mb": "MB",
    "_gb": "GB",
    "_s": "s",
    "_seconds": "s",
    "_minutes": "m",
    "_hours": "h",
    "_days": "d",
}
"""Endings that let a plain number stand for a size or duration: `hard_limit_gb = 20`."""


@cache
def setting_fields() -> dict[str, FieldInfo]:
    """Return all settings by dotted key, in the order of the sections."""
    return dict(_leaves(Settings, ""))


@cache
def section_models() -> dict[str, type[BaseModel]]:
    """Return all sections by dotted name, outer ones first."""
    return dict(_sections(Settings, ""))


def environment_name(key: str) -> str:
    """Return the environment variable of a dotted key."""
    return PREFIX + key.replace(".", DELIMITER).upper()


def value_of(settings: Settings, key: str) -> object:
    """Return the value that `settings` holds under a dotted key."""
    value: object = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def plain_key(name: str) -> tuple[str, str] | None:
    """Return the key that `name` spells and the unit that the spelling carries, or None if nothing has that name."""
    if name in setting_fields():
        return name, ""
    for ending, unit in UNIT_ENDINGS.items():
        plain = name.removesuffix(ending)
        if plain != name and plain in setting_fields():
            return plain, unit
    return None


def nearest_key(name: str) -> str | None:
    """Return the key that `name` most likely means: the same last word in another section, or a misspelling."""
    last_words: dict[str, str] = {}
    for key in setting_fields():
        last_words.setdefault(key.rpartition(".")[2], key)
    near = difflib.get_close_matches(name, setting_fields(), n=1, cutoff=0.75)
    words = difflib.get_close_matches(name.rpartition(".")[2], last_words, n=1, cutoff=0.75)
    return near[0] if near else last_words[words[0]] if words else None


def _leaves(model: type[BaseModel], above: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if inner := _section(field):
            yield from _leaves(inner, f"{above}{name}.")
        else:
            yield f"{above}{name}", field


def _sections(model: type[BaseModel], above: str) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        if inner := _section(field):
            yield f"{above}{name}", inner
            yield from _sections(inner, f"{above}{name}.")


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
