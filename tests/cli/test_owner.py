"""Commands beside an owner, and owners beside commands: who does what, and who has to wait or go."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator

import pytest

from pulsetui.db.database import DATABASE_NAME
from tests.cli.box import Box, Owner, terminal, until
from tests.cli.conftest import LOOPBACK
from tests.cli.test_reading import check_status
from tests.cli.web import Site


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Box, Owner]]:
    """A home whose pipeline runs."""
    box = Box(tmp_path_factory.mktemp("owned"), dict(LOOPBACK))
    with box.owner() as owner:
        yield box, owner


def audit(box: Box) -> list[sqlite3.Row]:
    with sqlite3.connect(box.data_dir / DATABASE_NAME) as database:
        database.row_factory = sqlite3.Row
        return database.execute("SELECT * FROM audit ORDER BY id").fetchall()


def test_status_tells_the_owners_live_figures(owned: tuple[Box, Owner], web: Site) -> None:
    box, owner = owned
    added = box.ok("add", web.url("slow-status.mp4"), "--title", "Long one", "--json").json
    assert [set(job) for job in added["added"]] == [{"id", "uuid"}]
    until(lambda: len(web.starts) > 0)
    status = box.ok("status", "--json").json
    check_status(status, box)
    assert (status["owner"]["pid"], status["owner"]["host"]) == (owner.pid, socket.gethostname())
    assert status["can_download"] is True
    assert all(service["running"] and service["restarts"] == 0 for service in status["services"])
    assert {"downloads", "transcriptions", "budget", "orders"} <= {each["name"] for each in status["services"]}
    assert isinstance(status["loop_lag_p99_ms"], float)
    [task] = status["workers"]["running"]
    assert (task["name"], task["kind"]) == ("Long one", "download")
    text = box.ok("status").out
    assert f"pid {owner.pid}" in text
    assert "Long one" in text
    box.ok("jobs", "cancel", str(added["added"][0]["id"]))


def test_orders_go_through_the_owner_and_are_audited(owned: tuple[Box, Owner]) -> None:
    box, owner = owned
    assert box.ok("pause", "--json").json == {"paused": True, "changed": True}
    assert box.ok("pause").out == "downloads are paused: none starts, running work goes on (as before)\n"
    paused = box.ok("status", "--json").json
    assert (paused["gate"]["open"], paused["gate"]["operator_paused"], paused["can_download"]) == (False, True, False)
    assert paused["gate"]["reason"] == "paused by the operator"
    assert "PAUSED: paused by the operator" in box.ok("status").out
    assert box.ok("resume", "--json").json == {"paused": False, "changed": True}
    rows = [row for row in audit(box) if row["verb"].startswith("pipeline.")]
    assert [row["verb"] for row in rows] == ["pipeline.pause", "pipeline.pause", "pipeline.resume"]
    assert {(row["uid"], row["through"], row["error"]) for row in rows} == {(os.geteuid(), "cli", None)}
    owner.wait_for("paused")


def test_a_second_front_end_is_refused_and_told_who_owns(owned: tuple[Box, Owner]) -> None:
    box, owner = owned
    expected = f"process {owner.pid} (no-ui) of user"
    done = box.run("--no-ui")
    assert done.code == 5
    assert expected in done.err
    assert socket.gethostname() in done.err
    screen = box.on_terminal()
    assert (screen.code, "\x1b" in screen.out) == (5, False)
    assert expected in "".join(screen.out.split("\n"))
    refused = box.run(
        "demo", "--no-ui", "--json", "--keep", box.data_dir / "x" / ".." / ".." / "demo", "--episodes", "0"
    )
    assert refused.code == 2


def test_a_follower_sees_an_event_within_a_second(owned: tuple[Box, Owner]) -> None:
    box, _ = owned
    follower = box.start("events", "--follow", "--json", "--limit", "0", "--category", "job")
    said = follower.stdout
    assert said is not None
    try:
        box.ok("add", "https://127.0.0.1:9/first.mp4")
        until(lambda: b"first" in said.readline())  # it follows now
        with sqlite3.connect(box.data_dir / DATABASE_NAME) as database:
            began = time.time()
            database.execute(
                "INSERT INTO events (at, kind, category, severity, keep, text, data) VALUES (?,?,?,?,?,?,?)",
                (int(began * 1000), "job.x", "job", "info", 0, "hello", "{}"),
            )
            database.commit()
        until(lambda: b"hello" in said.readline())
        assert time.time() - began < 1.0
        follower.send_signal(signal.SIGINT)
        assert follower.wait(20) == 130
        assert follower.stderr is not None
        assert follower.stderr.read() == b""
    finally:
        follower.kill()
        follower.communicate()


def test_a_follower_starts_at_now_however_old_what_it_was_shown_first(owned: tuple[Box, Owner]) -> None:
    box, _ = owned
    box.ok("pause")
    box.ok("resume")
    follower = box.start("events", "--follow", "--json", "--category", "review", "--limit", "1")
    everything = box.start("events", "--follow", "--json", "--before", "2", "--limit", "1")
    assert everything.stdout is not None
    try:
        first = json.loads(everything.stdout.readline())["id"]
        newest = json.loads(box.ok("events", "--json", "--limit", "1").out)["id"]
        assert first == 1
        box.ok("pause")
        assert json.loads(everything.stdout.readline())["id"] > newest
        box.ok("resume")
    finally:
        for process in (follower, everything):
            process.kill()
        out, _ = follower.communicate()
        everything.communicate()
    assert out == b""


def test_an_owner_that_starts_waits_for_a_command_that_holds_the_lock(box: Box) -> None:
    box.ok("add", "https://example.com/a.mp4")
    # The order's commit takes 3 s: all that time the command has the lock.
    order = box.start("add", "https://example.com/b.mp4", env={"PULSETUI_FAULTS": "db.commit@2=delay:3"})
    until(lambda: _holder(box) == order.pid)
    began = time.monotonic()
    with box.owner() as owner:
        assert time.monotonic() - began > 1
        _, err = order.communicate(timeout=20)
        assert (order.returncode, err) == (0, b"")
        assert owner.process.poll() is None
        assert {job["id"] for job in box.ok("jobs", "--json").json} == {1, 2}


def test_an_order_waits_for_an_owner_that_is_starting(box: Box) -> None:
    box.ok("add", "https://example.com/a.mp4")
    process = box.start("--no-ui", env={"PULSETUI_FAULTS": "db.begin@1=delay:2"})
    owner = Owner(process)
    try:
        until(lambda: _holder(box) == process.pid)
        assert box.ok("jobs", "cancel", "1", "--json").json == {"changed": [1], "refused": {}}
        [*_, last] = audit(box)
        assert (last["verb"], last["error"]) == ("jobs.cancel", None)
        owner.wait_for("running on")
        assert process.poll() is None
    finally:
        owner.end()


def test_without_a_usable_terminal_the_screens_are_refused(box: Box) -> None:
    dumb = box.on_terminal(env={"TERM": "dumb"})
    assert dumb.code == 2
    assert "--no-ui" in dumb.out
    piped = box.run()
    assert (piped.code, "--no-ui" in piped.err) == (2, True)
    demo = box.run("demo")
    assert (demo.code, "--no-ui" in demo.err) == (2, True)
    assert not box.data_dir.exists()


def test_the_screens_open_on_a_terminal_and_end_in_order(box: Box) -> None:
    with terminal(100) as (screen, shown):
        process = box.start(
            env={"TERM": "xterm-256color"}, stdin=screen, stdout=screen, stderr=screen, start_new_session=True
        )
        until(lambda: "pulse" in shown().lower() and _holder(box) == process.pid)
        until(lambda: box.run("status", "--json").json["services"] != [])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert shown().rstrip().endswith("\x1b[?1004l") or "\x1b[?1049l" in shown()  # the screen was given back


def _holder(box: Box) -> int | None:
    """Return the process that says in the lock file that it has the lock."""
    try:
        return int(json.loads((box.data_dir / "owner.lock").read_bytes())["pid"])
    except (OSError, ValueError):
        return None
