"""The storage's marker: which storage is taken for the one that the database knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pulsetui.errors import RefusedError
from pulsetui.files.modes import PRIVATE
from pulsetui.pipeline.marker import MARKER_NAME, Known, check_marker, leave_marker

LIBRARY = "0192f0c1-7a00-7000-8000-000000000001"
EMPTY = Known(LIBRARY, 0, ())


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    (tmp_path / "storage" / "videos").mkdir(parents=True)
    return tmp_path / "storage"


def with_media(storage: Path, *, there: bool) -> Known:
    videos = [storage / "videos" / f"{number}.mp4" for number in range(3)]
    if there:
        videos[-1].touch()
    return Known(LIBRARY, 1_204, videos)


def test_a_storage_of_which_nothing_is_known_is_taken_and_marked_once(storage: Path) -> None:
    check_marker(storage, EMPTY)
    leave_marker(storage, LIBRARY, PRIVATE)
    marker = storage / MARKER_NAME
    before = marker.stat()
    leave_marker(storage, LIBRARY, PRIVATE)
    assert json.loads(marker.read_text())["library"] == LIBRARY
    assert (marker.stat().st_mtime_ns, marker.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_without_its_marker_and_its_media_a_storage_is_not_there(storage: Path) -> None:
    with pytest.raises(
        RefusedError, match=r"its marker \.pulsetui-storage is missing, and so are all 1,204 videos"
    ) as it:
        check_marker(storage, with_media(storage, there=False))
    assert "mount its disk" in it.value.hint
    assert f"touch {storage / MARKER_NAME}" in it.value.hint
    assert list(storage.iterdir()) == [storage / "videos"]


def test_with_its_marker_lost_media_is_for_recovery_to_tell(storage: Path) -> None:
    leave_marker(storage, LIBRARY, PRIVATE)
    check_marker(storage, with_media(storage, there=False))


def test_a_storage_from_before_there_were_markers_is_known_by_its_media(storage: Path) -> None:
    check_marker(storage, with_media(storage, there=True))


def test_an_empty_marker_says_that_the_media_is_lost_for_good(storage: Path) -> None:
    (storage / MARKER_NAME).touch()
    check_marker(storage, with_media(storage, there=False))
    leave_marker(storage, LIBRARY, PRIVATE)
    assert json.loads((storage / MARKER_NAME).read_text())["library"] == LIBRARY


@pytest.mark.parametrize("known", [EMPTY, Known("", 0, ())])
def test_a_storage_of_another_data_folder_is_refused(storage: Path, known: Known) -> None:
    leave_marker(storage, "another", PRIVATE)
    with pytest.raises(RefusedError, match="belongs to another data folder"):
        check_marker(storage, known)


@pytest.mark.parametrize("body", ["{", "[]", '{"libary": 1}', "\x00" * 40])
def test_a_marker_that_is_not_ours_is_refused_and_kept(storage: Path, body: str) -> None:
    (storage / MARKER_NAME).write_text(body)
    with pytest.raises(RefusedError, match="is not as pulsetui writes it") as raised:
        check_marker(storage, EMPTY)
    assert "truncate -s 0" in raised.value.hint
    assert (storage / MARKER_NAME).read_text() == body
