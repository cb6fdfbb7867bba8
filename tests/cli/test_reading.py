"""What the reading commands print, from a home that has been used and that nobody owns."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pulsetui.pipeline.jobs import Stage
from pulsetui.units import format_size
from tests.cli.box import Box

JOB = {
    "id": int,
    "uuid": str,
    "kind": str,
    "title": str,
    "source_url": str,
    "entity": str | None,
    "stage": str,
    "priority": int,
    "attempts": int,
    "progress": float | None,
    "queue_position": int | None,
    "elapsed_s": float | None,
    "worker": str | None,
    "submitted_by": str,
    "submitted_at": str,
    "video_path": str | None,
    "video_size_bytes": int | None,
    "video_deleted": bool,
    "audio_size_bytes": int | None,
    "audio_deleted": bool,
    "transcript_path": str | None,
    "transcript_size_bytes": int | None,
    "error_class": str | None,
    "error": str | None,
}


def is_utc(text: str) -> bool:
    return text.endswith("Z") and datetime.fromisoformat(text).utcoffset() == timedelta(0)


def test_jobs_have_all_their_keys_with_their_types(used: Box) -> None:
    jobs = used.ok("jobs", "--json").json
    assert [job["id"] for job in jobs] == [4, 3, 5, 1, 2]
    for job in jobs:
        assert {key: value for key, value in job.items() if key in JOB and not isinstance(value, JOB[key])} == {}
        assert JOB.keys() - job.keys() == set()
        assert is_utc(job["submitted_at"])
    by_id = {job["id"]: job for job in jobs}
    done, dead, waiting = by_id[1], by_id[2], by_id[4]
    assert (done["stage"], done["progress"], done["entity"], done["title"]) == (
        "transcribed",
        1.0,
        "Harbor/Cast",
        "Part 1",
    )
    assert (done["video_deleted"], done["audio_deleted"]) == (True, True)
    assert Path(done["transcript_path"]).is_file()
    assert Path(done["transcript_path"]).stat().st_size == done["transcript_size_bytes"]
    assert (dead["stage"], dead["error_class"], dead["attempts"]) == ("dead", "permanent", 1)
    assert "404" in dead["error"]
    assert (waiting["stage"], waiting["priority"], waiting["queue_position"]) == ("queued", 9, 1)


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ("--stage queued", [4, 3]),
        ("--project Harbor", [3, 1]),
        ("--project Harbor/Cast/", [3, 1]),
        ("--project Har", []),
        ("--text 404", [2]),
        ("--limit 2", [4, 3]),
        ("--limit 0", [4, 3, 5, 1, 2]),
    ],
)
def test_jobs_are_filtered(used: Box, filters: str, ids: list[int]) -> None:
    assert [job["id"] for job in used.ok("jobs", *filters.split(), "--json").json] == ids


def test_the_table_is_a_line_a_job_on_a_pipe_and_says_what_it_left_out(used: Box) -> None:
    done = used.ok("jobs", "--limit", "4")
    assert done.lines[0].split() == ["id", "stage", "done", "size", "name", "note"]
    assert len(done.lines) == 5
    assert done.lines[1].split() == ["4", "queued", "Lagoon", "/", "d", "position", "1"]
    assert all(line == line.rstrip() for line in done.lines)
    assert done.err == "4 of 5 jobs; --limit 0 shows all\n"


def test_a_job_is_shown_with_history_and_receipt(used: Box) -> None:
    shown = used.ok("jobs", "show", "1", "--json").json
    assert shown["receipt"]["accepted"] == "yes"
    kinds = [event["kind"] for event in shown["history"]]
    assert {"job.queued", "job.downloaded", "job.transcribed"} <= set(kinds)
    assert all(is_utc(event["at"]) for event in shown["history"])
    text = used.ok("jobs", "show", "1").out
    assert "Harbor / Cast / Part 1" in text
    assert "accepted" in text
    error = used.ok("jobs", "show", "2").out
    assert "404" in error
    assert "(permanent)" in error


def test_a_transcript_comes_in_every_form(used: Box) -> None:
    text = used.ok("jobs", "transcript", "1").out
    assert len(text.split()) > 20
    assert " --> " in used.ok("jobs", "transcript", "1", "--format", "srt").out
    assert used.ok("jobs", "transcript", "1", "--format", "vtt").out.startswith("WEBVTT\n")
    whole = used.ok("jobs", "transcript", "1", "--json").json
    assert " ".join(" ".join(segment["text"] for segment in whole["segments"]).split()) == " ".join(text.split())


def test_status_has_all_its_keys_without_an_owner(used: Box) -> None:
    status = used.ok("status", "--json").json
    assert status["owner"] is None
    assert status["can_download"] is False
    check_status(status, used)
    assert status["stages"]["queued"] == 2
    assert status["freed_per_transcription_bytes"] > 0
    assert status["rates"]["real_time_factor"] > 0


def check_status(status: dict[str, Any], box: Box) -> None:
    """Check what holds for every status."""
    gate = status["gate"]
    sizes = ["usage", "reserved", "committed", "resume", "pause", "hard_limit"]
    assert all(isinstance(gate[f"{name}_bytes"], int) for name in sizes)
    assert isinstance(gate["open"], bool)
    if gate["open"]:
        committed, pause = (format_size(gate[f"{name}_bytes"]) for name in ("committed", "pause"))
        assert gate["reason"] == f"committed {committed}, pause at {pause}"
    assert gate["usage_bytes"] + gate["reserved_bytes"] == gate["committed_bytes"]
    assert gate["usage_bytes"] == sum(status["usage"].values())
    assert status["available_bytes"] == gate["hard_limit_bytes"] - gate["committed_bytes"]
    assert 0 <= status["percent"] <= 100
    [disk] = status["disks"]
    assert {"path", "total_bytes", "used_bytes", "free_bytes", "percent", "level"} <= disk.keys()
    assert Path(disk["path"]).is_absolute()
    assert set(status["stages"]) == set(Stage)
    assert {"count", "total_s", "longest_s"} <= status["pauses"].keys()
    assert {"eta_s", "loop_lag_p99_ms", "recovery", "workers", "services", "rates"} <= status.keys()
    assert status["data_dir"] == str(box.data_dir)


def test_status_for_people_fits_eighty_columns(used: Box) -> None:
    lines = used.ok("status").lines
    assert [line for line in lines if len(line) > 80 and "/" not in line] == []
    assert lines[1].split(maxsplit=1) == ["owner", "none: nothing runs"]
    assert any(line.startswith("gate") and "open" in line for line in lines)


def test_events_are_an_object_a_line_and_page_back(used: Box) -> None:
    lines = used.ok("events", "--json", "--limit", "0").lines
    events = [json.loads(line) for line in lines]
    assert [set(event) for event in events] == [
        {"id", "at", "category", "severity", "kind", "text", "entity", "job_id", "data"}
    ] * len(events)
    ids = [event["id"] for event in events]
    assert ids == sorted(ids)
    assert all(is_utc(event["at"]) and isinstance(event["data"], dict) for event in events)
    page = [json.loads(line)["id"] for line in used.ok("events", "--json", "--limit", "3").lines]
    assert page == ids[-3:]
    older = [json.loads(line)["id"] for line in used.ok("events", "--json", "--limit", "2", "--before", page[0]).lines]
    assert older == ids[-5:-3]


def test_events_are_filtered(used: Box) -> None:
    def found(*words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in used.ok("events", "--json", "--limit", "0", *words).lines]

    assert {event["category"] for event in found("--category", "job")} == {"job"}
    harbor = found("--project", "Harbor")
    assert {event["job_id"] for event in harbor} == {1, 3}
    assert {event["severity"] for event in found("--severity", "warning")} <= {"warning", "error", "critical"}
    assert found("--severity", "warning") != []


def test_the_doctor_finds_nothing_wrong_and_changes_nothing(used: Box) -> None:
    before = {path: path.stat().st_mtime_ns for path in used.data_dir.rglob("*") if "-shm" not in path.name}
    checks = used.ok("doctor", "--json").json
    assert [check["name"] for check in checks if check["verdict"] != "ok"] == []
    assert {"data folder", "rights", "clock", "engine", "database", "limits"} <= {check["name"] for check in checks}
    after = {path: path.stat().st_mtime_ns for path in used.data_dir.rglob("*") if "-shm" not in path.name}
    assert after == before


@pytest.mark.parametrize(
    ("words", "code", "name", "message"),
    [
        ("jobs show 99", 4, "not-found", "there is no job 99"),
        ("jobs transcript 3", 4, "not-found", "job 3 has no transcript: it is queued"),
        ("jobs --stage ready", 2, "usage", "there is no stage 'ready'"),
        ("jobs retry 99", 4, "not-found", "there is no job 99"),
        ("jobs cancel 5", 6, "refused", "job 5"),
        ("jobs retry 1", 6, "refused", "job 1"),
        ("add", 2, "usage", "nothing to add"),
        ("stauts", 2, "usage", "there is no command 'stauts'"),
    ],
)
def test_an_error_is_json_on_standard_error_with_its_exit_code(
    used: Box, words: str, code: int, name: str, message: str
) -> None:
    done = used.run(*words.split(), "--json")
    assert (done.code, done.out) == (code, "")
    assert done.error["code"] == name
    assert message in done.error["message"]
    assert done.error["hint"]


def test_some_jobs_may_be_refused_while_others_change(copied: Box) -> None:
    done = copied.run("jobs", "cancel", "3", "99", "--json")
    assert (done.code, done.json) == (1, {"changed": [3], "refused": {"99": "there is no job 99"}})
    retried = copied.ok("jobs", "retry", "2", "3", "5")
    assert retried.lines == [f"job {number} will be tried again" for number in (2, 3, 5)]
    assert [job["id"] for job in copied.ok("jobs", "--stage", "queued", "--json").json] == [4, 2, 3, 5]
