from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.living import is_alive
from tests.until import until

CHILD = [sys.executable, "-P", "-m", "pulsetui.processes.child"]
NO_LIMITS: dict[str, Any] = {"memory_bytes": None, "cpu_s": None, "file_bytes": None}

OWNER = """
import asyncio, sys
from pathlib import Path
from pulsetui.processes.runner import TaskSpec, run

def report(event):
    Path(sys.argv[1] + ".new").write_text(str(event["pid"]))
    Path(sys.argv[1] + ".new").rename(sys.argv[1])

asyncio.run(run(TaskSpec("tests.processes.tasks:" + sys.argv[2], {}), report))
"""

IMPORTED = """
import sys
import pulsetui.processes.child, pulsetui.processes.task
print(*sorted(sys.modules))
"""


def order(task: str) -> bytes:
    return json.dumps({"task": f"tests.processes.tasks:{task}", "arguments": {}, "limits": NO_LIMITS}).encode() + b"\n"


@pytest.mark.parametrize("task", ["waits", "will_not_stop", "holds_the_interpreter"])
async def test_a_task_dies_with_a_killed_owner(tmp_path: Path, task: str) -> None:
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, str(tmp_path / "pid"), task)
    await until((tmp_path / "pid").exists)
    pid = int((tmp_path / "pid").read_text())
    assert is_alive(pid)

    owner.kill()

    await owner.wait()
    await until(lambda: not is_alive(pid))


def test_a_task_dies_when_its_standard_input_ends() -> None:
    with subprocess.Popen([*CHILD, str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(order("will_not_stop"))
        child.stdin.flush()
        assert json.loads(child.stdout.readline()) == {"event": {"pid": child.pid}}

        child.stdin.close()

        assert child.wait(timeout=10) == 128 + signal.SIGTERM


def test_without_an_order_it_ends() -> None:
    ended = subprocess.run([*CHILD, str(os.getpid())], input=b"", capture_output=True, check=False, timeout=10)

    assert ended.returncode == 128 + signal.SIGTERM
    assert ended.stdout == b""


def test_it_does_nothing_for_a_parent_that_is_gone() -> None:
    with subprocess.Popen([*CHILD, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(BrokenPipeError):
            child.stdin.write(order("echo"))
            child.stdin.flush()

        assert child.stdout.read() == b""
        assert child.wait(timeout=10) == 128 + signal.SIGTERM


def test_an_order_is_answered_on_standard_output_alone() -> None:
    with subprocess.Popen([*CHILD, str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(order("echo"))
        child.stdin.flush()

        assert child.stdout.read() == b'{"result":{"arguments":{}}}\n'
        assert child.wait(timeout=10) == 0


def test_the_child_imports_nothing_heavy() -> None:
    modules = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, check=True, text=True
    ).stdout.split()

    for heavy in ("asyncio", "pydantic", "textual", "rich", "aiohttp", "sqlite3", "av", "inspect", "subprocess"):
        assert heavy not in modules
