from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import SpaceError
from pulsetui.files.durable import allocated_bytes, close, is_temporary, sync, truncate, write_all, write_durable
from pulsetui.files.folders import Folder

DATA = b"transcript" * 50_000
BEFORE_RENAME = ["create", "created", "write", "written", "sync", "synced", "close"]

WRITER = """
import sys
from pathlib import Path
from pulsetui import faults
from pulsetui.files.durable import write_durable
from pulsetui.files.folders import Folder
with Folder.open(Path(sys.argv[1])) as folder:
    faults.arm(sys.argv[2])
    write_durable(folder, "name", b"transcript" * 50_000, replace=sys.argv[3] == "replace")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    faults.disarm()


def killed_write(tmp_path: Path, point: str, *, replace: bool = False) -> None:
    plan = f"files.{point}=kill"
    command = [sys.executable, "-c", WRITER, str(tmp_path), plan, "replace" if replace else ""]
    assert subprocess.run(command, check=False).returncode == -9


def test_a_durable_write_is_there_whole_and_private(folder: Folder, tmp_path: Path) -> None:
    identity = write_durable(folder, "name", DATA)

    assert (tmp_path / "name").read_bytes() == DATA
    assert stat.S_IMODE((tmp_path / "name").stat().st_mode) == 0o600
    assert identity == folder.identity("name")
    assert identity.size_bytes == len(DATA)
    assert folder.names() == ["name"]


def test_a_durable_write_does_not_replace_unless_asked(folder: Folder, tmp_path: Path) -> None:
    write_durable(folder, "name", b"first")

    with pytest.raises(FileExistsError):
        write_durable(folder, "name", b"second")
    assert (tmp_path / "name").read_bytes() == b"first"
    assert folder.names() == ["name"]

    assert write_durable(folder, "name", b"third", replace=True) == folder.identity("name")
    assert (tmp_path / "name").read_bytes() == b"third"
    assert folder.names() == ["name"]


@pytest.mark.parametrize("point", [*BEFORE_RENAME, "rename", "renamed", "folder_sync", "folder_synced"])
def test_a_failed_write_leaves_nothing_behind(folder: Folder, point: str) -> None:
    faults.arm(f"files.{point}=EIO")

    with pytest.raises(OSError, match="Input/output error"):
        write_durable(folder, "name", DATA)
    assert folder.names() == []


@pytest.mark.parametrize("point", [*BEFORE_RENAME, "replace"])
def test_a_failed_replacement_keeps_what_was_there(folder: Folder, tmp_path: Path, point: str) -> None:
    write_durable(folder, "name", b"first")
    faults.arm(f"files.{point}=ENOSPC")

    with pytest.raises((SpaceError, OSError), match=r"(?i)no space left"):
        write_durable(folder, "name", DATA, replace=True)
    assert (tmp_path / "name").read_bytes() == b"first"
    assert folder.names() == ["name"]


@pytest.mark.parametrize("point", BEFORE_RENAME)
def test_a_write_killed_before_the_rename_leaves_at_most_a_temporary_file(tmp_path: Path, point: str) -> None:
    killed_write(tmp_path, point)

    assert all(is_temporary(path.name) for path in tmp_path.iterdir())


@pytest.mark.parametrize("point", ["renamed", "folder_sync", "folder_synced"])
def test_a_write_killed_after_the_rename_is_whole(tmp_path: Path, point: str) -> None:
    killed_write(tmp_path, point)

    assert (tmp_path / "name").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


@pytest.mark.parametrize(("point", "replaced"), [("synced", False), ("replace", False), ("replaced", True)])
def test_a_killed_replacement_leaves_the_old_or_the_new_file_whole(tmp_path: Path, point: str, replaced: bool) -> None:
    (tmp_path / "name").write_bytes(b"first")

    killed_write(tmp_path, point, replace=True)

    assert ((tmp_path / "name").read_bytes() == DATA) is replaced
    assert replaced or (tmp_path / "name").read_bytes() == b"first"


def test_a_disk_without_room_is_a_space_error() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)

    with pytest.raises(SpaceError, match="no space left to write"):
        write_all(descriptor, b"x")
    close(descriptor)


def test_a_write_that_the_system_cuts_short_is_never_taken_for_whole(folder: Folder, tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # the first write returns 100,000 and no error
    try:
        with pytest.raises(OSError, match="File too large"):
            write_durable(folder, "name", DATA)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    assert list(tmp_path.iterdir()) == []


def test_truncate_and_allocated_bytes(folder: Folder) -> None:
    descriptor = folder.create("file")

    truncate(descriptor, 1 << 20)
    assert os.fstat(descriptor).st_size == 1 << 20
    assert allocated_bytes(descriptor) == 0
    write_all(descriptor, b"x" * 100_000)
    sync(descriptor)
    assert allocated_bytes(descriptor) >= 100_000
    truncate(descriptor, 0)
    assert allocated_bytes(descriptor) == 0
    close(descriptor)


def test_only_our_own_leftovers_are_temporary() -> None:
    assert not is_temporary("name.tmp")
    assert not is_temporary(".pulsetui-trash")
    assert not is_temporary("0b0e.partial")
