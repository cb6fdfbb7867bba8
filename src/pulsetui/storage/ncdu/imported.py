"""Reads ncdu's JSON export, format 1.x, into a tree of sizes: https://dev.yorhel.nl/ncdu/jsonfmt.

`[1, 2, {metadata}, directory]`, where a directory is an array of its own info object and its entries. Not quite JSON:
names are the bytes that the disk has, valid UTF-8 or not. The invariant: memory follows what is kept of the tree and
never the length of the document (for a picture of a million files 100 MB, for a node each 1.1 GB); a document that is
broken anywhere is an error, not a smaller tree. Writing is left to `writer` and `walk`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pulsetui.clock import from_ms
from pulsetui.errors import PulseError
from pulsetui.storage.categories import category_of
from pulsetui.storage.ncdu.reader import Reader, Stream, broken
from pulsetui.storage.plain.nodes import Branch, PlainFile
from pulsetui.storage.plain.tree import PlainTree
from pulsetui.storage.views import StorageNode

ERRORS_KEPT = 1_000
"""How many of the entries that could not be read are named."""
_MAJOR = 1
"""The version that is understood, with any minor one."""
_LARGEST = 2**64 - 1
"""What ncdu accepts as a number."""
_EXCLUDED = {
    "pattern": "left out of the export by a pattern",
    "otherfs": "left out of the export: another file system",
    "othfs": "left out of the export: another file system",
    "kernfs": "left out of the export: a file system of the kernel",
}
_UNREAD = "could not be read when the export was made"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an export says."""

    tree: StorageNode
    exported_at: datetime | None
    """When it was written, or None if it doesn't say."""
    errors: tuple[tuple[bytes, str], ...]
    """The first of what could not be read, or was left out, when it was made: path, and why."""
    error_count: int


def read_export(
    stream: Stream, *, categories: Mapping[str, int], depth: int | None = None, most_files: int | None = None
) -> Imported:
    """Read an export to its end; `depth` and `most_files` are those of `PlainTree`. Blocks.

    Raises:
        PulseError: it is no export, one in another form, or broken; says on which line.
    """
    reader = Reader(stream)
    exported_at = _head(reader)
    importing = _Import(categories, depth, most_files)
    for level, is_folder, found in reader.entries():
        importing.take(level, is_folder, found, reader)
    if importing.tree is None:
        raise broken(reader, "there is no folder in it")
    return Imported(importing.tree.tree(), exported_at, tuple(importing.errors), importing.error_count)


def _head(reader: Reader) -> datetime | None:
    """Read what stands before the tree and return when it was written."""
    reader.expect("[")
    major = reader.value()
    reader.expect(",")
    minor = reader.value()
    reader.expect(",")
    if not _is_count(major) or not _is_count(minor):
        raise broken(reader, "it has no version")
    if major != _MAJOR:
        raise PulseError(f"this is version {major}.{minor} of ncdu's format", hint="version 1 is understood")
    metadata = reader.value()
    reader.expect(",")
    at = metadata.get("timestamp") if isinstance(metadata, dict) else None
    try:
        return from_ms(round(at * 1000)) if isinstance(at, int | float) and at > 0 else None
    except (OverflowError, ValueError):
        return None


class _Import:
    """Turns the entries of an export, parents first, into a tree."""

    def __init__(self, categories: Mapping[str, int], depth: int | None, most_files: int | None) -> None:
        self.tree: PlainTree | None = None
        self.errors: list[tuple[bytes, str]] = []
        self.error_count = 0
        self._categories = categories
        self._depth = depth
        self._most_files = most_files
        self._branches: list[Branch] = []
        self._names: list[bytes] = []
        self._devices: list[int] = []

    def take(self, level: int, is_folder: bool, found: dict[str, Any], reader: Reader) -> None:
        """Take the next entry; `level` counts the folders that it is in."""
        try:
            name = _name(found)
            if is_folder:
                self._enter(level, name, found)
            else:
                self._add(level, name, found)
        except ValueError as error:
            raise broken(reader, str(error)) from error

    def _enter(self, level: int, name: bytes, found: dict[str, Any]) -> None:
        del self._branches[level:], self._names[level:], self._devices[level:]
        if self.tree is None:
            self.tree = PlainTree(name, depth=self._depth, most_files=self._most_files)
            branch = self.tree.top
        else:
            branch = self.tree.enter(self._branches[-1], name)
        self._branches.append(branch)
        self._names.append(name)
        self._devices.append(_count(found, "dev") if "dev" in found else (self._devices or [0])[-1])
        self.tree.add_folder(branch, _count(found, "dsize"), self._error(self._names, found))

    def _add(self, level: int, name: bytes, found: dict[str, Any]) -> None:
        if self.tree is None:
            raise ValueError("the tree does not begin with a folder")
        del self._branches[level:], self._names[level:], self._devices[level:]
        error = self._error([*self._names, name], found) if "excluded" in found or "read_error" in found else ""
        file = PlainFile(
            name,
            category_of(name, self._categories),
            _count(found, "asize"),
            _count(found, "dsize"),
            _count(found, "mtime") * 1_000_000_000 if "mtime" in found else 0,
            error,
            0 if error else 1,
        )
        inode = _count(found, "ino") if "ino" in found else 0
        if inode and (found.get("hlnkc") is True or _count(found, "nlink") > 1):
            device = _count(found, "dev") if "dev" in found else self._devices[-1]
            self.tree.add_link(self._branches[-1], b"/".join(self._names[1:]), (device, inode), file)
        else:
            self.tree.add_file(self._branches[-1], file)

    def _error(self, names: list[bytes], found: dict[str, Any]) -> str:
        excluded = found.get("excluded")
        if found.get("read_error") is True:
            error = _UNREAD
        elif isinstance(excluded, str):
            error = _EXCLUDED.get(excluded, _EXCLUDED["pattern"])
        else:
            return ""
        self.error_count += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append((b"/".join(names), error))
        return error


def _name(found: dict[str, Any]) -> bytes:
    name = found.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError("an entry has no name")
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of an escaped pair: ncdu 1 takes it as a character of its own
        return name.encode("utf-8", "surrogatepass")


def _count(found: dict[str, Any], key: str) -> int:
    value: Any = found.get(key, 0)
    if type(value) is int and 0 <= value <= _LARGEST:
        return value
    if key == "mtime" and isinstance(value, float):
        return int(max(0.0, min(value, 1e12)))  # ncdu 2 allows fractions
    raise ValueError(f"{key} is not a whole number from 0")


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0
