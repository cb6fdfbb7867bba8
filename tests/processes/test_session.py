from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import WorkerFailedError, WorkerLostError
from pulsetui.processes.pipes import TaskSpec
from pulsetui.processes.session import Session, session
from tests.living import is_alive
from tests.until import until
from tests.volumes.hanging import hanging
from tests.volumes.mounts import may_mount

ANSWERS = TaskSpec("tests.processes.tasks:answers_each", {}, grace_s=5.0)


async def started(talk: Session) -> None:
    assert await talk.receive() == {"pid": talk.pid}


async def test_a_task_answers_what_it_is_told_while_it_runs() -> None:
    async with session(ANSWERS) as talk:
        await started(talk)
        for number in range(3):
            await talk.send({"number": number, "name": "caf\udce9\n\u202e"})
            assert await talk.receive() == {"heard": {"number": number, "name": "caf\udce9\n\u202e"}}
        await talk.send({"end": True})

        assert await talk.receive() is None
        assert talk.result == {"heard": 3}
    assert not is_alive(talk.pid)


async def test_orders_that_were_sent_before_the_task_runs_reach_it_in_order_and_whole() -> None:
    long = "x" * 300_000
    async with session(ANSWERS) as talk:
        for text in ("first", long, "last"):
            await talk.send({"text": text})
        await started(talk)

        assert [await talk.receive() for _ in range(3)] == [
            {"heard": {"text": text}} for text in ("first", long, "last")
        ]


async def test_leaving_a_session_ends_its_process() -> None:
    async with session(ANSWERS) as talk:
        await started(talk)

    assert not is_alive(talk.pid)
    assert talk.result is None


async def test_a_task_that_dies_is_lost_after_what_it_said_before() -> None:
    async with session(ANSWERS) as talk:
        await started(talk)
        await talk.send({"number": 1})
        await talk.send({"die": True})

        assert await talk.receive() == {"heard": {"number": 1}}
        with pytest.raises(WorkerLostError, match="SIGKILL"):
            await talk.receive()
        await talk.send({"number": 2})  # says nothing: reading has said it
        assert not is_alive(talk.pid)


async def test_a_failure_of_the_task_comes_back_with_its_kind() -> None:
    async with session(ANSWERS) as talk:
        await started(talk)
        await talk.send({"fail": True})

        with pytest.raises(WorkerFailedError, match="told to fail") as raised:
            await talk.receive()
    assert raised.value.kind == "told-to"


async def test_cancelling_the_caller_ends_the_process_of_its_session() -> None:
    pids: list[int] = []

    async def talk_on() -> None:
        async with session(ANSWERS) as talk:
            await started(talk)
            pids.append(talk.pid)
            await talk.receive()

    work = asyncio.create_task(talk_on())
    await until(lambda: bool(pids))

    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work
    assert not is_alive(pids[0])


async def test_a_session_that_cannot_be_started_is_lost() -> None:
    faults.arm("processes.spawn=EAGAIN")

    with pytest.raises(WorkerLostError, match="could not start a process"):
        async with session(ANSWERS):
            pass


async def test_an_abandoned_session_kills_its_process_and_can_be_left() -> None:
    async with session(ANSWERS) as talk:
        await started(talk)
        await talk.abandon(patience_s=10)
        assert talk.is_over
    assert not is_alive(talk.pid)


@may_mount
async def test_a_process_that_hangs_in_the_kernel_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    with hanging(tmp_path / "hang") as server:
        async with session(TaskSpec("tests.processes.tasks:looks_at", {"path": str(tmp_path / "hang")})) as talk:
            await asyncio.to_thread(server.wait_for_request)
            await asyncio.wait_for(talk.abandon(patience_s=0.1), 10)
            assert not talk.is_over
            assert is_alive(talk.pid)
        server.kill()
        await until(lambda: talk.is_over)
    assert not is_alive(talk.pid)


async def test_an_error_on_the_way_does_not_keep_an_abandoned_process_alive() -> None:
    async with session(ANSWERS) as talk:
        await started(talk)
        faults.arm("processes.abandon=EIO")
        try:
            with pytest.raises(OSError, match="fault point"):
                await talk.abandon(patience_s=10)
        finally:
            faults.disarm()
        assert talk.is_over
        with pytest.raises(OSError, match="fault point"):
            await talk.end(terminate=False)
        talk._ending = None
    assert not is_alive(talk.pid)
