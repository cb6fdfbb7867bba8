from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pulsetui.tui import glyphs
from tests.tui.looking import opened, text_of


def test_every_icon_and_its_twin_is_one_cell() -> None:
    for icon, twin in glyphs.ICONS.items():
        assert cell_len(icon) == 1, icon
        assert len(twin) == 1, icon
        assert twin.isascii(), icon


def test_every_icon_of_the_table_has_its_twin() -> None:
    icons = {value for name, value in vars(glyphs).items() if name.isupper() and isinstance(value, str)}

    assert icons == set(glyphs.ICONS)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_ascii_keeps_the_width(text: str) -> None:
    shown = glyphs.to_ascii(text)

    assert shown.isascii()
    assert len(shown) == cell_len(text) or any(cell_len(character) == 0 for character in text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Café", "Cafe"), ("日本", "????"), ("▕██▌ ▏", "[### ]"), ("221 GB ≥ 200 GB", "221 GB > 200 GB"), ("╭─╮", "+-+")],
)
def test_ascii_keeps_what_it_can(text: str, shown: str) -> None:
    assert glyphs.to_ascii(text) == shown


@pytest.mark.parametrize(
    ("environment", "encoding", "ascii_only"),
    [
        ({"LC_ALL": "C"}, "utf-8", True),
        ({"LANG": "POSIX"}, "utf-8", True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", True),
        ({"LC_CTYPE": "C.UTF-8"}, "utf-8", False),
        ({"LANG": "en_US.UTF-8"}, "utf-8", False),
        ({"LANG": "en_US.ISO-8859-1"}, "utf-8", True),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, "utf-8", True),
        ({"LANG": "C", "LC_ALL": "en_US.utf8"}, "utf-8", False),
        ({}, "utf-8", False),
        ({}, "ascii", True),
    ],
)
def test_the_locale_decides(environment: dict[str, str], encoding: str, ascii_only: bool) -> None:
    assert glyphs.is_ascii_only(environment, encoding) is ascii_only


async def test_an_ascii_terminal_gets_ascii_only() -> None:
    async with opened(ascii_only=True) as pilot:
        shown = text_of(pilot)

    assert shown.isascii()
    assert "+- Active tasks ---" in shown
    assert "[########" in shown
