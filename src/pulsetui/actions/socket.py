"""The owner's socket: orders and questions from other processes of this machine, answered one line each.

The invariant: who calls is what the kernel says (SO_PEERCRED, unix(7)), never what the request says; whatever a caller
sends gets an answer or a closed connection, and never disturbs the owner; an order that began goes on if its caller
leaves. What an order does is left to `runner`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pulsetui import faults
from pulsetui.actions.base import Caller, parse_action
from pulsetui.actions.runner import ActionRunner
from pulsetui.actions.wire import MAX_REQUEST_BYTES, SOCKET_NAME, Order, error_to_plain, parse_request, to_line
from pulsetui.db.identity import user_name
from pulsetui.errors import PulseError, UsageError
from pulsetui.files.folders import Folder

_REQUEST_TIMEOUT_S = 30.0
_LINGER_S = 5.0
_CREDENTIALS = struct.Struct("3i")

Answer = dict[str, Any]


class OrderServer:
    """The service behind `owner.sock`; runs in the process that holds the owner's lock."""

    name = "orders"

    def __init__(
        self, data_dir: Path, runner: ActionRunner, *, live: Callable[[], Awaitable[Answer]], mode: int = 0o600
    ) -> None:
        """Take the runner, what answers the question for live figures, and the socket's mode (0660 with a group)."""
        self._data_dir = data_dir
        self._runner = runner
        self._live = live
        self._mode = mode
        self._reading: set[asyncio.Task[None]] = set()
        self._working: set[asyncio.Task[None]] = set()
        self.ready = asyncio.Event()
        """Set while the socket accepts connections."""

    async def run(self) -> None:
        """Serve until cancelled; then answer what is being worked on, for at most 5 s, and remove the socket."""
        with socket_address(self._data_dir) as address:
            server = await asyncio.start_unix_server(
                self._serve, sock=self._bound(address), limit=MAX_REQUEST_BYTES, backlog=100
            )
            await faults.async_point("actions.listen")
            self.ready.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.ready.clear()
                server.close()
                self._remove()
                await self._finish()

    def _bound(self, address: str) -> socket.socket:
        """Bind a socket with the right mode; the last owner's, which nobody serves now, gives way."""
        self._remove()
        faults.point("actions.bind")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(address)
            Path(address).chmod(self._mode)  # in time: nobody can connect before it listens
        except BaseException:
            listener.close()
            raise
        return listener

    def _remove(self) -> None:
        with Folder.open(self._data_dir.resolve()) as folder, suppress(FileNotFoundError):
            folder.unlink(SOCKET_NAME)

    async def _finish(self) -> None:
        """Drop callers that haven't asked yet, and let the others have their answer."""
        for task in self._reading:
            task.cancel()
        tasks = self._reading | self._working
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_LINGER_S)
            for task in late:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            await faults.async_point("actions.accept")
            await self._answer_one(task, reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()  # the caller is gone or stuck, or the owner stops: there is nobody to tell
        finally:
            self._reading.discard(task)
            self._working.discard(task)
            writer.close()

    async def _answer_one(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reading.add(task)
        answer: Answer
        try:
            line = await _request_line(reader)
            if not line:
                return
            self._reading.discard(task)
            self._working.add(task)
            answer = await self._answer(line, _caller_uid(writer))
        except PulseError as error:
            answer = {"error": error_to_plain(error)}
        await faults.async_point("actions.answer")
        writer.write(to_line(answer))
        async with asyncio.timeout(_REQUEST_TIMEOUT_S):
            await writer.drain()
        await faults.async_point("actions.answered")
        await _wait_for_end(reader)

    async def _answer(self, line: bytes, uid: int) -> Answer:
        request = parse_request(line)
        if request.order is None:
            return {"live": await self._live()}
        return {"outcome": await self._order(request.order, uid)}

    async def _order(self, order: Order, uid: int) -> Answer:
        action = parse_action(order.verb, order.arguments)
        caller = Caller(await asyncio.to_thread(user_name, uid), uid, order.through)
        outcome = await self._runner.run(action, caller=caller, uuid=str(order.uuid), expires_at=order.expires_at)
        return outcome.model_dump(mode="json")


@contextmanager
def socket_address(data_dir: Path) -> Iterator[str]:
    """Give a short path to the owner's socket, good while the context lasts.

    A socket's address holds 107 bytes (unix(7)), and a data directory may lie deeper: go through our own descriptor.

    Raises:
        FileNotFoundError: the data directory doesn't exist.
    """
    faults.point("actions.address")
    descriptor = os.open(data_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)


def _caller_uid(writer: asyncio.StreamWriter) -> int:
    connection: socket.socket = writer.get_extra_info("socket")
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(found)
    return int(uid)


async def _request_line(reader: asyncio.StreamReader) -> bytes:
    """Return the request; empty if the caller left without one.

    Raises:
        UsageError: it is too long, cut off, or doesn't come.
    """
    try:
        await faults.async_point("actions.read")
        async with asyncio.timeout(_REQUEST_TIMEOUT_S):
            return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return b""
        raise UsageError("the request was cut off before its end of line") from error
    except asyncio.LimitOverrunError as error:
        raise UsageError(
            f"the request is longer than {MAX_REQUEST_BYTES} bytes", hint="split it into several orders"
        ) from error
    except TimeoutError as error:
        raise UsageError(f"no request came within {_REQUEST_TIMEOUT_S:.0f} s") from error


async def _wait_for_end(reader: asyncio.StreamReader) -> None:
    """Read on until the caller hangs up: closing on unread bytes would take the answer away from it (ECONNRESET)."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while await reader.read(1 << 16):
                pass
