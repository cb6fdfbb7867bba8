from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pulsetui import faults
from pulsetui.actions.client import ask_live, send_order
from pulsetui.actions.socket import OrderServer, socket_address
from pulsetui.actions.wire import MAX_REQUEST_BYTES, SOCKET_NAME
from pulsetui.db.database import DATABASE_NAME, Database
from pulsetui.errors import NotFoundError, NotPermittedError, PulseError, UsageError
from tests.actions.conftest import UUID, Desk
from tests.actions.samples import Count, Fail, Look, Wait
from tests.db.tools import other_process

SOON = datetime.now(UTC) + timedelta(days=10_000)
ORDER = {
    "verb": "test-count",
    "arguments": {"name": "x"},
    "uuid": UUID,
    "expires_at": "2099-01-01T00:00:00Z",
    "through": "cli",
}


async def live() -> dict[str, Any]:
    return {"workers": 2}


@contextlib.asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[Path]:
    """Serve orders in the database's folder for as long as the context lasts."""
    data_dir = desk.database.path.parent
    server = OrderServer(data_dir, desk.runner, live=live)
    task = asyncio.create_task(server.run())
    await asyncio.wait_for(server.ready.wait(), 10)
    try:
        yield data_dir
    finally:
        task.cancel()
        await asyncio.wait({task})


async def send(data_dir: Path, action: Any, uuid: str = UUID) -> dict[str, Any] | None:
    return await send_order(data_dir, action, uuid=uuid, expires_at=SOON, through="cli")


async def raw(data_dir: Path, sent: bytes, *, hang_up: bool = True) -> dict[str, Any] | None:
    """Send bytes and return the answer; None if there was none."""
    with socket_address(data_dir) as address:
        reader, writer = await asyncio.open_unix_connection(address)
    with contextlib.suppress(ConnectionError):
        writer.write(sent)
        await writer.drain()
        if hang_up:
            writer.write_eof()
    line = await asyncio.wait_for(reader.readline(), 20)
    writer.close()
    return dict(json.loads(line)) if line else None


def is_socket_for_its_owner_alone(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600


def deep(folder: Path) -> Path:
    folder = folder / ("x" * 200) / ("y" * 200)
    folder.mkdir(parents=True)
    return folder


async def test_an_order_goes_to_the_owner_and_its_outcome_comes_back(desk: Desk) -> None:
    async with served(desk) as data_dir:
        assert await send(data_dir, Count(name="x")) == {"count": 1, "uuid": UUID}
        assert await send(data_dir, Count(name="x")) == {"count": 1, "uuid": UUID}
        assert is_socket_for_its_owner_alone(data_dir / SOCKET_NAME)

    [entry] = await desk.audit()
    assert (entry.uid, entry.through, entry.verb) == (os.geteuid(), "cli", "test-count")


async def test_the_owners_error_comes_back_as_it_was(desk: Desk) -> None:
    async with served(desk) as data_dir:
        with pytest.raises(NotFoundError, match="there is no job 9") as raised:
            await send(data_dir, Fail(how="missing"))
    assert raised.value.hint == "pulsetui jobs lists them"


async def test_the_owner_tells_its_live_figures(desk: Desk) -> None:
    async with served(desk) as data_dir:
        assert await ask_live(data_dir) == {"workers": 2}


async def test_a_very_long_path_to_the_data_works(tmp_path: Path) -> None:
    async with (
        await Database.open(deep(tmp_path) / DATABASE_NAME, owner=True) as database,
        served(Desk(database)) as data_dir,
    ):
        assert len(str(data_dir)) > 400
        assert await send(data_dir, Look()) == {"count": os.geteuid(), "uuid": ""}


async def test_without_an_owner_nothing_is_sent(tmp_path: Path, desk: Desk) -> None:
    assert await send(tmp_path, Count()) is None
    assert await ask_live(tmp_path / "nowhere") is None
    async with served(desk) as data_dir:
        pass
    assert not (data_dir / SOCKET_NAME).exists()
    assert await ask_live(data_dir) is None


LEAVE_A_SOCKET = """
    import os, socket, sys
    os.chdir(sys.argv[1])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("owner.sock")
    listener.listen()
    print("bound", flush=True)
    sys.stdin.read()
"""


async def test_the_socket_of_an_owner_that_was_killed_counts_as_none_and_gives_way(desk: Desk) -> None:
    data_dir = desk.database.path.parent
    with other_process(LEAVE_A_SOCKET, data_dir) as dead:
        assert dead.line() == "bound"
        dead.kill()
    assert (data_dir / SOCKET_NAME).exists()
    assert await ask_live(data_dir) is None

    async with served(desk):
        assert await ask_live(data_dir) == {"workers": 2}


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"hello\n", "can't be read"),
        (b"\xff\xff\n", "can't be read"),
        (b'{"ask": "live"', "cut off"),
        (b"[" * 50_000 + b"\n", "can't be read"),
        (json.dumps({"order": ORDER | {"verb": "no-such"}}).encode() + b"\n", "no order 'no-such'"),
        (json.dumps({"order": ORDER | {"arguments": {"name": 7}}}).encode() + b"\n", "name: Input"),
        (json.dumps({"order": ORDER | {"uid": 0}}).encode() + b"\n", "Extra inputs"),
        (json.dumps({"order": ORDER | {"through": "\x1b[31m"}}).encode() + b"\n", "through"),
        (json.dumps({"order": ORDER | {"uuid": "one"}}).encode() + b"\n", "uuid"),
        (json.dumps({"order": ORDER | {"expires_at": "2099-01-01T00:00:00"}}).encode() + b"\n", "expires_at"),
        pytest.param(b"x" * (MAX_REQUEST_BYTES + (1 << 20)) + b"\n", "longer than", id="too long"),
    ],
)
async def test_what_is_no_order_gets_an_error_for_an_answer_and_disturbs_nobody(
    desk: Desk, sent: bytes, found: str
) -> None:
    async with served(desk) as data_dir:
        answer = await raw(data_dir, sent)
        assert answer is not None
        assert answer["error"]["code"] == "usage"
        assert found in answer["error"]["message"]
        assert await ask_live(data_dir) == {"workers": 2}
    assert await desk.audit() == []


async def test_a_caller_that_says_nothing_gets_no_answer_and_disturbs_nobody(desk: Desk) -> None:
    async with served(desk) as data_dir:
        assert await raw(data_dir, b"") is None
        assert await ask_live(data_dir) == {"workers": 2}


async def test_an_order_too_long_for_the_owner_is_not_sent(desk: Desk) -> None:
    async with served(desk) as data_dir:
        with pytest.raises(UsageError, match="longer than"):
            await send(data_dir, Count(name="x" * MAX_REQUEST_BYTES))


async def test_a_long_order_arrives_whole(desk: Desk) -> None:
    async with served(desk) as data_dir:
        await send(data_dir, Count(name="x" * (2 << 20)))
    assert len((await desk.audit())[0].arguments["name"]) == 2 << 20


async def test_an_order_goes_on_when_its_caller_hangs_up(desk: Desk) -> None:
    async with served(desk) as data_dir:
        caller = asyncio.create_task(send(data_dir, Wait()))
        await asyncio.wait_for(desk.services["begun"].wait(), 10)
        caller.cancel()
        await asyncio.wait({caller})
        desk.services["go_on"].set()
        await desk.runner.drain()
        assert await send(data_dir, Wait()) == {"count": 1, "uuid": UUID}
    assert await desk.rows() == 1


async def test_an_owner_that_stops_answers_the_order_that_runs_and_drops_idle_callers(desk: Desk) -> None:
    data_dir = desk.database.path.parent
    server = OrderServer(data_dir, desk.runner, live=live)
    serving = asyncio.create_task(server.run())
    await server.ready.wait()
    with socket_address(data_dir) as address:
        idle, idle_writer = await asyncio.open_unix_connection(address)
    order = asyncio.create_task(send(data_dir, Wait()))
    await asyncio.wait_for(desk.services["begun"].wait(), 10)
    serving.cancel()
    assert await asyncio.wait_for(idle.read(), 10) == b""
    desk.services["go_on"].set()

    assert await order == {"count": 1, "uuid": UUID}
    await asyncio.wait({serving}, timeout=10)
    assert serving.cancelled()
    idle_writer.close()


DIE_BEFORE_THE_ANSWER = """
    import asyncio, sys
    from pathlib import Path
    from pulsetui import faults
    from pulsetui.actions.socket import OrderServer
    from pulsetui.db.database import Database
    from tests.actions.conftest import Desk
    from tests.actions.test_socket import live

    async def main():
        async with await Database.open(Path(sys.argv[1]), owner=True) as database:
            server = OrderServer(Path(sys.argv[1]).parent, Desk(database).runner, live=live)
            task = asyncio.create_task(server.run())
            await server.ready.wait()
            faults.arm("actions.answer=kill")
            print("ready", flush=True)
            await task

    asyncio.run(main())
"""


async def test_an_owner_that_dies_before_its_answer_is_an_error_and_the_order_runs_once(tmp_path: Path) -> None:
    with other_process(DIE_BEFORE_THE_ANSWER, tmp_path / DATABASE_NAME) as owner:
        assert owner.line() == "ready"
        with pytest.raises(PulseError, match="went away before it answered"):
            await send(tmp_path, Count(name="x"))
    assert await send(tmp_path, Count(name="x")) is None

    async with await Database.open(tmp_path / DATABASE_NAME, owner=True) as database:
        async with served(Desk(database)) as data_dir:
            assert await send(data_dir, Count(name="x")) == {"count": 1, "uuid": UUID}
        assert await Desk(database).rows() == 1


@pytest.mark.parametrize(
    ("point", "answered"),
    [("actions.accept", False), ("actions.read", False), ("actions.answer", False), ("actions.answered", True)],
)
async def test_a_broken_connection_is_one_callers_trouble(desk: Desk, point: str, answered: bool) -> None:
    async with served(desk) as data_dir:
        faults.arm(f"{point}=EIO")
        got = [await asked(data_dir) for _ in range(3)]
    assert got == [answered, True, True]


async def asked(data_dir: Path) -> bool:
    with contextlib.suppress(PulseError):
        return await ask_live(data_dir) == {"workers": 2}
    return False


@pytest.mark.parametrize("point", ["actions.connect", "actions.send", "actions.sent"])
async def test_a_broken_connection_at_the_callers_side_is_no_traceback(desk: Desk, point: str) -> None:
    async with served(desk) as data_dir:
        faults.arm(f"{point}=EIO")
        with pytest.raises(PulseError):
            await ask_live(data_dir)


AS_A_STRANGER = """
    import json, os, socket, sys
    os.chdir(sys.argv[1])
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("owner.sock")
        connection.sendall(sys.argv[2].encode() + b"\\n")
        print(connection.makefile().readline(), flush=True)
"""


@pytest.fixture
def open_to_all(tmp_path: Path) -> Iterator[None]:
    tmp_path.chmod(0o711)
    yield
    tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.usefixtures("open_to_all")
async def test_who_calls_is_what_the_kernel_says(desk: Desk) -> None:
    async with served(desk) as data_dir:
        (data_dir / SOCKET_NAME).chmod(0o666)
        with other_process(AS_A_STRANGER, data_dir, json.dumps({"order": ORDER})) as stranger:
            answer = json.loads(await asyncio.to_thread(stranger.line))
        with other_process(
            AS_A_STRANGER, data_dir, json.dumps({"order": ORDER | {"verb": "test-look", "arguments": {}}})
        ) as stranger:
            looked = json.loads(await asyncio.to_thread(stranger.line))

    assert answer["error"]["code"] == "not-permitted"
    assert looked == {"outcome": {"count": 65534, "uuid": ""}}
    assert [(entry.uid, entry.verb) for entry in reversed(await desk.audit())] == [
        (65534, "test-count"),
        (65534, "test-look"),
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.usefixtures("open_to_all")
async def test_a_socket_is_closed_to_strangers(desk: Desk) -> None:
    async with served(desk) as data_dir:
        with other_process(AS_A_STRANGER, data_dir, json.dumps({"order": ORDER})) as stranger:
            code, _, errors = await asyncio.to_thread(stranger.end)
    assert code == 1
    assert "PermissionError" in errors


async def test_a_caller_that_may_not_reach_the_owner_is_told_so(desk: Desk) -> None:
    async with served(desk) as data_dir:
        faults.arm("actions.connect=EACCES")
        with pytest.raises(NotPermittedError, match="may not reach"):
            await ask_live(data_dir)
