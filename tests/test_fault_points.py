"""Each call that crosses an I/O seam has a fault point, and each kind of seam has one room."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from tests.seams import modules, points, seams

ROOMS = {
    "file": ("files/",),
    "lock": ("files/",),
    "database": ("db/",),
    "process": ("processes/",),
}
"""Where calls of a kind may stand. Streams, sockets and opening for reading belong to whoever reads."""

ALLOWED_ELSEWHERE = {
    ("processes/child.py", "os.write"): "the answer goes into a pipe, not into a file",
    ("tui/terminal.py", "os.write"): "what is painted goes to the terminal, not into a file",
}


def test_every_seam_call_has_a_fault_point_in_its_function() -> None:
    bare = [
        f"{name}:{seam.line} {seam.call} in {seam.function}"
        for name, text in modules().items()
        for seam in seams(text)
        if not seam.covered
    ]
    assert not bare, "\n".join(bare)


def test_every_fault_point_has_a_literal_dotted_name_of_its_own() -> None:
    places: dict[str | None, list[str]] = defaultdict(list)
    for name, text in modules().items():
        for point in points(text):
            places[point.name].append(f"{name}:{point.line}")
    assert places.pop(None, []) == []
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
    assert [name for name in places if not re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", name or "")] == []
    assert len(places) > 20


@pytest.mark.parametrize("kind", sorted(ROOMS))
def test_a_seam_is_crossed_in_its_own_room_only(kind: str) -> None:
    elsewhere = [
        f"{name}:{seam.line} {seam.call}"
        for name, text in modules().items()
        if not name.startswith(ROOMS[kind])
        for seam in seams(text)
        if seam.kind == kind and (name, seam.call) not in ALLOWED_ELSEWHERE
    ]
    assert not elsewhere, "\n".join(elsewhere)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("os.open(name, os.O_RDWR | os.O_CREAT)", "file"),
        ("os.open(name, os.O_RDONLY)", "open"),
        ("os.write(fd, data)", "file"),
        ("os.fsync(fd)", "file"),
        ("os.rename(old, new)", "file"),
        ("os.ftruncate(fd, 0)", "file"),
        ("shutil.copyfile(old, new)", "file"),
        ("path.write_text('x')", "file"),
        ("path.unlink(missing_ok=True)", "file"),
        ("path.rename(other)", "file"),
        ("path.replace(other)", "file"),
        ("path.mkdir(parents=True)", "file"),
        ("libc.renameat2(a, b, c, d, 1)", "file"),
        ("open(path, 'wb')", "stream"),
        ("path.open('a')", "stream"),
        ("os.fdopen(fd, 'r+b')", "stream"),
        ("av.open(file, 'w', format='mp4')", "stream"),
        ("fcntl.flock(fd, 2)", "lock"),
        ("fcntl.ioctl(fd, 1, other)", "file"),
        ("connection.execute('BEGIN IMMEDIATE')", "database"),
        ("connection.executescript(f'{sql}; COMMIT')", "database"),
        ("connection.commit()", "database"),
        ("sqlite3.connect(path)", "database"),
        ("asyncio.create_subprocess_exec('x')", "process"),
        ("os.kill(pid, 9)", "process"),
        ("os.killpg(pid, 9)", "process"),
        ("process.kill()", "process"),
        ("sock.connect(address)", "socket"),
        ("sock.bind(address)", "socket"),
        ("sock.accept()", "socket"),
        ("asyncio.open_unix_connection(path)", "socket"),
        ("asyncio.start_unix_server(serve, sock=sock)", "socket"),
        ("self._session.get(url)", "socket"),
        ("session.request('GET', url)", "socket"),
        ("process.stdin.drain()", "socket"),
        ("reader.readline()", "socket"),
    ],
)
def test_a_seam_call_without_a_point_is_found(call: str, kind: str) -> None:
    bare = seams(f"def work():\n    {call}\n")
    assert [(seam.kind, seam.covered, seam.function) for seam in bare] == [(kind, False, "work")]
    beside = seams(f"def work():\n    faults.point('room.what')\n    {call}\n")
    assert [seam.covered for seam in beside] == [True]


@pytest.mark.parametrize(
    "call",
    [
        "text.replace('a', 'b')",
        "moment.replace(tzinfo=None)",
        "dataclasses.replace(job, stage=1)",
        "folder.rename('old', 'new')",
        "folder.unlink('name')",
        "path.open()",
        "path.open('rb')",
        "open(path)",
        "connection.execute('SELECT 1')",
        "settings.get(key)",
        "downloads.drain()",
        "os.open(os.devnull, os.O_RDWR)",
        "Folder.open(path, create=True)",
    ],
)
def test_what_crosses_no_seam_is_left_alone(call: str) -> None:
    assert seams(f"def work():\n    {call}\n") == []


def test_a_point_in_another_function_does_not_count() -> None:
    source = "def first():\n    faults.point('a.b')\n    def inner():\n        os.fsync(fd)\n    return inner\n"
    assert [seam.covered for seam in seams(source)] == [False]


def test_a_seam_call_in_a_lambda_belongs_to_the_function_around_it() -> None:
    assert [seam.covered for seam in seams("def work():\n    return lambda: os.fsync(fd)\n")] == [False]


def test_a_seam_call_outside_all_functions_is_found() -> None:
    assert [(seam.function, seam.covered) for seam in seams("os.mkdir('x')\n")] == [("(module)", False)]


def test_a_private_function_is_covered_only_if_all_its_callers_are() -> None:
    private = "def _sync():\n    os.fsync(fd)\n\ndef one():\n    faults.point('a.b')\n    _sync()\n"
    assert [seam.covered for seam in seams(private)] == [True]
    assert [seam.covered for seam in seams(private + "\ndef two():\n    _sync()\n")] == [False]
    assert [seam.covered for seam in seams(private.replace("_sync", "sync"))] == [False]


def test_a_point_without_a_literal_name_is_found() -> None:
    assert [point.name for point in points("faults.point(name)\nfaults.async_point('a.b')\n")] == [None, "a.b"]
