"""Finds the file systems that are mounted, what each is known by, and how full it is.

The invariant: nothing here waits for a mount that hangs, and no identity is made up from one that was swapped between
the listing and the look. Which of them are tracked is left to the monitor.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pulsetui.clock import Clock
from pulsetui.db.identity import boot_id
from pulsetui.volumes import identity
from pulsetui.volumes.blocks import BY_UUID, SYSTEM, is_removable, numbers_of, udev_uuids
from pulsetui.volumes.detection import FileSystem, file_systems
from pulsetui.volumes.identity import Host, Identity
from pulsetui.volumes.looking import GONE, NOT_A_FOLDER
from pulsetui.volumes.mountinfo import parse_mountinfo
from pulsetui.volumes.probing import Prober
from pulsetui.volumes.records import Detected, Mount, Probe
from pulsetui.waiting import in_thread

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_TRIES = 3
"""How often to look again because something was mounted or unmounted meanwhile; some machines do so all the time."""
MOST_POINTS = 32
"""How many of the parts of a file system that are mounted somewhere are looked at."""


class Detector:
    """Looks at all mounts, on order. One caller at a time."""

    def __init__(
        self,
        *,
        ignored: Collection[str],
        probe_timeout_s: float,
        mountinfo: Path = Path("/proc/self/mountinfo"),
        by_uuid: Path = BY_UUID,
        system: Path = SYSTEM,
        clock: Clock | None = None,
    ) -> None:
        """Take the types that are no volumes, and how long a mount may take to answer."""
        self._ignored = frozenset(ignored)
        self._mountinfo = mountinfo
        self._by_uuid = by_uuid
        self._system = system
        self._prober = Prober(timeout_s=probe_timeout_s, clock=clock)
        self._host: Host | None = None
        self._table = b""
        self._found: tuple[FileSystem, ...] = ()
        self._uuids: dict[tuple[str, str, bytes], str] = {}
        """What each mounted superblock said of itself when it last answered."""

    async def detect(self) -> tuple[Detected, ...]:
        """Return the file systems that are mounted now, in the order of the mount table.

        Raises:
            WorkerLostError: the process that looks at them can't be started.
        """
        for _ in range(_TRIES):
            found = await in_thread(self._list)
            probes = await self._prober.probe([mount for one in found for mount in _asked(one)])
            # The kernel gives the number of an unmounted file system to the next one that is mounted: what was looked
            # at is what was listed only if the table is the same still.
            if found is await in_thread(self._list):
                break
        return await in_thread(self._detected, found, probes)

    async def close(self) -> None:
        """End the processes that look."""
        await self._prober.close()

    def _list(self) -> tuple[FileSystem, ...]:
        table = self._mountinfo.read_bytes()
        if table != self._table:
            self._found = file_systems(parse_mountinfo(table), self._ignored)
            self._table = table
        return self._found

    def _detected(self, found: Iterable[FileSystem], probes: Mapping[Mount, Probe]) -> tuple[Detected, ...]:
        if self._host is None:
            self._host = host()
        there = [one for one in (_answered(one, probes) for one in found) if one is not None]
        known = {_superblock(one) for one, _ in there}
        self._uuids = {key: uuid for key, uuid in self._uuids.items() if key in known}
        by_udev = udev_uuids(self._by_uuid) if any(not probe.fs_uuid for _, probe in there) else {}
        return tuple(self._one(one, probe, by_udev, self._host) for one, probe in there)

    def _one(self, one: FileSystem, probe: Probe, by_udev: Mapping[str, str], where: Host) -> Detected:
        numbers = numbers_of(one.main)
        uuid = probe.fs_uuid or next((by_udev[number] for number in numbers if number in by_udev), "")
        if uuid and _answers(probe):
            self._uuids[_superblock(one)] = uuid
        elif not uuid and not _answers(probe):
            uuid = self._uuids.get(_superblock(one), "")
        known_by = identify(one, uuid, where, answers=_answers(probe))
        return Detected(
            fingerprint=known_by.fingerprint,
            kind=known_by.kind,
            identity=known_by.words,
            fs_type=one.main.fs_type,
            device=os.fsdecode(one.main.source),
            device_number=one.main.device,
            mount_points=tuple(Path(os.fsdecode(mount.point)) for mount in one.mounts),
            root=one.main.root,
            is_read_only=one.is_read_only,
            is_removable=any(is_removable(number, self._system) for number in numbers),
            is_network=one.kind == "network",
            warnings=known_by.warnings,
            probe=probe,
        )


def identify(one: FileSystem, uuid: str, where: Host, *, answers: bool = True) -> Identity:
    """Return what a file system is known by; `uuid` is empty if it has none, or could not be asked."""
    point = one.first.point
    if one.kind == "network":
        return identity.network(one.main.fs_type, one.main.source)
    if one.kind == "memory":
        return identity.memory(point, where)
    if one.kind == "overlay":
        return identity.overlay(point, where)
    if uuid:
        return identity.disk(uuid, one.subvolume)
    return identity.unidentified(point, where, identity.NO_UUID if answers else identity.NOT_ANSWERING)


def host() -> Host:
    """Return what names this machine and its boot. Blocks."""
    return Host(next(_machine_ids()), boot_id())


def _machine_ids() -> Iterator[str]:
    """Yield machine-id(5), or else, as in many containers, the host's name."""
    for path in _MACHINE_IDS:
        try:
            if found := path.read_text(encoding="ascii").strip():
                yield found
        except (OSError, ValueError):
            continue
    yield socket.gethostname()


def _asked(one: FileSystem) -> tuple[Mount, ...]:
    """Return the mounts of a file system that are looked at: one for each part of it that is shown."""
    by_root: dict[bytes, Mount] = {}
    for mount in one.mounts:
        by_root.setdefault(mount.root, mount)
    return tuple(by_root.values())[:MOST_POINTS]


def _answered(one: FileSystem, probes: Mapping[Mount, Probe]) -> tuple[FileSystem, Probe] | None:
    """Return a file system and the probe that counts: of the mount point that has its marker, else of the main one.

    What was unmounted meanwhile is left out, as are files that are mounted one by one (a container's `/etc/hosts`), and
    file systems without a single block, as df(1) does: what they show is made up by a program.
    """
    errors = {mount: probes[mount].error for mount in one.mounts if mount in probes}
    files = {mount.root for mount, error in errors.items() if error == NOT_A_FOLDER}
    mounts = tuple(mount for mount in one.mounts if errors.get(mount) != GONE and mount.root not in files)
    asked = [mount for mount in mounts if mount in probes]
    if not asked:
        return None
    main = min(asked, key=lambda mount: _rank(probes[mount]))
    probe = probes[main]
    if _answers(probe) and not probe.total_bytes and one.kind != "network":
        return None
    ordered = (main, *(mount for mount in mounts if mount is not main))
    first = one.first if one.first in mounts else main
    return replace(one, mounts=ordered, first=first), probe


def _rank(probe: Probe) -> int:
    """Say which probes of one file system count before others: those that tell more."""
    if not _answers(probe):
        return 3 if probe.is_hanging else 4
    return 0 if probe.marker else 1 if probe.marker_error else 2


def _answers(probe: Probe) -> bool:
    return not probe.is_hanging and not probe.error


def _superblock(one: FileSystem) -> tuple[str, str, bytes]:
    return one.main.device, one.main.fs_type, one.main.source
