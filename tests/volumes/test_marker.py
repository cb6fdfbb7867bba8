from __future__ import annotations

import errno
import json
import os
import threading
import uuid
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import RefusedError, SpaceError
from pulsetui.volumes.marker import MARKER_NAME, found_in, read_marker, write_marker
from tests.db.tools import fill
from tests.volumes.mounts import ext4_image, may_mount, mounted

ONE = str(uuid.UUID(int=1))
OTHER = str(uuid.UUID(int=2))


def test_a_marker_is_read_back_by_path_and_by_descriptor(tmp_path: Path) -> None:
    write_marker(tmp_path, ONE)

    assert read_marker(tmp_path) == ONE
    descriptor = os.open(tmp_path, os.O_PATH)
    try:
        assert read_marker(descriptor) == ONE
        assert found_in(descriptor) == (ONE, "")
    finally:
        os.close(descriptor)
    assert list(tmp_path.iterdir()) == [tmp_path / MARKER_NAME]


def test_a_folder_without_a_marker_has_none(tmp_path: Path) -> None:
    assert read_marker(tmp_path) == ""


def test_writing_the_same_again_leaves_the_file_alone(tmp_path: Path) -> None:
    write_marker(tmp_path, ONE)
    before = (tmp_path / MARKER_NAME).stat()
    write_marker(tmp_path, ONE)

    assert (tmp_path / MARKER_NAME).stat().st_ino == before.st_ino


def test_another_marker_is_replaced_on_order_only(tmp_path: Path) -> None:
    write_marker(tmp_path, ONE)

    with pytest.raises(RefusedError, match=ONE):
        write_marker(tmp_path, OTHER)
    assert read_marker(tmp_path) == ONE
    write_marker(tmp_path, OTHER, replace=True)
    assert read_marker(tmp_path) == OTHER
    assert list(tmp_path.iterdir()) == [tmp_path / MARKER_NAME]


UNREADABLE = [b"", b"\n", b"no json", b"{", b"[]", b'{"volume": null}', b'{"other": "x"}', b'{"volume": "not a uuid"}']
UNREADABLE += [b"[" * 4000, b"\xff\xfe", b"\0" * 100, b'{"volume": "%s"}' % (b"x" * 10_000)]


@pytest.mark.parametrize("text", UNREADABLE)
@pytest.mark.parametrize("replace", [False, True])
def test_a_marker_that_is_not_ours_is_never_replaced(tmp_path: Path, text: bytes, replace: bool) -> None:
    (tmp_path / MARKER_NAME).write_bytes(text)

    with pytest.raises(RefusedError, match="not as pulsetui writes it"):
        read_marker(tmp_path)
    with pytest.raises(RefusedError, match="not as pulsetui writes it"):
        write_marker(tmp_path, ONE, replace=replace)
    assert (tmp_path / MARKER_NAME).read_bytes() == text


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo", "folder", "socket"])
def test_a_marker_that_is_no_file_is_refused_and_waits_for_nothing(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "volume"
    place.mkdir()
    marker = place / MARKER_NAME
    if kind == "link":
        write_marker(tmp_path, ONE)
        marker.symlink_to(tmp_path / MARKER_NAME)
    elif kind == "dangling":
        marker.symlink_to("nowhere")
    elif kind == "fifo":
        os.mkfifo(marker)
    elif kind == "folder":
        marker.mkdir()
    else:
        os.mknod(marker, 0o140600)

    with pytest.raises(RefusedError, match="not a regular file"):
        read_marker(place)
    with pytest.raises(RefusedError):
        write_marker(place, ONE, replace=True)
    assert os.path.lexists(marker)


def test_a_huge_marker_is_read_for_a_few_kilobytes_only(tmp_path: Path) -> None:
    with (tmp_path / MARKER_NAME).open("wb") as file:
        file.write(json.dumps({"volume": ONE}).encode())
        file.truncate(1 << 40)

    with pytest.raises(RefusedError, match="not as pulsetui writes it"):
        read_marker(tmp_path)


@pytest.mark.parametrize(("fault", "error"), [("EACCES", RefusedError), ("EIO", OSError)])
def test_a_marker_that_cannot_be_opened_is_not_a_missing_one(
    tmp_path: Path, fault: str, error: type[Exception]
) -> None:
    write_marker(tmp_path, ONE)
    faults.arm(f"files.open@*={fault}")
    try:
        with pytest.raises(error):
            read_marker(tmp_path)
        with pytest.raises(error):
            write_marker(tmp_path, OTHER, replace=True)
    finally:
        faults.disarm()
    assert read_marker(tmp_path) == ONE


@pytest.mark.parametrize("point", ["files.create", "files.write", "files.sync", "files.rename", "files.folder_sync"])
def test_a_marker_that_could_not_be_written_whole_is_not_there(tmp_path: Path, point: str) -> None:
    faults.arm(f"{point}=EIO")
    try:
        with pytest.raises(OSError, match="fault point"):
            write_marker(tmp_path, ONE)
    finally:
        faults.disarm()
    assert list(tmp_path.iterdir()) == []


def test_of_two_that_mark_at_once_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    refused: list[str] = []
    ready = threading.Barrier(8)

    def mark(marker: str) -> None:
        ready.wait()
        try:
            write_marker(tmp_path, marker)
        except RefusedError:
            refused.append(marker)

    markers = [str(uuid.UUID(int=number)) for number in range(1, 9)]
    threads = [threading.Thread(target=mark, args=(marker,)) for marker in markers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted([*refused, read_marker(tmp_path)]) == markers
    assert list(tmp_path.iterdir()) == [tmp_path / MARKER_NAME]


@may_mount
def test_a_read_only_and_a_full_volume_say_why_they_cannot_be_marked(tmp_path: Path) -> None:
    image = ext4_image(tmp_path / "image", 1)
    with mounted(image, tmp_path / "point", "ro") as point:
        with pytest.raises(OSError, match="Read-only") as caught:
            write_marker(point, ONE)
        assert caught.value.errno == errno.EROFS
        assert read_marker(point) == ""
    with mounted(image, tmp_path / "point") as point:
        fill(point)
        with pytest.raises(SpaceError):
            write_marker(point, ONE)
        assert read_marker(point) == ""
        assert sorted(path.name for path in point.iterdir()) == ["filling", "lost+found"]
