"""The `[storage]` section: levels, roots, file types, and how often sizes are read.

Whatever can be judged without a look at the disk is judged here, so that a wrong value is refused where it stands: a
layout that names no levels, two roots of which one lies in the other, a category that doesn't exist. What collides with
the built-in roots is found in `storage.roots`, which knows where those are.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from pulsetui.settings.section import Section
from pulsetui.settings.types import Duration, FolderPath, Fraction, Names, PositiveDuration

Category = Literal["video", "image", "intermediate", "metadata", "model", "audio", "text", "other"]
CATEGORY_NAMES: tuple[Category, ...] = get_args(Category)
DEFAULT_LEVELS = ("project", "character", "scene", "segment")
MOST_LEVELS = 8
RESERVED_LEVELS = frozenset({"library", "unassigned", "system", "part", "files", "folder", "file"})
"""What a node of the hierarchy can be besides an entity."""
_LEVEL = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ROOT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_EXTENSION = re.compile(r"[^./\s\x00-\x1f]+")


def _levels(names: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(names) <= MOST_LEVELS:
        raise ValueError(f"{len(names)} levels are refused; name 1 to {MOST_LEVELS}, from the top down")
    for name in names:
        if not _LEVEL.fullmatch(name):
            raise ValueError(f"level {name!r} is refused; use lower-case letters, digits and _, such as season")
        if name in RESERVED_LEVELS:
            raise ValueError(f"level {name!r} is taken; pulsetui calls something else that")
        if names.count(name) > 1:
            raise ValueError(f"level {name!r} is there twice; each needs a name of its own")
    return names


def _an_absolute_path(value: object) -> object:
    if isinstance(value, str) and value.strip() and not value.startswith(("/", "~")):
        raise ValueError(f"{value!r} is relative; write the whole path, from / or ~ on")
    return value


def _written_in(example: str, *, empty: object) -> BeforeValidator:
    """Read a value that came as text, from the environment, as the settings file would have it."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        if not value.strip():
            return empty
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{value!r} can't be read; write it as in the file, {example}") from error

    return BeforeValidator(read)


def _file_types(given: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for written, category in given.items():
        extension = written.removeprefix(".").casefold()
        if not _EXTENSION.fullmatch(extension):
            raise ValueError(f"extension {written!r} is refused; write what follows the last dot, such as psd")
        if category not in CATEGORY_NAMES:
            raise ValueError(f"{category!r} is no category (for {written}); use {', '.join(CATEGORY_NAMES)}")
        if extension in found:
            raise ValueError(f"extension {extension!r} is there twice; keep one")
        found[extension] = category
    return found


class UserRoot(Section):
    """A folder of the user's whose files are accounted for."""

    name: str
    """What it is called on screens."""
    path: Annotated[FolderPath, BeforeValidator(_an_absolute_path)]
    """The folder, absolute."""
    layout: str = ""
    """How paths in it name entities, such as `{project}/renders/{character}`. Empty: a folder for each level."""
    category: Category | None = None
    """The category of all its files. Empty: by their extensions."""
    exclude: Names = ()
    """Names of files and folders that are left out, besides those of `storage.exclude`."""

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        """Name the nearest key for a wrong one, as everywhere in the settings."""
        if isinstance(given, dict):
            for key in given:
                if key not in cls.model_fields:
                    near = difflib.get_close_matches(str(key), cls.model_fields, n=1)
                    known = ", ".join(cls.model_fields)
                    raise ValueError(f"a root has no {key!r}; {f'did you mean {near[0]}?' if near else f'use {known}'}")
            return {key: value for key, value in given.items() if key != "category" or value != ""}
        return given

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not _ROOT_NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} is refused; use up to 64 letters, digits, spaces, . _ and -")
        return self


class Storage(Section):
    """What is known of the files: levels of the hierarchy, roots, categories, and how often sizes are read."""

    refresh_interval: Duration = timedelta(minutes=15)
    """How often the sizes are read. 0: on order only."""
    full_walk_interval: PositiveDuration = timedelta(days=1)
    """At least this often every folder is listed, also where nothing seems to have changed."""
    rolling_share: Fraction = 0.05
    """The share of unchanged folders that a refresh lists again, 0 to 1: files can grow in place unseen."""
    watches: bool = True
    """Have the kernel report changes (inotify), where it can."""
    levels: Annotated[Names, AfterValidator(_levels)] = DEFAULT_LEVELS
    """The levels of the hierarchy, from the top down, 1 to 8. `["series", "season", "episode"]` works as well."""
    discover_entities: bool = True
    """Make an entity of each folder that fits a root's layout."""
    exclude: Names = ()
    """Names of files and folders that are counted nowhere, such as `["@eaDir", "*.tmp"]`."""
    file_types: Annotated[dict[str, str], _written_in('{ psd = "image" }', empty={}), AfterValidator(_file_types)] = (
        Field({})
    )
    """Categories of more file extensions, such as `{ psd = "image" }`; they win over the built-in ones."""
    roots: Annotated[tuple[UserRoot, ...], _written_in('[{ name = "renders", path = "/mnt/renders" }]', empty=())] = ()
    """More folders, such as `[{ name = "renders", path = "/mnt/renders", layout = "{project}/{character}" }]`."""

    @field_validator("roots")
    @classmethod
    def _sound(cls, roots: tuple[UserRoot, ...], info: ValidationInfo) -> tuple[UserRoot, ...]:
        """Judge layouts by the levels, and each root beside the others."""
        levels = info.data.get("levels")  # not there if they were refused themselves
        for root in roots:
            try:
                layout_parts(root.layout, levels) if levels and root.layout else ()
            except ValueError as error:
                raise ValueError(f"layout of {root.name!r}: {error}") from error
        for one, other in combinations(roots, 2):
            if one.name == other.name:
                raise ValueError(f"two roots are called {one.name!r}; give each a name of its own")
            if _overlap(one.path, other.path):
                raise ValueError(
                    f"{one.name} ({str(one.path)!r}) and {other.name} ({str(other.path)!r}) lie one in "
                    "the other, so files would count twice; keep one"
                )
        return roots


def layout_text(levels: Sequence[str]) -> str:
    """Return the layout with a folder for each level."""
    return "/".join(f"{{{level}}}" for level in levels)


def layout_parts(text: str, levels: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return a layout's parts: a level and "", or "" and a fixed name.

    Raises:
        ValueError: it is no layout for these levels; says what to write.
    """
    example = f"write it like {layout_text(levels)}, where fixed names may stand between the levels"
    parts: list[tuple[str, str]] = []
    wanted = list(levels)
    for part in text.split("/"):
        if part in ("", ".", "..") or "\0" in part:
            raise ValueError(f"{text!r} has the part {part!r}; {example}")
        if "{" not in part and "}" not in part:
            parts.append(("", part))
            continue
        level = part[1:-1]
        if part != f"{{{level}}}" or level not in levels:
            raise ValueError(f"{text!r}: {part!r} is no level; {example}")
        if not wanted or level != wanted[0]:
            raise ValueError(f"{text!r}: {part!r} is out of order, the levels go {' > '.join(levels)}; {example}")
        parts.append((wanted.pop(0), ""))
    if len(wanted) == len(levels):
        raise ValueError(f"{text!r} names no level; {example}")
    return tuple(parts)


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
