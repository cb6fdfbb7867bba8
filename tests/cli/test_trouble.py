"""What nobody planned for: damaged, full, read-only and misplaced data. Each ends in what, where and what to do."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from pulsetui.cli.failures import explained
from pulsetui.db.database import DATABASE_NAME
from pulsetui.errors import NotFoundError, NotPermittedError, PulseError, SpaceError
from tests.cli.box import Box
from tests.db.tools import fill, small_disk

root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def check(box: Box, words: str, code: int, *messages: str) -> None:
    done = box.run(*words.split())
    assert done.code == code, done.err
    assert [message for message in messages if message not in done.err] == [], done.err
    assert len(done.err.splitlines()) >= 2  # what to do, too


@pytest.mark.parametrize("words", ["jobs", "status", "pause", "--no-ui"])
def test_a_damaged_database_is_kept_and_the_way_back_is_shown(copied: Box, words: str) -> None:
    path = copied.data_dir / DATABASE_NAME
    damaged = b"\0" * 512 + path.read_bytes()[512:]
    path.write_bytes(damaged)
    check(copied, words, 1, f"the database {path} is damaged", "nothing was changed", "recover")
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("words", ["jobs", "pause"])
def test_a_database_of_a_newer_version_is_refused(copied: Box, words: str) -> None:
    with sqlite3.connect(copied.data_dir / DATABASE_NAME) as database:
        database.execute("PRAGMA user_version = 999")
    check(copied, words, 1, "999")


@pytest.mark.parametrize("words", ["jobs", "status", "pause", "--no-ui", "doctor"])
def test_a_data_directory_that_is_a_file_is_named(box: Box, words: str) -> None:
    (box.home / "file").touch()
    done = box.run("--data-dir", "file", *words.split())
    assert done.code == (1 if words == "doctor" else 2)
    assert str(box.home / "file") in done.err + done.out
    assert "folder" in done.err + done.out


def test_a_data_directory_behind_a_link_is_the_same(copied: Box) -> None:
    (copied.home / "link").symlink_to(copied.data_dir)
    for words in ("jobs", "pause"):
        copied.ok("--data-dir", "link", *words.split())
    with copied.owner() as owner:
        done = copied.run("--data-dir", "link", "--no-ui")
        assert (done.code, f"process {owner.pid}" in done.err) == (5, True)


def test_a_circle_of_links_is_named(box: Box) -> None:
    (box.home / "a").symlink_to(box.home / "b")
    (box.home / "b").symlink_to(box.home / "a")
    check(box, "--data-dir a jobs", 2, "leads nowhere")


def test_a_missing_storage_folder_is_no_error(copied: Box) -> None:
    shutil.rmtree(copied.data_dir / "storage")
    for words in ("status", "doctor", "pause"):
        copied.ok(*words.split())


def test_a_storage_folder_that_is_a_file_is_named(copied: Box) -> None:
    (copied.home / "file").touch()
    copied.settings["PULSETUI_PATHS__STORAGE_DIR"] = str(copied.home / "file")
    check(copied, "--no-ui", 2, str(copied.home / "file"), "paths.storage_dir")
    copied.ok("jobs")


def test_a_transcript_that_is_gone_or_damaged_is_named(copied: Box, used: Box) -> None:
    was = Path(used.ok("jobs", "show", "1", "--json").json["transcript_path"])
    path = copied.home / was.relative_to(used.home)
    with sqlite3.connect(copied.data_dir / DATABASE_NAME) as database:
        database.execute("UPDATE jobs SET transcript_path = ? WHERE id = 1", (bytes(path),))
    path.write_text("{}")
    check(copied, "jobs transcript 1", 1, f"the transcript {path} is damaged")
    path.unlink()
    check(copied, "jobs transcript 1", 4, f"the transcript {path} of job 1 is gone")


@root
def test_a_read_only_disk_is_named(used: Box, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 << 20) as disk:
        shutil.copytree(used.home, disk / "home")
        box = Box(disk / "home", dict(used.settings))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for words in ("add https://example.com/new.mp4", "--no-ui"):
            done = box.run(*words.split())
            assert done.code in (1, 2)
            assert "is on a read-only file system" in done.err
            assert str(box.data_dir) in done.err
        for words in ("jobs", "status"):
            done = box.run(*words.split())
            assert done.code == 1
            assert f"{box.data_dir / DATABASE_NAME} is on a read-only file system" in done.err
        checks = box.run("doctor", "--json").json
        failed = {check["name"] for check in checks if check["verdict"] == "failed"}
        assert failed == {"data folder", "storage folder", "database"}


@root
def test_a_full_disk_is_named_and_costs_nothing(used: Box, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 << 20) as disk:
        shutil.copytree(used.home, disk / "home")
        box = Box(disk / "home", dict(used.settings))
        before = {job["id"] for job in box.ok("jobs", "--json").json}
        fill(disk)
        lines = "\n".join(f"https://example.com/{'x' * 400}{number}" for number in range(1000))
        done = box.run("add", "--from", "-", stdin=lines.encode())
        assert done.code == 1
        assert "full" in done.err
        assert {job["id"] for job in box.ok("jobs", "--json").json} == before


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("add https://example.com/new.mp4", "owner.lock=EIO"),
        ("add https://example.com/new.mp4", "db.read@*=EIO"),
        ("jobs --json", "db.open@1=EACCES"),
        ("status", "actions.connect=EMFILE"),
    ],
)
def test_an_error_of_the_system_never_shows_a_traceback(copied: Box, words: str, fault: str) -> None:
    done = copied.run(*words.split(), env={"PULSETUI_FAULTS": fault})
    assert done.code in (0, 1, 2, 3)
    if done.code:
        assert "something unforeseen" not in done.err
        assert "--debug" not in done.err


def test_debug_shows_where_and_keeps_the_exit_code(used: Box) -> None:
    done = used.run("--debug", "jobs", "show", "99")
    assert done.code == 4
    assert "Traceback" in done.err
    assert done.err.splitlines()[-2:] == ["pulsetui: there is no job 99", "  `pulsetui jobs` lists them"]


def test_the_first_error_of_ours_is_told_before_others() -> None:
    ours = NotFoundError("there is no x")
    assert explained(ExceptionGroup("", [ValueError("y"), ExceptionGroup("", [ours])])) is ours


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (OSError(errno.EACCES, "Permission denied", "/x"), NotPermittedError, "/x: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device", b"/x"), SpaceError, "/x: No space left on device"),
        (OSError(errno.EMFILE, "Too many open files"), PulseError, "Too many open files"),
        (OSError(errno.EXDEV, "Invalid cross-device link"), PulseError, "Invalid cross-device link"),
        (MemoryError(), PulseError, "out of memory"),
        (KeyError("x"), PulseError, "something unforeseen: KeyError: 'x'"),
    ],
)
def test_every_error_gets_a_sentence_and_a_next_step(
    error: BaseException, kind: type[PulseError], message: str
) -> None:
    found = explained(error)
    assert (type(found), str(found)) == (kind, message)
    assert found.hint
