from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.db.migrations import Migration, _migrate, check_current, migrations, prepare
from pulsetui.errors import DatabaseError, SpaceError
from tests.db.tools import FakeClock

NEWEST = len(migrations())
EVENT = (
    "INSERT INTO events (at, kind, category, severity, keep, text, data) VALUES (1, 'a', 'job', 'info', 0, '', '{}')"
)
OWNER = (
    "INSERT INTO owner (instance, pid, boot_id, process_start, user_name, host, version, front_end, started_at,"
    " heartbeat_at, ended_at) VALUES ('x', 1, '', 1, '', '', '', '', 1, 1, ?)"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / DATABASE_NAME


def run(path: Path, *statements: str) -> list[list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements]


def make_old(path: Path) -> None:
    """Make a database as the first version left it, with one event."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        _migrate(connection, path, migrations()[:1])
        connection.execute(EVENT)


def version(path: Path) -> object:
    return run(path, "PRAGMA user_version")[0][0][0]


def backups(path: Path) -> list[Path]:
    return sorted((path.parent / "backups").iterdir())


def test_a_new_database_has_the_newest_schema_and_needs_no_backup(path: Path) -> None:
    prepare(path, clock=FakeClock())

    assert version(path) == NEWEST
    assert not (path.parent / "backups").exists()
    assert {file.name for file in path.parent.iterdir()} == {"pulse.db", "pulse.db.ballast"}


def test_an_older_database_is_backed_up_and_brought_up_to_date(path: Path) -> None:
    make_old(path)
    prepare(path, clock=FakeClock())

    assert version(path) == NEWEST
    assert run(path, "SELECT kind FROM events") == [[("a",)]]
    [copy] = backups(path)
    assert (copy.name, copy.stat().st_mode & 0o777) == ("pulse-v0001-20261120T124500000.db", 0o600)
    assert (version(copy), run(copy, "SELECT kind FROM events")) == (1, [[("a",)]])


def test_the_last_three_backups_are_kept(path: Path) -> None:
    clock = FakeClock()
    for _ in range(5):
        path.unlink(missing_ok=True)
        make_old(path)
        prepare(path, clock=clock)
        clock.advance(60)

    assert [copy.name[-12:-6] for copy in backups(path)] == ["124700", "124800", "124900"]


def test_a_backup_that_was_cut_off_is_cleared_away(path: Path) -> None:
    make_old(path)
    (path.parent / "backups").mkdir()
    (path.parent / "backups" / "pulse-v0001-20260101T000000000.db.partial").touch()
    (path.parent / "backups" / "pulse-v0001-20260101T000000000.db.partial-wal").touch()
    prepare(path, clock=FakeClock())

    assert [copy.name for copy in backups(path)] == ["pulse-v0001-20261120T124500000.db"]


def test_without_room_for_the_backup_nothing_is_migrated(path: Path) -> None:
    make_old(path)
    faults.arm("db.backup=ENOSPC")
    with pytest.raises(SpaceError):
        prepare(path, clock=FakeClock())
    assert version(path) == 1


def test_a_migration_that_fails_changes_nothing_and_says_which_it_was(path: Path) -> None:
    prepare(path, clock=FakeClock())
    broken = Migration(
        NEWEST + 1, "0099_broken.sql", "CREATE TABLE extra (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"
    )
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        pytest.raises(DatabaseError, match=r"0099_broken\.sql"),
    ):
        _migrate(connection, path, [broken])

    assert version(path) == NEWEST
    assert run(path, "SELECT name FROM sqlite_schema WHERE name = 'extra'") == [[]]


@pytest.mark.parametrize("owner", [True, False])
def test_a_database_from_a_newer_version_is_refused_and_left_as_it_is(path: Path, owner: bool) -> None:
    prepare(path, clock=FakeClock())
    run(path, f"PRAGMA user_version = {NEWEST + 1}")
    before = path.read_bytes()

    with pytest.raises(DatabaseError, match="newer pulsetui"):
        asyncio.run(Database.open(path, owner=owner))
    assert path.read_bytes() == before


def test_a_visitor_is_told_that_an_older_database_needs_its_owner(path: Path) -> None:
    make_old(path)
    with pytest.raises(DatabaseError, match="version 1"):
        check_current(path)
    assert version(path) == 1


def test_a_visitor_makes_no_database(path: Path) -> None:
    with pytest.raises(DatabaseError, match="no database"):
        check_current(path)
    assert not path.exists()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000), id="rubbish"),
        pytest.param(lambda path: path.write_bytes(b"hello" * 1000), id="text"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:4096]), id="cut off"),
    ],
)
def test_a_damaged_file_is_an_error_with_steps_that_work_and_never_a_fresh_start(path: Path, damage: object) -> None:
    make_old(path)
    prepare(path, clock=FakeClock())
    assert callable(damage)
    damage(path)
    before = path.read_bytes()

    with pytest.raises(DatabaseError, match="damaged") as raised:
        prepare(path, clock=FakeClock())
    assert path.read_bytes() == before

    steps = raised.value.hint.partition("bring back a copy: ")[2]
    subprocess.run(["sh", "-ec", steps], check=True)
    clock = FakeClock()
    clock.advance(1)
    prepare(path, clock=clock)
    assert run(path, "SELECT kind FROM events") == [[("a",)]]
    assert path.with_name("pulse.db.damaged").read_bytes() == before


@pytest.mark.parametrize(("ended_at", "noticed"), [(None, True), (2, False)])
def test_after_an_unclean_end_the_whole_file_is_checked(path: Path, ended_at: int | None, noticed: bool) -> None:
    prepare(path, clock=FakeClock())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(OWNER, (ended_at,))
        connection.executemany(EVENT.replace("'a'", "?"), [(f"kind {number}" * 20,) for number in range(500)])
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'events_by_category'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)

    if noticed:
        with pytest.raises(DatabaseError, match="damaged"):
            prepare(path, clock=FakeClock())
    else:
        prepare(path, clock=FakeClock())


async def test_the_check_can_run_beside_the_work(path: Path) -> None:
    async with await Database.open(path, owner=True) as database:
        await database.quick_check()


def test_a_database_that_is_gone_while_its_backups_are_there_is_an_error(path: Path) -> None:
    make_old(path)
    prepare(path, clock=FakeClock())
    path.unlink()

    with pytest.raises(DatabaseError, match="missing") as raised:
        prepare(path, clock=FakeClock())
    assert not path.exists()
    assert "pulse-v0001" in raised.value.hint


def test_what_a_killed_start_left_is_built_anew(path: Path) -> None:
    path.with_name("pulse.db.new").write_bytes(b"half")
    path.with_name("pulse.db.new-wal").write_bytes(b"half")
    prepare(path, clock=FakeClock())

    assert version(path) == NEWEST
    assert not list(path.parent.glob("pulse.db.new*"))


async def test_a_path_with_strange_names_works(tmp_path: Path) -> None:
    folder = tmp_path / "a b?#%'\"é" / "x"
    folder.mkdir(parents=True)
    async with await Database.open(folder / DATABASE_NAME, owner=True) as database:
        await database.write(lambda tx: tx.execute(EVENT))
    assert run(folder / DATABASE_NAME, "SELECT count(*) FROM events") == [[(1,)]]
    shutil.rmtree(folder)
