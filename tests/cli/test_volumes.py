"""`pulsetui volumes`, `library` and `audit` by the real command, on real file systems, with and without an owner."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from pulsetui.budget.limits import WAL_ALLOWANCE_BYTES
from pulsetui.db.database import DATABASE_NAME
from tests.cli.box import Box, until
from tests.quiet import KNOWN_TYPES
from tests.volumes import mounts

pytestmark = mounts.may_mount

HOSTILE = "a b\x1b[31m\n\u202ec"
KEYS = {
    "fingerprint",
    "uuid",
    "name",
    "mount_point",
    "device",
    "fs_type",
    "kind",
    "library",
    "display_name",
    "is_tracked",
    "is_online",
    "quarantine",
    "read_only",
    "total_bytes",
    "available_bytes",
    "tracked_at",
    "last_seen_at",
    "read_bps",
    "write_bps",
    "last_speed_test_at",
}
SLOW = {"PULSETUI_FAULTS": "files.written@*=delay:0.05"}


@dataclass
class Disk:
    """An image, where it is mounted."""

    image: Path
    point: Path

    def of(self, volumes: list[dict[str, Any]]) -> dict[str, Any]:
        """Return it among all volumes."""
        [found] = [one for one in volumes if str(self.point) in one["mount_points"]]
        return found


@pytest.fixture
def box(box: Box) -> Box:
    """A home, by whose settings the machine's mounts are looked at."""
    box.settings["PULSETUI_VOLUMES__IGNORED_TYPES"] = KNOWN_TYPES
    return box


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ext4 file system, sparse: a hundredth of it is enough for a speed test."""
    return mounts.ext4_image(tmp_path_factory.mktemp("images") / "disk", 400)


@pytest.fixture
def disk(image: Path, tmp_path: Path) -> Iterator[Disk]:
    """A disk of its own, mounted."""
    own = mounts.clone(image).rename(tmp_path / "image")
    with mounts.mounted(own, tmp_path / "disk") as point:
        yield Disk(own, point)


def listed(box: Box, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = box.here(*words, "volumes", "--json").json
    return found


def audit(box: Box) -> list[tuple[str, bool, str | None]]:
    """Return the orders in the audit, oldest first: verb, whether it has an outcome, the error's code."""
    found = box.here("audit", "list", "--limit", "0", "--json").json
    return [
        (row["verb"], row["outcome"] is not None, None if row["error"] is None else row["error"]["code"])
        for row in reversed(found)
    ]


def events(box: Box) -> list[str]:
    with contextlib.closing(sqlite3.connect(box.data_dir / DATABASE_NAME)) as database:
        rows = database.execute("SELECT kind FROM events WHERE category = 'volume' ORDER BY id").fetchall()
    return [kind for (kind,) in rows]


def test_what_is_mounted_is_listed_without_a_data_folder(box: Box, disk: Disk) -> None:
    found = disk.of(listed(box))
    assert found.keys() >= KEYS
    assert (found["mount_point"], found["fs_type"], found["kind"]) == (str(disk.point), "ext4", "disk")
    assert (found["is_tracked"], found["is_online"], found["quarantine"], found["uuid"]) == (False, False, None, None)
    assert 0 < found["available_bytes"] <= found["total_bytes"] < 400 << 20
    assert len(found["fingerprint"]) == 32
    assert not box.data_dir.exists()


def test_track_rename_untrack_and_what_is_wrong_without_an_owner(box: Box, disk: Disk) -> None:
    point = str(disk.point)
    tracked = box.here("volumes", "track", point, "--name", "Big", "--json").json
    assert (tracked["display_name"], tracked["library"], tracked["marked"]) == ("Big", "main", True)
    fingerprint = tracked["fingerprint"]
    again = box.here("volumes", "track", fingerprint[:8], "--json", code=1)
    assert again.error["code"] == "already-tracked"
    found = disk.of(listed(box))
    assert (found["uuid"], found["display_name"], found["is_online"]) == (tracked["uuid"], "Big", True)
    assert found["tracked_at"].endswith("Z")
    renamed = box.here("volumes", "rename", fingerprint, "Bigger", "--json").json
    assert (renamed["before"], renamed["display_name"]) == ("Big", "Bigger")
    assert box.here("volumes", "untrack", fingerprint).out.startswith("Bigger isn't tracked in library main any more")
    gone = box.here("volumes", "untrack", fingerprint, "--json", code=4)
    assert gone.error["code"] == "not-tracked"
    assert box.here("volumes", "untrack", "feed" * 8, "--json", code=4).error["code"] == "volume-not-found"
    assert box.here("volumes", "untrack", "fe", "--json", code=2).error["code"] == "usage"
    assert (disk.point / ".pulsetui-volume").exists()  # it deletes no file
    assert audit(box) == [
        ("volumes.track", True, None),
        ("volumes.track", False, "already-tracked"),
        ("volumes.rename", True, None),
        ("volumes.untrack", True, None),
        ("volumes.untrack", False, "not-tracked"),
        ("volumes.untrack", False, "volume-not-found"),
        ("volumes.untrack", False, "usage"),
    ]
    assert [kind for kind in events(box) if kind.endswith("tracked")] == ["volume.tracked", "volume.untracked"]


def test_a_volume_that_is_away_stays_listed_and_is_refused(box: Box, disk: Disk) -> None:
    fingerprint = box.here("volumes", "track", disk.point, "--json").json["fingerprint"]
    mounts.unmount(disk.point)
    [found] = [one for one in listed(box) if one["fingerprint"] == fingerprint]
    assert (found["is_tracked"], found["is_online"], found["state"]) == (True, False, "offline")
    assert (found["mount_point"], found["last_mount_point"], found["mount_points"]) == (None, str(disk.point), [])
    assert found["last_seen_at"] >= found["tracked_at"]
    refused = box.here("volumes", "speedtest", fingerprint, "--json", code=6)
    assert refused.error["code"] == "volume-away"
    assert refused.error["hint"]
    shown = box.here("volumes")
    assert f"({disk.point})" in shown.out
    assert "not mounted" in shown.err


def test_a_speed_test_is_kept_and_told(box: Box, disk: Disk) -> None:
    fingerprint = box.here("volumes", "track", disk.point, "--name", "Big", "--json").json["fingerprint"]
    done = box.here("volumes", "speedtest", fingerprint, "--size", "1MiB", "--json").json
    assert (done["fingerprint"], done["size_bytes"], done["beside"]) == (fingerprint, 1 << 20, "")
    assert done["method"] in ("direct", "dropped-cache", "cache-affected")
    found = disk.of(listed(box))
    assert (found["read_bps"], found["write_bps"]) == (done["read_bps"], done["write_bps"])
    assert found["last_speed_test_at"][:19] == done["tested_at"][:19]
    assert "volume.speed_tested" in events(box)
    said = box.here("volumes", "speedtest", disk.point)
    assert said.out.startswith("Big reads ")
    assert "median of three rounds of" in said.out
    assert sorted(path.name for path in disk.point.iterdir()) == [".pulsetui-volume", "lost+found"]


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ("--size 300MB", 6, "more than a hundredth"),
        ("--size 0", 2, "is nothing"),
        ("--size much", 2, "is not a size"),
        ("--stop", 2, "name the volume to test, or --stop"),
    ],
)
def test_a_speed_test_that_may_not_be_is_refused(box: Box, disk: Disk, more: str, code: int, message: str) -> None:
    box.here("volumes", "track", disk.point)
    refused = box.here("volumes", "speedtest", disk.point, *more.split(), "--json", code=code)
    assert message in refused.error["message"]


def test_a_read_only_or_untracked_volume_is_not_tested(box: Box, disk: Disk) -> None:
    assert "is not tracked" in box.here("volumes", "speedtest", disk.point, "--json", code=6).error["message"]
    box.here("volumes", "track", disk.point)
    mounts.mount("-o", "remount,ro", str(disk.point))
    assert "read-only" in box.here("volumes", "speedtest", disk.point, "--json", code=6).error["message"]
    assert disk.of(listed(box))["read_only"] is True


def test_where_our_own_disk_would_pass_the_limit_it_is_refused(box: Box, disk: Disk) -> None:
    box.settings["PULSETUI_PATHS__STORAGE_DIR"] = str(disk.point / "storage")
    (disk.point / "storage" / "videos").mkdir(parents=True)
    (disk.point / "storage" / "videos" / "a.mp4").write_bytes(os.urandom(9_000_000))
    box.here("volumes", "track", disk.point)
    usage_bytes = box.here("status", "--json").json["gate"]["usage_bytes"]
    box.settings["PULSETUI_DISK_MANAGEMENT__HARD_LIMIT"] = f"{usage_bytes + WAL_ALLOWANCE_BYTES + 2_500_000} B"
    refused = box.here("volumes", "speedtest", disk.point, "--json", code=6)
    assert "would pass the limit" in refused.error["message"]
    box.here("volumes", "speedtest", disk.point, "--size", "1MiB")


def test_a_clone_is_in_quarantine_until_one_is_accepted(box: Box, disk: Disk, tmp_path: Path) -> None:
    fingerprint = box.here("volumes", "track", disk.point, "--json").json["fingerprint"]
    mounts.unmount(disk.point)
    copy = mounts.clone(disk.image)
    with mounts.mounted(disk.image, disk.point), mounts.mounted(copy, tmp_path / "copy") as other:
        states = {one["mount_point"]: (one["state"], one["quarantine"]) for one in listed(box)}
        assert states[str(disk.point)][0] == states[str(other)][0] == "quarantine"
        assert states[str(disk.point)][1]
        assert "quarantine" in box.here("volumes", "speedtest", fingerprint, "--json", code=6).error["message"]
        accepted = box.here("volumes", "accept", fingerprint, "--mount", other, "--json").json
        assert (accepted["mount_point"], accepted["new_marker"]) == (str(other), True)
        [record] = [one for one in listed(box) if one["is_tracked"]]
        assert (record["is_online"], record["mount_point"], record["quarantine"]) == (True, str(other), None)
    shutil.rmtree(tmp_path / "copy", ignore_errors=True)


def test_libraries_are_made_tracked_in_and_removed(box: Box, disk: Disk) -> None:
    made = box.here("library", "add", "archive", "--json").json
    assert made["name"] == "archive"
    assert box.here("library", "add", "archive", "--json", code=2).error["code"] == "usage"
    box.here("volumes", "track", disk.point, "--name", "One")
    tracked = box.here("--library", "archive", "volumes", "track", disk.point, "--name", "Two", "--json").json
    assert tracked["library"] == "archive"
    names = {one["library"]: one["display_name"] for one in listed(box) if one["is_tracked"]}
    assert names == {"main": "One", "archive": "Two"}
    assert [one["display_name"] for one in listed(box, "--library", "archive") if one["is_tracked"]] == ["Two"]
    libraries = box.here("library", "list", "--json").json
    assert [(one["name"], one["volumes"], one["entities"]) for one in libraries] == [("archive", 1, 0), ("main", 1, 0)]
    assert box.here("library", "remove", "archive", "--json").json["untracked"] == ["Two"]
    assert [one["library"] for one in listed(box) if one["is_tracked"]] == ["main"]
    assert box.here("library", "remove", "archive", "--json", code=4).error["code"] == "not-found"
    assert box.here("library", "remove", "main", "--json", code=6).error["code"] == "refused"
    assert box.here("--library", "archive", "volumes", "--json", code=4).error["code"] == "not-found"
    assert "no library" in box.here("--library", "x", "volumes", "track", disk.point, "--json", code=4).err


def test_a_hostile_mount_point_is_only_text(box: Box, tmp_path: Path) -> None:
    with mounts.tmpfs(tmp_path / HOSTILE) as point, mounts.tmpfs(tmp_path / os.fsdecode(b"\xff bytes")):
        tracked = box.here("volumes", "track", point, "--name", HOSTILE)
        for shown in (tracked, box.here("volumes")):
            assert not {"\x1b", "\u202e"} & set(shown.out + shown.err)
        rows = listed(box)
        [found] = [one for one in rows if one["mount_point"] == str(point)]
        assert found["is_tracked"]
        [other] = [one for one in rows if one["mount_point"] == f"{tmp_path}/\ufffd bytes"]
        assert other["mount_point_base64"]
        assert "a b\\x1b[31m\\n\\u202ec" in box.here("volumes").out
        screen = box.on_terminal("volumes")
        assert screen.code == 0
        assert "\x1b[31m" not in screen.out


def test_the_table_fits_eighty_columns(box: Box, disk: Disk) -> None:
    box.here("volumes", "track", disk.point, "--name", "A disk whose name is rather long, and goes on")
    shown = box.on_terminal("volumes", env={"NO_COLOR": "1"})
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.out)
    rows = [line for line in plain.splitlines() if re.match(r"volume  |[0-9a-f]{8}  | {40}", line)]
    assert shown.code == 0
    assert len(rows) > 2
    assert max(len(row.rstrip()) for row in rows) <= 80


def test_the_audit_can_be_narrowed_and_paged(box: Box) -> None:
    box.here("pause")
    box.here("resume")
    box.here("volumes", "untrack", "feed" * 8, code=4)
    [newest] = box.here("audit", "list", "--limit", "1", "--json").json
    assert (newest["verb"], newest["error"]["code"], newest["outcome"]) == ("volumes.untrack", "volume-not-found", None)
    assert newest["arguments"]["fingerprint"] == "feed" * 8
    older = box.here("audit", "list", "--before", str(newest["id"]), "--json").json
    assert [row["verb"] for row in older] == ["pipeline.resume", "pipeline.pause"]
    [paused] = box.here("audit", "list", "--verb", "pipeline.pause", "--json").json
    assert (paused["outcome"], paused["through"], paused["error"]) == ({"paused": True, "changed": True}, "cli", None)
    table = box.here("audit", "list")
    assert "volume-not-found: no mounted or tracked volume" in table.out
    assert box.here("audit", "list", "--verb", "none", "--json").json == []


def test_orders_go_through_a_running_owner(box: Box, disk: Disk) -> None:
    with box.owner():
        fingerprint = box.here("volumes", "track", disk.point, "--name", "Big", "--json").json["fingerprint"]
        assert box.here("volumes", "track", disk.point, "--json", code=1).error["code"] == "already-tracked"
        assert box.here("volumes", "untrack", "feed" * 8, "--json", code=4).error["code"] == "volume-not-found"
        done = box.here("volumes", "speedtest", fingerprint, "--size", "1MiB", "--json").json
        found = disk.of(listed(box))
        assert (found["is_online"], found["read_bps"]) == (True, done["read_bps"])
        refreshed = box.here("volumes", "refresh", "--json").json
        assert (refreshed["tracked"], refreshed["online"]) == (1, 1)
        assert box.here("volumes", "monitor", "stop", "--json").json == {"is_running": False, "changed": True}
        assert box.here("status", "--json").json["volumes"]["monitoring"] is False
        assert box.here("volumes", "monitor", "start", "--json").json == {"is_running": True, "changed": True}
        summary = box.here("status", "--json").json["volumes"]
        assert (summary["tracked"], summary["online"], summary["testing"]) == (1, 1, None)
        assert box.here("volumes", "untrack", fingerprint, "--json").json["display_name"] == "Big"
    assert box.here("volumes", "monitor", "stop", "--json", code=2).error["code"] == "usage"


def test_ctrl_c_stops_the_test_in_the_owner_too(box: Box, disk: Disk) -> None:
    with box.owner(env=SLOW):
        box.here("volumes", "track", disk.point)
        with box.start("volumes", "speedtest", disk.point, "--json") as command:
            until(lambda: box.here("status", "--json").json["volumes"]["testing"] is not None)
            second = box.here("volumes", "speedtest", disk.point, "--json", code=6)
            assert "runs already" in second.error["message"]
            command.send_signal(signal.SIGINT)
            out, _ = command.communicate(timeout=60)
        assert (command.returncode, out) == (130, b"")
        assert box.here("status", "--json").json["volumes"]["testing"] is None
        assert box.here("volumes", "speedtest", "--stop", "--json").json == {"stopped": False}
    assert sorted(path.name for path in disk.point.iterdir()) == [".pulsetui-volume", "lost+found"]
    stopped = [row for row in audit(box) if row[0] == "volumes.speedtest"]
    assert stopped == [("volumes.speedtest", False, "failed"), ("volumes.speedtest", False, "refused")]


def test_a_test_is_stopped_from_elsewhere_and_by_the_owners_end(box: Box, disk: Disk) -> None:
    with box.owner(env=SLOW) as owner:
        box.here("volumes", "track", disk.point)
        with box.start("volumes", "speedtest", disk.point, "--json") as command:
            until(lambda: box.here("status", "--json").json["volumes"]["testing"] is not None)
            assert box.here("volumes", "speedtest", "--stop").out == "the speed test was stopped\n"
            _, err = command.communicate(timeout=60)
            assert (command.returncode, b"was stopped" in err) == (1, True)
        with box.start("volumes", "speedtest", disk.point, "--json") as command:
            until(lambda: box.here("status", "--json").json["volumes"]["testing"] is not None)
            owner.signal(signal.SIGTERM)
            assert owner.wait() == 0
            command.communicate(timeout=60)
            assert command.returncode == 1
    assert sorted(path.name for path in disk.point.iterdir()) == [".pulsetui-volume", "lost+found"]


def test_ctrl_c_ends_a_test_without_an_owner(box: Box, disk: Disk) -> None:
    box.here("volumes", "track", disk.point)
    with box.start("volumes", "speedtest", disk.point, "--json", env=SLOW, stdin=None) as command:
        until(lambda: bool(workers_of(command.pid, disk.point)))
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=60)
    assert command.returncode == 130
    assert sorted(path.name for path in disk.point.iterdir()) == [".pulsetui-volume", "lost+found"]
    box.here("volumes", "speedtest", disk.point)  # nobody holds anything


def workers_of(pid: int, point: Path) -> list[int]:
    """Return the children of a process that have a file without a name open on the volume."""
    found = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.Error, OSError):
            links = [str(link.readlink()) for link in Path(f"/proc/{child.pid}/fd").iterdir()]
            found += [child.pid] if any(link.startswith(f"{point}/") and "(deleted)" in link for link in links) else []
    return found


def test_the_doctor_tells_of_volumes(box: Box, disk: Disk) -> None:
    def check() -> dict[str, str]:
        done = box.run("doctor", "--json")
        [found] = [one for one in done.json if one["name"] == "volumes"]
        return dict(found)

    box.here("volumes", "track", disk.point, "--name", "Big")
    fine = check()
    assert fine["verdict"] == "ok"
    assert "1 tracked" in fine["found"]
    mounts.unmount(disk.point)
    away = check()
    assert away["verdict"] == "warning"
    assert "Big" in away["found"]
    assert away["hint"]
