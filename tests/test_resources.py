from __future__ import annotations

from pathlib import Path

import pytest

from pulsetui import resources
from pulsetui.errors import NotFoundError


def test_shipped_files_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resources.defaults_file().is_absolute()
    assert "[disk_management]" in resources.defaults_file().read_text(encoding="utf-8")
    assert resources.styles_dir().is_dir()
    assert resources.config_dir() == resources.defaults_file().parent


def test_a_folder_of_the_same_name_where_the_user_stands_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "defaults.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert not resources.defaults_file().is_relative_to(tmp_path)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(NotFoundError, match=r"lacks styles/no-such\.tcss"):
        resources.path("styles", "no-such.tcss")
