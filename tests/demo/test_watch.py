from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.demo.watch import Watch, usage_bytes, watching
from pulsetui.errors import WorkerLostError

DEADLINE_S = 10


async def until_seen(watch: Watch, least_bytes: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while watch.peak_bytes < least_bytes:  # noqa: ASYNC110 - another process counts: there is no event
            await asyncio.sleep(0.01)


def du_bytes(*folders: Path) -> int:
    output = subprocess.run(["du", "-s", "-B1", "-c", *folders], check=True, capture_output=True, text=True).stdout
    return int(output.splitlines()[-1].split()[0])


def test_usage_is_what_du_says(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    (one / "a" / "b").mkdir(parents=True)
    two.mkdir()
    (one / "a" / "b" / "file").write_bytes(b"x" * 100_000)
    os.link(one / "a" / "b" / "file", two / "the same")
    (two / "link").symlink_to(one)
    with (two / "sparse").open("wb") as sparse:
        sparse.truncate(10_000_000)

    assert usage_bytes([str(one), str(two)]) == du_bytes(one, two)


def test_a_folder_inside_another_counts_once(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "file").write_bytes(b"x" * 100_000)

    assert usage_bytes([str(tmp_path), str(inner)]) == usage_bytes([str(tmp_path)])


async def test_the_peak_stays_when_the_file_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    async with watching([tmp_path]) as watch:
        file.write_bytes(b"x" * 3_000_000)
        largest_bytes = usage_bytes([str(tmp_path)])
        await until_seen(watch, largest_bytes)
        file.unlink()

    assert watch.peak_bytes == largest_bytes
    assert largest_bytes >= 3_000_000


async def test_the_last_walk_begins_after_the_block(tmp_path: Path) -> None:
    async with watching([tmp_path], interval_s=0.3) as watch:
        (tmp_path / "file").write_bytes(b"x" * 3_000_000)

    assert watch.peak_bytes == usage_bytes([str(tmp_path)])
    assert watch.samples >= 2


async def test_a_folder_that_comes_later_is_watched(tmp_path: Path) -> None:
    later = tmp_path / "later"
    async with watching([later]) as watch:
        assert watch.peak_bytes == 0
        later.mkdir()
        (later / "file").write_bytes(b"x" * 1_000_000)
        await until_seen(watch, 1_000_000)


async def test_a_watcher_that_dies_is_no_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.ENVIRONMENT, "processes.answer@2=kill")

    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(WorkerLostError):
            async with watching([tmp_path]):
                (tmp_path / "file").write_bytes(b"x" * 1_000_000)
