"""What the machine says of the block devices under file systems: their UUIDs as udev found them, and what holds them.

The invariant: nothing here touches a mounted file system, so none of it waits for one that hangs. Blocks on `/dev` and
`/sys` alone.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from pulsetui.volumes.records import Mount

BY_UUID = Path("/dev/disk/by-uuid")
SYSTEM = Path("/sys/dev/block")
_DEEPEST = 8
"""How many layers (LVM on RAID on LUKS …) are looked through."""


def numbers_of(mount: Mount) -> tuple[str, ...]:
    """Return the device numbers, `major:minor`, that a mount may stand on.

    That of btrfs is made up, and so is that of a RAID of it; what it was mounted from is one of its disks.
    """
    numbers = [mount.device]
    if mount.source.startswith(b"/dev/"):
        with suppress(OSError, ValueError):
            found = Path(os.fsdecode(mount.source)).stat()
            if stat.S_ISBLK(found.st_mode):
                numbers.append(f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}")
    return tuple(dict.fromkeys(numbers))


def udev_uuids(folder: Path = BY_UUID) -> dict[str, str]:
    """Return the UUIDs that udev found, by device number; empty where there is no udev."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for link in folder.iterdir():
            with suppress(OSError):
                device = link.stat().st_rdev
                found[f"{os.major(device)}:{os.minor(device)}"] = _unescaped(link.name).lower()
    return found


def is_removable(number: str, system: Path = SYSTEM) -> bool:
    """Say whether a device, or what it is made of, can be taken out: its medium, or all of it, since it is on USB."""
    with suppress(OSError):
        return _is_removable((system / number).resolve(strict=True), _DEEPEST)
    return False


def _is_removable(device: Path, deep: int) -> bool:
    if any(part.startswith("usb") for part in device.parts):
        return True
    for folder in (device, device.parent):  # of a partition, it is the disk that has it
        with suppress(OSError):
            if (folder / "removable").read_bytes().strip() == b"1":
                return True
    with suppress(OSError):
        slaves = list((device / "slaves").iterdir())
        return deep > 0 and any(_is_removable(slave.resolve(), deep - 1) for slave in slaves)
    return False


def _unescaped(name: str) -> str:
    r"""Undo what udev does to characters that a name can't have: `\x20`."""
    head, *rest = name.split("\\x")
    return head + "".join(chr(int(part[:2], 16)) + part[2:] for part in rest)
