from __future__ import annotations

import tomllib
from itertools import pairwise

import pytest

from pulsetui import resources
from pulsetui.settings.keys import section_models, setting_fields, value_of
from pulsetui.settings.load import load_settings
from pulsetui.settings.models import Settings


def shipped_keys() -> set[str]:
    """All dotted keys that config/defaults.toml has."""

    def walk(table: dict[str, object], above: str) -> set[str]:
        keys = set()
        for name, value in table.items():
            key = f"{above}{name}"
            keys |= walk(value, f"{key}.") if isinstance(value, dict) and key in section_models() else {key}
        return keys

    return walk(tomllib.loads(resources.defaults_file().read_text(encoding="utf-8")), "")


def test_the_defaults_file_has_every_setting_and_no_other() -> None:
    assert shipped_keys() == set(setting_fields())


@pytest.mark.parametrize("key", sorted(setting_fields()))
def test_the_defaults_file_says_what_the_models_say(key: str) -> None:
    shipped = load_settings(config=resources.defaults_file(), environment={}).settings
    assert value_of(shipped, key) == value_of(Settings(), key)


def test_every_key_of_the_defaults_file_has_a_comment_above() -> None:
    lines = resources.defaults_file().read_text(encoding="utf-8").splitlines()
    bare = [line for above, line in pairwise(lines) if line[:1].isalpha() and above[:1] != "#"]
    assert bare == []


@pytest.mark.parametrize("key", sorted(setting_fields()))
def test_every_setting_has_a_docstring(key: str) -> None:
    assert (setting_fields()[key].description or "").endswith(".")


@pytest.mark.parametrize("section", sorted(section_models()))
def test_every_section_is_frozen_and_refuses_unknown_keys(section: str) -> None:
    config = section_models()[section].model_config
    assert config.get("frozen")
    assert config.get("extra") == "forbid"


def test_an_edited_defaults_file_is_the_lowest_layer(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path_factory.mktemp("packaged")
    (root / "config").mkdir()
    text = resources.defaults_file().read_text(encoding="utf-8")
    (root / "config" / "defaults.toml").write_text(text.replace('max_size = "20 GB"', 'max_size = "7 GB"'))
    monkeypatch.setattr(resources, "_PACKAGE", root)
    loaded = load_settings(environment={"HOME": str(root)})
    assert loaded.settings.downloads.max_size == 7_000_000_000
    assert loaded.origins["downloads.max_size"] == str(root / "config" / "defaults.toml")
    assert loaded.settings.disk_management.model_fields_set == set()
