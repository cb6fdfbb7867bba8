from __future__ import annotations

import asyncio
import fcntl
import os
import pwd
import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.clock import rfc3339
from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.db.identity import process_start
from pulsetui.db.lock import LOCK_NAME
from pulsetui.db.owner import Ownership, is_alive, read_owner
from pulsetui.errors import OwnedError
from tests.db.tools import FakeClock, other_process
from tests.until import until

HOLD = """
    import asyncio, sys
    from pathlib import Path
    from pulsetui.db.database import Database
    from pulsetui.db.owner import Ownership

    async def main():
        folder = Path(sys.argv[1])
        ownership = await Ownership.acquire(folder, front_end=sys.argv[2])
        async with await Database.open(folder / "pulse.db", owner=True) as database:
            await ownership.begin(database)
            print("owns", flush=True)
            await asyncio.to_thread(sys.stdin.read)
            await ownership.end()
        ownership.forget()

    asyncio.run(main())
"""
LEAVE_A_CHILD = """
    import asyncio, os, subprocess, sys
    from pathlib import Path
    from pulsetui.db.owner import Ownership

    ownership = asyncio.run(Ownership.acquire(Path(sys.argv[1]), front_end="headless"))
    if sys.argv[2] == "forked":
        child = os.fork()
        if child == 0:
            os.close(1)
            os.close(2)
            os.read(0, 1)
            os._exit(0)
    else:
        child = subprocess.Popen(
            ["sleep", "60"], close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).pid
    print(child, flush=True)
    os._exit(0)
"""


async def test_a_second_owner_is_told_who_owns_the_directory(tmp_path: Path) -> None:
    with other_process(HOLD, tmp_path, "headless") as first:
        assert first.line() == "owns"
        async with await Database.open(tmp_path / DATABASE_NAME, owner=False) as visitor:
            owner = await visitor.read(read_owner)
        assert owner is not None

        clock = FakeClock()
        with pytest.raises(OwnedError) as raised:
            await Ownership.acquire(tmp_path, front_end="tui", wait_s=10, clock=clock)
        assert clock.slept == [], "a real owner isn't waited for"
        who = f"process {first.pid} (headless) of user {pwd.getpwuid(os.geteuid()).pw_name} on {socket.gethostname()}"
        assert who in str(raised.value)
        assert f"since {rfc3339(owner.started_at)}" in str(raised.value)
        assert raised.value.exit_code == 5
        assert (owner.pid, owner.ended_at, is_alive(owner)) == (first.pid, None, True)

        code, _, errors = first.end()
        assert code == 0, errors
    async with await Database.open(tmp_path / DATABASE_NAME, owner=False) as visitor:
        owner = await visitor.read(read_owner)
    assert owner is not None
    assert owner.ended_at is not None
    assert not is_alive(owner)


async def test_two_in_one_process_do_not_share_the_lock(tmp_path: Path) -> None:
    first = await Ownership.acquire(tmp_path, front_end="tui")
    with pytest.raises(OwnedError, match=f"process {os.getpid()}"):
        await Ownership.acquire(tmp_path, front_end="tui")
    first.forget()
    first.forget()
    (await Ownership.acquire(tmp_path, front_end="tui")).forget()


async def test_a_killed_owner_frees_the_lock_and_its_row_tells(tmp_path: Path) -> None:
    with other_process(HOLD, tmp_path, "headless") as first:
        assert first.line() == "owns"
        first.kill()

    ownership = await Ownership.acquire(tmp_path, front_end="tui")
    async with await Database.open(tmp_path / DATABASE_NAME, owner=True) as database:
        last = await database.read(read_owner)
        assert last is not None
        assert (last.pid, last.ended_at, is_alive(last)) == (first.pid, None, False)
        await ownership.begin(database)
        assert await database.read(read_owner) == ownership.owner
    ownership.forget()


@pytest.mark.parametrize("kind", ["forked", "spawned"])
async def test_a_child_does_not_keep_the_lock_of_an_owner_that_died(tmp_path: Path, kind: str) -> None:
    with ExitStack() as stack:
        owner = stack.enter_context(other_process(LEAVE_A_CHILD, tmp_path, kind))
        child = int(owner.line())
        stack.callback(os.kill, child, signal.SIGKILL)
        await until(lambda: process_start(owner.pid) is None)
        assert process_start(child) is not None, "the child still runs"

        (await Ownership.acquire(tmp_path, front_end="tui")).forget()


def remove(path: Path) -> None:
    path.unlink()


async def test_an_owner_waits_for_a_command_that_holds_the_lock_for_one_order(tmp_path: Path) -> None:
    with other_process(HOLD, tmp_path, "cli") as command:
        assert command.line() == "owns"
        waiting = asyncio.create_task(Ownership.acquire(tmp_path, front_end="headless", wait_s=10))
        done, _ = await asyncio.wait({waiting}, timeout=0.25)
        assert not done
        await asyncio.to_thread(command.end)
        (await waiting).forget()


async def test_the_wait_for_a_command_ends(tmp_path: Path) -> None:
    clock = FakeClock()
    command = await Ownership.acquire(tmp_path, front_end="cli")
    with pytest.raises(OwnedError, match="cli"):
        await Ownership.acquire(tmp_path, front_end="headless", wait_s=10, clock=clock)
    assert sum(clock.slept) == pytest.approx(10, abs=0.2)
    command.forget()


@pytest.mark.parametrize("line", [b"", b"\xff{", b"[]", b'{"pid": 1}'])
async def test_a_holder_that_has_not_said_its_name_is_an_error_after_a_moment(tmp_path: Path, line: bytes) -> None:
    clock = FakeClock()
    descriptor = os.open(tmp_path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    os.write(descriptor, line)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(OwnedError, match="has not said its name"):
        await Ownership.acquire(tmp_path, front_end="tui", clock=clock)
    os.close(descriptor)
    assert sum(clock.slept) == pytest.approx(0.5, abs=0.2)


async def test_the_heartbeat_and_the_end_are_written(tmp_path: Path) -> None:
    clock = FakeClock()
    ownership = await Ownership.acquire(tmp_path, front_end="headless", clock=clock)
    async with await Database.open(tmp_path / DATABASE_NAME, owner=True) as database:
        await ownership.begin(database)
        clock.advance(5)
        await ownership.heartbeat()
        beating = await database.read(read_owner)
        clock.advance(5)
        await ownership.end()
        await ownership.end()
        ended_row = await database.read(read_owner)
    ownership.forget()

    assert beating is not None
    assert ended_row is not None
    assert ((beating.heartbeat_at - beating.started_at).total_seconds(), beating.ended_at) == (5, None)
    assert ended_row.ended_at == clock.now()


async def test_a_lock_file_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    (await Ownership.acquire(tmp_path, front_end="tui")).forget()
    remove(tmp_path / LOCK_NAME)
    ownership = await Ownership.acquire(tmp_path, front_end="tui")
    with pytest.raises(OwnedError):
        await Ownership.acquire(tmp_path, front_end="tui")
    ownership.forget()


async def test_a_lock_on_a_file_that_was_removed_meanwhile_does_not_count(tmp_path: Path) -> None:
    lock = tmp_path / LOCK_NAME
    (await Ownership.acquire(tmp_path, front_end="tui")).forget()
    faults.arm("owner.lock=delay:0.3")  # between the opening of the file and its lock
    removing = threading.Timer(0.1, lock.unlink)
    removing.start()
    ownership = await Ownership.acquire(tmp_path, front_end="tui")
    removing.join()

    with pytest.raises(OwnedError):
        await Ownership.acquire(tmp_path, front_end="tui")
    ownership.forget()


async def test_a_longer_name_before_leaves_nothing_in_the_line(tmp_path: Path) -> None:
    (await Ownership.acquire(tmp_path, front_end="x" * 100)).forget()
    ownership = await Ownership.acquire(tmp_path, front_end="y")
    with pytest.raises(OwnedError, match=r"\(y\)"):
        await Ownership.acquire(tmp_path, front_end="tui")
    ownership.forget()
