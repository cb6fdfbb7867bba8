"""Roots: the folders whose files are accounted for, the built-in ones and the user's.

The invariant: each path belongs to one root at most. Where one root lies inside another, the inner one's folder is left
out of the outer one (`nested_in`); two roots with layouts never overlap, since a file would have two places in the
hierarchy. Pure: asks nothing of the disk. Storing roots and giving them ids is left to `store`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pulsetui.errors import SettingsError
from pulsetui.files.names import display_text
from pulsetui.settings.storage import Storage, UserRoot
from pulsetui.storage.layouts import Layout
from pulsetui.storage.views import CATEGORIES

RootKind = Literal["videos", "audio", "transcripts", "tokens", "analysis", "user", "data", "storage", "trash"]
"""What lies in a root: entities' files by kind, a user's folder, the rest of `data_dir` or `storage_dir`, or trash."""

TRASH_FOLDER = ".pulsetui-trash"
"""Where deleted files wait, directly inside `data_dir`, `storage_dir` and each of the user's roots."""

_CATEGORY_NAMES: Mapping[RootKind, str] = {
    "videos": "video",
    "audio": "audio",
    "transcripts": "text",
    "tokens": "text",
    "analysis": "metadata",
}
"""What a file in a built-in root is, whatever it is called: a transcript is text, also as .json."""


@dataclass(frozen=True, slots=True)
class Root:
    """One folder whose files are accounted for."""

    name: str
    """Unique: `videos`, `trash:data`, or what the user calls it."""
    path: Path
    """Absolute."""
    kind: RootKind
    layout: Layout | None = None
    """How paths below it name entities; None: no entity has files here."""
    category: int | None = None
    """The category of all its files, or None: by their names."""
    exclude: tuple[str, ...] = ()
    """Names (fnmatch patterns) that are left out, at any depth."""
    optional: bool = False
    """It comes into being when it is needed: while nothing is known of it, a missing folder is empty, no error."""
    id: int = 0
    """Its id in the database; 0 before it is stored."""


def roots_of(
    settings: Storage, data_dir: Path, storage_dir: Path, stored: Mapping[str, int] | None = None
) -> tuple[Root, ...]:
    """Return every root, those with layouts first. `stored` gives ids by name; one that isn't there gets 0.

    Raises:
        SettingsError: a root of the user's has a built-in one's name, or lies in or around one.
    """
    rest = [Root("data", data_dir, "data", exclude=settings.exclude)]
    if storage_dir != data_dir:
        rest.append(Root("storage", storage_dir, "storage", exclude=settings.exclude))
    built_in = _built_in(settings, data_dir, storage_dir)
    trash = [_trash(root) for root in rest]
    users = [_of_user(given, settings) for given in settings.roots]
    for root in users:
        if any(root.name == other.name for other in (*built_in, *rest)):
            raise SettingsError(f"storage.roots: {root.name!r} is one of pulsetui's own", hint="give it another name")
        _refuse_overlap(root, (*built_in, *trash))
    trash += [_trash(root) for root in users]
    every = (*built_in, *users, *rest, *trash)
    return tuple(replace(root, id=stored.get(root.name, 0)) if stored else root for root in every)


def nested_in(root: Root, roots: Iterable[Root]) -> tuple[Root, ...]:
    """Return the roots inside `root`, which a scan of it has to leave out."""
    return tuple(other for other in roots if other.path != root.path and other.path.is_relative_to(root.path))


def _built_in(settings: Storage, data_dir: Path, storage_dir: Path) -> list[Root]:
    layout = Layout.of_levels(settings.levels)
    places: tuple[tuple[RootKind, Path], ...] = (
        ("videos", storage_dir),
        ("audio", data_dir),
        ("transcripts", data_dir),
        ("tokens", data_dir),
        ("analysis", data_dir),
    )
    return [
        Root(
            kind,
            above / kind,
            kind,
            layout,
            CATEGORIES.index(_CATEGORY_NAMES[kind]),
            settings.exclude,
            optional=True,
        )
        for kind, above in places
    ]


def _of_user(given: UserRoot, settings: Storage) -> Root:
    return Root(
        given.name,
        given.path,
        "user",
        Layout.parse(given.layout, settings.levels) if given.layout else Layout.of_levels(settings.levels),
        CATEGORIES.index(given.category) if given.category else None,
        (*settings.exclude, *given.exclude),
    )


def _trash(of: Root) -> Root:
    return Root(f"trash:{of.name}", of.path / TRASH_FOLDER, "trash", optional=True)


def _refuse_overlap(root: Root, taken: Iterable[Root]) -> None:
    """Refuse a root of the user's that lies in or around one in `taken`; beside each other, settings judge them."""
    for other in taken:
        if root.path.is_relative_to(other.path):
            relation = "is" if root.path == other.path else "lies in"
        elif other.path.is_relative_to(root.path):
            relation = "lies around"
        else:
            continue
        raise SettingsError(
            f"storage.roots: {_shown(root)} {relation} {_shown(other)}, so its files would count twice",
            hint="name a folder that neither holds another root nor lies in one",
        )


def _shown(root: Root) -> str:
    return f"{root.name} ({display_text(str(root.path))})"
