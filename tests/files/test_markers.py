from __future__ import annotations

from pathlib import Path

import pytest

from pulsetui.files.folders import Folder
from pulsetui.files.markers import LONGEST_BYTES, marker_text, read_marker


def read(folder: Path) -> str | None:
    with Folder.open(folder) as opened:
        return read_marker(opened, ".marker", "who")


def test_a_marker_says_what_was_written_nothing_if_empty_and_none_if_missing(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    (tmp_path / ".marker").touch()
    assert read(tmp_path) == ""
    (tmp_path / ".marker").write_bytes(marker_text({"who": "me", "about": "ü"}))
    assert read(tmp_path) == "me"


@pytest.mark.parametrize(
    "text", [b"{", b"[1]", b"7", b'{"what": 1}', b"[" * LONGEST_BYTES, b"\xff", b" " * 5000 + b"x"]
)
def test_what_is_no_marker_is_a_value_error_or_empty_and_nothing_else(tmp_path: Path, text: bytes) -> None:
    (tmp_path / ".marker").write_bytes(text)
    if not text[:LONGEST_BYTES].strip():
        assert read(tmp_path) == ""
        return
    with pytest.raises(ValueError, match=r"\w"):
        read(tmp_path)


def test_reading_a_marker_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / ".marker").write_bytes(b"{")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(ValueError, match=r"\w"):
            read(tmp_path)

    assert len(list(Path("/proc/self/fd").iterdir())) == before
