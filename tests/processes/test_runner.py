from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from pulsetui import faults
from pulsetui.errors import WorkerFailedError, WorkerLostError
from pulsetui.processes.child import NICENESS
from pulsetui.processes.runner import Limits, TaskSpec, run
from tests.living import children, is_alive
from tests.until import until

Events = list[dict[str, Any]]


def spec(task: str, *, limits: Limits = Limits(), grace_s: float = 10.0, **arguments: Any) -> TaskSpec:  # noqa: B008
    return TaskSpec(f"tests.processes.tasks:{task}", arguments, limits, grace_s)


async def started(work: asyncio.Task[dict[str, Any]], events: Events) -> int:
    """Return the process id that the task reports first."""
    await until(lambda: bool(events) or work.done())
    pid: int = events[0]["pid"]
    return pid


async def test_a_task_gets_its_arguments_and_hands_back_events_and_result() -> None:
    events: Events = []
    arguments: dict[str, Any] = {"events": 3, "name": "caf\udce9\n\u202e", "nested": [1.5, None, {"a": True}]}

    assert await run(spec("echo", **arguments), events.append) == {"arguments": arguments}
    assert events == [{"number": 0}, {"number": 1}, {"number": 2}]


async def test_what_a_task_prints_is_never_an_answer() -> None:
    events: Events = []

    assert await run(spec("prints"), events.append) == {"forged": False, "input": ""}
    assert events == [{"said": "enough"}]


async def test_an_order_and_an_answer_of_several_megabytes_arrive_whole() -> None:
    text = "x" * 3_000_000

    assert await run(spec("echo", text=text), print) == {"arguments": {"text": text}}
    assert await run(spec("large", length=1_500_000), print) == {"text": "ž" * 1_500_000}


async def test_an_answer_past_the_longest_line_is_a_lost_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulsetui.processes.pipes.LINE_BYTES", 100_000)

    with pytest.raises(WorkerLostError, match="can't be read"):
        await run(spec("large", length=1_000_000), print)


async def test_events_of_several_threads_do_not_mix() -> None:
    events: Events = []

    await run(spec("from_threads", events=5), events.append)

    assert sorted(event["name"] for event in events) == ["a"] * 5 + ["b"] * 5


async def test_a_failure_that_the_task_knows_comes_back_with_its_kind_as_harmless_text() -> None:
    with pytest.raises(WorkerFailedError) as raised:
        await run(spec("known_failure"), print)

    assert raised.value.kind == "no-audio"
    assert str(raised.value) == "no audio stream in \\x1b[31mthis\\nfile"


async def test_our_own_errors_come_back_by_their_code() -> None:
    with pytest.raises(WorkerFailedError, match="no space left to write") as raised:
        await run(spec("no_space"), print)

    assert raised.value.kind == "space"
    assert raised.value.hint == "free some"


async def test_an_unknown_exception_is_a_lost_process_with_the_end_of_its_standard_error() -> None:
    with pytest.raises(WorkerLostError, match="exit code 1 without an answer") as raised:
        await run(spec("unknown_failure"), print)

    assert str(raised.value).endswith("RuntimeError: out of \\x1b[2Jcheese")
    assert len(str(raised.value)) < 3000


@pytest.mark.parametrize("task", ["nothing_of_that_name", "echo.echo"])
async def test_a_task_that_does_not_exist_is_a_lost_process(task: str) -> None:
    with pytest.raises(WorkerLostError, match="Error"):
        await run(spec(task), print)


@pytest.mark.parametrize("code", [0, 7])
async def test_a_process_that_ends_without_an_answer_is_lost_whatever_its_exit_code(code: int) -> None:
    with pytest.raises(WorkerLostError, match=f"ended with exit code {code} without an answer"):
        await run(spec("leaves", code=code), print)


async def test_a_process_that_answers_rubbish_is_lost_and_ended() -> None:
    events: Events = []

    with pytest.raises(WorkerLostError, match="can't be read"):
        await run(spec("answers_rubbish"), events.append)


async def test_a_killed_process_fails_its_own_run_alone() -> None:
    killed_events: Events = []
    other_events: Events = []
    killed = asyncio.create_task(run(spec("waits"), killed_events.append))
    stop = asyncio.Event()
    other = asyncio.create_task(run(spec("waits"), other_events.append, stop))
    pid, other_pid = await started(killed, killed_events), await started(other, other_events)

    os.kill(pid, signal.SIGKILL)

    with pytest.raises(WorkerLostError, match="killed by SIGKILL"):
        await killed
    assert is_alive(other_pid)
    assert not other.done()
    stop.set()
    with pytest.raises(WorkerFailedError):
        await other


async def test_a_process_killed_at_its_answer_gave_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.ENVIRONMENT, "processes.answer@2=kill")
    events: Events = []

    with pytest.raises(WorkerLostError, match="SIGKILL"):
        await run(spec("echo", events=1), events.append)
    assert events == [{"number": 0}]


async def test_setting_cancel_unwinds_the_task_and_ends_its_process(tmp_path: Path) -> None:
    events: Events = []
    cancel = asyncio.Event()
    work = asyncio.create_task(run(spec("waits", cleared=str(tmp_path / "cleared")), events.append, cancel))
    pid = await started(work, events)

    cancel.set()

    with pytest.raises(WorkerFailedError) as raised:
        await work
    assert raised.value.kind == "cancelled"
    assert not is_alive(pid)
    assert (tmp_path / "cleared").read_text() == "cleared"


async def test_cancelled_before_the_start_nothing_is_started() -> None:
    faults.arm("processes.spawn=EAGAIN")
    cancel = asyncio.Event()
    cancel.set()

    with pytest.raises(WorkerFailedError) as raised:
        await run(spec("echo"), print, cancel)
    assert raised.value.kind == "cancelled"


async def test_cancelling_the_caller_ends_the_process_before_it_gets_through(tmp_path: Path) -> None:
    events: Events = []
    work = asyncio.create_task(run(spec("waits", cleared=str(tmp_path / "cleared")), events.append))
    pid = await started(work, events)

    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work
    assert not is_alive(pid)
    assert (tmp_path / "cleared").exists()


async def test_cancelling_the_caller_again_and_again_does_not_leave_the_process_behind() -> None:
    events: Events = []
    work = asyncio.create_task(run(spec("will_not_stop", grace_s=0.5), events.append))
    pid = await started(work, events)

    while not work.done():
        work.cancel()
        await asyncio.sleep(0)

    assert work.cancelled()
    assert not is_alive(pid)


async def test_a_caller_cancelled_while_its_process_ends_is_told() -> None:
    events: Events = []
    work = asyncio.create_task(run(spec("with_a_child", grace_s=3.0), events.append))
    await started(work, events)
    await until(lambda: children() == [])  # it has answered; what it started holds up its end

    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work


@pytest.mark.parametrize("turns", range(6))
async def test_cancelling_while_the_process_starts_leaves_none_behind(turns: int) -> None:
    events: Events = []
    work = asyncio.create_task(run(spec("waits", grace_s=0.2), events.append))
    for _ in range(turns):
        await asyncio.sleep(0)

    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work
    assert children() == []


async def test_a_process_that_will_not_stop_is_killed_after_the_grace() -> None:
    events: Events = []
    cancel = asyncio.Event()
    work = asyncio.create_task(run(spec("will_not_stop", grace_s=0.3), events.append, cancel))
    pid = await started(work, events)
    began = time.monotonic()

    cancel.set()

    with pytest.raises(WorkerFailedError):
        await work
    assert time.monotonic() - began >= 0.3
    assert not is_alive(pid)


@pytest.mark.parametrize("wait", [False, True])
async def test_what_a_task_started_does_not_outlive_it(*, wait: bool) -> None:
    events: Events = []
    cancel = asyncio.Event()
    work = asyncio.create_task(run(spec("with_a_child", grace_s=0.3, wait=wait), events.append, cancel))
    pid = await started(work, events)

    if wait:
        cancel.set()
        with pytest.raises(WorkerFailedError):
            await work
    else:
        assert await work == {"pid": pid}
    await until(lambda: not is_alive(pid))


async def test_an_error_of_the_listener_ends_the_process_and_gets_through() -> None:
    pids: list[int] = []

    def listen(event: dict[str, Any]) -> None:
        pids.append(event["pid"])
        raise LookupError("the lease is lost")

    with pytest.raises(LookupError, match="the lease is lost"):
        await run(spec("waits"), listen)
    assert not is_alive(pids[0])


async def test_a_process_that_cannot_be_started_is_lost() -> None:
    faults.arm("processes.spawn=EAGAIN")

    with pytest.raises(WorkerLostError, match="could not start a process: Resource temporarily unavailable"):
        await run(spec("echo"), print)


@pytest.mark.parametrize("point", ["send", "read", "kill"])
async def test_a_fault_on_the_way_leaves_no_process_behind(point: str) -> None:
    faults.arm(f"processes.{point}=EIO")

    with pytest.raises((WorkerLostError, OSError)):
        await run(spec("echo"), print)
    assert children() == []


async def test_a_task_that_takes_too_much_memory_fails_alone_and_by_name() -> None:
    limits = Limits(memory_bytes=150_000_000)

    assert await run(spec("takes_memory", limits=limits, bytes=20_000_000), print) == {"length": 20_000_000}
    with pytest.raises(WorkerFailedError, match="memory") as raised:
        await run(spec("takes_memory", limits=limits, bytes=400_000_000), print)
    assert raised.value.kind == "memory"


async def test_a_task_that_takes_too_much_processor_time_is_killed() -> None:
    with pytest.raises(WorkerLostError, match=r"SIGXCPU \(its processor time is used up\)"):
        await run(spec("burns", limits=Limits(cpu_s=1)), print)


async def test_a_file_past_the_limit_is_an_error_in_the_task(tmp_path: Path) -> None:
    with pytest.raises(WorkerFailedError, match="File too large"):
        await run(spec("writes", limits=Limits(file_bytes=1000), path=str(tmp_path / "file"), bytes=2000), print)
    assert (tmp_path / "file").stat().st_size == 1000


async def test_a_task_sees_little_of_its_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    secret = os.open(tmp_path / "secret", os.O_RDWR | os.O_CREAT)

    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    seen = await run(spec("surroundings"), print)

    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    os.close(secret)
    assert "SECRET_TOKEN" not in seen["environment"]
    assert "PATH" in seen["environment"]
    assert str(tmp_path / "secret") not in seen["descriptors"]
    assert seen["group"] is True
    # It gives way to us, and the kernel can't miss that by scheduling sessions.
    assert seen["niceness"] == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    assert seen["session"] == os.getsid(0)
    assert seen["core"] == "0"
