"""What a scan finds equals what `du` and `find` find, to the byte."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulsetui.storage.scan.scanner import ScanResult, ScanRoot
from tests.storage.scan.trees import (
    IMAGE,
    METADATA,
    OTHER,
    VIDEO,
    aged,
    allocated_bytes,
    assert_as_du_and_find,
    du,
    fill,
    find,
    scanned,
    total_bytes,
    unverified,
)

NAMES = st.sampled_from(
    [b"a", b"b.mp4", b"c d", b"caf\xe9.PNG", b"\xff\xfe", b"new\nline.json", b".hidden", b"\xe2\x80\xae"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: b"/".join(parts))
STEPS = st.tuples(
    st.sampled_from(["folder", "file", "sparse", "link", "symlink", "remove", "rename", "grow"]),
    PATHS,
    PATHS,
    st.integers(0, 70_000),
)


def do(top: Path, kind: str, path: bytes, other: bytes, size: int) -> None:
    """Change the tree in one way, if the tree lets it."""
    here, there = top / os.fsdecode(path), top / os.fsdecode(other)
    match kind:
        case "folder":
            here.mkdir(parents=True, exist_ok=True)
        case "symlink":
            here.symlink_to(there)
        case "link":
            os.link(there, here, follow_symlinks=False)
        case "rename":
            there.rename(here)
        case "remove":
            (here.rmdir if here.is_dir() else here.unlink)()
        case _:
            with here.open("ab" if kind == "grow" else "wb") as file:
                if kind == "sparse":
                    file.truncate(size * 100)
                file.write(b"x" * size)


def change(top: Path, steps: list[tuple[str, bytes, bytes, int]]) -> None:
    for step in steps:
        try:
            do(top, *step)
        except OSError:
            continue  # a step that this tree doesn't allow


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.lists(STEPS, min_size=5, max_size=40), second=st.lists(STEPS, max_size=10))
def test_any_tree_is_counted_as_du_and_find_count_it_at_first_and_after_changes(
    first: list[tuple[str, bytes, bytes, int]], second: list[tuple[str, bytes, bytes, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)

        async def compare() -> None:
            change(top, first)
            await aged(top)
            before = await scanned(top)
            assert_as_du_and_find(top, before.records)

            change(top, second)
            refreshed = await scanned(top, before.records, look_again=before.records, workers=1, now_ms=2_000)
            assert_as_du_and_find(top, refreshed.records)
            assert refreshed.gone == before.records.keys() - refreshed.records.keys()

        asyncio.run(compare())


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    first=st.lists(STEPS, min_size=10, max_size=40),
    second=st.lists(STEPS, max_size=10),
    few=st.sampled_from([-1, 32]),
)
def test_a_refresh_of_any_changed_tree_comes_to_what_a_full_walk_comes_to(
    first: list[tuple[str, bytes, bytes, int]], second: list[tuple[str, bytes, bytes, int]], few: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulsetui.storage.scan.scanner.FEW", few)
        top = Path(folder)

        async def compare() -> tuple[ScanResult, ScanResult]:
            change(top, first)
            await aged(top)
            before = await scanned(top, workers=1)
            change(top, [step for step in second if step[0] != "grow" and step[0] != "link"])
            return await scanned(top, before.records, workers=1), await scanned(top, workers=1)

        refreshed, full = asyncio.run(compare())
        assert refreshed.records.keys() == full.records.keys()
        unseen = {"file", "sparse"}  # a file written anew in place, or one that lost its other name, changes no folder
        if not any(kind in unseen or kind == "remove" for kind, *_ in second):
            assert unverified(refreshed.records) == unverified(full.records)


async def test_without_hard_links_apparent_bytes_are_the_plain_sum_of_find(tmp_path: Path) -> None:
    fill(tmp_path / "a" / "b", ["1.mp4", "2.mp4"], size=12_345)
    (tmp_path / "a" / "link").symlink_to("b/1.mp4")
    (tmp_path / "a" / "dangling").symlink_to("n" * 80)

    result = await scanned(tmp_path)

    assert total_bytes(result.records) == 2 * 12_345 + len("b/1.mp4") + 80 == sum(find(tmp_path).values())
    assert allocated_bytes(result.records) == du(tmp_path)


async def test_files_are_counted_by_the_category_of_their_last_extension(tmp_path: Path) -> None:
    names = ["a.mp4", "b.MP4", "c.tar.png", "d.json", "mp4", "e.", "f.unknown", ".png"]
    fill(tmp_path, names, size=10)
    (tmp_path / "link.mp4").symlink_to("x")

    record = (await scanned(tmp_path)).records[b""]

    assert [(category, files, size) for category, files, size, _ in record.counts] == [
        (VIDEO, 3, 21),
        (IMAGE, 1, 10),
        (METADATA, 1, 10),
        (OTHER, 4, 40),
    ]


async def test_a_root_with_a_category_has_no_other(tmp_path: Path) -> None:
    fill(tmp_path, ["a.mp4", "b"], size=10)

    record = (await scanned(ScanRoot(1, tmp_path, category=METADATA))).records[b""]

    assert [count[:3] for count in record.counts] == [(METADATA, 2, 20)]


async def test_hard_links_are_delivered_by_name_and_are_in_no_sum(tmp_path: Path) -> None:
    fill(tmp_path / "a", ["first.mp4"], size=5_000)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "second.png").hardlink_to(tmp_path / "a" / "first.mp4")

    result = await scanned(tmp_path)

    first, second = result.records[b"a"].links[0], result.records[b"b"].links[0]
    status = (tmp_path / "a" / "first.mp4").stat()
    assert (first.device, first.inode) == (second.device, second.inode) == (status.st_dev, status.st_ino)
    assert (first.name, first.category, second.name, second.category) == (b"first.mp4", VIDEO, b"second.png", IMAGE)
    assert first.total_bytes == 5_000
    assert first.mtime_ns == status.st_mtime_ns == result.records[b"a"].newest_ns
    assert result.records[b"a"].counts == result.records[b"b"].counts == ()
    assert_as_du_and_find(tmp_path, result.records)


async def test_sparse_files_have_both_their_sizes(tmp_path: Path) -> None:
    with (tmp_path / "sparse.mp4").open("wb") as file:
        file.seek(50_000_000)
        file.write(b"end")

    ((_, files, apparent, allocated),) = (await scanned(tmp_path)).records[b""].counts

    assert (files, apparent) == (1, 50_000_003)
    assert allocated == (tmp_path / "sparse.mp4").stat().st_blocks * 512 < 1_000_000


async def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    fill(tmp_path / "outside", ["secret.mp4"], size=100)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "in").symlink_to(tmp_path / "outside")
    (tmp_path / "root" / "self").symlink_to(tmp_path / "root")

    result = await scanned(tmp_path / "root")

    assert set(result.records) == {b""}
    assert_as_du_and_find(tmp_path / "root", result.records)


async def test_pipes_and_sockets_are_files_of_no_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has at most 107 bytes
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")

        assert_as_du_and_find(tmp_path, (await scanned(tmp_path)).records)


async def test_what_is_excluded_by_name_is_left_out_at_any_depth(tmp_path: Path) -> None:
    fill(tmp_path / "kept", ["a.mp4", "b.part", "caf\udce9"])
    fill(tmp_path / "kept" / ".trash" / "deep", ["c.mp4"])
    fill(tmp_path / ".trash", ["d.mp4"])

    result = await scanned(ScanRoot(1, tmp_path, exclude=(".trash", "*.part", "caf?")))

    assert set(result.records) == {b"", b"kept"}
    assert [count[1] for count in result.records[b"kept"].counts] == [1]


async def test_the_newest_file_of_a_folder_is_told(tmp_path: Path) -> None:
    fill(tmp_path / "a", ["old", "new"])
    os.utime(tmp_path / "a" / "old", ns=(0, 1_000))
    os.utime(tmp_path / "a" / "new", ns=(0, 2_000))

    records = (await scanned(tmp_path, now_ms=77)).records

    assert records[b"a"].newest_ns == 2_000
    assert records[b""].newest_ns == 0
    assert records[b"a"].verified_ms == 77
