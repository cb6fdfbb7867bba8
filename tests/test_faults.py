"""Fault points: what a plan says happens, where and when it says."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pulsetui import faults
from tests.until import until


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    faults.disarm()


def test_unarmed_points_do_nothing() -> None:
    faults.point("files.write")
    faults.disarm()
    faults.point("files.write")


def test_an_error_strikes_at_the_first_hit_and_only_there() -> None:
    faults.arm("files.write=ENOSPC")
    faults.point("files.other")
    with pytest.raises(OSError, match="No space left") as struck:
        faults.point("files.write")
    assert struck.value.errno == errno.ENOSPC
    assert struck.value.filename == "(fault point files.write)"
    faults.point("files.write")


def test_an_error_strikes_at_the_hit_that_the_plan_names() -> None:
    faults.arm("files.write@3=EIO")
    faults.point("files.write")
    faults.point("files.write")
    with pytest.raises(OSError, match="Input/output"):
        faults.point("files.write")
    faults.point("files.write")


def test_a_star_strikes_at_every_hit() -> None:
    faults.arm("files.write@*=EIO")
    for _ in range(3):
        with pytest.raises(OSError, match="Input/output"):
            faults.point("files.write")


def test_a_plan_has_several_entries() -> None:
    faults.arm(" files.write=EIO ; files.sync@2=ENOSPC;; ")
    with pytest.raises(OSError, match="Input/output"):
        faults.point("files.write")
    faults.point("files.sync")
    with pytest.raises(OSError, match="No space"):
        faults.point("files.sync")


def test_a_new_plan_replaces_the_old_one_and_counts_anew() -> None:
    faults.arm("files.write@2=EIO")
    faults.point("files.write")
    faults.arm("files.write@2=EIO")
    faults.point("files.write")
    with pytest.raises(OSError, match="Input/output"):
        faults.point("files.write")


@pytest.mark.parametrize("plan", ["files.write", "files.write=", "=EIO", "files.write=ENOTHING", "files.write@x=EIO"])
def test_a_plan_that_can_not_be_read_is_refused(plan: str) -> None:
    with pytest.raises(ValueError, match=r"fault plan entry|invalid literal"):
        faults.arm(plan)
    faults.point("files.write")


def test_a_delay_holds_the_thread() -> None:
    faults.arm("files.write=delay:0.05")
    began = time.monotonic()
    faults.point("files.write")
    assert time.monotonic() - began >= 0.05


async def test_a_delay_on_the_loop_lets_others_run() -> None:
    faults.arm("db.begin=delay:30")
    waiting = asyncio.create_task(faults.async_point("db.begin"))
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await until(ran.is_set)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_errors_strike_on_the_loop_too() -> None:
    faults.arm("db.begin=EIO")
    with pytest.raises(OSError, match="Input/output"):
        await faults.async_point("db.begin")
    await faults.async_point("db.begin")


def test_hits_of_many_threads_are_counted_once_each() -> None:
    faults.arm("files.write@500=EIO")
    struck: list[int] = []

    def hit() -> None:
        for _ in range(100):
            try:
                faults.point("files.write")
            except OSError:
                struck.append(1)

    threads = [threading.Thread(target=hit) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert struck == [1]


def test_a_kill_from_the_environment_ends_the_process_at_the_point() -> None:
    script = (
        "from pulsetui import faults; faults.arm_from_environment(); print('before', flush=True); "
        "faults.point('a.b'); faults.point('a.b'); print('after')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, faults.ENVIRONMENT: "a.b@2=kill"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout == "before\n"


def test_without_the_variable_nothing_is_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(faults.ENVIRONMENT, raising=False)
    faults.arm_from_environment()
    assert faults._plan is None
