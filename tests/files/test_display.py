from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from pulsetui.files.display import end_cut, head, middle_cut, name_cut, tail, to_ascii
from pulsetui.files.names import display_text

TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("ab.日\u0301\u200d❤\ufe0f👨\x1b\udcff")), max_size=30)


@settings(deadline=None)
@given(TEXTS, st.integers(-1, 40))
def test_no_cut_is_wider_than_asked_for(text: str, width: int) -> None:
    for cut in (middle_cut, end_cut, name_cut):
        assert cell_len(cut(text, width)) <= max(0, width)
    shown = display_text(text)
    assert cell_len(head(shown, width)) <= max(0, width)
    assert cell_len(tail(shown, width)) <= max(0, width)
    assert shown.startswith(head(shown, width))
    assert shown.endswith(tail(shown, width))


@settings(deadline=None)
@given(TEXTS)
def test_what_fits_is_whole(text: str) -> None:
    shown = display_text(text)
    assert (
        middle_cut(text, cell_len(shown)) == end_cut(text, cell_len(shown)) == name_cut(text, cell_len(shown)) == shown
    )


@pytest.mark.parametrize(
    ("name", "width", "cut"),
    [
        ("interview_harbour_002.mp4", 16, "interv…r_002.mp4"),
        ("Part 12.mp4", 11, "Part 12.mp4"),
        ("Part 12.mp4", 10, "Par…12.mp4"),
        ("Part 12.mp4", 8, "Part 12"),
        ("日本語の名前.mp4", 12, "日本…前.mp4"),
        ("no extension at all", 9, "no e… all"),
        (".hidden_file_of_someone", 9, ".hid…eone"),
        ("Scene 1. The very long title of it", 12, "Scene …of it"),
        ("anything", 0, ""),
    ],
)
def test_a_name_is_cut_in_its_middle_and_keeps_its_extension(name: str, width: int, cut: str) -> None:
    assert name_cut(name, width) == cut


@settings(deadline=None)
@given(TEXTS)
def test_ascii_is_as_wide_as_what_it_stands_for(text: str) -> None:
    shown = "".join(character for character in display_text(text) if character not in "❤\u200d\ufe0f👨")
    assert to_ascii(shown).isascii()
    assert cell_len(to_ascii(shown)) == cell_len(shown)
