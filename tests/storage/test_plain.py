"""Sizes of any folder, read from the disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import NotFoundError
from pulsetui.storage.categories import BUILT_IN, category_table
from pulsetui.storage.plain.sizes import PlainSizes, read_sizes
from pulsetui.storage.scan.scanner import ScanProgress
from pulsetui.storage.views import CATEGORIES, NOTHING, StorageNode

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "top"
    (top / "a" / "b" / "c").mkdir(parents=True)
    (top / "a" / "take.mp4").write_bytes(b"x" * 50_000)
    (top / "a" / "b" / "linked.mp4").hardlink_to(top / "a" / "take.mp4")
    (top / "a" / "b" / "c" / "note.srt").write_text("hello")
    (top / "last.unknown").write_bytes(b"x" * 9000)
    (top / os.fsdecode(b"\xff\x1b[2J\n.png")).write_bytes(b"x")
    (top / "link").symlink_to("a")
    return top


@pytest.fixture
def _disarm() -> Iterator[None]:
    yield
    faults.disarm()


async def sizes(path: Path, depth: int | None = None, least_share: float = 0.0) -> PlainSizes:
    return await read_sizes(
        path, categories=category_table(BUILT_IN), now=NOW, on_progress=_ignore, depth=depth, least_share=least_share
    )


def disk_usage(path: Path) -> int:
    return int(subprocess.run(["du", "-sB1", str(path)], capture_output=True, text=True, check=True).stdout.split()[0])


def _ignore(_: ScanProgress) -> None: ...


def by_key(tree: StorageNode) -> dict[str, StorageNode]:
    return {node.key: node for node in tree.walk()}


async def test_a_folder_has_the_totals_of_the_disk_and_its_parts_sum_to_it(folder: Path) -> None:
    found = await sizes(folder)
    assert found.tree.size.allocated_bytes == disk_usage(folder)
    assert found.tree.size.total_bytes == 50_000 + 5 + 9000 + 1 + 1
    assert found.tree.size.file_count == 5
    for node in found.tree.walk():
        if node.children:
            assert sum((child.size for child in node.children), NOTHING) == node.size
    nodes = by_key(found.tree)
    assert nodes["file:0:a/b/c/note.srt"].categories[CATEGORIES.index("text")].total_bytes == 5
    assert nodes["file:0:a/b/linked.mp4"].size.total_bytes == 50_000  # under the smallest of its paths
    assert "file:0:a/take.mp4" not in nodes
    assert nodes["file:0:\udcff\x1b[2J\n.png"].path == bytes(folder) + b"/\xff\x1b[2J\n.png"
    assert found.errors == ()


async def test_with_a_depth_the_sums_are_the_same_and_what_is_below_is_hinted_at(folder: Path) -> None:
    whole, top = (await sizes(folder)).tree, (await sizes(folder, depth=1)).tree
    assert top.size == whole.size
    assert top.categories == whole.categories
    nodes = by_key(top)
    assert set(nodes) == {"folder:0:", *(node.key for node in whole.children)}
    assert nodes["folder:0:a"].size == by_key(whole)["folder:0:a"].size
    assert (nodes["folder:0:a"].has_more, top.has_more) == (True, False)


async def test_files_are_listed_only_where_they_could_be_seen(folder: Path) -> None:
    tree = (await sizes(folder, least_share=0.3)).tree
    nodes = by_key(tree)
    assert "file:0:last.unknown" in nodes
    assert "file:0:a/b/c/note.srt" not in nodes
    assert nodes["folder:0:a/b/c"].size.total_bytes == 5


@pytest.mark.usefixtures("_disarm")
async def test_a_folder_that_cannot_be_listed_any_more_keeps_what_was_counted(folder: Path) -> None:
    faults.arm("storage.plain_top@*=EACCES")
    tree = (await sizes(folder)).tree
    faults.disarm()
    assert tree.size == (await sizes(folder)).tree.size
    assert [node.name for node in tree.walk() if node.entity_type == "file"] == ["linked.mp4"]  # known from the scan
    assert tree.has_more


async def test_a_tree_deeper_than_a_path_can_be_long_is_read_with_its_files(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("last.mp4", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=here))
    os.close(here)
    files = [node for node in (await sizes(tmp_path)).tree.walk() if node.entity_type == "file"]
    assert [(file.name, len(file.path or b"") > 4096) for file in files] == [("last.mp4", True)]


async def test_a_folder_that_is_not_there_is_an_error_and_not_empty(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        await sizes(tmp_path / "missing")
