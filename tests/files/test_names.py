from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.files.names import FOLDER_NAME_BYTES, TITLE_BYTES, clean_title, display_text, folder_name

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HOSTILE = st.sampled_from(f"/\\.. \t\n\r\x00\x1b\x7f\x9b\u2028\u0301\u200d\ufeff\udcff\ud800é{BIDI}")
TEXTS = st.text(HOSTILE | st.characters(exclude_categories=()), max_size=150)


@given(TEXTS)
def test_a_title_is_one_short_normal_line_without_control_or_bidi_characters(text: str) -> None:
    title = clean_title(text)

    assert len(title.encode()) <= TITLE_BYTES
    assert unicodedata.is_normalized("NFC", title)
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in title)
    assert not set(title) & set(BIDI)
    assert title == " ".join(title.split())
    assert clean_title(title) == title


@given(TEXTS)
def test_a_folder_name_is_one_visible_component(text: str) -> None:
    name = folder_name(text)

    assert 0 < len(name.encode()) <= FOLDER_NAME_BYTES
    assert not set(name) & set(f"/\\\0\n\x1b{BIDI}")
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert folder_name(name) == name


@given(TEXTS)
def test_displayed_text_has_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = display_text(text)

    for character in shown:
        assert character.isprintable() or character in "\u200c\u200d" or unicodedata.category(character) == "Zs"
    shown.encode()  # no lone surrogate is left, so every screen can write it
    assert display_text(shown) == shown


@given(st.binary(max_size=40))
def test_a_file_name_of_any_bytes_can_be_displayed(name: bytes) -> None:
    display_text(os.fsdecode(name)).encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain title, 2nd part", "plain title, 2nd part"),
        ("日本語 – žluťoučký", "日本語 – žluťoučký"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("two\nlines\t\r", "two\\nlines\\t\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("exe\u202efdp.", "exe\\u202efdp."),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u200bb", "a\\u200bb"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert display_text(text) == shown


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  An \n episode\t", "An episode"),
        ("e\u0301te\u0301", "été"),
        ("e\x00\u0301", "é"),
        ("pay\u202egpj.exe", "paygpj.exe"),
        ("bad \udcff byte", "bad \ufffd byte"),
        ("\x1b[2J", "[2J"),
        ("\u202e\n", ""),
    ],
)
def test_a_title_keeps_what_can_be_read(text: str, title: str) -> None:
    assert clean_title(text) == title


def test_a_long_title_is_cut_between_characters() -> None:
    assert clean_title("é" * 150) == "é" * 100
    assert clean_title("x" + "é" * 150) == "x" + "é" * 99


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("\u202e\0", "_"),
        ("../../etc/passwd", "-..-etc-passwd"),
        (".hidden", "hidden"),
        ("A/B", "A-B"),
        ("Ends with a dot.", "Ends with a dot"),
        ("Déjà vu", "Déjà vu"),
    ],
)
def test_a_folder_name_cannot_leave_or_hide(text: str, name: str) -> None:
    assert folder_name(text) == name


@given(text=TEXTS)
def test_a_folder_of_that_name_lies_directly_below_its_parent(text: str) -> None:
    parent = Path("/roots/videos")

    assert Path(os.path.normpath(parent / folder_name(text))).parent == parent
