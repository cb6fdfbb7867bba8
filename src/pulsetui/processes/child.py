"""The process of one job: reads its order from standard input, does it, answers in JSON lines, and ends.

In a session, more lines follow on standard input; the task gets them as they come.

The invariant: it ends with the process that started it (by the kernel's parent-death signal, and when standard input
ends), and nothing that the task prints can get between the answers: those have a descriptor of their own, and standard
output leads to standard error. How its end is judged is left to `runner`.

Every job pays for what this module imports, so that is little; `faults` is imported only where it is armed.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from types import FrameType
from typing import Any

from pulsetui.errors import PulseError
from pulsetui.processes.task import Orders, TaskError, load_session_task, load_task

FAULTS_VARIABLE = "PULSETUI_FAULTS"
STOPPED = 128 + signal.SIGTERM
"""The exit code after SIGTERM, as a shell would report it."""
CRASHED = 1
"""The exit code after an exception that the task doesn't know; its traceback is on standard error."""
NICENESS = 10
"""How far a job gives way to the event loop and its screens, which share the processors with it. With equal rights, two
transcriptions on two processors held the loop up for 20 ms at the 99th percentile; so, for 12 ms."""
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Answers:
    """The way back: a line of JSON each, whole, from any thread of the task."""

    def __init__(self, descriptor: int) -> None:
        """Take over the descriptor that the answers go to."""
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def event(self, event: dict[str, Any]) -> None:
        """Send an event of a task that goes on."""
        self._send({"event": event})

    def result(self, result: dict[str, Any]) -> None:
        """Send the result."""
        self._send({"result": result})

    def error(self, kind: str, message: str, hint: str = "") -> None:
        """Send the failure."""
        self._send({"error": {"kind": kind, "message": message, "hint": hint}})

    def _send(self, message: dict[str, Any]) -> None:
        rest = memoryview(json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n")
        with self._lock:
            if FAULTS_VARIABLE in os.environ:
                from pulsetui import faults

                faults.point("processes.answer")
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


def main() -> None:
    """Do the one job of this process; the argument is the process id of the one that waits for it. Never returns."""
    _end_with_parent(int(sys.argv[1]))
    os.nice(NICENESS)
    if FAULTS_VARIABLE in os.environ:
        from pulsetui import faults

        faults.arm_from_environment()
    orders, answers = _take_pipes()
    lines = _lines(orders)
    spec = json.loads(next(lines))
    _limit(spec["limits"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    inbox: Orders | None = SimpleQueue() if spec.get("two_way") else None
    threading.Thread(target=_end_with_orders, args=(lines, inbox), daemon=True).start()
    code = _work(spec["task"], spec["arguments"], Answers(answers), inbox)
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: threads and libraries of the task could hold up an interpreter that shuts down in order.
    os._exit(code)


def _work(name: str, arguments: dict[str, Any], answers: Answers, inbox: Orders | None) -> int:
    """Run the task and return the exit code."""
    try:
        if inbox is None:
            answers.result(load_task(name)(arguments, answers.event))
        else:
            answers.result(load_session_task(name)(arguments, answers.event, inbox))
    except TaskError as error:
        answers.error(error.kind, str(error))
    except PulseError as error:
        answers.error(error.code, str(error), error.hint)
    except MemoryError:
        answers.error("memory", "the task needs more memory than it may have")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else CRASHED
    except Exception:  # noqa: BLE001 - the boundary of the job: nothing above knows the task's exceptions
        sys.excepthook(*sys.exc_info())
        return CRASHED
    return 0


def _end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends (PR_SET_PDEATHSIG, prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(STOPPED)


def _end_with_orders(lines: Iterator[bytes], inbox: Orders | None) -> None:
    """Hand on what comes, and end at once when standard input ends: whoever waited is gone, or has stopped waiting."""
    for line in lines:
        if inbox is not None:
            inbox.put(json.loads(line))


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Unwind the task, so that it can clear up; a second signal must not interrupt that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(STOPPED)


def _take_pipes() -> tuple[int, int]:
    """Move the orders and the answers to descriptors that the task and its own processes don't know."""
    orders, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return orders, answers


def _lines(orders: int) -> Iterator[bytes]:
    """Yield the lines of standard input; ends the process when there is no more, since nobody is there any more."""
    rest = b""
    while read := os.read(orders, 1 << 16):
        *lines, rest = (rest + read).split(b"\n")
        yield from lines
    os._exit(STOPPED)


def _limit(limits: dict[str, int | None]) -> None:
    """Set the limits that the order asks for, and that a crash leaves no core file on the disk.

    Memory is RLIMIT_DATA, which since Linux 4.7 counts private writable mappings: RLIMIT_AS would also count the
    libraries, the address space that malloc keeps aside for each thread, and mapped model files.
    """
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: limits["memory_bytes"],
        resource.RLIMIT_CPU: limits["cpu_s"],
        resource.RLIMIT_FSIZE: limits["file_bytes"],
    }
    for kind, value in wanted.items():
        if value is not None:
            _, hard = resource.getrlimit(kind)
            least = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (least, hard if kind == resource.RLIMIT_CPU else least))


if __name__ == "__main__":
    main()
