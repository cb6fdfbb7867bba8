"""Other users: who may look, who may order, and what those are told who may not. Only root can play other users."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulsetui.db.database import DATABASE_NAME
from tests.cli.box import Box, Done
from tests.cli.conftest import LOOPBACK

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

FOR_ADMINS = ("storage refresh", "volumes track feed", "library add x")
# Everything is imported before the change of user, since others may not look into where Python lies here.
AS_OTHER = """
import os, sys
import importlib.readers, importlib.resources, encodings.idna, asyncio.selector_events, rich.table, rich.console
import pulsetui.cli.main, pulsetui.core.assembly, pulsetui.core.status, pulsetui.actions.client, pulsetui.headless
import pulsetui.cli.add, pulsetui.cli.jobs, pulsetui.cli.events, pulsetui.cli.status, pulsetui.cli.run
import pulsetui.cli.doctor, pulsetui.cli.storage, pulsetui.storage.actions, pulsetui.cli.storage_tree
import pulsetui.cli.volumes, pulsetui.cli.library, pulsetui.cli.audit, pulsetui.cli.speedtest
import pulsetui.core.volumes_at_rest, pulsetui.volumes.sentences
import pulsetui.pipeline.downloader.http_source, pulsetui.pipeline.downloader.local_source
from pulsetui.pipeline.engines.registry import engine_names
from pulsetui.settings.load import load_settings
engine_names()
uid, *groups = map(int, sys.argv[1].split(","))
os.setgroups(groups)
os.setgid(uid)
os.setuid(uid)
sys.argv[1:2] = []
sys.exit(pulsetui.cli.main.main())
"""


@pytest.fixture(scope="module")
def nobody() -> int:
    return pwd.getpwnam("nobody").pw_uid


@pytest.fixture(scope="module")
def group() -> grp.struct_group:
    """A group that nobody is in by the machine's own files."""
    return next(found for found in grp.getgrall() if found.gr_gid not in (0, 65534) and not found.gr_mem)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that everyone may enter, unlike pytest's."""
    made = Path(tempfile.mkdtemp(prefix="pulsetui-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def shared(place: Path, group: grp.struct_group) -> Iterator[Box]:
    """A home whose data a group may see, with its owner running as root."""
    box = Box(place / "shared", {**LOOPBACK, "PULSETUI_ACCESS__GROUP": group.gr_name})
    box.home.mkdir()
    box.ok("add", "https://example.com/a.mp4")
    for folder in (box.home, *(box.home / name for name in (".local", ".local/share"))):
        folder.chmod(0o755)
    box.ok("pause")
    with box.owner():
        yield box


def run_as(box: Box, uid: int, groups: list[int], *words: str, **env: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", AS_OTHER, ",".join(map(str, [uid, *groups])), *words],
        env=box.environment(env),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def last_audit(box: Box) -> sqlite3.Row:
    with sqlite3.connect(box.data_dir / DATABASE_NAME) as database:
        database.row_factory = sqlite3.Row
        found: sqlite3.Row = database.execute("SELECT * FROM audit ORDER BY id DESC LIMIT 1").fetchone()
        return found


@pytest.mark.parametrize(
    "words", ["jobs --json", "jobs show 1", "status --json", "events --limit 1", "library list", "audit list"]
)
def test_the_group_may_look(shared: Box, nobody: int, group: grp.struct_group, words: str) -> None:
    done = run_as(shared, nobody, [group.gr_gid], *words.split())
    assert (done.code, done.err) == (0, ""), done.err
    assert done.out


@pytest.mark.parametrize(
    "words",
    [
        "pause",
        "resume",
        "jobs cancel 1",
        "add https://example.com/b.mp4",
        "storage refresh",
        "volumes track feed",
        "volumes speedtest feed",
        "library add x",
    ],
)
def test_the_group_may_not_order_and_that_is_audited(
    shared: Box, nobody: int, group: grp.struct_group, words: str
) -> None:
    # What the caller's own settings grant is nothing to the owner.
    granted = {"PULSETUI_ACCESS__OPERATORS": "nobody", "PULSETUI_ACCESS__ADMINS": "nobody"}
    done = run_as(shared, nobody, [group.gr_gid], *words.split(), "--json", **granted)
    assert (done.code, done.out) == (3, "")
    assert done.error["code"] == "not-permitted"
    assert "user nobody may not" in done.error["message"]
    assert ("access.admins" if words in FOR_ADMINS else "access.operators") in done.error["hint"]
    row = last_audit(shared)
    assert (row["uid"], row["user_name"], row["through"], "not-permitted" in row["error"]) == (
        nobody,
        "nobody",
        "cli",
        True,
    )


@pytest.mark.parametrize("words", ["jobs", "status", "events", "pause", "add https://e.com/a", "--no-ui"])
def test_outside_the_group_all_is_refused(shared: Box, nobody: int, words: str) -> None:
    done = run_as(shared, nobody, [], *words.split())
    assert done.code in (2, 3)
    assert str(shared.data_dir) in done.err
    assert "access.group" in done.err or "--data-dir" in done.err


def test_the_doctor_tells_a_stranger_what_is_closed(shared: Box, nobody: int) -> None:
    done = run_as(shared, nobody, [], "doctor", "--json")
    assert done.code == 1
    assert {check["name"] for check in done.json if check["verdict"] == "failed"} >= {"data folder", "database"}


def test_an_operator_may_order(place: Path, nobody: int, group: grp.struct_group) -> None:
    settings = {"PULSETUI_ACCESS__GROUP": group.gr_name, "PULSETUI_ACCESS__OPERATORS": "nobody"}
    box = Box(place / "operated", {**LOOPBACK, **settings})
    box.home.mkdir()
    with box.owner():
        for folder in (box.home, box.home / ".local", box.home / ".local/share"):
            folder.chmod(0o755)
        done = run_as(box, nobody, [group.gr_gid], "pause", "--json")
        assert (done.code, done.json) == (0, {"paused": True, "changed": True})
        assert last_audit(box)["uid"] == nobody
        assert run_as(box, nobody, [group.gr_gid], "storage", "refresh").code == 3  # that takes an admin
    assert box.data_dir.stat().st_mode & 0o7777 == 0o2770
    assert (box.data_dir / DATABASE_NAME).stat().st_mode & 0o777 == 0o660


def test_a_folder_that_may_not_be_written_is_named(place: Path, nobody: int) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o755)
    box = Box(closed, dict(LOOPBACK))
    for words in ("add https://e.com/a", "--no-ui"):
        done = run_as(box, nobody, [], *words.split())
        assert done.code == 2
        assert f"the data directory {box.data_dir} can't be used: Permission denied" in done.err
        assert "--data-dir" in done.err
    assert list(closed.iterdir()) == []
