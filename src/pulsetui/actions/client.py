"""The caller's side of the owner's socket: give an order, or ask for live figures.

The invariant: None means that nobody owns the data directory now, so nothing was sent; every other failure is an error.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pulsetui import faults
from pulsetui.actions.base import Action
from pulsetui.actions.socket import socket_address
from pulsetui.actions.wire import MAX_REQUEST_BYTES, error_from_plain, to_line
from pulsetui.clock import rfc3339
from pulsetui.errors import NotPermittedError, PulseError, UsageError
from pulsetui.files.names import display_text

_MAX_ANSWER_BYTES = 64 << 20
_QUESTION_TIMEOUT_S = 5.0


async def send_order(
    data_dir: Path, action: Action, *, uuid: str, expires_at: datetime, through: str
) -> dict[str, Any] | None:
    """Give the owner an order and return its outcome as JSON values; None if nobody owns the data directory.

    Waits for as long as the order takes. Sent again under the same uuid, it isn't run a second time.

    Raises:
        PulseError: what the order raised at the owner's, or the owner went away before it answered.
    """
    order = {
        "verb": action.verb,
        "arguments": action.arguments(),
        "uuid": uuid,
        "expires_at": rfc3339(expires_at),
        "through": through,
    }
    return await _ask(data_dir, {"order": order}, "outcome")


async def ask_live(data_dir: Path) -> dict[str, Any] | None:
    """Return the owner's live figures; None if nobody owns the data directory.

    Raises:
        PulseError: the owner doesn't answer within 5 s, or says why not.
    """
    try:
        async with asyncio.timeout(_QUESTION_TIMEOUT_S):
            return await _ask(data_dir, {"ask": "live"}, "live")
    except TimeoutError as error:
        raise PulseError(
            f"the owner of {display_text(str(data_dir))} did not answer within {_QUESTION_TIMEOUT_S:.0f} s",
            hint="look whether its process hangs",
        ) from error


async def _ask(data_dir: Path, request: dict[str, Any], answer_key: str) -> dict[str, Any] | None:
    line = to_line(request)
    if len(line) > MAX_REQUEST_BYTES:
        raise UsageError(f"the order is longer than {MAX_REQUEST_BYTES} bytes", hint="split it into several orders")
    try:
        await faults.async_point("actions.connect")
        with socket_address(data_dir) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=_MAX_ANSWER_BYTES)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except PermissionError as error:
        raise NotPermittedError(
            f"this user may not reach the owner of {display_text(str(data_dir))}",
            hint="ask the owner to set access.group to a group that you are in",
        ) from error
    except OSError as error:
        raise PulseError(f"the owner of {display_text(str(data_dir))} can't be reached: {error.strerror}") from error
    try:
        return _answer(await _exchange(reader, writer, line), answer_key)
    except (OSError, ValueError) as error:
        raise _gone(data_dir) from error
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> dict[str, Any]:
    await faults.async_point("actions.send")
    writer.write(line)
    await writer.drain()
    await faults.async_point("actions.sent")
    answer: dict[str, Any] = json.loads(await reader.readline())
    return answer


def _answer(answer: dict[str, Any], key: str) -> dict[str, Any]:
    if "error" in answer:
        raise error_from_plain(answer["error"])
    found: dict[str, Any] = answer[key]
    return found


def _gone(data_dir: Path) -> PulseError:
    return PulseError(
        f"the owner of {display_text(str(data_dir))} went away before it answered",
        hint="the order may have been carried out: look before you give it again",
    )
