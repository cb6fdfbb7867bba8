"""`pulsetui storage` on the sizes in the database: refresh, treemap, breakdown, history, export."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulsetui.db.database import DATABASE_NAME
from pulsetui.storage.views import CATEGORIES
from tests.cli.box import Box, until
from tests.cli.conftest import LOOPBACK
from tests.cli.test_storage_tree import HOSTILE, harmless, walked

LEVELS = ("project", "character", "scene", "segment")


@pytest.fixture(scope="module")
def sized(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A home with files of entities, whose sizes were read: don't change it."""
    box = Box(tmp_path_factory.mktemp("sized"), dict(LOOPBACK))
    videos = box.data_dir / "storage" / "videos"
    cast = videos / "Harbor" / "Cast"
    (cast / "Scene 1" / "Take").mkdir(parents=True)
    (cast / "Scene 1" / "Take" / "a.mp4").write_bytes(b"x" * 200_000)
    (cast / "Scene 1" / "Take" / f"{HOSTILE}.mp4").write_bytes(b"x" * 50_000)
    (videos / "Lagoon").mkdir()
    (videos / "Lagoon" / "b.mp4").write_bytes(b"x" * 30_000)
    (box.data_dir / "transcripts" / "Harbor" / "Cast").mkdir(parents=True)
    (box.data_dir / "transcripts" / "Harbor" / "Cast" / "t.json").write_text("{}")
    report = box.here("storage", "refresh", "--json").json
    assert [report[f"{level}s"] for level in LEVELS] == [2, 1, 1, 1]
    assert report["files"] >= 4
    assert report["errors"] == 0
    assert {"bytes", "seconds", "reused_folders"} <= report.keys()
    return box


@pytest.fixture(scope="module")
def tree(sized: Box) -> dict[str, Any]:
    found: dict[str, Any] = sized.here("storage", "treemap", "--json").json
    return found


def entity(tree: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [node for node in walked(tree) if node["name"] == name and node["entity_type"] in LEVELS]
    return found


def test_the_hierarchy_is_told_as_nested_json_whose_parts_sum_up(tree: dict[str, Any]) -> None:
    assert tree["snapshot_at"].endswith("Z")
    assert tree["entity_type"] == "library"
    assert (entity(tree, "Harbor")["total_bytes"], entity(tree, "Lagoon")["total_bytes"]) == (250_002, 30_000)
    for node in walked(tree):
        assert ("value" in node) != ("children" in node)
        assert sum(node[f"{name}_bytes"] for name in CATEGORIES) == node["total_bytes"]
        if "children" in node:
            for key in ("total_bytes", "allocated_bytes", "file_count"):
                assert node[key] == sum(child[key] for child in node["children"])


def test_an_entity_is_named_by_integer_or_uuid(sized: Box, tree: dict[str, Any]) -> None:
    scene = entity(tree, "Scene 1")
    with sqlite3.connect(sized.data_dir / DATABASE_NAME) as database:
        [[uuid]] = database.execute("SELECT uuid FROM entities WHERE id = ?", (scene["entity_id"],))
    for reference in (f"scene:{scene['entity_id']}", f"scene:{uuid}"):
        found = sized.here("storage", "treemap", "--entity", reference, "--json").json
        assert (found["name"], found["entity_type"], found["entity_id"]) == ("Scene 1", "scene", scene["entity_id"])
        assert found["total_bytes"] == scene["total_bytes"] == 250_000
    with_files = sized.here("storage", "treemap", "--entity", f"segment:{entity(tree, 'Take')['entity_id']}").out
    assert "a.mp4" in with_files


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("treemap --entity scene:99", 4, "scene:99"),
        ("breakdown --entity scene:99", 4, "scene:99"),
        ("history --entity scene:99", 4, "scene:99"),
        ("export --entity scene:99 -", 4, "scene:99"),
        ("treemap --entity scenes:1", 2, "there is no type 'scenes'"),
        ("breakdown --entity scene", 2, "names no entity"),
        ("history --entity scene:x", 2, "neither an integer nor a uuid"),
    ],
)
def test_a_reference_to_nothing_is_told_from_one_that_is_none(sized: Box, words: str, code: int, message: str) -> None:
    done = sized.here("storage", *words.split(), code=code)
    assert done.out == ""
    assert message in done.err
    assert len(done.err.splitlines()) == 2  # what is wrong, and what to do


def test_the_breakdown_has_every_category_and_sums_up(sized: Box, tree: dict[str, Any]) -> None:
    whole = sized.here("storage", "breakdown", "--json").json
    assert [each["name"] for each in whole["categories"]] == list(CATEGORIES)
    assert (whole["total_bytes"], whole["file_count"]) == (tree["total_bytes"], tree["file_count"])
    assert sum(each["bytes"] for each in whole["categories"]) == whole["total_bytes"]
    assert sum(each["count"] for each in whole["categories"]) == whole["file_count"]
    harbor = sized.here(
        "storage", "breakdown", "--entity", f"project:{entity(tree, 'Harbor')['entity_id']}", "--json"
    ).json
    sizes = {each["name"]: (each["bytes"], each["count"]) for each in harbor["categories"]}
    assert (sizes["video"], sizes["text"], sizes["image"]) == ((250_000, 2), (2, 1), (0, 0))
    table = sized.here("storage", "breakdown").lines
    assert table[0].split() == ["category", "size", "share", "files"]
    assert len(table) == 1 + len(CATEGORIES) + 1


def test_the_history_has_points_growth_and_how_long_there_is_room(sized: Box, tree: dict[str, Any]) -> None:
    past = sized.here("storage", "history", "--json").json
    assert past["points"][-1]["allocated_bytes"] == tree["allocated_bytes"]
    assert past["growth_bytes"] == {"1h": None, "24h": None, "7d": None}
    assert (past["trend_bytes_per_day"], past["full_in_s"]) == (None, None)
    assert past["room_bytes"] > 0
    assert "not known" in sized.here("storage", "history").out


def test_growth_and_a_trend_are_told_once_there_is_a_past(sized: Box, tmp_path: Path) -> None:
    shutil.copytree(sized.home, tmp_path / "home")
    box = Box(tmp_path / "home", dict(sized.settings))
    day_ms = 86_400_000
    with sqlite3.connect(box.data_dir / DATABASE_NAME) as database:
        database.execute("UPDATE storage_history SET at = at - ?, allocated_bytes = 1000", (2 * day_ms,))
    small = {"PULSETUI_DISK_MANAGEMENT__HARD_LIMIT": "20 MB"}
    past = box.here("storage", "history", "--json", env=small).json
    assert past["growth_bytes"]["24h"] > 0
    assert past["growth_bytes"]["7d"] is None
    assert past["trend_bytes_per_day"] > 0
    assert past["full_in_s"] > 0
    text = box.here("storage", "history").out
    assert "in 24h" in text
    assert " a day" in text


def test_hostile_names_are_harmless_in_every_form(sized: Box, tree: dict[str, Any]) -> None:
    segment = f"segment:{entity(tree, 'Take')['entity_id']}"
    for words in ("treemap --json", "breakdown", "history"):
        harmless(sized.here("storage", *words.split(), "--entity", segment))
    harmless(sized.on_terminal("storage", "treemap", "--entity", segment, columns=120))
    harmless(sized.on_terminal("storage", "export", "-", "--entity", segment))


@pytest.mark.skipif(shutil.which("ncdu") is None, reason="ncdu is not installed")
def test_the_hierarchy_opens_in_ncdu(sized: Box, tree: dict[str, Any]) -> None:
    done = sized.here("storage", "export", "sizes.json", "--json")
    assert done.json["files"] == tree["file_count"]
    seen = subprocess.run(
        ["ncdu", "-0", "-f", "sizes.json", "-o", "-"], cwd=sized.home, capture_output=True, check=True
    )
    again = sized.here("storage", "treemap", "--import", "-", "--json", stdin=seen.stdout).json
    assert (again["total_bytes"], again["allocated_bytes"]) == (tree["total_bytes"], tree["allocated_bytes"])


def test_before_the_first_refresh_it_is_said_what_to_do(tmp_path: Path) -> None:
    box = Box(tmp_path, dict(LOOPBACK))
    box.here("add", "https://example.com/a.mp4")
    for verb in ("treemap", "breakdown", "history"):
        done = box.here("storage", verb, "--json", code=4)
        assert done.error["message"] == "no sizes have been read yet"
        assert "storage refresh" in done.error["hint"]


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    box = Box(tmp_path_factory.mktemp("owned"), dict(LOOPBACK))
    with box.owner():
        yield box


def test_a_refresh_goes_through_the_owner_and_sees_what_was_written_before_it(owned: Box) -> None:
    folder = owned.data_dir / "storage" / "videos" / "Harbor"
    folder.mkdir(parents=True)
    (folder / "a.mp4").write_bytes(b"x" * 12_345)
    owned.here("storage", "refresh")
    assert entity(owned.here("storage", "treemap", "--json").json, "Harbor")["total_bytes"] == 12_345
    (folder / "a.mp4").write_bytes(b"x" * 54_321)
    done = owned.here("storage", "refresh", "--full", "--json").json
    assert (done["projects"], done["reused_folders"]) == (1, 0)
    assert entity(owned.here("storage", "treemap", "--json").json, "Harbor")["total_bytes"] == 54_321
    with sqlite3.connect(owned.data_dir / DATABASE_NAME) as database:
        rows = database.execute("SELECT verb, through, arguments FROM audit ORDER BY id").fetchall()
    assert [(verb, through, json.loads(given)) for verb, through, given in rows] == [
        ("storage.refresh", "cli", {"full": False}),
        ("storage.refresh", "cli", {"full": True}),
    ]


def test_status_and_the_doctor_tell_how_fresh_the_sizes_are(owned: Box) -> None:
    owned.here("storage", "refresh")
    until(lambda: owned.here("status", "--json").json["storage"]["watching"] > 0)
    sizes = owned.here("status", "--json").json["storage"]
    assert (sizes["failure"], sizes["refreshing"], sizes["why_not_watched"]) == ("", None, "")
    checks = {check["name"]: check for check in owned.here("doctor", "--json").json}
    assert (checks["sizes"]["verdict"], checks["watches"]["verdict"]) == ("ok", "ok")
    assert "folders are watched" in checks["watches"]["found"]
