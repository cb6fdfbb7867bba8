"""Reads source text for calls that cross an I/O seam and for the fault points beside them.

A seam call needs a fault point in its own function. A private function may leave that to its callers in the module, if
every one of them has a point: so one system call can carry different names for what it is used for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "pulsetui"


def _by_call(kinds: dict[str, str]) -> dict[str, str]:
    """Turn `kind: calls` into `call: kind`."""
    return {call: kind for kind, calls in kinds.items() for call in calls.split()}


_CALLS = _by_call(
    {
        "file": """
            os.open os.mkdir os.makedirs os.rmdir os.rename os.renames os.replace os.link os.symlink os.unlink os.remove
            os.truncate os.ftruncate os.write os.writev os.pwrite os.pwritev os.fsync os.fdatasync os.sendfile
            os.copy_file_range os.posix_fallocate fcntl.ioctl
            shutil.copy shutil.copy2 shutil.copyfile shutil.copyfileobj shutil.copytree shutil.move shutil.rmtree
            tempfile.mkstemp tempfile.mkdtemp tempfile.NamedTemporaryFile tempfile.TemporaryFile renameat2
            """,
        "lock": "fcntl.flock fcntl.lockf",
        "database": "sqlite3.connect aiosqlite.connect",
        "process": """
            os.kill os.killpg os.fork os.forkpty os.posix_spawn os.system os.popen os.execv os.execve
            subprocess.run subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output
            asyncio.create_subprocess_exec asyncio.create_subprocess_shell multiprocessing.Process ProcessPoolExecutor
            """,
        "socket": """
            asyncio.open_connection asyncio.start_server asyncio.open_unix_connection asyncio.start_unix_server
            TCPSite UnixSite SockSite
            """,
    }
)
_METHODS = _by_call(
    {
        "file": "write_text write_bytes mkdir touch symlink_to hardlink_to renameat2",
        "database": "backup",
        "process": "send_signal terminate ProcessPoolExecutor",
        "socket": """
            create_connection create_server create_unix_connection create_unix_server sock_connect sock_accept
            sock_sendall sock_recv connect_ex bind accept recv recvfrom sendall sendto
            iter_chunked iter_any readany TCPSite UnixSite SockSite
            """,
    }
)
_WITHOUT_ARGUMENTS = {"unlink": "file", "rmdir": "file", "commit": "database", "kill": "process", "connect": "socket"}
_WITH_ONE = {"rename": "file", "replace": "file", "connect": "socket"}
_OPENERS = {"open", "fdopen"}
_STATEMENTS = {"execute", "executescript", "execute_fetchall", "executemany", "execute_insert"}
_TRANSACTION = re.compile(r"\b(BEGIN|COMMIT|END TRANSACTION|VACUUM)\b")
_WRITING_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"}
_STREAM = re.compile(r"(std(in|out|err)|reader|writer)$")
_STREAM_CALLS = {"drain", "readline", "readuntil", "readexactly"}
_REQUESTS = {"get", "head", "post", "put", "request"}


@dataclass(frozen=True, slots=True)
class Seam:
    """One call that crosses a seam: where it is, of which kind, and whether it has its fault point."""

    line: int
    function: str
    call: str
    kind: str
    covered: bool


@dataclass(frozen=True, slots=True)
class Point:
    """One fault point; `name` is None if it isn't a literal."""

    line: int
    name: str | None


Function = ast.FunctionDef | ast.AsyncFunctionDef


def seams(source: str) -> list[Seam]:
    """Return all seam calls of a module."""
    tree = ast.parse(source)
    functions = {id(node): node for node in ast.walk(tree) if isinstance(node, Function)}
    pointed = {key for key, node in functions.items() if any(_is_point(call) for call in _own_calls(node))}
    found = []
    for scope in (tree, *functions.values()):
        covered = id(scope) in pointed or _left_to_callers(scope, functions, pointed)
        name = getattr(scope, "name", "(module)")
        found += [
            Seam(call.lineno, name, ast.unparse(call.func), kind, covered)
            for call in _own_calls(scope)
            if (kind := _kind(call))
        ]
    return sorted(found, key=lambda seam: seam.line)


def points(source: str) -> list[Point]:
    """Return all fault points of a module."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _is_point(node):
            argument = node.args[0] if len(node.args) == 1 and not node.keywords else None
            value = argument.value if isinstance(argument, ast.Constant) else None
            found.append(Point(node.lineno, value if isinstance(value, str) else None))
    return found


def modules() -> dict[str, str]:
    """Return the text of every module of pulsetui by its path below the package, but for `faults.py` itself."""
    files = {str(path.relative_to(SOURCE)): path for path in sorted(SOURCE.rglob("*.py"))}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items() if name != "faults.py"}


def all_points() -> list[str]:
    """Return the names of all fault points of pulsetui, sorted."""
    return sorted(point.name for text in modules().values() for point in points(text) if point.name)


def _own_calls(scope: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in a scope itself: those of lambdas and classes in it too, those of inner functions not."""
    pending = [scope]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Call):
            yield node
        pending += [child for child in ast.iter_child_nodes(node) if not isinstance(child, Function)]


def _is_point(call: ast.Call) -> bool:
    return ast.unparse(call.func) in {"faults.point", "faults.async_point", "point", "async_point"}


def _left_to_callers(scope: ast.AST, functions: dict[int, Function], pointed: set[int]) -> bool:
    """Whether this is a private function that is called in its module, and each of its callers there has a point."""
    if not isinstance(scope, Function) or not scope.name.startswith("_") or scope.name.endswith("__"):
        return False
    callers = {key for key, node in functions.items() if node is not scope and _uses(node, scope.name)}
    return bool(callers) and callers <= pointed


def _uses(function: Function, name: str) -> bool:
    """Whether the function calls `name` or hands it on."""
    pending: list[ast.AST] = [function]
    while pending:
        node = pending.pop()
        if (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name):
            return True
        pending += [child for child in ast.iter_child_nodes(node) if not isinstance(child, Function)]
    return False


def _kind(call: ast.Call) -> str | None:
    """Return the kind of seam that a call crosses, or None."""
    full = ast.unparse(call.func)
    if full == "os.open" and call.args and ast.unparse(call.args[0]) == "os.devnull":
        return None
    if full == "os.open":
        return "file" if _opens_for_writing(call) else "open"
    if full in _CALLS:
        return _CALLS[full]
    receiver, _, name = full.rpartition(".")
    if name in _OPENERS:
        return "stream" if _mode_writes(call, receiver) else None
    if name in _STATEMENTS and any(_TRANSACTION.search(text) for text in _texts(call)):
        return "database"
    if (name in _REQUESTS and "session" in receiver.lower()) or (name in _STREAM_CALLS and _STREAM.search(receiver)):
        return "socket"
    if not receiver:
        return None
    positional, named = len(call.args), {keyword.arg for keyword in call.keywords}
    if name in _WITHOUT_ARGUMENTS and positional == 0 and named <= {"missing_ok"}:
        return _WITHOUT_ARGUMENTS[name]
    if name in _WITH_ONE and positional == 1 and not named:
        return _WITH_ONE[name]
    return _METHODS.get(name)


def _opens_for_writing(call: ast.Call) -> bool:
    names = {node.attr for argument in call.args for node in ast.walk(argument) if isinstance(node, ast.Attribute)}
    return bool(names & _WRITING_FLAGS)


def _mode_writes(call: ast.Call, receiver: str) -> bool:
    """Whether an `open` gets a mode for writing: the second argument, or the first of a path's method."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    given += call.args[:1] if receiver and len(call.args) == 1 else call.args[1:2]
    modes = [node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return any(set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes)


def _texts(call: ast.Call) -> Iterator[str]:
    for node in ast.walk(call):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
