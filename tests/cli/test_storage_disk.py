"""A storage on a disk of its own: not mounted it is no reason to take its media for lost; and who may look into it."""

from __future__ import annotations

import grp
import os
import shutil
import sqlite3
import stat
from importlib import resources
from pathlib import Path

import pytest

from pulsetui.db.database import DATABASE_NAME
from pulsetui.pipeline.marker import MARKER_NAME
from tests.cli.box import Box, until
from tests.cli.web import Site
from tests.db.tools import small_disk

root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture
def apart(copied: Box, tmp_path: Path) -> Box:
    """A used home with its storage elsewhere, in which one downloaded video waits to be transcribed."""
    storage = tmp_path / "disk" / "storage"
    shutil.copytree(copied.data_dir / "storage", storage)
    copied.settings["PULSETUI_PATHS__STORAGE_DIR"] = str(storage)
    video = storage / "videos" / "unassigned" / "waits.mkv"
    video.parent.mkdir(parents=True, exist_ok=True)
    video.write_bytes(b"x" * 9000)
    found = video.stat()
    with sqlite3.connect(copied.data_dir / DATABASE_NAME) as database:
        database.execute(
            "UPDATE jobs SET stage = 'downloaded', ready = 0, video_path = ?, video_size_bytes = 9000, "
            "video_allocated_bytes = ?, video_device = ?, video_inode = ?, video_mtime_ns = ?, "
            "next_attempt_at = 4102444800000 WHERE id = 3",
            (bytes(video), found.st_blocks * 512, found.st_dev, found.st_ino, found.st_mtime_ns),
        )
    return copied


def storage_of(box: Box) -> Path:
    return Path(box.settings["PULSETUI_PATHS__STORAGE_DIR"])


def jobs(box: Box) -> list[tuple[object, ...]]:
    with sqlite3.connect(box.data_dir / DATABASE_NAME) as database:
        return database.execute("SELECT * FROM jobs ORDER BY id").fetchall()


def refused(box: Box) -> None:
    """Check that no start takes the storage, and that nothing is changed by that."""
    storage, before = storage_of(box), jobs(box)
    there = sorted(storage.parent.rglob("*"))
    done = box.run("--no-ui")
    assert done.code == 6
    assert f"the storage {storage} is not there: its marker {MARKER_NAME} is missing, and so is the video" in done.err
    assert "mount its disk and start again" in done.err
    assert (jobs(box), sorted(storage.parent.rglob("*"))) == (before, there)
    shown = box.on_terminal()
    assert (shown.code, "mount its disk and start again" in shown.out) == (6, True)
    [check] = [check for check in box.run("doctor", "--json").json if check["name"] == "storage folder"]
    assert (check["verdict"], "is not there" in check["found"]) == ("failed", True)
    box.ok("pause")  # orders need no storage, and make none
    assert sorted(storage.parent.rglob("*")) == there


def test_a_disk_that_is_not_mounted_is_no_lost_media(apart: Box) -> None:
    storage = storage_of(apart)
    with apart.owner():
        pass
    assert (storage / MARKER_NAME).exists()
    storage.parent.rename(storage.parent.with_name("unmounted"))
    storage.parent.mkdir()
    refused(apart)
    storage.parent.rmdir()
    storage.parent.with_name("unmounted").rename(storage.parent)
    with apart.owner() as owner:
        assert not [line for line in owner.log if "not on disk" in line]
    assert apart.ok("jobs", "show", "3", "--json").json["stage"] == "downloaded"


def test_media_that_is_lost_for_good_can_be_said_so(apart: Box) -> None:
    storage = storage_of(apart)
    shutil.rmtree(storage)
    refused(apart)
    storage.mkdir()
    (storage / MARKER_NAME).touch()
    with apart.owner():
        pass
    assert apart.ok("jobs", "show", "3", "--json").json["stage"] in ("queued", "downloading")


@root
@pytest.mark.parametrize("part", [".", "videos"])
def test_a_real_disk_may_be_mounted_on_the_storage_or_on_its_videos(apart: Box, tmp_path: Path, part: str) -> None:
    storage, aside = storage_of(apart), tmp_path / "aside"
    storage.rename(aside)
    mount = storage / part
    mount.parent.mkdir(exist_ok=True)
    with small_disk(mount, 16 << 20):
        shutil.copytree(aside / part, mount, dirs_exist_ok=True)
        with apart.owner():
            pass
        assert (mount / MARKER_NAME).exists()
        assert apart.ok("jobs", "show", "3", "--json").json["stage"] == "downloaded"
    refused(apart)


def test_a_storage_of_another_data_folder_is_left_alone(apart: Box, box: Box) -> None:
    with apart.owner():
        pass
    box.settings["PULSETUI_PATHS__STORAGE_DIR"] = str(storage_of(apart))
    done = box.run("--no-ui")
    assert (done.code, "belongs to another data folder" in done.err) == (6, True)


@pytest.fixture
def group() -> grp.struct_group:
    """A group that this user may give files to."""
    groups = {os.getegid(), *os.getgroups()}
    return next(found for found in grp.getgrall() if found.gr_gid in groups or os.geteuid() == 0)


def modes(box: Box) -> tuple[set[int], set[int]]:
    """Return the modes of the folders and of the files of media and transcripts."""
    folders: set[int] = set()
    files: set[int] = set()
    for name in ("storage", "audio", "transcripts"):
        for path in (box.data_dir / name, *(box.data_dir / name).rglob("*")):
            (folders if path.is_dir() else files).add(stat.S_IMODE(path.stat().st_mode))
    return folders, files


def test_media_and_transcripts_let_in_the_group_and_nobody_else(box: Box, web: Site, group: grp.struct_group) -> None:
    clip = Path(str(resources.files("pulsetui.demo").joinpath("clips", "01.opus"))).resolve()
    box.settings["PULSETUI_DISK_MANAGEMENT__CLEANUP__DELETE_AUDIO_AFTER_TRANSCRIPTION"] = "false"
    with box.owner():
        box.ok("add", clip, "--entity", "Harbor/Cast")
        until(lambda: [job["stage"] for job in box.ok("jobs", "--json").json] == ["transcribed"])
    assert modes(box) == ({0o700}, {0o600})

    box.settings["PULSETUI_ACCESS__GROUP"] = group.gr_name
    with box.owner():
        box.ok("add", web.url("slow.mp4"), "--entity", "Lagoon/Cast")
        until(lambda: bool(list(box.data_dir.glob("storage/videos/Lagoon/Cast/*.partial"))))
        assert modes(box) == ({0o2770}, {0o660})
        everything = (box.data_dir / name for name in ("storage", "audio", "transcripts"))
        assert {path.stat().st_gid for top in everything for path in (top, *top.rglob("*"))} == {group.gr_gid}

    del box.settings["PULSETUI_ACCESS__GROUP"]
    with box.owner():
        assert modes(box) == ({0o700}, {0o600})
