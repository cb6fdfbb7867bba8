"""Usage by kind: equal to du after a walk, never smaller than the truth between two."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pulsetui.budget.usage import DATABASE_FILES, Kind, Usage
from pulsetui.storage.walk import Walked


@pytest.fixture
def usage(tmp_path: Path) -> Usage:
    return Usage(tmp_path, tmp_path / "storage")


def write(path: Path, size: int) -> int:
    """Write a file and return what it takes on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path.stat().st_blocks * 512


def reconcile(usage: Usage, *, exact: bool = True) -> None:
    usage.refresh_database()
    usage.adopt(usage.walk(usage.inodes_in_motion()), exact=exact)


def du(path: Path) -> int:
    said = subprocess.run(["du", "-B1", "-s", path], capture_output=True, text=True, check=True).stdout
    return int(said.split()[0])


def test_it_is_unknown_until_it_was_read(usage: Usage) -> None:
    assert usage.trouble
    reconcile(usage)
    assert not usage.trouble


def test_it_equals_du_and_knows_what_each_byte_is_for(usage: Usage) -> None:
    root = usage.data_dir
    sizes = {
        Kind.VIDEOS: write(root / "storage" / "videos" / "show" / "a.mp4", 100_000),
        Kind.AUDIO: write(root / "audio" / "show" / "a.wav", 20_000),
        Kind.TRANSCRIPTS: write(root / "transcripts" / "show" / "a.json", 30_000),
        Kind.TOKENS: write(root / "tokens" / "a", 1),
        Kind.ANALYSIS: write(root / "analysis" / "a", 1),
        Kind.CACHE: write(root / "cache" / "a", 5_000),
        Kind.DATABASE: write(root / "pulse.db", 50_000)
        + write(root / "pulse.db-wal", 9_000)
        + write(root / "pulse.db.ballast", 1_000_000)
        + write(root / "backups" / "pulse.db.1", 40_000),
        Kind.TRASH: write(root / ".pulsetui-trash" / "a", 7_000)
        + write(root / "storage" / ".pulsetui-trash" / "a", 8_000),
        Kind.OTHER: write(root / "notes.txt", 600) + write(root / "storage" / "holiday.mp4", 11_000),
    }
    reconcile(usage)
    assert usage.total_bytes() == du(root)
    found = usage.by_kind()
    assert list(found) == list(Kind)
    for kind, size in sizes.items():
        assert size <= found[kind] <= size + 5 * 4096, kind  # the folders on the way are of the kind


def test_a_storage_folder_elsewhere_is_counted_too(tmp_path: Path) -> None:
    usage = Usage(tmp_path / "data", tmp_path / "disk")
    write(tmp_path / "data" / "pulse.db", 1)
    write(tmp_path / "disk" / "videos" / "a.mp4", 100_000)
    reconcile(usage)
    assert usage.total_bytes() == du(tmp_path / "data") + du(tmp_path / "disk")


def test_a_file_in_motion_counts_by_its_latest_size_and_once(usage: Usage) -> None:
    path = usage.data_dir / "storage" / "videos" / "a.partial"
    write(path, 0)
    reconcile(usage)
    before = usage.total_bytes()
    usage.begin(path, Kind.VIDEOS)
    allocated = write(path, 500_000)
    usage.moved(path, allocated)
    assert usage.total_bytes() == before + allocated
    reconcile(usage)
    assert usage.total_bytes() == before + allocated == du(usage.data_dir)
    usage.settle(path)
    assert usage.total_bytes() == before + allocated
    reconcile(usage)
    assert usage.total_bytes() == before + allocated


def test_what_was_counted_before_is_not_counted_twice_when_it_moves_on(usage: Usage) -> None:
    path = usage.data_dir / "storage" / "videos" / "a.partial"
    have = write(path, 300_000)
    reconcile(usage)
    before = usage.total_bytes()
    usage.begin(path, Kind.VIDEOS, already_bytes=have)
    assert usage.total_bytes() == before
    usage.moved(path, 2 * have)
    assert usage.total_bytes() == before + have


def test_what_settles_or_goes_twice_counts_once(usage: Usage) -> None:
    reconcile(usage)
    before = usage.total_bytes()
    path = usage.data_dir / "audio" / "a.wav"
    usage.begin(path, Kind.AUDIO)
    usage.moved(path, 4096)
    usage.settle(path)
    usage.settle(path)
    assert usage.total_bytes() == before + 4096
    usage.begin(path, Kind.AUDIO, already_bytes=4096)
    usage.moved(path, 8192)
    usage.forget(path)
    usage.forget(path)
    usage.moved(path, 999_999)
    assert usage.total_bytes() == before


def test_deleted_files_are_taken_off(usage: Usage) -> None:
    path = usage.data_dir / "storage" / "videos" / "a.mp4"
    allocated = write(path, 300_000)
    reconcile(usage)
    path.unlink()
    usage.added(Kind.VIDEOS, -allocated)
    assert usage.total_bytes() == du(usage.data_dir)


def test_a_walk_during_which_something_changed_never_makes_usage_smaller(usage: Usage) -> None:
    path = usage.data_dir / "storage" / "videos" / "a.mp4"
    write(path, 300_000)
    reconcile(usage)
    before = usage.total_bytes()
    path.unlink()
    reconcile(usage, exact=False)
    assert usage.total_bytes() == before
    reconcile(usage)
    assert usage.total_bytes() < before


def test_changes_tell_whether_a_walk_was_exact(usage: Usage) -> None:
    path = usage.data_dir / "audio" / "a.wav"
    seen = [usage.changes]
    changes: list[Callable[[], None]] = [
        lambda: usage.begin(path, Kind.AUDIO),
        lambda: usage.settle(path),
        lambda: usage.begin(path, Kind.AUDIO),
        lambda: usage.forget(path),
        lambda: usage.added(Kind.VIDEOS, -1),
    ]
    for change in changes:
        change()
        seen.append(usage.changes)
    assert len(set(seen)) == len(seen)


def test_what_can_not_be_read_makes_it_unknown_and_the_first_three_are_named(usage: Usage) -> None:
    usage.adopt(Walked(unreadable=["/a: no", "/b: no", "/c: no", "/d: no"]), exact=True)
    assert usage.trouble == "/a: no; /b: no; /c: no"


def test_the_database_s_own_files_are_read_each_time(usage: Usage) -> None:
    reconcile(usage)
    for name in DATABASE_FILES:
        write(usage.data_dir / name, 40_000)
    before = usage.by_kind()[Kind.DATABASE]
    usage.refresh_database()
    assert usage.by_kind()[Kind.DATABASE] == before + 3 * 40_960
    (usage.data_dir / "pulse.db-wal").unlink()
    usage.refresh_database()
    assert usage.by_kind()[Kind.DATABASE] == before + 2 * 40_960
