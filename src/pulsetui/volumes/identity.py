"""What a volume is known by, whatever its device is called today: the fingerprint.

Pure rules, but for `fs_uuid`. The invariant: a fingerprint is made of what stays across remounts and renumbering of
devices, and says so in words beside it. The marker file is never part of it. See docs/decisions/0020.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass

from pulsetui.files.filesystems import fs_uuid
from pulsetui.files.names import display_text
from pulsetui.volumes.views import Kind

__all__ = ["Host", "Identity", "disk", "fingerprint", "fs_uuid", "memory", "network", "overlay", "unidentified"]

FINGERPRINT_DIGITS = 32
_ALIASES = {"nfs4": "nfs", "cifs": "smb", "smb3": "smb", "smbfs": "smb"}
_SHARE = re.compile(r"//[^/]+/[^/]+")
NO_UUID = (
    "its file system has no UUID: it is known by this machine and its mount point, so another disk that is mounted "
    "there is told from it by its marker alone"
)
ONLY_HERE = "it is known by this machine and its mount point alone"
LOST_AT_REBOOT = "it is in memory: all of it is lost at the next reboot"
NOT_ANSWERING = "it has not answered yet, so its identity is not known for certain"


@dataclass(frozen=True, slots=True)
class Host:
    """What names the machine and its present boot."""

    machine_id: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file system is known by."""

    kind: Kind
    fingerprint: str
    words: str
    """What the fingerprint is made of."""
    warnings: tuple[str, ...] = ()


def disk(uuid: str, subvolume: bytes) -> Identity:
    """Return the identity of a file system with a UUID; `subvolume` is empty but on btrfs."""
    if not subvolume:
        return Identity("disk", fingerprint("disk", uuid), f"UUID {uuid}")
    path = os.fsdecode(subvolume)
    return Identity("disk", fingerprint("disk", uuid, path), f"UUID {uuid}, subvolume {display_text(path)}")


def network(fs_type: str, source: bytes) -> Identity:
    """Return the identity of what a server exports."""
    kind, place = network_source(fs_type, source)
    return Identity("network", fingerprint("network", kind, place), f"{kind} {display_text(place)}")


def overlay(point: bytes, host: Host) -> Identity:
    """Return the identity of a container's root and the like, which is this machine's and has nothing of its own."""
    place = os.fsdecode(point)
    words = f"this machine, mounted at {display_text(place)}"
    return Identity("overlay", fingerprint("overlay", host.machine_id, place), words, (ONLY_HERE,))


def unidentified(point: bytes, host: Host, warning: str = NO_UUID) -> Identity:
    """Return what a disk without a UUID goes by; never the fingerprint of an overlay that is mounted there later."""
    place = os.fsdecode(point)
    words = f"no UUID; this machine, mounted at {display_text(place)}"
    return Identity("disk", fingerprint("disk", host.machine_id, place), words, (warning,))


def memory(point: bytes, host: Host) -> Identity:
    """Return the identity of a file system in memory, which ends with this boot."""
    place = os.fsdecode(point)
    words = f"memory of this boot, mounted at {display_text(place)}"
    return Identity("memory", fingerprint("memory", host.boot_id, place), words, (LOST_AT_REBOOT,))


def fingerprint(kind: Kind, *parts: str) -> str:
    """Return 32 hex digits for what a volume is known by; bytes that are no UTF-8 come as surrogate escapes."""
    text = "\0".join((kind, *parts))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:FINGERPRINT_DIGITS]


def network_source(fs_type: str, source: bytes) -> tuple[str, str]:
    """Return type and place that a network file system comes from, each in one spelling.

    Names of hosts are the same in any case (RFC 4343), as are names of shares ([MS-SMB2]); paths below them may differ
    by case.
    """
    kind, text = _ALIASES.get(fs_type, fs_type), os.fsdecode(source)
    if kind == "smb":
        text = text.replace("\\", "/").rstrip("/")
        return kind, _SHARE.sub(lambda share: share[0].lower(), text, count=1)
    host, colon, path = text.partition(":/")
    if not colon:
        return kind, text
    user, at, name = host.rpartition("@")
    return kind, f"{user}{at}{name.lower()}:/{path.rstrip('/')}"
