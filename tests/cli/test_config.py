"""Settings as the command line meets them, and the commands that show and start them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pulsetui.cli.config import spelled
from pulsetui.settings.keys import environment_name, setting_fields, value_of
from pulsetui.settings.load import load_settings
from pulsetui.settings.models import Settings
from tests.cli.box import Box


def test_show_tells_each_value_and_where_it_came_from(box: Box) -> None:
    file = box.home / "my.toml"
    file.write_text('[disk_management]\nhard_limit_gb = 20\n[access]\nadmins = ["ann"]\n')
    words = ["--config", str(file), "--data-dir", "d", "config", "show"]
    shown = box.ok(*words, "--json").json
    assert set(shown) == set(setting_fields())
    assert shown["disk_management.hard_limit"] == {"value": 20 * 10**9, "origin": str(file)}
    assert shown["disk_management.check_interval"] == {"value": 30.0, "origin": "default"}
    assert shown["downloads.allow_http"] == {
        "value": True,
        "origin": "environment variable PULSETUI_DOWNLOADS__ALLOW_HTTP",
    }
    assert shown["paths.data_dir"] == {"value": str(box.home / "d"), "origin": "command line"}
    assert shown["paths.storage_dir"]["value"] is None
    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in box.ok(*words).lines[1:]}
    assert rows["disk_management.hard_limit"].split() == ["20", "GB", str(file)]
    assert rows["access.admins"].startswith("ann ")


def test_every_value_is_shown_as_one_may_write_it() -> None:
    settings = load_settings(environment={"HOME": "/"}).settings
    for key in setting_fields():
        text = spelled(key, value_of(settings, key)).replace('""', "").replace("[]", "")
        again = load_settings(environment={"HOME": "/", environment_name(key): text}).settings
        assert value_of(again, key) == value_of(settings, key), key
    assert spelled("downloads.bandwidth_limit", 10_000_000) == "10 MB/s"
    assert spelled("disk_management.pause_threshold", 1 << 30) == "1 GiB"
    assert spelled("downloads.max_attempts", 8) == "8"


def test_init_writes_the_defaults_as_comments_once(box: Box) -> None:
    path = box.home / ".config" / "pulsetui" / "config.toml"
    assert box.ok("config", "init").out == f"wrote {path}\n"
    assert tomllib.loads(path.read_text()) == {
        section: {"cleanup": {}} if section == "disk_management" else {} for section in Settings.model_fields
    }
    assert '# hard_limit = "250 GB"' in path.read_text()
    assert (path.stat().st_mode & 0o777, box.ok("config", "show", "--json").code) == (0o600, 0)
    again = box.run("config", "init", "--json")
    assert (again.code, again.error["code"]) == (6, "refused")
    elsewhere = box.home / "new" / "mine.toml"
    assert box.ok("--config", elsewhere, "config", "init", "--json").json == {"config": str(elsewhere)}
    assert box.ok("--config", elsewhere, "config", "path", "--json").json["config"] == str(elsewhere)


def test_path_answers_even_where_a_setting_is_wrong(box: Box) -> None:
    path = box.home / ".config" / "pulsetui" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[disk_management]\nhard_limt = 1\n")
    done = box.run("config", "path")
    assert done.code == 2
    assert done.lines[0].split() == ["config", str(path)]
    assert "unknown setting disk_management.hard_limt" in done.err
    assert "did you mean disk_management.hard_limit?" in done.err


@pytest.mark.parametrize(
    ("env", "words", "messages"),
    [
        (
            {"PULSETUI_DISK_MANAGMENT__HARD_LIMIT": "1 GB"},
            "jobs",
            ["PULSETUI_DISK_MANAGMENT__HARD_LIMIT", "did you mean"],
        ),
        ({"PULSETUI_FOO": "1"}, "--no-ui", ["unknown environment variable PULSETUI_FOO", "config show"]),
        (
            {
                "PULSETUI_DISK_MANAGEMENT__HARD_LIMIT": "20 GB",
                "PULSETUI_DISK_MANAGEMENT__PAUSE_THRESHOLD": "30 GB",
            },
            "add https://e.com/a",
            ["pause_threshold 30 GB must be below hard_limit 20 GB", "PULSETUI_DISK_MANAGEMENT__PAUSE_THRESHOLD"],
        ),
        ({"PULSETUI_DISK_MANAGEMENT__HARD_LIMIT": "900 TB"}, "--no-ui", ["900 TB", "hard_limit"]),
        ({"PULSETUI_DISK_MANAGEMENT__HARD_LIMIT": "20 GBs"}, "status", ["'20 GBs' is not a size", "such as '250 GB'"]),
        ({"PULSETUI_TRANSCRIPTION__ENGINE": "whispr"}, "--no-ui", ["'whispr'", "installed: pocketsphinx"]),
        ({"PULSETUI_FAULTS": "x"}, "jobs", ["PULSETUI_FAULTS", "it is for tests: unset it"]),
        ({}, "--config none.toml jobs", ["none.toml can't be read: No such file", "--config"]),
        ({}, "--config ~nobody-here/x jobs", ["'~nobody-here/x' leads nowhere"]),
        ({"PULSETUI_ACCESS__GROUP": "nogroup-at-all"}, "--no-ui", ["there is no group 'nogroup-at-all'", "groupadd"]),
    ],
)
def test_a_wrong_setting_ends_with_2_and_says_what_to_write(
    box: Box, env: dict[str, str], words: str, messages: list[str]
) -> None:
    done = box.run(*words.split(), env=env)
    assert done.code == 2, done.err
    assert [message for message in messages if message not in done.err] == []
    assert not (box.data_dir / "pulse.db").exists()


def test_an_empty_home_needs_no_settings(tmp_path: Path) -> None:
    box = Box(tmp_path)
    done = box.run("status", "--json")
    assert (done.code, done.error["code"]) == (4, "not-found")
    assert str(box.data_dir) in done.error["message"]
    assert "pulsetui add URL" in done.error["hint"]
    assert list(tmp_path.iterdir()) == []
