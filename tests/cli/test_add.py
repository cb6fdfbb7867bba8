"""What `add` takes, from the command line and from lists, and what it refuses before anything is queued."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from pulsetui.cli.add import add
from pulsetui.cli.context import Context
from pulsetui.cli.lists import rows_of
from pulsetui.cli.words import parse
from pulsetui.db.database import DATABASE_NAME
from pulsetui.errors import UsageError
from tests.cli.box import Box, terminal


def sources(box: Box) -> dict[str, tuple[str | None, str, int]]:
    return {
        job["source_url"]: (job["entity"], job["title"], job["priority"])
        for job in box.ok("jobs", "--limit", "0", "--json").json
    }


def test_urls_files_and_missing_files(box: Box) -> None:
    (box.home / "here.mp4").touch()
    (box.home / "c:d.mp4").touch()
    odd = os.fsdecode(b"b\xff.mp4")
    (box.home / odd).touch()
    done = box.run(
        *(
            "add",
            "https://example.com/x%20y.mp4",
            "here.mp4",
            "./c:d.mp4",
            odd,
            "nope.mp4",
            "~nobody-here/x",
            "not a url",
        ),
        *("--entity", "Harbor/Cast", "--priority", "-3", "--json"),
    )
    assert done.code == 0
    assert [job["id"] for job in done.json["added"]] == [1, 2, 3, 4]
    reason = "there is no such file; a URL begins with https://"
    missing = [str(box.home / name) for name in ("nope.mp4", "~nobody-here/x", "not a url")]
    assert done.json["skipped"] == [{"source": source, "reason": reason} for source in missing]
    assert sources(box) == {
        "https://example.com/x%20y.mp4": ("Harbor/Cast", "x y", -3),
        str(box.home / "here.mp4"): ("Harbor/Cast", "here", -3),
        str(box.home / "c:d.mp4"): ("Harbor/Cast", "c:d", -3),
        f"file://{box.home}/b%FF.mp4": ("Harbor/Cast", "b\ufffd", -3),
    }
    again = box.run("add", "here.mp4", "http://example.com/plain.mp4", env={"PULSETUI_DOWNLOADS__ALLOW_HTTP": "false"})
    assert (again.code, again.out) == (1, "")
    assert "here.mp4: already there as job 2" in again.err
    assert "http is off: use https, or set downloads.allow_http" in again.err


TEXT = "\ufeff# a comment\n\nhttps://e.com/1.mp4\n  https://e.com/2.mp4  \r\n"
CSV = '\ufefftitle,source,priority\n"One, two",https://e.com/1.mp4,7\n,https://e.com/2.mp4,\n'
JSONL = '{"source": "https://e.com/1.mp4", "title": "One, two", "priority": 7}\n\n{"source": "https://e.com/2.mp4"}\n'
AS_TEXT = {"https://e.com/1.mp4": ("Harbor", "1", 0), "https://e.com/2.mp4": ("Harbor", "2", 0)}
AS_ROWS = {"https://e.com/1.mp4": ("Harbor", "One, two", 7), "https://e.com/2.mp4": ("Harbor", "2", 0)}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [("list.txt", TEXT, AS_TEXT), ("list.csv", CSV, AS_ROWS), ("list.jsonl", JSONL, AS_ROWS)],
)
def test_a_list_in_each_form_from_a_file_and_from_standard_input(
    box: Box, name: str, text: str, expected: dict[str, tuple[str, str, int]]
) -> None:
    (box.home / name).write_text(text, newline="")
    assert box.ok("add", "--from", name, "--entity", "Harbor").out == "2 jobs queued, 1 to 2\n"
    assert sources(box) == expected
    piped = box.run("add", "--from", "-", "--entity", "Harbor", "--json", stdin=text.encode())
    assert (piped.code, piped.json["added"]) == (1, [])
    assert [each["reason"] for each in piped.json["skipped"]] == ["already there as job 1", "already there as job 2"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.csv", b"title,url\nx,y\n", "l.csv line 1: the header is title, url"),
        ("l.csv", b"", "the header is empty"),
        ("l.csv", b"source,source\nx,y\n", "the header is source, source"),
        ("l.csv", b"source,title\nhttps://e.com/a,b,c\n", "l.csv line 2: more cells than columns"),
        ("l.csv", b'source\n"https://e.com/a', "is not CSV"),
        ("l.csv", b"source\n" + b"x" * 200_000, "is not CSV: field larger"),
        ("l.jsonl", b"{}\n", "l.jsonl line 1: source: String should have at least 1 character"),
        ("l.jsonl", b'{"source": 3}\n', "line 1: source: Input should be a valid string"),
        ("l.jsonl", b'{"source": "https://e.com/a"}\n[]\n', "l.jsonl line 2: not an object"),
        ("l.jsonl", b"[" * 100_000, "l.jsonl line 1: not JSON"),
        ("l.jsonl", b'{"source": "https://e.com/a", "titel": "x"}\n', "line 1: titel: Extra inputs are not permitted"),
        ("l.jsonl", b'{"source": "https://e.com/a", "priority": 9999}\n', "line 1: priority: "),
        ("l.jsonl", b'{"source": "https://e.com/a", "title": "\\ud800"}\n', "l.jsonl line 1: half of a character"),
        ("l.jsonl", b'{"source": "https://e.com/a", "entity": "a//b"}\n', "has an empty name"),
        ("l.txt", b"https://e.com/\xff\n", "l.txt is not UTF-8"),
        ("l.txt", b"https://e.com/" + b"x" * 9000, "l.txt line 1: source: String should have at most 8192"),
    ],
    ids=lambda value: str(value)[-30:],
)
async def test_a_bad_line_is_named_and_adds_nothing(
    box: Box, name: str, content: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box.home / name).write_bytes(content)
    monkeypatch.chdir(box.home)
    monkeypatch.setenv("HOME", str(box.home))
    with pytest.raises(UsageError) as raised:
        await add(Context(parse(["add", "https://e.com/good.mp4", "--from", name])))
    assert message in str(raised.value)
    assert raised.value.hint
    assert not box.data_dir.exists()


def test_a_bad_line_ends_the_command_with_2(box: Box) -> None:
    done = box.run("add", "https://e.com/good.mp4", "--from", "-", "--json", stdin=b"{]")
    assert (done.code, done.out, done.error["code"]) == (2, "", "usage")
    assert done.error["message"].startswith("standard input line 1: not JSON")
    assert not box.data_dir.exists()


@pytest.mark.parametrize(("name", "reason"), [("none.txt", "No such file"), (".", "Is a directory")])
def test_a_list_that_cannot_be_read_is_named(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        list(rows_of(name))


def test_words_that_do_not_go_together_are_refused(box: Box) -> None:
    for words, message in (
        (["add", "https://e.com/a", "https://e.com/b", "--title", "T"], "--title is for a single source"),
        (["add", "https://e.com/a", "--entity", "a/b/c/d/e"], "has 5 levels, and there are 4"),
        (["add", "https://e.com/a", "--priority", "1001"], "less than or equal to 1000"),
        (["add", ""], "source 1: source: String should have at least 1 character"),
    ):
        done = box.run(*words)
        assert (done.code, message in done.err) == (2, True), done.err
    two = {"PULSETUI_STORAGE__LEVELS": "series,season"}
    done = box.run("add", "https://e.com/a", "--entity", "a/b/c", env=two)
    assert (done.code, "has 3 levels, and there are 2" in done.err) == (2, True), done.err


def test_a_long_list_goes_in_several_orders_and_tells_how_far_it_is(box: Box) -> None:
    lines = [f"https://example.com/{number}.mp4" for number in range(2500)]
    (box.home / "long.txt").write_text("\n".join(lines))
    with terminal() as (screen, shown):
        process = box.start("add", "--from", "long.txt", "--json", stderr=screen)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    added = json.loads(out)["added"]
    assert [job["id"] for job in added] == list(range(1, 2501))
    progress = [part for part in shown().split("\r\x1b[K") if part]
    assert progress[0].startswith("1,000 of 2,500 given in, ")
    assert " left" in progress[0]
    assert progress[-1].startswith("2,500 of 2,500 given in, ")
    piped = box.run("add", "--from", "long.txt")
    assert (piped.code, piped.out) == (1, "")
    assert len(piped.err.splitlines()) == 3 + 20 + 1
    assert piped.err.splitlines()[-1] == "… and 2,480 more skipped; --json lists all"
    with sqlite3.connect(box.data_dir / DATABASE_NAME) as database:
        assert database.execute("SELECT count(*) FROM audit WHERE verb = 'jobs.add'").fetchone() == (6,)


def test_an_interrupted_list_says_what_was_queued(box: Box) -> None:
    lines = [f"https://example.com/{number}.mp4" for number in range(1001)]
    (box.home / "long.txt").write_text("\n".join(lines))
    # An order is about six commits; this one belongs to the second.
    done = box.run("add", "--from", "long.txt", env={"PULSETUI_FAULTS": "db.commit@9=EIO"})
    assert done.code == 1
    assert "1000 of 1001 were queued before this; given again, they are skipped" in done.err
    assert box.ok("add", "--from", "long.txt").out == "job 1001 queued\n"


def test_the_list_may_be_a_pipe(box: Box, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    process = box.start("add", "--from", tmp_path / "pipe")
    (tmp_path / "pipe").write_text("https://e.com/1.mp4\n")
    out, _ = process.communicate(timeout=30)
    assert out == b"job 1 queued\n"
