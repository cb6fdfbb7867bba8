"""What reaches a terminal: no hostile text, tables that fold, no colour where none is wanted, ASCII where needed."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from pulsetui.db.database import DATABASE_NAME
from tests.cli.box import PULSETUI, Box

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egnp\u2066\n\r\t[bold red]x[/] \x9b31m \u200e"
_STYLES = re.compile(r"\x1b\[[0-9;]*m")
READING = ["jobs", "jobs show 3", "events --limit 0", "status", "jobs transcript 1", "jobs --json", "events --json"]


@pytest.fixture(scope="module")
def hostile(used: Box, tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A home in whose database everything that comes from outside is hostile."""
    home = tmp_path_factory.mktemp("hostile") / "home"
    shutil.copytree(used.home, home)
    box = Box(home, used.settings)
    with sqlite3.connect(box.data_dir / DATABASE_NAME) as database:
        database.execute(
            "UPDATE jobs SET title = ?, source_url = ?, error = ?, submitted_by = ?, worker = ?, error_class = ?",
            (HOSTILE, f"https://{HOSTILE}", HOSTILE, HOSTILE, HOSTILE, "permanent"),
        )
        [[path]] = database.execute("SELECT transcript_path FROM jobs WHERE id = 1")
        moved = home / Path(os.fsdecode(path)).relative_to(used.home)
        moved.write_text(moved.read_text().replace("the", "the \\u001b[2J\\u202e"))
        database.execute("UPDATE jobs SET transcript_path = ? WHERE id = 1", (bytes(moved),))
        database.execute("UPDATE entities SET path = path || ?", (HOSTILE,))
        database.execute("UPDATE events SET text = ?, data = ?", (HOSTILE, '{"a": "\\u001b"}'))
    return box


@pytest.mark.parametrize("words", READING)
def test_hostile_text_never_reaches_a_terminal_raw(hostile: Box, words: str) -> None:
    for done in (hostile.on_terminal(*words.split()), hostile.run(*words.split())):
        assert done.code == 0, done.out
        harmless = _STYLES.sub("", done.out).replace("\n", "")
        assert [character for character in harmless if not character.isprintable()] == []
        assert "\x1b]" not in done.out


def test_hostile_words_are_escaped_in_errors_too(box: Box) -> None:
    for words in (
        ["jobs", f"--{HOSTILE}"],
        [HOSTILE],
        ["add", HOSTILE, f"https://{HOSTILE}"],
        ["--data-dir", HOSTILE, "jobs"],
    ):
        done = box.run(*words)
        assert done.code in (1, 2, 4)
        assert [character for character in done.err.replace("\n", "") if not character.isprintable()] == []
        done = box.run(*words, "--json")
        assert done.err.isascii()


def test_markup_in_a_title_is_text(hostile: Box) -> None:
    assert "[bold red]x[/]" in hostile.ok("jobs").out
    assert "[bold red]x[/]" in "".join(hostile.on_terminal("jobs", columns=200).out.split("\n"))


def test_a_row_is_one_line_on_a_pipe_however_hostile(hostile: Box) -> None:
    assert len(hostile.ok("jobs").lines) == 6
    assert len(hostile.ok("events", "--limit", "0").lines) == len(hostile.ok("events", "--limit", "0", "--json").lines)


def test_tables_fold_into_eighty_columns(used: Box) -> None:
    for words in ("jobs", "config show", "doctor"):
        lines = _STYLES.sub("", used.on_terminal(*words.split()).out).split("\n")
        wide = [line for line in lines if len(line) > 80]
        assert wide == []
    jobs = used.on_terminal("jobs").out
    assert "\x1b[1m" in jobs  # the header is bold
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", jobs) is None  # and nothing is coloured


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour_nothing_but_text_is_sent(used: Box, env: dict[str, str]) -> None:
    shown = used.on_terminal("jobs", env=env).out
    assert re.search(r"\x1b\[[0-9;]*[34][0-7]", shown) is None
    if env.get("TERM") == "dumb":
        assert "\x1b" not in shown


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"LANG": "POSIX"}, {"LC_ALL": "en_US.ISO-8859-1"}])
def test_an_ascii_terminal_gets_ascii(used: Box, env: dict[str, str]) -> None:
    box = Box(used.home, {**used.settings, "LANG": ""})
    assert box.on_terminal("jobs", "--help", env=env).out.isascii()
    shown = box.on_terminal("add", "/nowhere/\u00e9\u2026\u4e16", env=env).out
    assert "/nowhere/e~??" in shown


def test_no_encoding_is_a_reason_to_fail(used: Box) -> None:
    done = used.run("add", "/nowhere/\u4e16", env={"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
    assert done.code == 1
    assert "there is no such file" in done.err


def test_a_reader_that_leaves_is_no_error(used: Box) -> None:
    for words in ("jobs", "jobs --json", "events --limit 0", "config show", "--help"):
        command = f'{" ".join(map(_quoted, PULSETUI))} {words} | head -1; echo "${{PIPESTATUS[0]}}"'
        done = subprocess.run(
            ["bash", "-c", command], env=used.environment(), capture_output=True, text=True, timeout=30, check=False
        )
        assert done.stderr == ""
        assert done.stdout.splitlines()[-1] == "0"


def test_a_full_disk_behind_the_output_is_told(used: Box) -> None:
    with Path("/dev/full").open("wb") as full, used.start("jobs", "--json", stdout=full) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"No space left" in err
    assert b"Exception" not in err


def test_closed_streams_are_no_error(used: Box) -> None:
    for closing in (">&-", "2>&-", "<&- >&- 2>&-"):
        command = f"exec {' '.join(map(_quoted, PULSETUI))} jobs {closing}"
        done = subprocess.run(
            ["bash", "-c", command], env=used.environment(), capture_output=True, timeout=30, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
    assert used.ok("jobs", "--json").json  # the database took no harm


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
