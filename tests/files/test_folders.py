from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pulsetui import faults
from pulsetui.errors import RefusedError, SpaceError
from pulsetui.files.folders import FileIdentity, Folder
from pulsetui.files.renames import link_and_unlink


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    faults.disarm()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def identity(folder: Folder, name: str) -> FileIdentity:
    found = folder.identity(name)
    assert found is not None
    return found


def test_a_folder_knows_its_path_and_names(tmp_path: Path, folder: Folder) -> None:
    (tmp_path / "b").touch()
    (tmp_path / "a").mkdir()
    (tmp_path / os.fsdecode(b"caf\xe9\n")).touch()

    assert folder.path == tmp_path
    assert folder.names() == ["a", "b", "caf\udce9\n"]


def test_missing_folders_are_made_private(folder: Folder, tmp_path: Path) -> None:
    with folder.below("a", "b", create=True) as made:
        assert made.path == tmp_path / "a" / "b"

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_without_create_a_missing_folder_is_an_error_that_names_its_path(folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        folder.below("nowhere", "else")

    assert raised.value.filename == str(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_may_not_be_on_disk_is_not_left_behind(folder: Folder, tmp_path: Path) -> None:
    faults.arm("files.folder_sync=EIO")

    with pytest.raises(OSError, match="Input/output error"):
        folder.below("a", create=True)

    assert not (tmp_path / "a").exists()


def test_a_symbolic_link_among_the_components_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")

    with pytest.raises(RefusedError, match="link is a symbolic link"):
        Folder.open(tmp_path / "link" / "inner")
    with Folder.open(tmp_path) as folder, pytest.raises(RefusedError, match="symbolic link"):
        folder.below("link", create=True)


def test_a_file_among_the_components_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(RefusedError, match="not a folder"):
        Folder.open(tmp_path / "file")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd", "nul\0"])
def test_a_name_that_could_lead_elsewhere_is_refused(folder: Folder, name: str) -> None:
    for use in (folder.create, folder.open_existing, folder.unlink, folder.identity, folder.below):
        with pytest.raises(RefusedError, match="plain file name"):
            use(name)
    with pytest.raises(RefusedError):
        folder.rename("a", name)
    with pytest.raises(RefusedError):
        folder.rename(name, "a")


def test_a_relative_path_and_one_that_goes_up_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="absolute"):
        Folder.open(Path("videos"))
    with pytest.raises(RefusedError, match="plain file name"):
        Folder.open(tmp_path / ".." / "x")


def test_a_created_file_is_private_new_and_not_inherited(folder: Folder, tmp_path: Path) -> None:
    descriptor = folder.create("new")

    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    with pytest.raises(FileExistsError):
        folder.create("new")


def test_create_does_not_write_through_a_dangling_link(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(FileExistsError):
        folder.create("link")

    assert not (tmp_path / "target").exists()


def test_a_full_disk_is_told_apart_from_a_broken_one(folder: Folder) -> None:
    faults.arm("files.create@1=ENOSPC;files.created@1=EDQUOT;files.sync=EIO")
    before = descriptors()

    with pytest.raises(SpaceError, match="no space left to create"):
        folder.create("new")
    with pytest.raises(SpaceError, match="quota"):
        folder.create("new")

    assert descriptors() == before


def test_only_regular_files_are_opened(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"here")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    before = descriptors()

    for name in ("folder", "link", "pipe"):
        for writable in (False, True):
            with pytest.raises(RefusedError, match="not a regular file"):
                folder.open_existing(name, writable=writable)
    assert descriptors() == before

    descriptor = folder.open_existing("file", writable=False)
    assert os.read(descriptor, 10) == b"here"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(descriptor, b"no")
    os.close(descriptor)


def test_a_rename_never_replaces(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "new").write_text("new")

    with pytest.raises(FileExistsError):
        folder.rename("old", "new")
    assert (tmp_path / "new").read_text() == "new"
    assert (tmp_path / "old").read_text() == "old"

    folder.rename("old", "free")
    assert folder.names() == ["free", "new"]


def test_a_rename_of_nothing_is_an_error(folder: Folder) -> None:
    with pytest.raises(FileNotFoundError):
        folder.rename("nothing", "new")


def test_a_rename_takes_names_of_any_bytes(folder: Folder, tmp_path: Path) -> None:
    hostile = os.fsdecode(b"\x1b[31m\xff\n")
    (tmp_path / "old").touch()

    folder.rename("old", hostile)

    assert folder.names() == [hostile]


def test_where_the_file_system_lacks_the_rename_it_still_never_replaces(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "new").write_text("new")
    descriptor = os.open(tmp_path, os.O_RDONLY)

    with pytest.raises(FileExistsError):
        link_and_unlink(descriptor, "old", descriptor, "new")
    link_and_unlink(descriptor, "old", descriptor, "free")

    os.close(descriptor)
    assert (tmp_path / "new").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["free", "new"]


def test_replace_replaces(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "new").write_text("new")

    folder.replace("old", "new")

    assert folder.names() == ["new"]
    assert (tmp_path / "new").read_text() == "old"


def test_an_identity_holds_what_stat_says(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    status = (tmp_path / "file").stat()

    assert identity(folder, "file") == FileIdentity(
        status.st_dev, status.st_ino, 5000, status.st_mtime_ns, status.st_blocks * 512
    )
    assert folder.identity("nothing") is None


def test_an_identity_is_of_the_link_not_of_what_it_leads_to(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    (tmp_path / "link").symlink_to("file")

    assert not identity(folder, "link").same_file(identity(folder, "file"))


def test_remove_takes_the_file_that_was_looked_at(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"x")

    assert folder.remove("video", identity(folder, "video")) is True
    assert not (tmp_path / "video").exists()


def test_remove_takes_a_file_whose_times_were_touched(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"x")
    seen = identity(folder, "video")
    os.utime(tmp_path / "video", (1, 1))

    assert folder.remove("video", seen) is True


def test_removing_what_is_gone_says_so_and_makes_it_durable(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"x")
    seen = identity(folder, "video")
    (tmp_path / "video").unlink()
    faults.arm("files.folder_sync@1=EIO")

    with pytest.raises(OSError, match="Input/output error"):
        folder.remove("video", seen)
    assert folder.remove("video", seen) is False


def test_remove_refuses_another_file_of_the_same_name(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"old")
    seen = identity(folder, "video")
    (tmp_path / "other").write_bytes(b"new")
    (tmp_path / "other").replace(tmp_path / "video")

    with pytest.raises(RefusedError, match="not the file it was"):
        folder.remove("video", seen)
    assert (tmp_path / "video").read_bytes() == b"new"


def test_remove_refuses_a_file_that_grew(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"old")
    seen = identity(folder, "video")
    with (tmp_path / "video").open("ab") as file:
        file.write(b"more")

    with pytest.raises(RefusedError, match="expected inode"):
        folder.remove("video", seen)
    assert (tmp_path / "video").exists()


def test_remove_refuses_a_link_in_place_of_the_file(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"old")
    seen = identity(folder, "video")
    (tmp_path / "video").rename(tmp_path / "moved")
    (tmp_path / "video").symlink_to("moved")

    with pytest.raises(RefusedError):
        folder.remove("video", seen)
    assert (tmp_path / "moved").read_bytes() == b"old"
    assert (tmp_path / "video").is_symlink()


def test_a_folder_moved_away_is_still_the_folder_that_was_opened(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Folder.open(tmp_path / "a") as folder:
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "a").symlink_to("/")
        os.close(folder.create("file"))

    assert (tmp_path / "b" / "file").exists()


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = descriptors()

    with Folder.open(tmp_path) as folder, folder.below("a", "b", "c", create=True) as inner:
        inner.names()
        inner.sync()
        with pytest.raises(FileNotFoundError):
            inner.below("x", "y")
    folder.close()

    assert descriptors() == before


def test_a_link_swapped_in_again_and_again_never_leads_outside(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "part").mkdir(parents=True)
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for first, second in (("part", "aside"), ("link", "part"), ("part", "link"), ("aside", "part")):
                (inside / first).rename(inside / second)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        with Folder.open(inside) as folder:
            for number in range(1000):
                with suppress(RefusedError, FileNotFoundError), folder.below("part") as part:
                    os.close(part.create(f"{number}"))
    finally:
        done.set()
        swapper.join()

    assert list(outside.iterdir()) == []
    assert any((inside / "part").iterdir())
