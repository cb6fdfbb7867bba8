from __future__ import annotations

import json
import logging
import re
import signal
import socket
from pathlib import Path

import pytest

from pulsetui.headless import JsonFormatter, TextFormatter, notify_systemd
from tests.cli.box import Box, until
from tests.cli.web import Site
from tests.pipeline.speech.making import long_speech

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error|critical) pulsetui[a-z.]*: \S.*")


def listening(address: str) -> socket.socket:
    """Return a socket as systemd has one."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found.bind(f"\0{address[1:]}" if address.startswith("@") else address)
    found.settimeout(20)
    return found


def stage(box: Box, job_id: int = 1) -> str:
    return str(box.ok("jobs", "show", str(job_id), "--json").json["stage"])


def test_a_signal_drains_downloads_and_keeps_what_they_have(box: Box, web: Site, tmp_path: Path) -> None:
    address = str(tmp_path / "notify.sock")
    with listening(address) as systemd, box.owner(env={"NOTIFY_SOCKET": address}) as owner:
        ready = systemd.recv(4096).decode().splitlines()
        assert ready == ["READY=1", f"STATUS=running on {box.data_dir}"]
        box.ok("add", web.url("slow.mp4"), "--entity", "Harbor")
        until(lambda: any(path.stat().st_size > 1 << 20 for path in box.data_dir.glob("storage/videos/**/*.partial")))

        owner.signal(signal.SIGHUP)
        owner.wait_for("going on without it")
        assert stage(box) == "downloading"

        owner.signal(signal.SIGTERM)
        stopping = systemd.recv(4096).decode().splitlines()
        assert stopping == [
            "STOPPING=1",
            "STATUS=draining: 1 downloads suspend, 0 transcriptions get up to 1m",
        ]
        assert owner.wait() == 0

    [partial] = box.data_dir.glob("storage/videos/Harbor/*.partial")
    assert partial.stat().st_size > 1 << 20
    assert [line for line in owner.log if not LINE.fullmatch(line)] == []
    assert owner.log[-1].endswith("stopped")
    shown = box.ok("jobs", "show", "1", "--json").json
    assert (shown["stage"], shown["attempts"]) == ("queued", 0)
    with box.owner():  # and the next start goes on where this one stopped
        until(lambda: any(web.starts))


def test_log_lines_are_json_objects_with_numbers_if_wanted(box: Box, web: Site) -> None:
    name = f"@pulsetui-test-{id(box)}"
    with (
        listening(name) as systemd,
        box.owner("--log-format", "json", env={"NOTIFY_SOCKET": name}) as owner,
    ):
        assert systemd.recv(4096).startswith(b"READY=1\n")
        box.ok("add", web.url("hostile"), "--title", "T")
        owner.wait_for("job.dead")
        owner.signal(signal.SIGINT)
        assert owner.wait() == 0
    lines = [json.loads(line) for line in owner.log]
    assert all({"at", "level", "logger", "message"} <= set(line) for line in lines)
    [queued] = [line for line in lines if line.get("kind") == "job.queued"]
    assert (queued["job_id"], queued["data"]["name"], queued["level"]) == (1, "T", "info")
    assert all(line.isascii() and "\x1b" not in line for line in owner.log)


def test_a_second_signal_ends_the_grace_of_a_transcription(box: Box, tmp_path: Path) -> None:
    speech = tmp_path / "speech.wav"
    long_speech(speech)
    with box.owner(env={"PULSETUI_TRANSCRIPTION__SHUTDOWN_GRACE": "10m"}) as owner:
        box.ok("add", speech)
        until(lambda: box.ok("jobs", "show", "1", "--json").json["stage"] == "transcribing")
        owner.signal(signal.SIGTERM)
        owner.wait_for("0 downloads suspend, 1 transcriptions get up to 10m")
        assert box.run("status", "--json").json["owner"]["pid"] == owner.pid  # it still answers
        assert owner.process.poll() is None
        owner.signal(signal.SIGTERM)
        owner.wait_for("the grace ends")
        assert owner.wait() == 0
    shown = box.ok("jobs", "show", "1", "--json").json
    assert (shown["stage"], shown["attempts"], shown["error_class"]) == ("downloaded", 0, "shutdown")
    assert Path(shown["video_path"]).exists()


def test_a_signal_during_the_start_ends_it_in_order(box: Box) -> None:
    box.ok("add", "https://example.com/a.mp4")
    # The first write of the start waits; the signal comes meanwhile.
    process = box.start("--no-ui", env={"PULSETUI_FAULTS": "db.begin@*=delay:2"})
    until(lambda: _holder(box) == process.pid)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, b"Traceback" in err) == (0, False), err.decode()
    assert b"not started yet, ending" in err
    assert box.ok("pause", "--json").json["changed"]


def _holder(box: Box) -> int | None:
    """Return the process that says in the lock file that it has the lock."""
    try:
        return int(json.loads((box.data_dir / "owner.lock").read_bytes())["pid"])
    except (OSError, ValueError):
        return None


def test_a_wrong_notify_socket_is_refused_at_the_start(box: Box) -> None:
    done = box.run("--no-ui", env={"NOTIFY_SOCKET": "tcp:1"})
    assert (done.code, done.err.splitlines()[0]) == (
        2,
        "pulsetui: NOTIFY_SOCKET is tcp:1, which is no path and no abstract name",
    )


def test_a_full_or_absent_notify_socket_is_never_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = str(tmp_path / "notify.sock")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify_systemd("READY=1")  # nobody is there
    with listening(address) as systemd:
        for _ in range(2000):  # far more than a datagram socket queues
            notify_systemd("STATUS=x")
        assert systemd.recv(100) == b"STATUS=x"


def record(message: str, *, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    trace = (type(error), error, error.__traceback__) if error else None
    found = logging.LogRecord("pulsetui.x", logging.ERROR, __file__, 1, message, None, trace)
    found.created = 1_795_178_700.25
    found.__dict__.update(extra)
    return found


def test_hostile_text_stays_one_harmless_line_of_the_log() -> None:
    text = TextFormatter().format(record("a\x1b[2J\nb\u202e"))
    assert text == "2026-11-20T12:45:00.250Z error pulsetui.x: a\\x1b[2J\\nb\\u202e"
    line = JsonFormatter().format(record("a\x1b\n\u202e", fields={"kind": "k"}))
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line) == {
        "at": "2026-11-20T12:45:00.250Z",
        "level": "error",
        "logger": "pulsetui.x",
        "message": "a\x1b\n\u202e",
        "kind": "k",
    }


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_tracebacks_are_for_those_who_debug(level: int) -> None:
    logger = logging.getLogger("pulsetui")
    before = logger.level
    error = _raised()
    try:
        logger.setLevel(level)
        text = TextFormatter().format(record("it failed", error=error))
        line = json.loads(JsonFormatter().format(record("it failed", error=error)))
    finally:
        logger.setLevel(before)
    assert ("Traceback" in text) is ("traceback" in line) is (level == logging.DEBUG)
    assert "\x1b" not in text


def _raised() -> Exception:
    def fail() -> None:
        raise ValueError("bad \x1b[31m")

    with pytest.raises(ValueError, match="bad") as raised:
        fail()
    return raised.value
