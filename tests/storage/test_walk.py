"""The walk counts what `du` counts, whatever a tree looks like."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.storage.walk import KIND_DEPTH, Root, Walked, walk

DEEP = 1_500
"""Folders of 10 characters in one another: 16,500 bytes of path, four times PATH_MAX."""


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    faults.disarm()


def walked(*paths: Path, **options: object) -> Walked:
    return walk([Root(path, lambda _: "all") for path in paths], **options)  # type: ignore[arg-type]


def du(*paths: Path) -> int:
    said = subprocess.run(["du", "-B1", "-s", "-x", "-c", *paths], capture_output=True, text=True, check=True).stdout
    return int(said.splitlines()[-1].split()[0])


def write(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A path that is longer than PATH_MAX, with a file at its end."""
    top = tmp_path_factory.mktemp("deep")
    here = os.open(top, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("ten-letter", dir_fd=here)
        here = moved(here, "ten-letter")
    end = os.open("end", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(end, b"x" * 10_000)
    os.close(end)
    yield top
    os.unlink("end", dir_fd=here)
    for _ in range(DEEP):
        here = moved(here, "..")
        os.rmdir("ten-letter", dir_fd=here)
    os.close(here)


def moved(here: int, name: str) -> int:
    there = os.open(name, os.O_RDONLY, dir_fd=here)
    os.close(here)
    return there


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_equals_du_to_the_byte(tmp_path: Path) -> None:
    for number, size in enumerate((0, 1, 4095, 4096, 4097, 1_000_000)):
        write(tmp_path / f"folder {number % 3}" / "below" / f"file {number}", size)
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(50_000_000)
    assert walked(tmp_path).total_bytes() == du(tmp_path)
    assert walked(tmp_path).files == 7


def test_hard_links_are_counted_once_also_across_roots(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    original = write(one / "a", 500_000)
    other.mkdir()
    (one / "again").hardlink_to(original)
    (other / "too").hardlink_to(original)
    assert walked(one, other).total_bytes() == du(one, other)
    assert walked(one, other).files == 1


def test_symbolic_links_are_counted_and_not_followed(tmp_path: Path) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    write(outside / "large", 3_000_000)
    tree.mkdir()
    (tree / "folder").symlink_to(outside)
    (tree / "file").symlink_to(outside / "large")
    (tree / "dangling").symlink_to("nowhere" * 30)  # too long for the inode: takes a block of its own
    (tree / "loop").symlink_to(tree)
    found = walked(tree)
    assert found.total_bytes() == du(tree)
    assert found.files == 4


def test_a_root_that_is_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "there" / "a", 1000)
    (tmp_path / "root").symlink_to(tmp_path / "there")
    found = walked(tmp_path / "root")
    assert found.total_bytes() == 0
    assert len(found.unreadable) == 1


def test_a_tree_deeper_than_a_path_can_be_long_is_counted_whole(deep: Path) -> None:
    found = walked(deep)
    assert found.unreadable == []
    assert found.files == 1
    assert found.total_bytes() == du(deep)


def at_each_step(monkeypatch: pytest.MonkeyPatch, look: Callable[[], None]) -> None:
    """Call `look` before a walk enters a folder or goes back up: both open it from where the walk is."""
    opened = os.open

    def open_(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None:
            look()
        return opened(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", open_)


def test_depth_does_not_take_descriptors(deep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0

    def count() -> None:
        nonlocal most
        most = max(most, open_files())

    before = open_files()
    at_each_step(monkeypatch, count)
    walked(deep)
    assert before < most <= before + 2
    assert open_files() == before


@pytest.mark.parametrize("name", [b"caf\xe9", b"\xff\xfe", b"new\nline", b"\x1b[2J", "ключ".encode()])
def test_names_that_are_not_utf_8_are_names_like_others(tmp_path: Path, name: bytes) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    write(folder / os.fsdecode(name), 5_000)
    found = walked(tmp_path)
    assert (found.files, found.total_bytes()) == (1, du(tmp_path))
    assert found.unreadable == []


def test_kinds_are_decided_by_the_first_parts_and_inherited_below(tmp_path: Path) -> None:
    asked: list[tuple[str, ...]] = []

    def kind_of(parts: tuple[str, ...]) -> str:
        asked.append(parts)
        return parts[0] if parts else "top"

    for name in ("audio", "videos"):
        write(tmp_path / name / "show" / "season" / "file", 100_000)
    found = walk([Root(tmp_path, kind_of)])
    assert found.bytes_by_kind == {
        "top": tmp_path.stat().st_blocks * 512,
        "audio": du(tmp_path / "audio"),
        "videos": du(tmp_path / "videos"),
    }
    assert max(map(len, asked)) == KIND_DEPTH


def test_a_root_inside_another_is_counted_once_as_its_own(tmp_path: Path) -> None:
    write(tmp_path / "storage" / "videos" / "a", 100_000)
    write(tmp_path / "pulse.db", 50_000)
    roots = [Root(tmp_path / "storage", lambda _: "storage"), Root(tmp_path, lambda _: "data")]
    found = walk(roots)
    assert found.bytes_by_kind["storage"] == du(tmp_path / "storage")
    assert found.total_bytes() == du(tmp_path)


def test_a_missing_root_is_empty(tmp_path: Path) -> None:
    found = walked(tmp_path / "nothing")
    assert (found.total_bytes(), found.unreadable) == (0, [])


def test_inodes_that_somebody_else_accounts_for_are_left_out(tmp_path: Path) -> None:
    moving = write(tmp_path / "videos" / "a.partial", 300_000).stat()
    found = walked(tmp_path, leave_out=frozenset({(moving.st_dev, moving.st_ino)}))
    assert found.total_bytes() == du(tmp_path) - moving.st_blocks * 512
    assert found.files == 0


@pytest.mark.parametrize(
    ("plan", "named"), [("storage.walk=EIO", ""), ("storage.folder=EACCES", "locked"), ("storage.above=ENOENT", "")]
)
def test_what_can_not_be_read_is_named_and_not_passed_over(tmp_path: Path, plan: str, named: str) -> None:
    write(tmp_path / "locked" / "a", 1000)
    faults.arm(plan)
    found = walked(tmp_path)
    assert [each.partition(": ")[0] for each in found.unreadable] == [str(tmp_path / named) if named else str(tmp_path)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """Root reads everything, so a thread of its looks as another user (setfsuid(2))."""
    write(tmp_path / "tree" / "locked" / "a", 1000)
    write(tmp_path / "tree" / "open" / "b", 20_000)
    for folder, mode in (("", 0o755), ("tree", 0o755), ("tree/open", 0o755), ("tree/locked", 0)):
        (tmp_path / folder).chmod(mode)
    found: list[Walked] = []
    held = os.open(tmp_path, os.O_PATH)  # the way to it may be closed to others
    root = Path(f"/proc/self/fd/{held}/tree")

    def look() -> None:
        libc = ctypes.CDLL(None)
        libc.setfsuid(65534)
        found.append(walked(root))
        libc.setfsuid(0)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    os.close(held)
    assert (found[0].files, found[0].unreadable) == (1, [f"{root / 'locked'}: Permission denied"])


def during(monkeypatch: pytest.MonkeyPatch, tree: Path, change: Callable[[], None]) -> Walked:
    """Walk `tree` and change it when the walk is three levels down."""
    steps = 0

    def look() -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            change()

    before = open_files()
    at_each_step(monkeypatch, look)
    found = walked(tree)
    assert open_files() == before
    return found


def test_a_folder_that_is_moved_during_the_walk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    write(tree / "a" / "b" / "c" / "file", 1000)
    write(elsewhere / "large", 5_000_000)

    def move() -> None:
        (tree / "a" / "b").rename(elsewhere / "b")

    found = during(monkeypatch, tree, move)
    assert found.unreadable == [f"{tree / 'a'}: changed during the walk"]
    assert found.total_bytes() < 1_000_000, "the walk must not go on in the other folder"


def test_a_folder_that_is_deleted_during_the_walk_is_gone_or_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether `..` of a deleted folder still leads up is the file system's choice."""
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    found = during(monkeypatch, tree, (tree / "a" / "b").rmdir)
    assert found.unreadable in ([], [f"{tree / 'a'}: changed during the walk"])
    assert found.total_bytes() in (du(tree), du(tree) + 4096)


def test_a_folder_that_is_gone_before_it_is_entered_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    for name in ("a", "b"):
        (tree / name).mkdir(parents=True)
    visited: list[int] = []

    def delete_the_other() -> None:
        visited.append(1)
        if len(visited) == 2:  # we are in one of the two, and have come from their parent's list
            for name in ("a", "b"):
                (tree / name).rmdir()

    at_each_step(monkeypatch, delete_the_other)
    found = walked(tree)
    assert len(visited) >= 2
    assert found.unreadable in ([], [f"{tree}: changed during the walk"])
