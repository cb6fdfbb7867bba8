from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import socket
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import FailureClass, SourceError
from pulsetui.files import copying
from pulsetui.pipeline.downloader.local_source import LocalSource, local_path
from pulsetui.pipeline.downloader.ranges import Recorded
from pulsetui.pipeline.downloader.transfer import Downloader
from pulsetui.settings.models import Downloads
from tests.pipeline.downloader.conftest import MIB, Ledger, Make, Place, media

BODY = media(5 * MIB + 77)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "a talk, 100%.mp4"
    path.write_bytes(BODY)
    return path


def identity(path: Path) -> tuple[int, int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_nlink


@pytest.mark.parametrize("as_url", [True, False])
async def test_a_local_file_is_taken_and_its_original_stays_as_it_was(
    downloader: Downloader, place: Place, original: Path, *, as_url: bool
) -> None:
    before = identity(original)
    ledger = Ledger()

    fetched = await downloader.fetch(place.request(original.as_uri() if as_url else str(original)), ledger)

    assert fetched.path.read_bytes() == BODY
    assert fetched.sha256 == hashlib.sha256(BODY).hexdigest()
    assert ledger.heads[0].declared_bytes == len(BODY)
    assert identity(original) == before
    assert identity(fetched.path)[0] != before[0]


async def test_a_link_that_was_named_is_resolved(downloader: Downloader, place: Place, original: Path) -> None:
    link = original.with_name("link.mp4")
    link.symlink_to(original)

    fetched = await downloader.fetch(place.request(str(link)), Ledger())

    assert not fetched.path.is_symlink()
    assert fetched.path.read_bytes() == BODY
    assert link.is_symlink()


async def permanent(path: Path | str) -> str:
    source = LocalSource(Downloads())
    async with asyncio.timeout(10):
        with pytest.raises(SourceError) as caught:
            await source.open(str(path), Recorded())
    assert caught.value.failure is FailureClass.PERMANENT
    return str(caught.value)


async def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe, bound = tmp_path / "pipe.mp4", tmp_path / "socket.mp4"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(bound))
        for path in (pipe, bound, tmp_path, Path("/dev/zero")):
            assert "regular file" in await permanent(path)


async def test_a_missing_file_is_permanent(tmp_path: Path) -> None:
    assert "doesn't exist" in await permanent(tmp_path / "missing.mp4")
    assert "doesn't exist" in await permanent(tmp_path / "no folder" / "missing.mp4")


async def test_a_loop_of_links_is_permanent(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    await permanent(tmp_path / "loop")


async def test_hostile_names_are_shown_harmless(tmp_path: Path) -> None:
    assert "\x1b" not in await permanent(tmp_path / "\x1b[2J.mp4")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/a/100%25 b.mp4", "/a/100%25 b.mp4"),
        ("file:///a/100%25%20b.mp4", "/a/100% b.mp4"),
        ("FILE://localhost/a.mp4", "/a.mp4"),
        ("file:///a/%FF.mp4", os.fsdecode(b"/a/\xff.mp4")),
    ],
)
def test_a_url_names_a_path(url: str, path: str) -> None:
    assert local_path(url) == Path(path)


@pytest.mark.parametrize("url", ["file://server/a.mp4", "file:a.mp4", "file:", "file:///a%00b"])
def test_a_url_without_a_local_path_is_refused(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        local_path(url)
    assert caught.value.failure is FailureClass.PERMANENT


async def test_an_interrupted_copy_goes_on_where_it_ended(downloader: Downloader, place: Place, original: Path) -> None:
    ledger = Ledger()
    faults.arm("download.local.read@4=EIO")
    with pytest.raises(SourceError) as caught:
        await downloader.fetch(place.request(str(original)), ledger)
    faults.disarm()
    again = Ledger()
    fetched = await downloader.fetch(place.request(str(original), ledger.heads[0]), again)

    assert caught.value.failure is FailureClass.TRANSIENT
    assert again.heads[0].have_bytes == 3 * MIB
    assert fetched.path.read_bytes() == BODY


async def test_a_file_that_changed_is_copied_anew(downloader: Downloader, place: Place, original: Path) -> None:
    ledger = Ledger()
    faults.arm("download.local.read@4=EIO")
    with pytest.raises(SourceError):
        await downloader.fetch(place.request(str(original)), ledger)
    faults.disarm()
    other = changed(original)

    fetched = await downloader.fetch(place.request(str(original), ledger.heads[0]), Ledger())

    assert fetched.path.read_bytes() == other


def changed(path: Path) -> bytes:
    """Put other bytes of the same length into a file."""
    other = media(len(BODY), seed=9)
    path.write_bytes(other)
    os.utime(path, ns=(1, 1))
    return other


async def test_a_file_that_changes_meanwhile_is_not_taken(make: Make, place: Place, original: Path) -> None:
    ledger = Ledger(reserved_bytes=2 * MIB, on_extend=lambda: os.utime(original, ns=(1, 1)))

    with pytest.raises(SourceError, match="changed while it was copied") as caught:
        await make().fetch(place.request(str(original)), ledger)

    assert caught.value.failure is FailureClass.TRANSIENT
    assert not (place.folder / "job.mp4").exists()


async def test_a_file_over_the_cap_is_refused(make: Make, place: Place, original: Path) -> None:
    with pytest.raises(SourceError, match="max_size"):
        await make(max_size=MIB).fetch(place.request(str(original)), Ledger())


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL])
def test_where_blocks_cannot_be_shared_a_clone_says_no(tmp_path: Path, number: int) -> None:
    (tmp_path / "source").write_bytes(b"x")
    faults.arm(f"files.clone={errno.errorcode[number]}")
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("wb") as target:
        assert not copying.clone(source.fileno(), target.fileno())


def test_a_clone_has_the_bytes_and_not_the_inode(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(BODY)
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("wb") as target:
        cloned = copying.clone(source.fileno(), target.fileno())

    if not cloned:
        pytest.skip("this file system can't share blocks")
    assert (tmp_path / "target").read_bytes() == BODY
