r"""Reads the kernel's table of mounts, `/proc/self/mountinfo` (proc_pid_mountinfo(5)). Pure.

The invariant: names are bytes as the kernel has them, its octal escapes (`\040`) undone; a line that can't be read is
left out and spoils no other one. What the mounts are is left to `detection`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from pulsetui.volumes.records import Mount

__all__ = ["Mount", "parse_mountinfo", "visible"]

_ESCAPED = re.compile(rb"\\([0-3][0-7]{2})")
_FIELDS = 6
"""Before the optional ones, of which there may be any number, up to a single `-`."""
_SUBVOLUME = b"subvol="


def parse_mountinfo(data: bytes) -> tuple[Mount, ...]:
    """Return the mounts of a table, in its order."""
    # Not splitlines(): a carriage return or a form feed in a name is not escaped.
    return tuple(mount for line in data.split(b"\n") if (mount := _parsed(line)) is not None)


def visible(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """Return the mounts that a look-up of their mount point's path reaches; the others are covered by one of these."""
    listed = tuple(mounts)
    ids = {mount.id for mount in listed}
    # The parent of the uppermost mount isn't listed, nor, in a chroot, are those above it. Rootfs is its own parent.
    above = {(mount.parent_id if mount.parent_id in ids - {mount.id} else None, mount.point): mount for mount in listed}
    return tuple(mount for mount in listed if _reached(mount.point, above) is mount)


def _reached(path: bytes, above: dict[tuple[int | None, bytes], Mount]) -> Mount | None:
    """Walk down a path as the kernel does: into each mount that lies on the folder that was come to."""
    current: Mount | None = None
    entered: set[int] = set()
    for folder in _folders(path):
        while (found := above.get((None if current is None else current.id, folder))) and found.id not in entered:
            current = found
            entered.add(found.id)
    return current


def _folders(path: bytes) -> Iterator[bytes]:
    """Yield `/`, and each folder on the way to a path, and the path itself."""
    yield b"/"
    if path != b"/":
        end = path.find(b"/", 1)
        while end > 0:
            yield path[:end]
            end = path.find(b"/", end + 1)
        yield path


def _parsed(line: bytes) -> Mount | None:
    before, separator, after = line.partition(b" - ")
    fields, rest = before.split(b" "), after.split(b" ")
    if not separator or len(fields) < _FIELDS or len(rest) < 2:
        return None
    try:
        id_, parent_id = int(fields[0]), int(fields[1])
    except ValueError:
        return None
    return Mount(
        id=id_,
        parent_id=parent_id,
        device=os.fsdecode(fields[2]),
        root=_unescaped(fields[3]),
        point=_unescaped(fields[4]),
        fs_type=os.fsdecode(_unescaped(rest[0])),
        source=_unescaped(rest[1]),
        options=_options(fields[5]),
        super_options=_options(b" ".join(rest[2:])),
    )


def _options(field: bytes) -> frozenset[str]:
    """Split options at their commas, but for those in the name of a subvolume, which btrfs puts last."""
    start, name, rest = field.partition(_SUBVOLUME)
    whole = [name + rest] if name else []
    return frozenset(os.fsdecode(_unescaped(option)) for option in [*start.split(b","), *whole] if option)


def _unescaped(field: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), field) if b"\\" in field else field
