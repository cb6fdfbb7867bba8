from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.db.ballast import ballast_path
from pulsetui.db.database import DATABASE_NAME, Database, Reader, Transaction
from pulsetui.errors import DatabaseError, SpaceError
from tests.db.tools import fill, small_disk
from tests.until import until

INSERT = "INSERT INTO events (at, kind, category, severity, keep, text, data) VALUES (1, ?, 'job', 'info', 0, '', '{}')"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


async def add(database: Database, *kinds: str) -> None:
    async def work(tx: Transaction) -> None:
        for kind in kinds:
            await tx.execute(INSERT, (kind,))

    await database.write(work)


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def write_until_it_fails(database: Database) -> None:
    while True:
        await add(database, "big" * 10_000)


async def kinds(database: Database) -> list[str]:
    return [
        row["kind"] for row in await database.read(lambda reader: reader.all("SELECT kind FROM events ORDER BY id"))
    ]


async def test_what_was_written_is_there_for_readers_and_after_a_restart(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / DATABASE_NAME, owner=True) as database:
        await add(database, "a", "b")
        assert await kinds(database) == ["a", "b"]

    async with await Database.open(tmp_path / DATABASE_NAME, owner=True) as database:
        assert await kinds(database) == ["a", "b"]


async def test_an_error_rolls_the_whole_transaction_back(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await tx.execute(INSERT, ("a",))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(work)

    assert await kinds(database) == []
    await add(database, "b")
    assert await kinds(database) == ["b"]


async def test_a_broken_constraint_is_a_bug_and_stays_one(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(lambda tx: tx.many(INSERT, [("a",), (None,)]))
    assert await kinds(database) == []


async def test_each_kind_of_statement_says_what_it_did(database: Database) -> None:
    async def work(tx: Transaction) -> tuple[object, ...]:
        first = await tx.insert(INSERT, ("a",))
        added = await tx.many(INSERT, [("b",), ("c",)])
        changed = await tx.execute("UPDATE events SET kind = 'x' WHERE id > ?", (first,))
        returned = await tx.all("DELETE FROM events WHERE kind = 'x' RETURNING id")
        none = await tx.one("SELECT * FROM events WHERE kind = :kind", {"kind": "x"})
        return first, added, changed, sorted(row["id"] for row in returned), none

    assert await database.write(work) == (1, 2, 2, [2, 3], None)


async def test_callbacks_run_after_the_commit_in_order_and_never_after_a_rollback(database: Database) -> None:
    called: list[str] = []

    async def work(tx: Transaction) -> None:
        tx.after_commit(lambda: called.append("first"))
        tx.after_commit(lambda: called.append("second"))
        await tx.execute(INSERT, ("a",))
        assert not called

    async def failing(tx: Transaction) -> None:
        tx.after_commit(lambda: called.append("never"))
        raise ValueError("no")

    await database.write(work)
    with pytest.raises(ValueError, match="no"):
        await database.write(failing)

    assert called == ["first", "second"]


async def test_a_cancelled_caller_leaves_a_whole_transaction_and_a_usable_connection(database: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    announced: list[str] = []

    async def work(tx: Transaction) -> None:
        tx.after_commit(lambda: announced.append("committed"))
        await tx.execute(INSERT, ("a",))
        begun.set()
        await go_on.wait()
        await tx.execute(INSERT, ("b",))

    caller = asyncio.create_task(database.write(work))
    await begun.wait()
    caller.cancel()
    done, _ = await asyncio.wait({caller}, timeout=0.05)
    assert not done, "the caller left its transaction alone"
    caller.cancel()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await caller
    assert (await kinds(database), announced) == (["a", "b"], ["committed"])
    await add(database, "c")
    assert await kinds(database) == ["a", "b", "c"]


async def test_a_caller_cancelled_while_it_waits_for_its_turn_writes_nothing(database: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Transaction) -> None:
        await tx.execute(INSERT, ("slow",))
        begun.set()
        await go_on.wait()

    first = asyncio.create_task(database.write(slow))
    await begun.wait()
    second = asyncio.create_task(add(database, "second"))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await first

    assert await kinds(database) == ["slow"]


@pytest.mark.parametrize("where", ["db.begin", "db.commit"])
async def test_a_transaction_cancelled_itself_as_at_the_loops_end_is_rolled_back_whole(
    database: Database, where: str
) -> None:
    faults.arm(f"{where}=delay:30")
    caller = asyncio.create_task(add(database, "a", "b"))
    await until(lambda: any(task.get_name() == "db.write" for task in asyncio.all_tasks()))
    inner = next(task for task in asyncio.all_tasks() if task.get_name() == "db.write")
    done, _ = await asyncio.wait({inner}, timeout=0.1)
    assert not done
    inner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    faults.disarm()

    assert await kinds(database) == []
    await add(database, "c")
    assert await kinds(database) == ["c"]


async def test_a_cancel_in_the_middle_of_any_statement_leaves_the_connection_usable(database: Database) -> None:
    for turns in range(12):
        caller = asyncio.create_task(add(database, "one", "two"))
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in asyncio.all_tasks():
            if task.get_name() == "db.write":
                task.cancel()
        await asyncio.wait({caller})

    found = await kinds(database)
    assert found.count("one") == found.count("two")
    await add(database, "last")
    assert (await kinds(database))[-1] == "last"


async def test_writes_of_many_tasks_come_one_after_the_other(database: Database) -> None:
    async def increase(tx: Transaction) -> None:
        count = len(await tx.all("SELECT id FROM events"))
        await asyncio.sleep(0)
        await tx.execute(INSERT, (f"{count}",))

    await asyncio.gather(*(database.write(increase) for _ in range(20)))

    assert await kinds(database) == [str(number) for number in range(20)]


async def test_a_write_inside_a_write_is_an_error_instead_of_a_deadlock(database: Database) -> None:
    with pytest.raises(RuntimeError, match="inside a write"):
        await database.write(lambda _: add(database, "a"))

    await add(database, "b")


async def test_a_read_sees_one_state_whatever_is_written_meanwhile(database: Database) -> None:
    async def work(reader: Reader) -> tuple[object, object]:
        before = await reader.value("SELECT count(*) FROM events")
        await add(database, "a")
        return before, await reader.value("SELECT count(*) FROM events")

    assert await database.read(work) == (0, 0)
    assert await kinds(database) == ["a"]


async def test_a_cancelled_read_gives_its_connection_back(database: Database) -> None:
    for _ in range(10):
        begun = asyncio.Event()

        async def stuck(reader: Reader, begun: asyncio.Event = begun) -> None:
            await reader.value("SELECT 1")
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(database.read(stuck))
        await begun.wait()
        task.cancel()
        await asyncio.wait({task})

    assert await asyncio.wait_for(kinds(database), 10) == []


async def test_readers_can_not_write(database: Database) -> None:
    with pytest.raises(DatabaseError, match="readonly"):
        await database.read(lambda reader: reader.all("DELETE FROM events RETURNING id"))


async def test_a_visitor_sees_what_the_owner_commits_and_can_not_write(database: Database) -> None:
    async with await Database.open(database.path, owner=False) as visitor:
        before = await visitor.data_version()
        assert await visitor.data_version() == before
        await add(database, "a")

        assert await visitor.data_version() != before
        assert await kinds(visitor) == ["a"]
        with pytest.raises(DatabaseError, match="only reads"):
            await add(visitor, "b")


async def test_the_owner_notices_its_own_commits_too(database: Database) -> None:
    before = await database.data_version()
    await add(database, "a")
    assert await database.data_version() != before


async def test_commits_are_durable_and_the_log_stays_small(database: Database) -> None:
    async def pragmas(tx: Transaction) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "wal_autocheckpoint")
        return [await tx.value(f"PRAGMA {name}") for name in (*names, "journal_size_limit")]

    assert await database.write(pragmas) == ["wal", 2, 1, 5000, 256, 1 << 20]


async def test_the_files_are_for_their_owner_alone(database: Database, tmp_path: Path) -> None:
    await add(database, "a")
    modes = modes_in(tmp_path)

    assert modes.keys() >= {"pulse.db", "pulse.db-wal", "pulse.db-shm", "pulse.db.ballast"}
    assert set(modes.values()) == {0o600}


async def test_with_a_group_its_members_may_open_the_files(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / DATABASE_NAME, owner=True, mode=0o660) as database:
        await add(database, "a")
        modes = modes_in(tmp_path)
    assert [modes[f"pulse.db{suffix}"] for suffix in ("", "-wal", "-shm")] == [0o660] * 3


async def test_a_lock_held_by_another_program_is_named(database: Database) -> None:
    await database.write(lambda tx: tx.value("PRAGMA busy_timeout = 20"))
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked by another program"):
            await add(database, "a")
    await add(database, "b")
    assert await kinds(database) == ["b"]


async def test_a_closed_database_says_so(database: Database) -> None:
    await database.close()
    await database.close()

    with pytest.raises(DatabaseError, match="closed"):
        await add(database, "a")
    with pytest.raises(DatabaseError, match="closed"):
        await kinds(database)


async def test_closing_waits_for_the_write_that_runs(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / DATABASE_NAME, owner=True)
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def write(tx: Transaction) -> None:
        await tx.execute(INSERT, ("a",))
        writing.set()
        await go_on.wait()

    work = asyncio.create_task(database.write(write))
    await writing.wait()
    closing_task = asyncio.create_task(database.close())
    done, _ = await asyncio.wait({closing_task}, timeout=0.05)
    assert not done
    go_on.set()

    await work
    await closing_task
    async with await Database.open(tmp_path / DATABASE_NAME, owner=False) as visitor:
        assert await kinds(visitor) == ["a"]


async def test_closing_waits_for_the_reads_that_run_and_those_that_wait_for_their_turn(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / DATABASE_NAME, owner=True)
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def read(reader: Reader) -> object:
        reading.set()
        await go_on.wait()
        return await reader.value("SELECT 7")

    work = asyncio.gather(*(database.read(read) for _ in range(7)))
    await reading.wait()
    closing_task = asyncio.create_task(database.close())
    done, _ = await asyncio.wait({closing_task}, timeout=0.05)
    assert not done
    go_on.set()

    assert await work == [7] * 7
    await closing_task


@pytest.mark.parametrize("where", ["db.begin", "db.commit"])
@pytest.mark.parametrize(("number", "error"), [("ENOSPC", SpaceError), ("EIO", DatabaseError)])
async def test_an_io_error_around_a_write_leaves_nothing_of_it(
    database: Database, where: str, number: str, error: type[Exception]
) -> None:
    faults.arm(f"{where}={number}")
    with pytest.raises(error):
        await add(database, "a")

    await add(database, "b")
    assert await kinds(database) == ["b"]


async def test_an_io_error_of_a_read_is_translated(database: Database) -> None:
    faults.arm("db.read=EIO")
    with pytest.raises(DatabaseError, match="Input/output error"):
        await kinds(database)
    assert await kinds(database) == []


@needs_root
async def test_a_full_disk_costs_the_ballast_and_one_write(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 6 << 20) as disk:
        async with await Database.open(disk / DATABASE_NAME, owner=True) as database:
            closed_gates: list[str] = []
            database.on_full = lambda: closed_gates.append("closed")
            assert not await database.restore_ballast(), "no room to spare on so small a disk"
            ballast_path(database.path).write_bytes(os.urandom(1 << 20))
            await add(database, "before")
            fill(disk)

            with pytest.raises(SpaceError, match="full"):
                await write_until_it_fails(database)

            assert closed_gates == ["closed"]
            assert not ballast_path(database.path).exists()
            await add(database, "after")
            await database.write(lambda tx: tx.execute("DELETE FROM events WHERE kind LIKE 'big%'"))
            assert await kinds(database) == ["before", "after"]


@needs_root
async def test_the_owner_starts_on_a_full_disk_by_giving_up_the_ballast(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 6 << 20) as disk:
        async with await Database.open(disk / DATABASE_NAME, owner=True) as database:
            await add(database, "before")
        ballast_path(disk / DATABASE_NAME).write_bytes(os.urandom(1 << 20))
        fill(disk)

        async with await Database.open(disk / DATABASE_NAME, owner=True) as database:
            assert not ballast_path(database.path).exists()
            await add(database, "after")
            assert await kinds(database) == ["before", "after"]


@needs_root
async def test_a_new_database_on_a_full_disk_is_refused_and_leaves_no_half_of_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        fill(disk)
        with pytest.raises(SpaceError):
            await Database.open(disk / DATABASE_NAME, owner=True)
        assert not (disk / DATABASE_NAME).exists()

        (disk / "filling").unlink()
        async with await Database.open(disk / DATABASE_NAME, owner=True) as database:
            await add(database, "a")


@needs_root
async def test_the_ballast_is_restored_when_there_is_room_to_spare(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24 << 20) as disk:
        async with await Database.open(disk / DATABASE_NAME, owner=True) as database:
            ballast = ballast_path(database.path)
            allocated = ballast.stat().st_blocks * 512
            assert (allocated, await database.drop_ballast(), ballast.exists()) == (1 << 20, True, False)
            assert not await database.drop_ballast()
            fill(disk)
            assert not await database.restore_ballast()
            (disk / "filling").unlink()
            assert await database.restore_ballast()
            assert ballast.stat().st_size == 1 << 20
