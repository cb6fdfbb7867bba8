from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulsetui.files.locks import is_network_file_system, is_network_type, lock_exclusive, lock_shared, mount_type

HOLDER = """
import os, sys
from pulsetui.files.locks import lock_exclusive
descriptor = os.open(sys.argv[1], os.O_RDWR)
os.write(1, b"held" if lock_exclusive(descriptor) else b"no")
sys.stdin.read()
"""

MOUNTS = r"""
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:40 / /media rw - nfs4 server:/media rw
23 22 8:17 / /media/local\040disk rw shared:5 master:1 - xfs /dev/sdb1 rw
24 21 0:41 / /mnt/remote rw - ext4 /dev/sdc1 rw
25 21 0:42 / /mnt/remote rw - fuse.sshfs user@host: rw
26 21 0:43 / /mnt/fuse rw - fuse.mergerfs 1:2 rw
a broken line
"""


@pytest.fixture
def descriptors(tmp_path: Path) -> Iterator[tuple[int, int]]:
    (tmp_path / "lock").touch()
    first, second = (os.open(tmp_path / "lock", os.O_RDWR) for _ in range(2))
    yield first, second
    os.close(first)
    os.close(second)


def test_an_exclusive_lock_keeps_everyone_else_out(descriptors: tuple[int, int]) -> None:
    first, second = descriptors

    assert lock_exclusive(first)
    assert lock_exclusive(first)
    assert not lock_exclusive(second)
    assert not lock_shared(second)


def test_shared_locks_go_together_but_not_with_an_exclusive_one(descriptors: tuple[int, int]) -> None:
    first, second = descriptors

    assert lock_shared(first)
    assert lock_shared(second)
    assert not lock_exclusive(second)


def test_a_killed_holder_frees_its_lock(tmp_path: Path, descriptors: tuple[int, int]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.read(4) == b"held"
        assert not lock_exclusive(descriptors[0])
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=10)

    assert lock_exclusive(descriptors[0])


@pytest.mark.parametrize(
    ("path", "file_system"),
    [
        ("/srv/data", "ext4"),
        ("/media", "nfs4"),
        ("/media/videos", "nfs4"),
        ("/mediation", "ext4"),
        ("/media/local disk/videos", "xfs"),
        ("/mnt/remote/x", "fuse.sshfs"),
        ("/mnt/fuse", "fuse.mergerfs"),
    ],
)
def test_the_innermost_and_last_mount_decides(path: str, file_system: str) -> None:
    assert mount_type(MOUNTS, Path(path)) == file_system


@pytest.mark.parametrize(
    ("file_system", "network"),
    [("nfs", True), ("cifs", True), ("9p", True), ("fuse.sshfs", True), ("fuse.mergerfs", False), ("btrfs", False)],
)
def test_network_file_systems_are_known_by_type(file_system: str, network: bool) -> None:
    assert is_network_type(file_system) is network


def test_a_file_system_of_the_kernel_is_local() -> None:
    assert not is_network_file_system(Path("/proc/self"))
    assert mount_type(Path("/proc/self/mountinfo").read_text(), Path("/proc/self")) == "proc"


def test_a_path_that_does_not_exist_yet_is_judged_by_where_it_would_lie(tmp_path: Path) -> None:
    assert is_network_file_system(tmp_path / "not" / "yet") == is_network_file_system(tmp_path)
