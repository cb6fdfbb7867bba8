"""A refresh lists what changed, and only that."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import NotFoundError, WorkerLostError
from pulsetui.storage.scan.bounds import Bounds
from pulsetui.storage.scan.records import FolderRecord
from pulsetui.storage.scan.reporting import head_of
from pulsetui.storage.scan.scanner import ScanResult, ScanRoot
from pulsetui.storage.scan.unchanged import check
from tests.living import children
from tests.storage.scan.trees import aged, assert_as_du_and_find, fill, scanned
from tests.until import until

CATEGORY, FILES, TOTAL, ALLOCATED = range(4)
EVERYWHERE = Bounds(None, frozenset(), frozenset())


async def first_scan(root: Path) -> ScanResult:
    """Scan a tree of eight folders that has been lying for a while."""
    for name in ("a", "b"):
        for below in ("1", "2"):
            fill(root / name / below, ["x.mp4", "y.png"])
    fill(root / "c", ["z.json"])
    await aged(root)
    return await scanned(root)


def names(paths: frozenset[bytes]) -> str:
    return b" ".join(sorted(paths)).decode()


async def test_an_unchanged_tree_is_kept_as_it_was_known_without_any_process(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    faults.arm("processes.spawn=EAGAIN")

    again = await scanned(tmp_path, known.records, now_ms=2_000)

    assert again.records is known.records
    assert (again.changed, again.gone, again.reused, again.errors) == (frozenset(), frozenset(), 8, ())


async def test_everything_is_new_to_a_full_walk(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)

    assert names(known.changed) == " a a/1 a/2 b b/1 b/2 c"
    assert (known.gone, known.reused) == (frozenset(), 0)


async def test_a_new_file_has_its_folder_listed_again(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    fill(tmp_path / "a" / "1", ["new.mp4"], size=7)

    again = await scanned(tmp_path, known.records, now_ms=2_000)

    assert names(again.changed) == "a/1"
    assert again.reused == 7
    assert again.records[b"a/1"].counts[0][:ALLOCATED] == (0, 2, 107)
    assert again.records[b"a/1"].verified_ms == 2_000
    assert again.records[b"a/2"] is known.records[b"a/2"]
    assert_as_du_and_find(tmp_path, again.records)


async def test_a_removed_folder_is_gone_with_all_below_it(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    shutil.rmtree(tmp_path / "a")

    again = await scanned(tmp_path, known.records)

    assert (names(again.changed), names(again.gone), again.reused) == ("", "a a/1 a/2", 4)
    assert_as_du_and_find(tmp_path, again.records)


async def test_a_renamed_folder_is_gone_there_and_new_here_with_all_below_it(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    (tmp_path / "a").rename(tmp_path / "d")

    again = await scanned(tmp_path, known.records)

    assert (names(again.changed), names(again.gone), again.reused) == (" d d/1 d/2", "a a/1 a/2", 4)
    assert_as_du_and_find(tmp_path, again.records)


async def test_a_new_tree_in_a_known_folder_is_listed_to_its_end(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    fill(tmp_path / "c" / "new" / "deep" / "deeper", ["w.mp4"], size=9)

    again = await scanned(tmp_path, known.records)

    assert (names(again.changed), again.reused) == ("c c/new c/new/deep c/new/deep/deeper", 7)
    assert_as_du_and_find(tmp_path, again.records)


@pytest.mark.parametrize("kind", ["file", "link"])
async def test_a_folder_that_became_something_else_is_gone_with_all_below_it(tmp_path: Path, kind: str) -> None:
    known = await first_scan(tmp_path / "root")
    shutil.move(tmp_path / "root" / "a", tmp_path / "elsewhere")
    if kind == "file":
        (tmp_path / "root" / "a").write_bytes(b"x")
    else:
        (tmp_path / "root" / "a").symlink_to(tmp_path / "elsewhere")

    again = await scanned(tmp_path / "root", known.records)

    assert (names(again.changed), names(again.gone)) == ("", "a a/1 a/2")
    assert_as_du_and_find(tmp_path / "root", again.records)


async def test_folders_that_swapped_their_names_are_told_apart(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    fill(tmp_path / "a" / "1", ["only here.mp4"])
    for old, new in (("a", "t"), ("b", "a"), ("t", "b")):
        (tmp_path / old).rename(tmp_path / new)

    again = await scanned(tmp_path, known.records)

    assert again.records[b"b/1"].counts[0][FILES] == 2
    assert again.records[b"a/1"].counts[0][FILES] == 1
    assert_as_du_and_find(tmp_path, again.records)


async def test_growth_in_place_is_seen_only_where_it_is_looked_for(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    for name in ("a/1", "b/1"):
        with (tmp_path / name / "x.mp4").open("ab") as file:
            file.write(b"x" * 50_000)

    again = await scanned(tmp_path, known.records, look_again={b"a/1", b"c"}, now_ms=2_000)

    assert again.records[b"a/1"].counts[0][TOTAL] == 50_100
    assert again.records[b"b/1"].counts[0][TOTAL] == 100
    assert names(again.changed) == "a/1 c"
    assert again.records[b"c"].verified_ms == 2_000
    assert again.records[b"b/1"].verified_ms == 1_000
    assert again.reused == 6


async def test_looking_again_goes_no_deeper_than_it_is_told(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    with (tmp_path / "a" / "1" / "x.mp4").open("ab") as file:
        file.write(b"x" * 50_000)

    again = await scanned(tmp_path, known.records, look_again={b"", b"a"}, now_ms=2_000)

    assert names(again.changed) == " a"
    assert again.records[b"a/1"] is known.records[b"a/1"]


async def test_a_folder_that_is_left_out_from_now_on_is_gone_with_all_below_it(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    inner = (tmp_path / "a").stat()
    leave_out = frozenset({(inner.st_dev, inner.st_ino)})

    again = await scanned(tmp_path, known.records, leave_out=leave_out)

    assert names(again.gone) == "a a/1 a/2"
    assert (await scanned(tmp_path, leave_out=leave_out)).records.keys() == again.records.keys()


async def test_a_folder_that_could_not_be_read_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await first_scan(tmp_path)
    monkeypatch.setenv(faults.ENVIRONMENT, "storage.scan_list@2=EIO")
    broken = await scanned(tmp_path, workers=1)
    monkeypatch.delenv(faults.ENVIRONMENT)
    ((path, error),) = broken.errors
    assert (error, broken.records[path].error, broken.records[path].counts) == ("Input/output error",) * 2 + ((),)

    again = await scanned(tmp_path, broken.records)

    assert again.errors == ()
    assert path in again.changed
    assert_as_du_and_find(tmp_path, again.records)


async def test_a_folder_listed_within_the_tick_of_its_change_is_not_trusted(tmp_path: Path) -> None:
    found: list[list[int]] = []

    def look() -> bool:
        (tmp_path / f"{len(found)}").mkdir()
        found.append(head_of((tmp_path / f"{len(found)}").stat()))
        return found[-1][3] == 0

    await until(look)  # on a busy machine the look may come too late
    status = (tmp_path / "0").stat()
    await until(lambda: time.time_ns() - status.st_ctime_ns > 50_000_000)
    assert head_of(status)[3] == status.st_ctime_ns


async def test_without_the_roots_own_record_all_is_walked(tmp_path: Path) -> None:
    known = await first_scan(tmp_path)
    part = {path: record for path, record in known.records.items() if path}

    again = await scanned(tmp_path, part, now_ms=2_000)

    assert names(again.changed) == names(known.changed)
    assert again.reused == 0


@pytest.mark.parametrize("figure", ["device", "inode", "mtime_ns", "ctime_ns"])
def test_a_folder_is_the_same_only_if_all_figures_are(tmp_path: Path, figure: str) -> None:
    status = tmp_path.stat()
    record = FolderRecord(b"", status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, 0)
    other = replace(record, **{figure: getattr(record, figure) + 1})
    descriptor = os.open(tmp_path, os.O_PATH)

    checked = [check(descriptor, {b"": known}, (), EVERYWHERE, lambda: False).to_list for known in (record, other)]

    os.close(descriptor)
    assert checked == [[], [b""]]


def test_a_cancelled_check_ends_early(tmp_path: Path) -> None:
    known = {b"%d" % number: FolderRecord(b"%d" % number, 0, 0, 0, 0, 0) for number in range(2_000)}
    descriptor = os.open(tmp_path, os.O_PATH)

    checked = check(descriptor, known, (), EVERYWHERE, lambda: True)

    os.close(descriptor)
    assert len(checked.gone) < 1_000


async def test_a_few_folders_are_listed_without_a_process_and_what_is_large_or_unreadable_by_a_walker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await first_scan(tmp_path)
    faults.arm("processes.spawn@*=EAGAIN")
    fill(tmp_path / "a" / "1", ["new.mp4"], size=7)
    assert names((await scanned(tmp_path, known.records)).changed) == "a/1"

    monkeypatch.setattr("pulsetui.storage.scan.few._MOST_NAMES", 4)
    fill(tmp_path / "b" / "1", ["new.mp4"], size=7)
    with pytest.raises(WorkerLostError):
        await scanned(tmp_path, known.records)
    faults.disarm()
    assert_as_du_and_find(tmp_path, (await scanned(tmp_path, known.records)).records)

    faults.arm("storage.scan_few@*=EIO")
    assert_as_du_and_find(tmp_path, (await scanned(tmp_path, known.records)).records)


async def test_a_folder_that_comes_back_while_it_is_missed_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulsetui.storage.scan.scanner.FEW", -1)
    known = await first_scan(tmp_path)
    shutil.rmtree(tmp_path / "a")
    monkeypatch.setenv(faults.ENVIRONMENT, "storage.scan_root@*=delay:0.3")
    work = asyncio.create_task(scanned(tmp_path, known.records))
    await until(lambda: bool(children()))  # the check is over

    fill(tmp_path / "a" / "1", ["back.mp4"])

    again = await work
    assert {b"a", b"a/1"} <= set(again.records)
    assert_as_du_and_find(tmp_path, again.records)


async def test_a_folder_that_goes_while_its_parent_is_listed_is_gone_with_all_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulsetui.storage.scan.scanner.FEW", -1)
    known = await first_scan(tmp_path)
    fill(tmp_path, ["new.mp4"])
    monkeypatch.setenv(faults.ENVIRONMENT, "storage.scan_root@*=delay:0.3")
    work = asyncio.create_task(scanned(tmp_path, known.records))
    await until(lambda: bool(children()))

    shutil.rmtree(tmp_path / "b")

    again = await work
    assert names(again.gone) == "b b/1 b/2"
    assert_as_du_and_find(tmp_path, again.records)


@pytest.mark.parametrize("name", ["missing", "file"])
async def test_a_root_that_is_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    known = await scanned(tmp_path)

    with pytest.raises(NotFoundError, match="is not there"):
        await scanned(tmp_path / name, known.records)


async def test_a_root_behind_a_link_is_found(tmp_path: Path) -> None:
    fill(tmp_path / "there", ["x.mp4"])
    (tmp_path / "here").symlink_to("there")

    result = await scanned(ScanRoot(1, tmp_path / "here"))

    assert result.records[b""].inode == (tmp_path / "there").stat().st_ino
    assert os.fsencode(result.records[b""].path) == b""
