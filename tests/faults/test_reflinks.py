"""A kill right after a file was cloned, where the file system can clone."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tests.faults.scenes import LOCAL, Scene
from tests.faults.test_kills import goes_on_by_itself, killed

FICLONE = 0x40049409


def can_clone(folder: Path) -> bool:
    with (folder / "original").open("w+b") as original, (folder / "copy").open("w+b") as copy:
        original.write(b"x" * 4096)
        original.flush()
        try:
            fcntl.ioctl(copy, FICLONE, original.fileno())
        except OSError:
            return False
    return True


def test_a_kill_after_a_clone(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    if not can_clone(tmp_path_factory.mktemp("clones")):
        pytest.skip("the file system of the temporary folder can't share blocks (btrfs and xfs can)")
    LOCAL.prepare(scene)
    for hit in (2, 1, 1):
        killed(scene, LOCAL, "files.cloned", hit)
        assert scene.place.broken_promises() == []
    goes_on_by_itself(scene, LOCAL)
