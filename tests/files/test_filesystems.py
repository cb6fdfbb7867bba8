from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.files.filesystems import fs_uuid
from tests.volumes.mounts import clone, ext4_image, may_mount, mounted


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    descriptor = os.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def uuid_of(path: Path) -> str:
    with opened(path) as descriptor:
        return fs_uuid(descriptor)


@may_mount
def test_the_uuid_is_that_of_mkfs_from_any_folder_and_file_on_it_and_the_same_on_a_clone(tmp_path: Path) -> None:
    image = ext4_image(tmp_path / "image", 1)
    superblock = image.read_bytes()[1024:2048]
    written = superblock[0x68:0x78].hex()  # s_uuid of struct ext4_super_block
    copy = clone(image)
    with mounted(image, tmp_path / "one") as one, mounted(copy, tmp_path / "two") as two:
        (one / "folder").mkdir()
        (one / "file").touch()

        found = uuid_of(one)
        if not found:
            pytest.skip("the kernel is older than 6.9: it has no FS_IOC_GETFSUUID")
        assert found.replace("-", "") == written
        assert found == found.lower()
        assert {uuid_of(path) for path in (one / "folder", one / "file", two)} == {found}


@may_mount
def test_a_uuid_of_zeros_is_none(tmp_path: Path) -> None:
    image = ext4_image(tmp_path / "image", 1)
    subprocess.run(["tune2fs", "-U", "clear", image], check=True, capture_output=True)
    with mounted(image, tmp_path / "point") as point:
        assert uuid_of(point) == ""


def test_where_there_is_none_or_the_descriptor_cannot_be_asked_it_is_empty() -> None:
    assert uuid_of(Path("/proc")) == ""
    with opened(Path("/"), os.O_PATH) as descriptor:
        assert fs_uuid(descriptor) == ""


@pytest.mark.parametrize("name", ["EIO", "ESTALE"])
def test_a_broken_file_system_is_none_without_a_uuid(tmp_path: Path, name: str) -> None:
    faults.arm(f"files.fs_uuid={name}")
    try:
        with pytest.raises(OSError, match="fault point"):
            uuid_of(tmp_path)
    finally:
        faults.disarm()
