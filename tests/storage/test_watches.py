"""Changes that the kernel reports, and what is said where it doesn't."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.storage.refresh.watches import CHUNK, Watches
from tests.storage.house import StillClock, housed
from tests.storage.test_refresh import causes, serving
from tests.until import until


@dataclass
class Watching:
    watches: Watches
    changed: list[bytes] = field(default_factory=list)
    lost: int = 0


@contextlib.asynccontextmanager
async def watching() -> AsyncIterator[Watching]:
    def lose() -> None:
        found.lost += 1

    found = Watching(Watches(on_change=lambda folder: found.changed.append(folder), on_lost=lose))
    running = asyncio.create_task(found.watches.run())
    await asyncio.sleep(0)
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_what_changes_in_a_watched_folder_is_reported_and_elsewhere_not(tmp_path: Path) -> None:
    here, there = tmp_path / "here \udcff", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    async with watching() as found:
        await found.watches.follow([bytes(here)])
        (there / "x").write_bytes(b"x")
        (here / "x").write_bytes(b"x")
        await until(lambda: bool(found.changed))
        assert set(found.changed) == {bytes(here)}
        assert (found.watches.watching, found.watches.why_not) == (1, "")


@pytest.mark.parametrize("change", ["grow", "rename", "delete", "folder"])
async def test_each_kind_of_change_is_reported(tmp_path: Path, change: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    async with watching() as found:
        await found.watches.follow([bytes(tmp_path)])
        if change == "grow":
            with file.open("ab") as grown:
                grown.write(b"y")
        elif change == "rename":
            file.rename(tmp_path / "other")
        elif change == "delete":
            file.unlink()
        else:
            (tmp_path / "folder").mkdir()
        await until(lambda: bool(found.changed))


async def test_a_folder_that_comes_later_is_reported_once_and_a_moved_one_by_its_new_name(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    async with watching() as found:
        await found.watches.follow([bytes(tmp_path)])
        assert found.changed == []
        await found.watches.follow([bytes(tmp_path), bytes(old)])
        assert found.changed == [bytes(old)], "files may have come to it before it was watched"
        old.rename(new)
        await found.watches.follow([bytes(tmp_path), bytes(new)])
        found.changed.clear()
        (new / "x").write_bytes(b"x")
        await until(lambda: bytes(new) in found.changed)
        assert bytes(old) not in found.changed


async def test_a_folder_that_is_deleted_is_not_watched_any_more(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    async with watching() as found:
        await found.watches.follow([bytes(folder), bytes(tmp_path / "never was")])
        assert found.watches.watching == 1
        folder.rmdir()
        await until(lambda: found.watches.watching == 0)


async def test_at_the_limit_of_watches_some_are_watched_and_the_limit_is_named(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(5)]
    for folder in folders:
        folder.mkdir()
    async with watching() as found:
        faults.arm("storage.watch@3=ENOSPC")
        await found.watches.follow([bytes(folder) for folder in folders])
        assert found.watches.watching == 2
        assert "max_user_watches" in found.watches.why_not
        faults.disarm()
        await found.watches.follow([bytes(folder) for folder in folders])
        assert (found.watches.watching, found.watches.why_not) == (5, "")


async def test_without_inotify_nothing_is_watched_and_it_is_said(tmp_path: Path) -> None:
    faults.arm("storage.inotify=EMFILE")
    async with watching() as found:
        await found.watches.follow([bytes(tmp_path)])
        assert found.watches.watching == 0
        assert "max_user_instances" in found.watches.why_not


async def test_many_folders_are_added_without_holding_the_loop(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(3 * CHUNK)]
    for folder in folders:
        folder.mkdir()
    async with watching() as found:
        adding = asyncio.create_task(found.watches.follow([bytes(folder) for folder in folders]))
        turns = 0
        while not adding.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns >= 3, "others have their turn between the chunks"
        assert found.watches.watching == 3 * CHUNK


async def test_a_new_file_is_in_the_sizes_without_a_tick_of_the_schedule(tmp_path: Path) -> None:
    clock = StillClock()
    async with housed(tmp_path / "data", clock) as house:
        house.write("Harbor/first.mp4", 70)
        async with serving(house) as service:
            await until(lambda: service.watches.watching == 2)
            house.write("Harbor/Cast/second.mp4", 30)
            await until(lambda: bool(house.refresher.marks))
            await until(lambda: len(clock.waiting) == 1)
            clock.advance(12)
            await until(lambda: causes(house)[-1:] == ["watch"])
            await until(lambda: service.watches.watching == 3)
        assert (await house.node("Harbor")).size.total_bytes == 100
