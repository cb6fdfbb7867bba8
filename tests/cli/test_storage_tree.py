"""`pulsetui storage treemap` and `export` of any folder and of ncdu exports: no database, no data folder."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pulsetui.cli.nested import nested_lines
from pulsetui.storage.views import Amount, StorageNode
from tests.cli.box import Box, Done, terminal, until

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egnp.\u2066\n\r\t[bold red]x[red]\udcff\u200e \u4e16"
_STYLES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A home with a folder `top` to look at, and nothing else: don't change it."""
    box = Box(tmp_path_factory.mktemp("place"))
    top = box.home / "top"
    (top / "large" / "inner").mkdir(parents=True)
    (top / "small").mkdir()
    (top / "large" / "take one.mp4").write_bytes(b"x" * 300_000)
    (top / "large" / "inner" / "again.mp4").hardlink_to(top / "large" / "take one.mp4")
    (top / "large" / "inner" / "b.png").write_bytes(b"x" * 90_000)
    (top / f"{HOSTILE}.wav").write_bytes(b"x" * 100_000)
    (top / "small" / "note.srt").write_text("hello")
    return box


@pytest.fixture(scope="module")
def tree(place: Box) -> dict[str, Any]:
    """The whole tree, as JSON."""
    done = place.here("storage", "treemap", "--path", "top", "--json")
    assert done.err == ""
    assert done.out.isascii()
    found: dict[str, Any] = done.json
    return found


def walked(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children", ()):
        yield from walked(child)


def harmless(done: Done) -> None:
    text = _STYLES.sub("", done.out + done.err).replace("\n", "")
    assert [character for character in text if not character.isprintable()] == []


def test_any_folder_is_told_as_nested_json_without_a_data_folder(place: Box, tree: dict[str, Any]) -> None:
    assert not place.data_dir.exists()
    assert next(iter(tree)) == "snapshot_at"
    du = subprocess.run(["du", "-sB1", place.home / "top"], capture_output=True, text=True, check=True).stdout
    assert tree["allocated_bytes"] == int(du.split()[0])
    assert (tree["total_bytes"], tree["file_count"]) == (300_000 + 90_000 + 100_000 + 5, 4)
    for node in walked(tree):
        assert ("value" in node) != ("children" in node)
        if "children" in node:
            for key in ("total_bytes", "allocated_bytes", "file_count", "video_bytes", "other_bytes"):
                assert node[key] == sum(child[key] for child in node["children"])
    assert tree["total_bytes"] == sum(node["value"] for node in walked(tree) if "value" in node)
    [hostile] = [node for node in walked(tree) if node["name"].endswith(".wav")]
    assert hostile["audio_bytes"] == 100_000
    assert base64.b64decode(hostile["path_base64"]) == os.fsencode(place.home / "top" / f"{HOSTILE}.wav")


def test_depth_cuts_the_tree_and_says_so(place: Box, tree: dict[str, Any]) -> None:
    cut = place.here("storage", "treemap", "--path", "top", "--depth", "1", "--json").json
    assert {child["name"] for child in cut["children"]} == {child["name"] for child in tree["children"]}
    [large] = [child for child in cut["children"] if child["name"] == "large"]
    assert (large["has_more"], "children" in large) == (True, False)
    assert large["value"] == 390_000


def test_a_pipe_gets_a_picture_of_plain_lines(place: Box) -> None:
    done = place.here("storage", "treemap", "--path", "top", "--size", "90x24", "--by", "category")
    harmless(done)
    assert "\x1b" not in done.out
    first, *picture, legend = done.lines
    assert first.startswith(f"{place.home / 'top'}: ")
    assert "in 4 files" in first
    assert len(picture) == 24
    assert "again.mp4" in done.out
    assert r"\x1b]" in done.out
    assert legend.startswith("category:")
    assert "vv video" in legend


def test_a_terminal_gets_colours_and_no_hostile_text(place: Box) -> None:
    done = place.on_terminal("storage", "treemap", "--path", "top", env={"COLORTERM": "truecolor"}, columns=100)
    assert done.code == 0, done.out
    assert re.search(r"\x1b\[[0-9;]*48;2;", done.out)
    harmless(done)
    sixteen = place.on_terminal("storage", "treemap", "--path", "top", env={"TERM": "xterm-16color"})
    assert re.search(r"\x1b\[[0-9;]*(4[0-7]|10[0-7])m", sixteen.out)
    assert "48;" not in sixteen.out
    lines = _STYLES.sub("", sixteen.out).split("\n")
    assert max(map(len, lines[1:-2])) <= 80


def test_without_colour_or_unicode_textures_and_ascii_take_their_place(place: Box) -> None:
    plain = place.on_terminal("storage", "treemap", "--path", "top", env={"NO_COLOR": "1"})
    assert re.search(r"\x1b\[[0-9;]*[34][0-7]", plain.out) is None
    assert "##" in plain.out
    box = Box(place.home, {"LANG": ""})
    ascii_only = box.on_terminal("storage", "treemap", "--path", "top", env={"LC_ALL": "C", "TERM": "dumb"})
    assert (ascii_only.code, ascii_only.out.isascii(), "\x1b" in ascii_only.out) == (0, True, False)
    assert "+-" in ascii_only.out


@pytest.mark.skipif(shutil.which("ncdu") is None, reason="ncdu is not installed")
def test_ncdus_export_and_ours_open_in_each_other_with_equal_totals(place: Box, tree: dict[str, Any]) -> None:
    theirs = subprocess.run(["ncdu", "-0", "-o", "-", "top"], cwd=place.home, capture_output=True, check=True).stdout
    imported = place.here("storage", "treemap", "--import", "-", "--json", stdin=theirs).json
    sizes = ("total_bytes", "allocated_bytes", "file_count", "video_bytes")
    assert [imported[key] for key in sizes] == [tree[key] for key in sizes]
    done = place.here("storage", "export", "--path", "top", "ours.json", "--json")
    assert done.json == {
        "file": str(place.home / "ours.json"),
        "files": 5,
        "folders": 4,
        "bytes": 790_005,
        "errors": 0,
    }
    seen = subprocess.run(["ncdu", "-0", "-f", "ours.json", "-o", "-"], cwd=place.home, capture_output=True, check=True)
    again = place.here("storage", "treemap", "--import", "-", "--json", stdin=seen.stdout).json
    assert [again[key] for key in sizes] == [tree[key] for key in sizes]


def test_an_export_never_replaces_a_file_and_goes_to_a_pipe_as_it_is(place: Box) -> None:
    kept = place.home / "kept.json"
    kept.write_text("mine")
    refused = place.here("storage", "export", "--path", "top", kept, "--json", code=6)
    assert (refused.error["code"], kept.read_text()) == ("refused", "mine")
    assert place.here("storage", "export", "--path", "top", "-", "--json", code=2).out == ""
    out = os.fsencode(place.here("storage", "export", "--path", "top", "-").out)
    assert b"[red]\xff" in out  # the byte that is no UTF-8
    imported = place.here("storage", "treemap", "--import", "-", stdin=out)
    harmless(imported)
    assert imported.lines[0].startswith(f"{place.home / 'top'}: ")
    shown = place.on_terminal("storage", "export", "--path", "top", "-")
    harmless(shown)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("treemap --path missing", 4, "there is no folder"),
        ("treemap --path top/small/note.srt", 4, "is no folder"),
        ("treemap --import missing", 4, "No such file"),
        ("treemap --import top/small/note.srt", 1, "no whole ncdu export: line 1"),
        ("treemap", 4, "there is no pulsetui data"),
        ("export --path missing out.json", 4, "there is no folder"),
        ("export --path top no/where/out.json", 4, "No such file"),
    ],
)
def test_what_is_not_there_is_said_with_its_exit_code(place: Box, words: str, code: int, message: str) -> None:
    done = place.here("storage", *words.split(), "--json", code=code)
    assert done.out == ""
    assert message in done.error["message"]
    assert done.error["hint"]


def test_what_cannot_be_read_is_named_and_the_rest_is_shown(place: Box) -> None:
    document = [1, 2, {}, [{"name": "/t"}, [{"name": HOSTILE[:-4], "read_error": True}], {"name": "f", "dsize": 4096}]]
    done = place.here("storage", "treemap", "--import", "-", stdin=json.dumps(document).encode())
    harmless(done)
    assert "could not read" in done.err
    assert "4.10 kB on disk" in done.out


def test_nothing_is_said_to_be_nothing(place: Box) -> None:
    done = place.here("storage", "treemap", "--import", "-", stdin=b'[1,2,{},[{"name":"/t"}]]')
    assert "there is nothing in it" in done.out


def test_ctrl_c_ends_an_import_that_waits_and_progress_is_shown_on_a_terminal(place: Box) -> None:
    read, write = os.pipe()
    os.write(write, b'[1,2,{},[{"name":"/t"}')
    with terminal() as (screen, shown):
        process = place.start(
            *("storage", "treemap", "--import", "-", "--json"), stdin=read, stderr=screen, env={"TERM": "xterm"}
        )
        os.close(read)
        stop = threading.Event()

        def feed() -> None:
            with contextlib.suppress(BrokenPipeError):
                while not stop.wait(0.02):
                    os.write(write, b',{"name":"f"}' * 100)

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            until(lambda: "read" in shown())
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
        finally:
            process.kill()
            stop.set()
            feeder.join()
            os.close(write)
    assert (process.returncode, out) == (130, b"")


def test_a_tree_nested_deeper_than_json_libraries_go_is_written() -> None:
    node = StorageNode("file:0:f", "f", "file", None, Amount(1, 1, 1))
    for _ in range(5_000):
        node = StorageNode("folder:0:d", "d", "folder", None, node.size, children=(node,))
    lines = list(nested_lines(node, {"snapshot_at": datetime(2026, 11, 20, tzinfo=UTC)}))
    assert len(lines) == 5_000 * 2 + 1
    assert lines[0].startswith('{"snapshot_at": "2026-11-20T00:00:00.000Z", "name": "d"')
    assert json.load(io.StringIO("".join(lines[4_990:5_011])))["children"]
