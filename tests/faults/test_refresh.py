"""Kill -9 at each point that a refresh passes: the sizes are those of before or of after, and the next one goes on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pulsetui.storage.tree.hierarchy import to_json
from tests.db.tools import other_process
from tests.storage.house import House, broken_sums, housed

SERVE = """
    import asyncio, sys
    from pathlib import Path
    from pulsetui import faults
    from pulsetui.clock import SystemClock
    from pulsetui.db.database import DATABASE_NAME, Database
    from pulsetui.events.bus import Bus
    from pulsetui.events.store import EventLog
    from pulsetui.settings.storage import Storage
    from pulsetui.storage.refresh.refresher import Refresher
    from pulsetui.storage.refresh.service import StorageService

    async def main():
        data_dir, settings, clock = Path(sys.argv[1]), Storage(), SystemClock()
        async with await Database.open(data_dir / DATABASE_NAME, owner=True) as database:
            refresher = Refresher(
                database=database, events=EventLog(Bus()), clock=clock, settings=settings,
                data_dir=data_dir, storage_dir=data_dir / "storage",
            )
            service = StorageService(refresher, database=database, clock=clock, settings=settings)
            faults.arm(sys.argv[2])
            serving = asyncio.create_task(service.run())
            async with asyncio.timeout(15):
                while not service.watches.watching and not serving.done():
                    await asyncio.sleep(0.01)
            serving.cancel()
            await asyncio.wait({serving})

    asyncio.run(main())
"""
BEFORE, AFTER = False, True
KILLS = {
    "storage.inotify": BEFORE,
    "db.read@3": BEFORE,
    "storage.scan_place": BEFORE,
    "storage.scan_few": BEFORE,
    "processes.spawn": BEFORE,
    "processes.read@2": BEFORE,
    "db.begin": BEFORE,
    "db.commit": BEFORE,
    "db.committed": AFTER,
    "storage.watch": AFTER,
}
"""Where the owner is killed, and whether the sizes are those of the refresh before, or of the one that it was in."""
NEW = {"Harbor": 10_000, "Lagoon": 0, "North": 30}


async def sizes_of(house: House) -> dict[str, Any]:
    """Return the projects' trees by name, and check that all sums up."""
    tree = await house.tree()
    assert broken_sums(tree) == []
    return {child.name: to_json(child) for child in tree.children if child.entity_type == "project"}


async def sizes(data_dir: Path) -> dict[str, Any]:
    """Return the projects' trees as the next process finds them."""
    async with housed(data_dir) as house:
        return await sizes_of(house)


@pytest.mark.parametrize("point", KILLS)
async def test_a_refresh_that_is_killed_leaves_one_refresh_whole(tmp_path: Path, point: str) -> None:
    async with housed(tmp_path / "data") as house:
        house.write("Harbor/Cast/first.mp4", 5000)
        house.write("Lagoon/old.mp4", 700)
        await house.refresher.refresh()
        before = await sizes_of(house)
        house.write("Harbor/Cast/second.mp4", 5000)
        house.write("North/new.mp4", 30)
        (house.videos / "Lagoon/old.mp4").unlink()
    with other_process(SERVE, tmp_path / "data", f"{point}=kill") as killed:
        code, _, errors = killed.end()
    assert code == -9, errors
    after = await sizes(tmp_path / "data")
    if KILLS[point]:
        assert {name: tree["total_bytes"] for name, tree in after.items()} == NEW
    else:
        assert after == before
    async with housed(tmp_path / "data") as house:
        await house.refresher.refresh()
        healed = await sizes_of(house)
    assert {name: tree["total_bytes"] for name, tree in healed.items()} == NEW


async def test_a_refresh_killed_on_the_way_to_a_folder_beyond_path_max_goes_on_the_next_time(tmp_path: Path) -> None:
    parts = ["n" * 200] * 22
    async with housed(tmp_path / "data") as house:
        house.write("Harbor/first.mp4", 5000)
        here = os.open(house.videos / "Harbor", os.O_RDONLY)
        for name in parts:
            os.mkdir(name, dir_fd=here)
            above, here = here, os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(above)
        os.close(here)
        await house.refresher.refresh()
        before = await sizes_of(house)
        house.write("Harbor/second.mp4", 30)
    with other_process(SERVE, tmp_path / "data", "storage.scan_step=kill") as killed:
        code, _, errors = killed.end()
    assert code == -9, errors
    assert await sizes(tmp_path / "data") == before
    async with housed(tmp_path / "data") as house:
        await house.refresher.refresh()
        assert (await sizes_of(house))["Harbor"]["total_bytes"] == 5030
        shutil.rmtree(house.videos / "Harbor" / parts[0] / parts[0])  # pytest's own way of removing it takes its path
