"""Kill -9 at each step of a start, a migration and a write: the next start needs no human and finds whole writes."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.db.migrations import _migrate, migrations
from pulsetui.files.durable import is_temporary
from tests.db.tools import other_process

START = """
    import asyncio, sys
    from pathlib import Path
    from pulsetui import faults
    from pulsetui.db.database import Database

    async def main():
        async with await Database.open(Path(sys.argv[1]), owner=True):
            print("open", flush=True)

    faults.arm_from_environment()
    asyncio.run(main())
"""
WRITE = """
    import asyncio, sys
    from pathlib import Path
    from pulsetui import faults
    from pulsetui.db.database import Database

    COLUMNS = "at, kind, category, severity, keep, text, data"
    INSERT = f"INSERT INTO events ({COLUMNS}) VALUES (?, ?, 'job', 'info', 0, '', '{{}}')"

    async def main():
        async with await Database.open(Path(sys.argv[1]), owner=True) as database:
            for number in range(10_000):
                async def pair(tx):
                    await tx.execute(INSERT, (number, "first"))
                    await tx.execute(INSERT, (number, "second"))
                await database.write(pair)
                print(number, flush=True)

    faults.arm_from_environment()
    asyncio.run(main())
"""


async def pairs(path: Path) -> tuple[int, int]:
    """Return how many firsts and seconds a new owner finds."""
    async with await Database.open(path, owner=True) as database:
        rows = await database.read(lambda reader: reader.all("SELECT kind, count(*) FROM events GROUP BY 1"))
    found = {row[0]: row[1] for row in rows}
    return found.get("first", 0), found.get("second", 0)


def left_over(data_dir: Path) -> list[str]:
    """Return the files that a start makes on its way and must not leave."""
    return [
        path.name
        for path in data_dir.rglob("*")
        if ".partial" in path.name or path.name.startswith("pulse.db.new") or is_temporary(path.name)
    ]


@pytest.mark.parametrize("point", ["db.begin", "db.commit", "db.committed"])
@pytest.mark.parametrize("hit", [1, 4])
async def test_a_kill_around_a_commit_leaves_whole_transactions(tmp_path: Path, point: str, hit: int) -> None:
    with other_process(WRITE, tmp_path / DATABASE_NAME, faults=f"{point}@{hit}=kill") as writer:
        code, said, errors = writer.end()
    assert code == -9, errors

    first, second = await pairs(tmp_path / DATABASE_NAME)
    assert first == second == (hit if point == "db.committed" else hit - 1)
    assert len(said) == hit - 1


@pytest.mark.parametrize("after_s", [0.0, 0.003, 0.011, 0.03])
async def test_a_kill_at_any_moment_loses_nothing_that_was_committed(tmp_path: Path, after_s: float) -> None:
    with other_process(WRITE, tmp_path / DATABASE_NAME) as writer:
        assert writer.line() == "0"
        await asyncio.sleep(after_s)
        said = writer.kill()

    first, second = await pairs(tmp_path / DATABASE_NAME)
    assert first == second
    assert len(said) + 1 <= first <= len(said) + 2


FIRST_START = [
    "db.connect", "db.migrate", "db.migrate@2", "db.migrated", "db.made", "files.create", "files.created", "files.sync",
    "files.synced", "files.rename", "files.renamed", "files.folder_sync", "files.folder_synced", "db.ballast_restore",
    "files.replace", "files.replaced", "db.open", "db.open@2",
]  # fmt: skip
MIGRATING_START = [
    "db.backup", "db.backed_up", "db.migrate", "db.migrated", "db.connect@2", "files.folder_create",
    "files.folder_created", "files.create", "files.created", "files.rename", "files.renamed", "files.sync", "db.open",
]  # fmt: skip


@pytest.mark.parametrize("point", FIRST_START)
async def test_a_kill_during_the_first_start_needs_no_human(tmp_path: Path, point: str) -> None:
    path = tmp_path / DATABASE_NAME
    with other_process(START, path, faults=f"{point}=kill") as starting:
        code, _, errors = starting.end()
    assert code == -9, errors

    assert await pairs(path) == (0, 0)
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("point", MIGRATING_START)
async def test_a_kill_during_a_migration_needs_no_human(tmp_path: Path, point: str) -> None:
    path = tmp_path / DATABASE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        _migrate(connection, path, migrations()[:1])
        connection.execute(
            "INSERT INTO events (at, kind, category, severity, keep, text, data)"
            " VALUES (1, 'first', 'job', 'info', 0, '', '{}')"
        )
    with other_process(START, path, faults=f"{point}=kill") as starting:
        code, _, errors = starting.end()
    assert code == -9, errors

    assert await pairs(path) == (1, 0)
    assert left_over(tmp_path) == []
