from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pulsetui.files.modes import PRIVATE, Modes, let_in, mend_below

SHARED = Modes(0o2770, 0o660, os.getegid())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "Harbor" / "Cast").mkdir(parents=True)
    for path in (root / "a.json", root / "Harbor" / "Cast" / "b.json"):
        path.touch()
        path.chmod(0o644)
    for folder in (root, root / "Harbor", root / "Harbor" / "Cast"):
        folder.chmod(0o755)
    return root


@pytest.mark.parametrize("modes", [PRIVATE, SHARED])
def test_a_folder_and_all_that_is_in_it_gets_its_modes(tree: Path, modes: Modes) -> None:
    mend_below(tree, modes)
    found = list(tree.rglob("*"))
    assert {mode(path) for path in (tree, *found) if path.is_dir()} == {modes.folder}
    assert {mode(path) for path in found if path.is_file()} == {modes.file}


def test_what_is_right_is_not_looked_through_again(tree: Path) -> None:
    mend_below(tree, SHARED)
    (tree / "a.json").chmod(0o600)
    mend_below(tree, SHARED)
    assert mode(tree / "a.json") == 0o600


def test_the_folder_itself_comes_last_so_that_a_kill_in_the_middle_is_made_up_for(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed: list[int] = []
    change = os.fchmod

    def fchmod(descriptor: int, wanted: int) -> None:
        changed.append(os.fstat(descriptor).st_ino)
        change(descriptor, wanted)

    monkeypatch.setattr(os, "fchmod", fchmod)
    mend_below(tree, SHARED)
    assert changed[-1] == tree.stat().st_ino
    assert len(changed) == 5


def test_links_and_pipes_are_left_alone(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").touch()
    (outside / "file").chmod(0o644)
    (tree / "link").symlink_to(outside / "file")
    (tree / "folder").symlink_to(outside / "folder")
    os.mkfifo(tree / "pipe", 0o644)
    mend_below(tree, PRIVATE)
    assert (mode(outside / "file"), mode(tree / "pipe")) == (0o644, 0o644)
    assert mode(outside / "folder") != PRIVATE.folder


def test_the_umask_lets_the_group_in_where_there_is_one_and_nobody_else() -> None:
    before = os.umask(0o027)
    try:
        let_in(PRIVATE)
        assert os.umask(0o027) == 0o027
        let_in(SHARED)
        assert os.umask(0o027) == 0o007
    finally:
        os.umask(before)
