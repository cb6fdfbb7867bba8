"""Tasks that behave, misbehave and die, for the tests of the runner."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from pulsetui.errors import SpaceError
from pulsetui.processes.task import Emit, Orders, TaskError


def echo(arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    for number in range(arguments.get("events", 0)):
        emit({"number": number})
    return {"arguments": arguments}


def prints(_arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    print('{"result": {"forged": true}}')  # noqa: T201
    os.write(1, b'{"result": {"forged": true}}\n')
    subprocess.run(["/bin/echo", '{"result": {"forged": true}}'], check=True)
    emit({"said": "enough"})
    sys.stderr.write("x" * 300_000)
    return {"forged": False, "input": sys.stdin.read()}


def large(arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    return {"text": "ž" * arguments["length"]}


def from_threads(arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    def send(name: str) -> None:
        for _ in range(arguments["events"]):
            emit({"name": name, "padding": "x" * 1_000_000})

    threads = [threading.Thread(target=send, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {}


def known_failure(_arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    raise TaskError("no-audio", "no audio stream in \x1b[31mthis\nfile")


def no_space(_arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    raise SpaceError("no space left to write", hint="free some")


def unknown_failure(_arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    sys.stderr.write("noise\n" * 10_000)
    threading.Thread(target=threading.Event().wait).start()  # would hold up an orderly end for ever
    raise RuntimeError("out of \x1b[2Jcheese")


def leaves(arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    os._exit(arguments["code"])


def waits(arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Wait for ever; write a word to `cleared` when unwound."""
    try:
        emit({"pid": os.getpid()})
        threading.Event().wait()
    finally:
        if "cleared" in arguments:
            Path(arguments["cleared"]).write_text("cleared")
    return {}


def will_not_stop(_arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return waits({}, emit)


def holds_the_interpreter(_arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Sleep in a C call without letting go of the GIL, so that no other thread and no handler can run."""
    emit({"pid": os.getpid()})
    ctypes.PyDLL(None).sleep(600)
    return {}


def with_a_child(arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    process = subprocess.Popen(["/bin/sleep", "600"])
    emit({"pid": process.pid})
    if arguments.get("wait"):
        process.wait()
    process.returncode = 0  # it is not ours to wait for: the runner has to end it
    return {"pid": process.pid}


def takes_memory(arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    return {"length": len(bytearray(arguments["bytes"]))}


def burns(_arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    emit({"pid": os.getpid()})
    while True:
        pass


def writes(arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    try:
        Path(arguments["path"]).write_bytes(b"x" * arguments["bytes"])
    except OSError as error:
        raise TaskError("file", str(error.strerror)) from error
    return {}


def surroundings(_arguments: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    links = list(Path("/proc/self/fd").iterdir())
    return {
        "environment": dict(os.environ),
        "descriptors": [str(link.readlink()) for link in links if link.exists()],
        "group": os.getpgrp() == os.getpid(),
        "session": os.getsid(0),
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "core": Path("/proc/self/limits").read_text().split("Max core file size")[1].split()[0],
    }


def answers_rubbish(_arguments: dict[str, Any], emit: Emit) -> dict[str, Any]:
    for link in list(Path("/proc/self/fd").iterdir()):
        # Not 0 to 2; of the other two pipes, the orders can't be written to.
        if int(link.name) > 2 and link.exists() and str(link.readlink()).startswith("pipe:"):
            with suppress(OSError):
                os.write(int(link.name), b"this is no answer\n")
    return waits({}, emit)


def answers_each(_arguments: dict[str, Any], emit: Emit, orders: Orders) -> dict[str, Any]:
    """Answer each order until one says `end`, `fail` or `die`."""
    emit({"pid": os.getpid()})
    heard = 0
    while not (order := orders.get()).get("end"):
        if order.get("fail"):
            raise TaskError("told-to", "told to fail")
        if order.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        heard += 1
        emit({"heard": order})
    return {"heard": heard}


def looks_at(arguments: dict[str, Any], _emit: Emit, _orders: Orders) -> dict[str, Any]:
    """Ask a file system how full it is."""
    return {"blocks": os.statvfs(arguments["path"]).f_blocks}
