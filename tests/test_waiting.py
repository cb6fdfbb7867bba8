"""Waiting for what can't be stopped half-way."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from pulsetui.waiting import finished, in_thread
from tests.until import until


async def test_the_result_comes_back() -> None:
    def add(one: int, *, other: int) -> int:
        return one + other

    assert await in_thread(add, 1, other=2) == 3


async def test_an_error_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


async def test_a_cancelled_caller_waits_for_the_thread_and_then_sees_its_cancellation() -> None:
    began, go_on, over = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go_on.wait(20)
        over.set()

    waiting = asyncio.create_task(in_thread(work))
    await until(began.is_set)
    for _ in range(3):  # however often
        waiting.cancel()
        await asyncio.sleep(0)
    assert not waiting.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert over.is_set()


async def test_an_error_of_the_thread_gives_way_to_the_cancellation() -> None:
    go_on = threading.Event()

    def work() -> None:
        go_on.wait(20)
        raise OSError("nobody asks any more")

    waiting = asyncio.create_task(in_thread(work))
    await asyncio.sleep(0.01)
    waiting.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_is_waited_for_is_never_cancelled() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(finished(future))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not future.cancelled()
    future.set_result(7)
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_future_that_others_cancel_ends_the_wait() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(finished(future))
    await asyncio.sleep(0)
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_loop_goes_on_meanwhile() -> None:
    waiting = asyncio.create_task(in_thread(time.sleep, 0.05))
    turns = 0
    while not waiting.done():
        turns += 1
        await asyncio.sleep(0.001)
    assert turns > 3
