"""Real file systems for tests: ext4 images on loop devices, clones of them, bind mounts, tmpfs. Only root may.

Whatever is mounted here is unmounted when its context ends, lazily if it is in use, also where a test did so already.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def ext4_image(path: Path, size_mb: int = 16) -> Path:
    """Make an image with an empty ext4 file system, whose UUID is a new one, and return its path."""
    with path.open("wb") as file:
        file.truncate(size_mb << 20)
    # No room is kept for root, so that what is free is what may be written.
    subprocess.run([_mkfs(), "-q", "-F", "-m", "0", path], check=True, capture_output=True)
    return path


def clone(image: Path) -> Path:
    """Copy an image that isn't mounted, as `dd` would a disk, and return the copy's path: same UUID, same files."""
    copy = image.with_name(f"{image.name}.clone")
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    return copy


@contextmanager
def mounted(image: Path, point: Path, options: str = "") -> Iterator[Path]:
    """Mount an image on a folder, which is made if it isn't there, and yield the folder."""
    point.mkdir(parents=True, exist_ok=True)
    mount("-o", ",".join(filter(None, ("loop", options))), str(image), str(point))
    try:
        yield point
    finally:
        unmount(point)


@contextmanager
def bind(source: Path, point: Path) -> Iterator[Path]:
    """Mount a folder on another one, which is made if it isn't there, and yield that one."""
    point.mkdir(parents=True, exist_ok=True)
    mount("--bind", str(source), str(point))
    try:
        yield point
    finally:
        unmount(point)


@contextmanager
def tmpfs(point: Path, size_bytes: int = 16 << 20) -> Iterator[Path]:
    """Mount a file system in memory on a folder, which is made if it isn't there, and yield the folder."""
    point.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(point))
    try:
        yield point
    finally:
        unmount(point)


def mount(*words: str) -> None:
    """Run mount(8)."""
    subprocess.run(["mount", *words], check=True, capture_output=True)


def unmount(point: Path) -> None:
    """Unmount what is on a folder: at once, and behind the back of whoever uses it. Nothing there is fine."""
    if subprocess.run(["umount", point], check=False, capture_output=True).returncode:
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)


def _mkfs() -> str:
    return shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin") or "mkfs.ext4"


@functools.cache
def obstacle() -> str:
    """Return why images can't be mounted here, empty if they can: by trying, since a container's root may not."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        try:
            with mounted(ext4_image(place / "image", 1), place / "point"):
                return ""
        except OSError as error:
            return f"no tool for it: {error}"
        except subprocess.CalledProcessError as error:
            return f"{error.cmd[0]} says: {error.stderr.decode(errors='replace').strip()}"


may_mount = pytest.mark.skipif(bool(obstacle()), reason=f"no loop mounts here: {obstacle()}")
"""Marks a test that mounts; skipped, with the reason, where that isn't permitted."""
