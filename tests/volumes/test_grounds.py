"""Grounds on real file systems that are unmounted, swapped, cloned, bound, made read-only, or lose their disk."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import VolumeAwayError
from pulsetui.volumes.grounds import Grounds, Witness
from tests.volumes.mounts import bind, ext4_image, may_mount, mount, mounted, tmpfs, unmount

pytestmark = may_mount
WORD = "0192f0c1-7a00-7000-8000-000000000001"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return ext4_image(tmp_path / "image")


@pytest.fixture
def point(tmp_path: Path) -> Path:
    return tmp_path / "point"


def folder(point: Path) -> Path:
    videos = point / "videos"
    videos.mkdir()
    (point / "marker").write_text(f'{{"library": "{WORD}"}}\n')
    return videos


def noted(videos: Path) -> Grounds:
    grounds = Grounds()
    grounds.note(videos, [Witness(videos.parent, "marker", WORD)])
    return grounds


def refusal(grounds: Grounds, path: Path) -> str:
    with pytest.raises(VolumeAwayError) as raised:
        grounds.check(path)
    assert grounds.away(path) == str(raised.value)
    return str(raised.value)


def test_what_was_noted_is_entered_and_so_are_folders_below_it(image: Path, point: Path) -> None:
    with mounted(image, point):
        grounds = noted(folder(point))
        with grounds.enter(point / "videos" / "Harbor", create=True) as entered:
            assert entered.path == point / "videos" / "Harbor"
        assert (point / "videos" / "Harbor").is_dir()
        assert grounds.away(point / "videos" / "Harbor") == ""


def test_what_was_not_noted_is_just_opened(tmp_path: Path) -> None:
    with Grounds().enter(tmp_path / "new", create=True) as entered:
        assert entered.names() == []


def test_an_empty_mount_point_is_not_entered_and_the_disk_is_when_it_is_back(image: Path, point: Path) -> None:
    with mounted(image, point):
        grounds = noted(folder(point))
        unmount(point)
        (point / "videos").mkdir()
        (point / "marker").write_text(WORD)
        assert "another file system lies in its place, or it isn't mounted" in refusal(grounds, point / "videos")
        (point / "marker").unlink()
        (point / "videos").rmdir()
        refusal(grounds, point / "videos" / "deep")
        with mounted(ext4_image(point.parent / "other"), point.parent / "beside"), mounted(image, point):
            grounds.check(point / "videos")  # under another device number, for the old one is the other disk's now
            assert grounds.away(point / "videos") == ""


def test_what_was_entered_reaches_its_disk_though_that_is_unmounted_meanwhile(image: Path, point: Path) -> None:
    with mounted(image, point):
        grounds = noted(folder(point))
        with grounds.enter(point / "videos") as videos:
            unmount(point)
            os.close(videos.create("late"))
        assert list(point.iterdir()) == []
    with mounted(image, point):
        assert (point / "videos" / "late").exists()


def test_another_disk_in_its_place_is_not_entered_even_with_the_same_folders(image: Path, point: Path) -> None:
    with mounted(image, point):
        grounds = noted(folder(point))
    with mounted(ext4_image(point.parent / "other"), point):
        folder(point)
        assert "another file system" in refusal(grounds, point / "videos")


def test_a_bind_mount_that_went_leaves_another_folder_of_the_same_file_system(tmp_path: Path, point: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    folder(source)
    with bind(source, point):
        grounds = noted(point / "videos")
        grounds.check(point / "videos")
        unmount(point)
        folder(point)
        assert "another folder lies in its place" in refusal(grounds, point / "videos")


def test_a_copy_without_the_marker_is_not_taken_for_the_disk(image: Path, point: Path) -> None:
    copy = image.with_name("copy")
    with mounted(image, point):
        (point / "videos").mkdir()
    shutil.copyfile(image, copy)
    with mounted(image, point):
        (point / "marker").write_text(WORD)
        grounds = noted(point / "videos")
    with mounted(copy, point):
        assert "marker is gone" in refusal(grounds, point / "videos")
        (point / "marker").write_text("another")
        assert "marker in " in refusal(grounds, point / "videos")


def test_a_read_only_disk_may_be_read_and_not_written(image: Path, point: Path) -> None:
    with mounted(image, point):
        grounds = noted(folder(point))
        mount("-o", "remount,ro", str(point))
        with pytest.raises(VolumeAwayError, match="read-only now"):
            grounds.check(point / "videos")
        grounds.check(point / "videos", writing=False)
        assert "read-only" in grounds.away(point / "videos")
        assert grounds.away(point / "videos", writing=False) == ""
        mount("-o", "remount,rw", str(point))
        grounds.check(point / "videos")
        assert grounds.away(point / "videos") == ""


def test_a_disk_that_is_gone_under_its_mount_is_found_out_when_it_is_doubted(image: Path, point: Path) -> None:
    kept = image.with_name("kept")
    with mounted(image, point):
        grounds = noted(folder(point))
        os.sync()
        shutil.copyfile(image, kept)
        os.truncate(image, 0)
        grounds.check(point / "videos")  # out of memory: nothing of it has reached the disk
        grounds.doubt(point / "videos")
        assert os.strerror(errno.EIO) in refusal(grounds, point / "videos")
        with kept.open("rb") as whole, image.open("r+b") as back:
            shutil.copyfileobj(whole, back)
        grounds.check(point / "videos")
        assert grounds.away(point / "videos") == ""


def test_memory_that_is_mounted_anew_is_not_what_it_was(point: Path) -> None:
    with tmpfs(point):
        grounds = noted(folder(point))
        grounds.check(point / "videos")
    with tmpfs(point):
        folder(point)
        refusal(grounds, point / "videos")


def test_an_error_that_says_nothing_of_the_disk_is_told_as_it_is(tmp_path: Path) -> None:
    grounds = noted(folder(tmp_path))
    faults.arm("volumes.ground=EMFILE")
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            grounds.check(tmp_path / "videos")
    finally:
        faults.disarm()
    assert grounds.away(tmp_path / "videos") == ""
