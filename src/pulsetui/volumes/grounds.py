"""Grounds: whether the folders that the pipeline works in still stand on what they stood on when it started.

A disk that is unmounted leaves an empty folder of the same name, on another file system. The invariant: a folder that
`enter` returned was proved through its own descriptor, so whatever is done below it reaches the file system that was
meant, also if that is unmounted a moment later; and one that is known to be away is not touched, since it may hang.

Proof is the file system's UUID (without one: its id, or what it is mounted from), the folder's inode, and what
witnesses say: marker files that were there at the start, and the marker of the tracked volume. All calls block: they
are for worker threads, but `away`. When to look, and what to do with a ground that doesn't answer, is left to
`ground_watch`; which volume is in which state to the monitor.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pulsetui import faults
from pulsetui.errors import RefusedError, VolumeAwayError
from pulsetui.files.direct import read_start
from pulsetui.files.folders import Folder
from pulsetui.files.names import display_text
from pulsetui.volumes.footing import Footing, footing_of, mount_of
from pulsetui.volumes.judgement import Standing
from pulsetui.volumes.marker import MARKER_NAME
from pulsetui.volumes.naming import name_of

_GONE = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.ENXIO,
    errno.ENODEV,
    errno.ENOMEDIUM,
    errno.ESTALE,
    errno.ENOTCONN,
    errno.ESHUTDOWN,
    errno.EHOSTDOWN,
    errno.ETIMEDOUT,
    errno.EREMOTEIO,
    errno.EUCLEAN,
}
"""What a root answers with whose disk is gone; EACCES, since many keep an empty mount point from being used so."""
_HINT = "it goes on by itself when its disk is mounted again; if another disk is to take its place, start pulsetui anew"


@dataclass(frozen=True, slots=True)
class Witness:
    """A file on the same file system that has to be there and to hold a word."""

    folder: Path
    name: str
    word: str


@dataclass(slots=True)
class _Ground:
    """One folder of the pipeline's."""

    path: Path
    footing: Footing
    mount_point: Path
    """Of the mount that it was noted in."""
    witnesses: tuple[Witness, ...]
    volume: str = ""
    """The fingerprint of the tracked volume that it stands on; empty: it isn't on one, or that is not known yet."""
    volume_witness: Witness | None = None
    told: str = ""
    """Why the monitor says that it is away."""
    seen: str = ""
    """Why the newest look says so."""
    is_read_only: bool = False
    doubted: bool = False
    """Reading or writing failed: looks go past the page cache until one succeeds."""


@dataclass(slots=True)
class Grounds:
    """The folders of the pipeline, by path. Thread-safe."""

    on_lost: list[Callable[[], None]] = field(default_factory=list)
    """Called in whatever thread finds that a ground is away."""
    _grounds: dict[Path, _Ground] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, path: Path, witnesses: Sequence[Witness] = ()) -> Footing:
        """Take what a folder stands on now for what it has to stand on, and the witnesses that are there.

        Raises:
            OSError: it can't be looked at.
            RefusedError: a symbolic link is on the way to it.
        """
        with Folder.open(path) as folder:
            footing, mount = footing_of(folder), mount_of(folder)
        mount_point = Path("/") if mount is None else Path(os.fsdecode(mount.point))
        near = tuple(witness for witness in witnesses if _is_heard(witness, footing.device))
        with self._lock:
            self._grounds[path] = _Ground(path, footing, mount_point, near)
        return footing

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders that were noted."""
        return tuple(self._grounds)

    def covers(self, path: Path) -> bool:
        """Say whether a path lies in a noted folder."""
        return self._of(path) is not None

    def follow(self, standings: Sequence[Standing]) -> None:
        """Take how the volumes stand, as the monitor says. Doesn't block.

        A ground belongs to the tracked volume that is mounted where it was noted, until that one is untracked.
        """
        tracked = {one.record.fingerprint: one for one in standings if one.record is not None}
        with self._lock:
            for ground in self._grounds.values():
                home = tracked.get(ground.volume)
                if home is None:
                    home = next((one for one in tracked.values() if _carries(one, ground)), None)
                _settle(ground, home)

    def enter(self, path: Path, *, writing: bool = True, create: bool = False, mode: int = 0o700) -> Folder:
        """Open a folder in a noted one, or such a one itself, on proved ground; any other is just opened.

        Raises:
            VolumeAwayError: it doesn't stand on what it should, or (for `writing`) that is read-only.
            OSError: as `Folder.open` does, of what lies below the ground.
            RefusedError: likewise.
        """
        ground = self._of(path)
        if ground is None:
            return Folder.open(path, create=create, mode=mode)
        with self._entered(ground, writing=writing) as root:
            return root.below(*path.relative_to(ground.path).parts, create=create, mode=mode)

    def check(self, path: Path, *, writing: bool = True) -> None:
        """Look whether the ground of a path is there, just now.

        Raises:
            VolumeAwayError: it isn't.
        """
        if (ground := self._of(path)) is not None:
            self._entered(ground, writing=writing).close()

    def doubt(self, path: Path) -> None:
        """Have the next looks ask the disk itself: its file system may answer from memory when the disk is gone."""
        if (ground := self._of(path)) is not None:
            ground.doubted = True

    def away(self, path: Path, *, writing: bool = True) -> str:
        """Return why the ground of a path is away as far as is known, empty if it isn't. Never blocks."""
        ground = self._of(path)
        if ground is None:
            return ""
        return ground.told or ground.seen or (_read_only(ground) if writing and ground.is_read_only else "")

    def root_of(self, path: Path) -> Path:
        """Return the noted folder that a path lies in, or the path itself."""
        ground = self._of(path)
        return path if ground is None else ground.path

    def volume_of(self, path: Path) -> str:
        """Return the fingerprint of the tracked volume that a path's ground belongs to; empty: none."""
        ground = self._of(path)
        return "" if ground is None else ground.volume

    def lost(self, path: Path, why: str) -> None:
        """Take it for away until a look succeeds: it doesn't answer."""
        if (ground := self._of(path)) is not None:
            self._see(ground, why)

    def _of(self, path: Path) -> _Ground | None:
        """Return the innermost ground that a path lies in."""
        for above in (path, *path.parents):
            if (ground := self._grounds.get(above)) is not None:
                return ground
        return None

    def _entered(self, ground: _Ground, *, writing: bool) -> Folder:
        """Open a ground and prove it."""
        if ground.told:
            raise VolumeAwayError(ground.told, hint=_HINT)
        try:
            faults.point("volumes.ground")
            folder = Folder.open(ground.path)
        except (OSError, RefusedError) as error:
            raise self._away(ground, error) from error
        try:
            found = _prove(ground, folder)
        except (OSError, RefusedError) as error:
            folder.close()
            raise self._away(ground, error) from error
        except BaseException:
            folder.close()
            raise
        ground.seen, ground.doubted = "", False
        ground.is_read_only = found.is_read_only
        if writing and found.is_read_only:
            folder.close()
            raise VolumeAwayError(_read_only(ground), hint="mount it for writing: it goes on by itself then")
        return folder

    def _away(self, ground: _Ground, error: Exception) -> Exception:
        """Note that a ground is away, and return the error that says so; what says nothing of that comes back as is."""
        if isinstance(error, OSError) and error.errno not in _GONE:
            return error
        why = _why(ground, error)
        self._see(ground, why)
        return VolumeAwayError(why, hint=_HINT)

    def _see(self, ground: _Ground, why: str) -> None:
        before, ground.seen = ground.seen, why
        if not before:
            for callback in self.on_lost:
                callback()


def _settle(ground: _Ground, home: Standing | None) -> None:
    """Let a ground know its volume and what the monitor says of it."""
    if home is None or home.record is None:
        ground.volume, ground.volume_witness, ground.told = "", None, ""
        return
    ground.volume, ground.volume_witness = home.record.fingerprint, None
    ground.told = "" if home.state == "online" else _said(ground, home)
    if home.detected is not None and home.record.marker:
        ground.volume_witness = Witness(home.detected.mount_points[0], MARKER_NAME, home.record.marker)


def _said(ground: _Ground, home: Standing) -> str:
    state = {"offline": "away", "quarantine": "in quarantine"}.get(home.state, home.state)
    said = f"the volume {name_of(home.record, home.detected)} of {_shown(ground.path)} is {state}"
    return f"{said}: {display_text(home.trouble)}" if home.trouble else said


def _carries(home: Standing, ground: _Ground) -> bool:
    """Say whether a ground was noted on a volume."""
    found = home.detected
    if found is None or ground.mount_point not in found.mount_points:
        return False
    return not found.probe.fs_uuid or ground.footing.file_system == f"uuid:{found.probe.fs_uuid}"


def _prove(ground: _Ground, folder: Folder) -> Footing:
    """Return what a ground stands on; raise a RefusedError, or the OSError of a look, if it isn't what was noted."""
    found = footing_of(folder)
    if found.file_system != ground.footing.file_system:
        raise RefusedError("another file system lies in its place, or it isn't mounted")
    if found.inode != ground.footing.inode:
        raise RefusedError("another folder lies in its place")
    own = ground.volume_witness
    for witness in ground.witnesses if own is None else (*ground.witnesses, own):
        _hear(witness, found.device, past_cache=ground.doubted)
    return found


def _hear(witness: Witness, device: int, *, past_cache: bool) -> None:
    """Read a witness through a descriptor of its folder, on the same file system."""
    try:
        with Folder.open(witness.folder) as folder:
            if os.fstat(folder.fileno()).st_dev != device:
                raise RefusedError(f"{_shown(witness.folder)} is on another file system")
            descriptor = folder.open_existing(witness.name)
    except FileNotFoundError as error:
        raise RefusedError(f"{witness.name} is gone from {_shown(witness.folder)}") from error
    try:
        text = read_start(descriptor, past_cache=past_cache)
    finally:
        os.close(descriptor)
    if witness.word.encode() not in text:
        raise RefusedError(f"{witness.name} in {_shown(witness.folder)} is another one")


def _is_heard(witness: Witness, device: int) -> bool:
    try:
        _hear(witness, device, past_cache=False)
    except (OSError, RefusedError):
        return False
    return True


def _why(ground: _Ground, error: Exception) -> str:
    why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    if isinstance(error, FileNotFoundError):
        why = "it isn't mounted, or the folder was removed"
    return f"the disk of {_shown(ground.path)} is away: {why}"


def _read_only(ground: _Ground) -> str:
    return f"the disk of {_shown(ground.path)} is read-only now"


def _shown(path: Path) -> str:
    return display_text(str(path))
