"""ncdu's export, both ways, beside the real ncdu where it is installed."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui import faults
from pulsetui.errors import NotFoundError, PulseError
from pulsetui.storage.categories import BUILT_IN, category_table
from pulsetui.storage.ncdu.imported import Imported, read_export
from pulsetui.storage.ncdu.walk import Exported, WalkCancelledError, folder_chunks
from pulsetui.storage.ncdu.writer import head, info, quoted, tree_chunks
from pulsetui.storage.views import Amount, StorageNode

CATEGORIES = category_table(BUILT_IN)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = [b"\xff\xfe.mp4", b"\x1b[2J\n\r\t\x07", b'"quoted\\"', b"\x7f\x01", "\u202egnp.4pm \u4e16 é".encode(), b"[{"]
needs_ncdu = pytest.mark.skipif(shutil.which("ncdu") is None, reason="ncdu is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that an export tells apart."""
    top = tmp_path / "top"
    (top / "b" / "deep").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "b" / "take.mp4").write_bytes(os.urandom(70_000))
    (top / "b" / "deep" / "again.mp4").hardlink_to(top / "b" / "take.mp4")
    (top / "z.mp4").hardlink_to(top / "b" / "take.mp4")
    (top / "b" / "link").symlink_to("nowhere")
    os.mkfifo(top / "pipe")
    with (top / "b" / "sparse.bin").open("wb") as file:
        file.truncate(5_000_000)
    for number, name in enumerate(HOSTILE):
        Path(os.fsdecode(bytes(top) + b"/" + name)).write_bytes(b"x" * number * 3000)
    return top


def exported(path: Path, **kwargs: Any) -> bytes:
    return b"".join(folder_chunks(path, NOW, kwargs.pop("exported", Exported()), **kwargs))


def read(document: bytes, **kwargs: Any) -> Imported:
    return read_export(io.BytesIO(document), categories=CATEGORIES, **kwargs)


def nodes(tree: StorageNode) -> dict[str, tuple[Amount, str]]:
    return {node.key: (node.size, node.error) for node in tree.walk()}


def ncdu(*words: str, stdin: bytes = b"") -> bytes:
    # Without a home there are no settings of the user's that could leave something out.
    done = subprocess.run(
        ["ncdu", "-0", *words], input=stdin, capture_output=True, check=False, env={"HOME": "/", "TERM": "dumb"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def entries(document: bytes) -> list[dict[str, Any]]:
    """Return all info objects of an export, in an order of their own, less what only one of the writers says."""
    found: list[dict[str, Any]] = []
    pending: list[Any] = [json.loads(document.decode(errors="surrogateescape"))[3]]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            found.append({**item[0], "folder": True})
            pending += item[1:]
        else:
            found.append(item)
    for item in found:
        item.pop("mtime", None)
    return sorted(found, key=lambda item: (item["name"], item.get("asize", 0), item.get("folder", False)))


def document(*items: object, top: object = None) -> bytes:
    """Return an export with these entries in its top folder."""
    return json.dumps([1, 2, {"timestamp": 1_700_000_000}, [top or {"name": "/top"}, *items]]).encode()


@needs_ncdu
def test_an_export_opens_in_ncdu_with_all_that_is_in_it(folder: Path) -> None:
    assert entries(ncdu("-f", "-", "-o", "-", stdin=exported(folder))) == entries(exported(folder))


@needs_ncdu
def test_ours_and_ncdus_own_export_say_the_same(folder: Path) -> None:
    theirs = ncdu("-o", "-", str(folder))
    assert entries(exported(folder)) == entries(theirs)
    assert nodes(read(exported(folder)).tree) == nodes(read(theirs).tree)


@needs_ncdu
def test_ncdus_own_export_has_the_totals_of_the_disk(folder: Path) -> None:
    size = read(ncdu("-o", "-", str(folder))).tree.size
    du = subprocess.run(["du", "-sB1", str(folder)], capture_output=True, text=True, check=True).stdout
    assert size.allocated_bytes == int(du.split()[0])
    inodes = {path.lstat().st_ino: path.lstat().st_size for path in folder.rglob("*") if not _is_folder(path)}
    assert (size.total_bytes, size.file_count) == (sum(inodes.values()), len(inodes))


@needs_ncdu
def test_the_tree_of_entities_opens_in_ncdu_with_its_totals() -> None:
    leaves = tuple(
        StorageNode(f"scene:{n}", name, "scene", n, Amount(n * 10, n * 4096, n))
        for n, name in enumerate(["", "x", "\udcff"])
    )
    size = sum((leaf.size for leaf in leaves), Amount())
    tree = StorageNode("project:1", "Harbor", "project", 1, size, children=leaves)
    written = b"".join(tree_chunks(tree, NOW))
    seen = read(ncdu("-f", "-", "-o", "-", stdin=written)).tree
    assert (seen.name, seen.size.total_bytes, seen.size.allocated_bytes) == (
        "Harbor",
        size.total_bytes,
        size.allocated_bytes,
    )
    assert {node.name for node in seen.children} == {"scene:0", "x", "\udcff"}


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


@given(st.binary(min_size=1, max_size=40).filter(lambda name: not set(b"\0/") & set(name)))
def test_every_name_comes_back_as_its_bytes(name: bytes) -> None:
    found = read(head(NOW) + b'[{"name":"/top"},' + info(name, 1, 2) + b"]]").tree.children
    assert [os.fsencode(child.name) for child in found if child.entity_type == "file"] == [name]


def test_a_quoted_name_holds_nothing_that_ncdu_refuses() -> None:
    every = bytes(range(1, 256))
    assert [byte for byte in quoted(every) if byte < 0x20 or byte == 0x7F] == []
    assert quoted(b"plain \xc3\xa9 \xff") == b"plain \xc3\xa9 \xff"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (rb"\u00e9", "é".encode()),
        (rb"\ud83d\ude00", "\U0001f600".encode()),
        (rb"\udcff", b"\xff"),  # as Python writes a byte that is no UTF-8
        (rb"\ud83d", b"\xed\xa0\xbd"),  # as ncdu 1 takes half of a pair
        (b"\xe4\xb8", b"\xe4\xb8"),  # a character that is cut off
    ],
)
def test_escaped_names_are_understood(written: bytes, name: bytes) -> None:
    found = read(b'[1,2,{},[{"name":"/top"},{"name":"' + written + b'"}]]').tree
    assert found.children[0].path == b"/top/" + name


def test_a_file_with_several_names_counts_once_under_the_smallest_path(folder: Path) -> None:
    tree = read(exported(folder)).tree
    found = nodes(tree)
    assert found["file:0:b/deep/again.mp4"][0].total_bytes == 70_000
    assert not {"file:0:b/take.mp4", "file:0:z.mp4"} & set(found)


def test_links_on_two_devices_are_two_files() -> None:
    linked = {"asize": 5, "dsize": 8, "ino": 7, "nlink": 2, "hlnkc": True}
    tree = read(document({"name": "a", **linked}, {"name": "b", "dev": 9, **linked}, top={"name": "/t", "dev": 1})).tree
    assert (tree.size.file_count, tree.size.total_bytes) == (2, 10)


def test_what_was_left_out_or_unreadable_is_named_and_not_counted() -> None:
    imported = read(
        document(
            {"name": "seen.mp4", "asize": 3, "dsize": 4096},
            {"name": "cache", "excluded": "pattern"},
            [{"name": "mount", "excluded": "otherfs"}],
            [{"name": "locked", "dsize": 4096, "read_error": True}],
        )
    )
    errors = {child.name: child.error for child in imported.tree.children if child.error}
    assert "pattern" in errors["cache"]
    assert "file system" in errors["mount"]
    assert "could not be read" in errors["locked"]
    assert imported.tree.size == Amount(3, 8192, 1)
    assert (imported.error_count, [path for path, _ in imported.errors]) == (
        3,
        [b"/top/cache", b"/top/mount", b"/top/locked"],
    )


def test_when_it_was_written_and_when_files_were_is_taken_over() -> None:
    imported = read(
        document({"name": "a", "mtime": 1_600_000_000}, {"name": "b", "mtime": 10**15}, {"name": "c", "mtime": 1.5})
    )
    assert imported.exported_at == datetime.fromtimestamp(1_700_000_000, UTC)
    newest = {child.name: child.newest_at for child in imported.tree.children}
    assert newest == {"a": datetime.fromtimestamp(1_600_000_000, UTC), "b": None, "c": datetime.fromtimestamp(1, UTC)}


@pytest.mark.parametrize("size", [1, 7, 64])
def test_it_does_not_matter_how_the_document_is_cut_into_blocks(folder: Path, size: int) -> None:
    whole = exported(folder)

    class Slow(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            return super().read(size)

    assert nodes(read_export(Slow(whole), categories=CATEGORIES).tree) == nodes(read(whole).tree)


def test_spaces_and_unknown_keys_do_not_matter() -> None:
    text = b' [ 1 ,7,{"x":[1]} , [\n{ "name" : "/t", "new": {"a": ["]"]} } ,\n\t'
    text += b'[ {"name":"f"} ] , {"name":"g","asize":4} ] ] \n'
    tree = read(text).tree
    assert {child.name for child in tree.children} == {"f", "g"}
    assert tree.size == Amount(4, 0, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "line 1: it ends in the middle"),
        (b"hello", "line 1"),
        (b"{}", "stands where '[' has to"),
        (b'["1",2,{},[]]', "no version"),
        (b"[1,2,{},[]]", "no info object"),
        (b'[1,2,{},{"name":"f"}]', "does not begin with a folder"),
        (b'[1,2,{},[{"name":"/t"},\n{"asize":1}]]', "line 2: an entry has no name"),
        (b'[1,2,{},[{"name":"/t"},{"name":"f","asize":-1}]]', "asize is not a whole number"),
        (b'[1,2,{},[{"name":"/t"},{"name":"f","dsize":true}]]', "dsize is not a whole number"),
        (b'[1,2,{},[{"name":"/t"},{"name":"f","asize":1e400}]]', "asize is not a whole number"),
        (b'[1,2,{},[{"name":"/t"},\n\n{"name":"f"', "line 3"),
        (b'[1,2,{},[{"name":"/t"}', "ends in the middle"),
        (b'[1,2,{},[{"name":"/t"},]]', "no info object"),
        (b'[1,2,{},[{"name":"/t"}]', "ends in the middle"),
        (b'[1,2,{},[{"name":"/t"}]] x', "more after its end"),
        (b'[1,2,{},[{"name":"/t"},{"name":"f","x":' + b"[" * 200_000, "line 1"),
        (b'[1,2,{},[{"name":"/t"},{"name":"f","asize":' + b"9" * 6000 + b"}]]", "line 1"),
    ],
)
def test_a_broken_document_is_an_error_that_says_where(text: bytes, message: str) -> None:
    with pytest.raises(PulseError) as raised:
        read(text)
    assert message in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("start", "what", "hint"),
    [
        (b"\xbfncduEX1", "binary", "ncdu -f"),
        (b"\x28\xb5\x2f\xfd12", "zstd", "zstd -dc"),
        (b"\x1f\x8b12", "gzip", "gzip -dc"),
        (b"[2,0,{},[]]", "version 2", "version 1"),
    ],
)
def test_other_forms_are_named_with_the_way_out(start: bytes, what: str, hint: str) -> None:
    with pytest.raises(PulseError) as raised:
        read(start)
    assert what in str(raised.value)
    assert hint in raised.value.hint


def test_folders_may_be_nested_thousands_deep() -> None:
    text = b"[1,2,{}," + b",".join(b'[{"name":"d","dsize":1}' for _ in range(20_000)) + b"]" * 20_001
    tree = read(text).tree
    assert tree.size.allocated_bytes == 20_000
    assert tree.children


def test_memory_does_not_follow_the_number_of_files() -> None:
    def many(stop: int) -> Iterator[bytes]:
        yield b'[1,2,{},[{"name":"/top"}'
        for number in range(stop):
            yield b',\n[{"name":"f%d","dsize":4096},{"name":"a.mp4","asize":5},{"name":"b.mp4","asize":6}]' % number
        yield b"]]"

    class Stream:
        def __init__(self, chunks: Iterator[bytes]) -> None:
            self.chunks = chunks

        def read(self, _size: int, /) -> bytes:
            return next(self.chunks, b"")

    tracemalloc.start()
    try:
        tree = read_export(Stream(many(10_000)), categories=CATEGORIES, depth=0).tree
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert tree.size == Amount(110_000, 4096 * 10_000, 20_000)
    assert peak < 500_000


def test_a_folder_that_cannot_be_read_is_marked_and_the_rest_is_whole(folder: Path) -> None:
    faults.arm("storage.export_folder@2=EACCES")
    try:
        done = Exported()
        imported = read(exported(folder, exported=done))
    finally:
        faults.disarm()
    assert [why for _, why in done.unreadable] == ["Permission denied"]
    assert imported.error_count == 1
    assert done.files > len(HOSTILE)


def test_a_way_back_that_is_gone_ends_the_export_as_a_whole_document(folder: Path) -> None:
    faults.arm("storage.export_above@1=ENOENT")
    try:
        done = Exported()
        imported = read(exported(folder, exported=done))
    finally:
        faults.disarm()
    assert "moved or deleted" in done.unreadable[0][1]
    assert imported.tree.size.file_count > 0


def test_an_export_goes_deeper_than_a_path_can_be_long(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("last.mp4", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=here))
    os.close(here)
    done = Exported()
    tree = read(exported(tmp_path, exported=done)).tree
    assert (done.folders, done.files, done.unreadable) == (31, 1, [])
    assert max(len(node.path or b"") for node in tree.walk()) > 4096


def test_an_export_of_nothing_is_refused_and_one_that_is_told_to_stop_stops(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        exported(tmp_path / "missing")
    with pytest.raises(WalkCancelledError):
        exported(tmp_path, cancelled=lambda: True)
